"""From the parts of a recorder to the canonical recording."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.measure.parts import Parts
from edgejoule.measure.plan import METER, PROBLEMS, Plan
from edgejoule.tables import contracts, empty
from edgejoule.traces import Rail, Recording, with_observed_period

STATED = ("latency_ms", "latency_p50_ms", "latency_p90_ms", "top1", "isolated_ms", "between_ms")


def collect(device: Device, folder: Path | str) -> Recording:
    """Return the recording that a folder of parts holds, complete or not, in order of time.

    Args:
        device: the device that was measured.
        folder: where the recorder kept its parts.

    Raises:
        EdgejouleError: nothing at all could be measured; the message has the first reason.
    """
    folder = Path(folder)
    plan = Plan.read(folder / "plan.json")
    store = Parts(folder, plan)
    sessions = json.loads((folder / "sessions.json").read_text(encoding="utf-8"))
    parts = list(store.finished())
    problems = [part for part in parts if "problem" in part]
    good = sorted((part for part in parts if "events" in part), key=lambda part: part["events"][0]["start_ns"])
    if not good:
        first = problems[0]["problem"] if problems else "the recorder was stopped before the first workload ended"
        raise EdgejouleError(f"{folder}: nothing could be measured: {first}")
    meta = describe_recording(device, plan, contributing(sessions, good))
    trace = trace_of(good, store, meta["rails"]) if meta["rails"] else None
    if trace is not None:
        meta |= {"observed_rate_hz": float(np.median([part["sampling_hz"] for part in good if "sampling_hz" in part]))}
        meta["rails"] = [observed(trace, rail) for rail in meta["rails"]]
    return Recording(
        meta=meta,
        events=events_of(good),
        trace=trace,
        samples=samples_of(good),
        nodes=nodes_of(good),
        problems=pd.concat([problems_of(problems, device), planned_problems(folder)], ignore_index=True),
    )


def contributing(sessions: list[dict], parts: list[dict]) -> list[dict]:
    """Return the sessions that a part is from: what was measured and became void leaves no trace."""
    starts = np.array([part["events"][0]["start_ns"] for part in parts])
    begins = np.array([session["offset_ns"] for session in sessions])
    return [sessions[index] for index in np.unique(np.searchsorted(begins, starts, "right") - 1)]


def planned_problems(folder: Path) -> pd.DataFrame:
    """Return what the plan left out (table PROBLEMS)."""
    path = folder / PROBLEMS
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return pd.DataFrame(rows, columns=contracts.PROBLEMS.names)


def describe_recording(device: Device, plan: Plan, sessions: list[dict]) -> dict:
    """Return the contents of ``recording.json``."""
    # Sessions of an earlier version of the recorder know no binaries.
    told = ("started", "offset_ns", "environment", "versions", "binaries")
    return {
        "device": device.name,
        "board": device.board,
        "meter": device.meter.model_dump(exclude_none=True, exclude={"root", "command"}),
        "rails": sessions[-1]["rails"],
        "clock": "monotonic, shifted to 0 at the start of the first session",
        "power_scope": device.power_scope,
        "runtime": dict(plan.runtime),
        "versions": sessions[-1]["versions"],
        "settings": sessions[-1]["settings"],
        "protocol": dict(plan.protocol),
        "source": "live",
        "sessions": [{key: session[key] for key in told if key in session} for session in sessions],
    }


def trace_of(parts: list[dict], store: Parts, rails: list[dict]) -> pd.DataFrame:
    """Return the table ``trace``: what the meter read beside each part, in order of time within each rail."""
    workloads = {(workload.kind, workload.name): workload for workload in store.plan.workloads}
    files = [store.trace(part["pass"], workloads[part["kind"], part["workload"]]) for part in parts]
    gone = [file for file in files if not file.exists()]
    if gone:
        raise EdgejouleError(f"{gone[0]}: the meter's readings are gone; delete the part beside them to measure again")
    frames = [pd.read_csv(file, names=["t_ns", "rail", "value"]) for file in files]
    readings = pd.concat(frames, ignore_index=True).sort_values(["rail", "t_ns"], kind="stable", ignore_index=True)
    counters = readings["rail"].isin([rail["name"] for rail in rails if rail["quantity"] == "energy"])
    return pd.DataFrame(
        {
            "t_ns": readings["t_ns"],
            "power_w": readings["value"].mask(counters),
            "energy_j": readings["value"].where(counters),
            "rail": readings["rail"],
        }
    )


def observed(trace: pd.DataFrame, rail: dict) -> dict:
    """Return a rail with the time between its readings, as far as the trace tells it."""
    declared = Rail.from_meta(rail, "the recorder's session")
    readings = trace[trace["rail"] == declared.name]
    return with_observed_period(
        declared, readings["t_ns"].to_numpy(), readings[declared.column].to_numpy(float)
    ).to_meta()


def event_name(part: dict, kind: str, index: int) -> str:
    """Return the identifier of an event: workload, pass and, for all but the workload's own, kind and position."""
    own = f"{part['workload']}/{part['pass']}"
    return own if kind == part["kind"] != METER else f"{own}/{kind}-{index}"


