"""Recordings of MLPerf Inference with power: one device's runs in the layout in which MLCommons publishes them.

A run is a folder ``<system>/<network>/<scenario>/`` with ``performance/run_1/{spl.txt,mlperf_log_detail.txt}``,
``performance/power/server.json`` and ``accuracy/accuracy.txt``. Energies derived from these recordings are not MLPerf
scores.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.traces.files import Files
from edgejoule.traces.importers.loadgen import Run, read_detail, read_top1
from edgejoule.traces.importers.ptdaemon import PowerLog, Server, read_power_log, read_server
from edgejoule.traces.importers.runs import RunFacts, problem, problem_table, system_description
from edgejoule.traces.rails import Rail
from edgejoule.traces.recording import Recording

POWER_LOG = "performance/run_1/spl.txt"
DETAIL = "performance/run_1/mlperf_log_detail.txt"
SERVER = "performance/power/server.json"
ACCURACY = "accuracy/accuracy.txt"
MEMBERS = (ACCURACY, SERVER, DETAIL, POWER_LOG)

RAIL = "wall"
#: Clocks differ from UTC by a multiple of a quarter of an hour, as time zones do.
QUARTER_NS = 900 * 1_000_000_000
#: Shortest span of idle (ns) before or after the window that makes an idle event.
LEAST_IDLE_NS = 3 * 1_000_000_000


@dataclass(frozen=True)
class Imported:
    """One run: its place, what it ran, and its two logs on the clock of UTC."""

    folder: str
    network: str
    precision: str | None
    log: PowerLog
    run: Run
    server: Server
    top1: float | None
    digest: str


def import_mlperf_inference(
    files: Files, meta: Mapping, system: str | None = None, facts: Mapping[str, RunFacts] | None = None
) -> Recording:
    """Return all runs of one device as one recording on the clock of UTC.

    A run that cannot be used is a row of ``problems`` with the reason; the others are used.

    Args:
        files: the upstream files.
        meta: ``device``, ``board``, ``meter``, ``power_scope`` and whatever else ``recording.json`` is to say.
        system: upstream name of the system, if ``files`` hold several.
        facts: network and precision by run folder; without them the folder names the network.

    Raises:
        EdgejouleError: there are no runs, runs of several systems, or not one that can be used.
    """
    folders = _run_folders(files, system)
    problems: list[dict] = []
    runs: list[Imported] = []
    for folder in folders:
        about = (facts or {}).get(folder, RunFacts(_network(folder), None))
        try:
            runs.append(_read_run(files, folder, about, problems))
        except EdgejouleError as error:
            problems.append(problem(about.network, about.precision, folder, error))
    runs = _distinct(runs, problems)
    if not runs:
        raise EdgejouleError(f"{files}: none of {len(folders)} runs can be used; the first: {problems[0]['reason']}")
    events = pd.DataFrame([event for run, number in _passes(runs) for event in _events(run, number)])
    return Recording(_meta(files, meta, runs), events, _trace(runs), problems=problem_table(problems))


def _run_folders(files: Files, system: str | None) -> list[str]:
    folders = [name[: -len(POWER_LOG) - 1] for name in files.names() if name.endswith("/" + POWER_LOG)]
    systems = sorted({_system(folder) for folder in folders})
    if system is not None:
        folders = [folder for folder in folders if _system(folder) == system]
    elif len(systems) > 1:
        raise EdgejouleError(f"{files}: runs of several systems ({', '.join(systems)}); name one of them")
    if not folders:
        raise EdgejouleError(f"{files}: no '{POWER_LOG}'" + (f" of system '{system}'" if system else "") + " in it")
    return sorted(folders, key=lambda folder: PurePosixPath(folder).parts)


def _system(folder: str) -> str:
    return PurePosixPath(folder).parts[-3] if len(PurePosixPath(folder).parts) > 2 else ""


def _network(folder: str) -> str:
    return PurePosixPath(folder).parts[-2] if len(PurePosixPath(folder).parts) > 1 else folder


def _read_run(files: Files, folder: str, about: RunFacts, problems: list[dict]) -> Imported:
    data = files.read(f"{folder}/{POWER_LOG}")
    log = read_power_log(data, f"{folder}/{POWER_LOG}")
    run = read_detail(files.read(f"{folder}/{DETAIL}"), f"{folder}/{DETAIL}")
    notes = []
    server = Server()
    if files.has(f"{folder}/{SERVER}"):
        server = read_server(files.read(f"{folder}/{SERVER}"), f"{folder}/{SERVER}")
        log, run = _to_utc(log, run, server)
    else:
        notes.append("no server.json: both logs are taken to be in UTC")
    if log.incomplete:
        notes.append(f"{POWER_LOG}: {log.incomplete} incomplete line(s) left out")
    if run.valid is False:
        notes.append("LoadGen calls the run invalid")
    top1 = None
    if files.has(f"{folder}/{ACCURACY}"):
        top1 = read_top1(files.read(f"{folder}/{ACCURACY}"))
    else:
        notes.append(f"no {ACCURACY}: the accuracy is unknown")
    problems += [problem(about.network, about.precision, folder, note) for note in notes]
    digest = hashlib.sha256(data).hexdigest()
    return Imported(folder, about.network, about.precision, log, run, server, top1, digest)


def _to_utc(log: PowerLog, run: Run, server: Server) -> tuple[PowerLog, Run]:
    """Shift both logs to UTC by whole quarters of an hour.

    The offset that ``server.json`` states does not help: in some runs it is the host's time zone while both logs are in
    UTC. The server's own stamps of the measured phase are in UTC without doubt, so each log is laid against them.
    """
    start_ns = round(server.start_s * 1e9)
    log_ns = round((log.t_ns[0] - start_ns) / QUARTER_NS) * QUARTER_NS
    run_ns = round((run.begin_ns - start_ns) / QUARTER_NS) * QUARTER_NS
    return (
        replace(log, t_ns=log.t_ns - log_ns),
        replace(run, begin_ns=run.begin_ns - run_ns, end_ns=run.end_ns - run_ns),
    )


def _distinct(runs: list[Imported], problems: list[dict]) -> list[Imported]:
    """Return the runs in order of time without copies of a trace and without traces that overlap another."""
    kept: list[Imported] = []
    seen: dict[str, str] = {}
    for run in runs:
        if run.digest in seen:
            reason = f"the same trace as {seen[run.digest]}, which is used"
            problems.append(problem(run.network, run.precision, run.folder, reason))
        else:
            seen[run.digest] = run.folder
            kept.append(run)
    kept.sort(key=lambda run: int(run.log.t_ns[0]))
    result: list[Imported] = []
    for run in kept:
        if result and run.log.t_ns[0] <= result[-1].log.t_ns[-1]:
            reason = f"its trace overlaps in time with that of {result[-1].folder}, which is used"
            problems.append(problem(run.network, run.precision, run.folder, reason))
        else:
            result.append(run)
    return result


def _passes(runs: list[Imported]) -> list[tuple[Imported, int]]:
    """Number the runs of each network in order of time: a second run of a network is a second pass."""
    counts: dict[str, int] = {}
    numbered = []
    for run in runs:
        number = counts.get(run.network, 0)
        counts[run.network] = number + 1
        numbered.append((run, number))
    return numbered


def _events(imported: Imported, number: int) -> list[dict]:
    run, log = imported.run, imported.log
    name = imported.network + (f"#{number}" if number else "")
    common = {"workload": imported.network, "precision": imported.precision, "pass": number, "source": imported.folder}
    window = common | {
        "event": name,
        "kind": "network",
        "start_ns": run.begin_ns,
        "end_ns": run.end_ns,
        "iterations": run.iterations,
        "latency_ms": run.latency_ms,
        "latency_p50_ms": run.latency_p50_ms,
        "latency_p90_ms": run.latency_p90_ms,
        "top1": imported.top1,
    }
    unknown = dict.fromkeys(("latency_ms", "latency_p50_ms", "latency_p90_ms", "top1"))
    idle = [
        common
        | unknown
        | {"event": f"{name}:{side}", "kind": "idle", "iterations": 0, "start_ns": start, "end_ns": end}
        for side, start, end in (
            ("idle-before", int(log.t_ns[0]), run.begin_ns),
            ("idle-after", run.end_ns, int(log.t_ns[-1])),
        )
        if end - start >= LEAST_IDLE_NS
    ]
    return [*idle[:1], window, *idle[1:]] if len(idle) == 2 else [window, *idle]


def _trace(runs: list[Imported]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "t_ns": np.concatenate([run.log.t_ns for run in runs]),
            "power_w": np.concatenate([run.log.power_w for run in runs]),
            "energy_j": np.nan,
            "rail": RAIL,
        }
    )


def _meta(files: Files, meta: Mapping, runs: list[Imported]) -> dict:
    steps = np.concatenate([np.diff(run.log.t_ns) for run in runs])
    observed = int(np.median(steps)) if len(steps) else None
    declared = sorted({run.server.period_ns for run in runs if run.server.period_ns})
    period = declared[0] if declared else observed
    rail = Rail(RAIL, "power", "averaged", period, period, observed, unit="W")
    meters = sorted({run.server.meter for run in runs if run.server.meter})
    versions = sorted({run.run.version for run in runs if run.run.version})
    return dict(meta) | {
        "rails": [rail.to_meta()],
        "clock": "UTC, ns since 1970, after the power server's own stamps",
        "rate_hz": 1e9 / period if period else None,
        "observed_rate_hz": 1e9 / observed if observed else None,
        "meter_reported": meters,
        "versions": {"loadgen": versions},
        "system": system_description(files, f"{_system(runs[0].folder)}.json"),
    }