def events_of(parts: list[dict]) -> pd.DataFrame:
    """Return the table ``events``, with what disturbed each measurement in further columns."""
    rows = [
        {
            "event": event_name(part, event["kind"], index),
            "start_ns": event["start_ns"],
            "end_ns": event["end_ns"],
            "kind": event["kind"],
            "workload": part["workload"],
            "kernel_kind": part.get("kernel_kind"),
            "kernel_source": part.get("kernel_source"),
            "precision": part["precision"],
            "pass": part["pass"],
            "iterations": event["iterations"],
            **{key: event.get(key) for key in STATED},
            "source": "live",
            "flag": event.get("flag", ""),
            **{key: event.get(key) for key in ("other_cores", "steal", "frequency_hz", "temperature_c")},
            "attempts": event.get("attempts"),
            "sampling_share": part.get("sampling_share"),
        }
        for part in parts
        for index, event in enumerate(part["events"])
    ]
    numbers = (*STATED, "other_cores", "steal", "frequency_hz", "temperature_c", "attempts", "sampling_share")
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, "float64"))


def samples_of(parts: list[dict]) -> pd.DataFrame:
    """Return the table ``samples``: the duration of each inference of each measured window."""
    frames = [
        pd.DataFrame(
            {
                "event": event_name(part, part["kind"], 0),
                "iteration": np.arange(len(part["durations"])),
                "duration_ns": np.asarray(part["durations"], np.int64),
            }
        )
        for part in parts
    ]
    return pd.concat(frames, ignore_index=True)


def nodes_of(parts: list[dict]) -> pd.DataFrame | None:
    """Return the table ``nodes``, or None where the runtime has no profiler."""
    rows = [
        {
            "network": part["workload"],
            "precision": part["precision"],
            "index": node["index"],
            "node": node["node"],
            "operator": node["operator"],
            "pass": part["pass"],
            "duration_ns": node["duration_ns"],
            "input_shapes": node["input_shapes"],
            "output_shapes": node["output_shapes"],
        }
        for part in parts
        for node in part.get("nodes", [])
    ]
    return pd.DataFrame(rows) if rows else None


def problems_of(parts: list[dict], device: Device) -> pd.DataFrame:
    """Return the table ``problems``: one row per workload and reason, however many passes met it."""
    rows = [
        {
            "workload": part["workload"],
            "kind": part["kind"],
            "precision": part["precision"],
            "source": f"{device.runtime.name} on {device.board}",
            "reason": part["problem"],
        }
        for part in parts
    ]
    if not rows:
        return empty(contracts.PROBLEMS)
    return pd.DataFrame(rows).drop_duplicates(["workload", "reason"], ignore_index=True)
