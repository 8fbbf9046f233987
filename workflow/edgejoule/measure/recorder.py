"""The recorder: works a plan off, workload by workload, and can be killed and resumed at any moment.

Standard library and NumPy only, besides the runtime and the meter's package: a board needs no more than these.
"""

import fcntl
import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace as with_changes
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.measure.cold import measure_kernel
from edgejoule.measure.environment import (
    Usage,
    describe,
    disturbances,
    frequency_hz,
    temperature_c,
    wait_until_quiet,
)
from edgejoule.measure.meters import open_meter
from edgejoule.measure.parts import ATTEMPTS, Parts, replace
from edgejoule.measure.plan import Plan, Workload, sha256_of
from edgejoule.measure.protocol import run_until_known, warm_up
from edgejoule.measure.runtimes import Runtime, binaries, open_runtime
from edgejoule.measure.sampler import MeterError, Sampler

#: Runs of a network under the runtime's profiler: at least, at most, and the time that they aim at (s).
NODE_RUNS = (5, 30)
NODE_S = 0.3

#: Windows that are measured, at most, to get one that nothing disturbed.
WINDOWS = 3

#: A workload is measured again when the meter fails, this many times in all; then the recording stops.
METER_TRIES = 3

#: Called before each workload with: measured so far, in all, seconds left (None at first), name of the next one.
Progress = Callable[[int, int, float | None, str], None]


def record(plan: Plan, models: Path | str, folder: Path | str, progress: Progress | None = None) -> None:
    """Measure what the plan asks for and the folder does not hold yet.

    Args:
        plan: what to measure.
        models: folder that the plan's model files are relative to.
        folder: where parts, the plan as it was executed, and the sessions are kept.
        progress: told before each workload.

    Raises:
        EdgejouleError: runtime or meter cannot be opened, the meter fails, another measurement runs on this host, or
            nothing can be written. A workload that fails is no error: it becomes a problem of the recording.
    """
    models, folder = Path(models), Path(folder)
    with only_measurement_on_this_host():
        runtime = open_runtime(plan.runtime)
        meter = open_meter(plan.meter)
        rails = list(meter.rails)
        meter.close()
        plan = with_changes(plan, runtime={**plan.runtime, "version": runtime.versions()[plan.runtime["name"]]})
        parts = Parts(folder, plan)
        waiting = [
            (turn, workload)
            for turn in range(plan.protocol["passes"])
            for workload in plan.order(turn)
            if parts.read(turn, workload) is None
        ]
        replace(folder / "plan.json", plan.to_json())
        clock = begin_session(folder, parts, runtime, rails, binaries(plan.runtime["name"]))
        total, start = plan.size(), time.monotonic()
        for index, (turn, workload) in enumerate(waiting):
            if progress:
                left = (time.monotonic() - start) / index * (len(waiting) - index) if index else None
                progress(total - len(waiting) + index, total, left, workload.name)
            record_part(parts, turn, workload, models, runtime, clock, sampled=bool(rails))


@contextmanager
def only_measurement_on_this_host() -> Iterator[None]:
    """Hold the lock that all measurements of this machine share, whoever started them; wait for no one."""
    path = Path(gettempdir()) / "edgejoule-measurement.lock"
    try:
        handle = path.open("a")
    except PermissionError:
        raise EdgejouleError(f"{path}: is another user's; delete it once no measurement of that user runs") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EdgejouleError(
                f"{path}: another measurement runs on this machine, and two would disturb each other; wait for its end"
            ) from None
        yield


class Clock:
    """The recording's clock: the monotonic clock of this session, shifted behind what was recorded before it."""

    def __init__(self, offset_ns: int) -> None:
        self.shift = offset_ns - time.monotonic_ns()

    def now(self) -> int:
        """Return the time on the recording's clock (ns)."""
        return time.monotonic_ns() + self.shift


def begin_session(folder: Path, parts: Parts, runtime: Runtime, rails: list[dict], libraries: dict[str, str]) -> Clock:
    """Append this session and its environment to ``sessions.json`` and return the clock that continues the recording.

    The monotonic clock starts again with each boot, so a resumed session continues after the last part's end, by as
    much as the wall clock says has passed, and by a second at least.
    """
    path = folder / "sessions.json"
    try:
        sessions = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    except ValueError as error:
        raise EdgejouleError(
            f"{path}: is damaged, so the times of what is beside it are worth nothing; delete the folder"
        ) from error
    ends = [event["end_ns"] for part in parts.finished() for event in part.get("events", [])]
    wall = time.time_ns()
    offset = 0
    if sessions:
        offset = max(wall - sessions[0]["wall_ns"], max(ends, default=0) + 1_000_000_000)
    session = {
        "started": datetime.fromtimestamp(wall // 10**9, UTC).isoformat(),
        "wall_ns": wall,
        "offset_ns": offset,
        "environment": describe(),
        "versions": runtime.versions(),
        "binaries": libraries,
        "settings": runtime.settings(),
        "rails": rails,
    }
    replace(path, [*sessions, session])
    return Clock(offset)


def record_part(
    parts: Parts, turn: int, workload: Workload, models: Path, runtime: Runtime, clock: Clock, sampled: bool = False
) -> None:
    """Measure one workload in one pass and write its part; a failure becomes a part that says why.

    With a meter that is ``sampled``, the part's trace stands beside it, and gets its name before the part does. Its
    failure is not the workload's: no part is written then.

    Raises:
        EdgejouleError: the meter failed each time, or the part cannot be written.
    """
    about = {"pass": turn, "kind": workload.kind, "workload": workload.name, "precision": workload.precision}
    if parts.begin(turn, workload) >= ATTEMPTS:
        reason = f"the process died {ATTEMPTS} times in this measurement; out of memory, or the runtime crashed"
        parts.write(turn, workload, {**about, "problem": reason})
        return
    try:
        if workload.kind == "kernel":
            part = measure_alone(workload, runtime, clock, parts.plan.protocol.get("isolated", False))
        else:
            part = measure_metered(parts, turn, workload, models, runtime, clock, sampled)
            if turn < parts.plan.protocol["profiled_passes"]:
                part["nodes"] = node_times(runtime, models / workload.model, part["durations"])
    except MeterError as error:
        raise EdgejouleError(
            f"{error}; tried {METER_TRIES} times. What was measured is kept: mend the meter and run the same command "
            "again"
        ) from error
    except EdgejouleError as error:
        part = {"problem": str(error)}
    except MemoryError:
        part = {"problem": "out of memory"}
    finally:
        parts.end()
    parts.write(turn, workload, about | part)


def measure_metered(
    parts: Parts, turn: int, workload: Workload, models: Path, runtime: Runtime, clock: Clock, sampled: bool
) -> dict:
    """Return one part, measured while the meter is sampled, and the sampler's cost and rate in it.

    Raises:
        MeterError: the meter failed each time.
    """

    def once() -> dict:
        with sampling(parts, turn, workload, clock, sampled) as statistics:
            part = measure_workload(workload, models, runtime, parts.plan.protocol, clock)
        return part | statistics

    for _ in range(METER_TRIES - 1):
        with suppress(MeterError):
            return once()
    return once()


@contextmanager
def sampling(parts: Parts, turn: int, workload: Workload, clock: Clock, sampled: bool) -> Iterator[dict]:
    """Sample the meter while the context lasts; what it gives then holds the sampler's cost and rate."""
    statistics: dict = {}
    if not sampled:
        yield statistics
        return
    path = parts.trace(turn, workload)
    unfinished = path.with_name(f".{path.name}")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    with Sampler(parts.plan.meter, unfinished, clock.shift) as sampler:
        yield statistics
    unfinished.replace(path)
    statistics |= {"sampling_share": sampler.share, "sampling_hz": sampler.observed_hz}


def measure_workload(workload: Workload, models: Path, runtime: Runtime, protocol: dict, clock: Clock) -> dict:
    """Return one part: events in order of time, with what disturbed them, and the duration of each inference (ns)."""
    model = models / workload.model
    if not model.is_file() or sha256_of(model) != workload.sha256:
        raise EdgejouleError(
            f"{workload.model}: not the model file that the plan was made for; delete it and record anew"
        )
    events: list[dict] = []

    def timed(kind: str, act: Callable[[], np.ndarray | None]) -> np.ndarray | None:
        start = clock.now()
        durations = act()
        count = 0 if durations is None else len(durations)
        events.append({"kind": kind, "start_ns": start, "end_ns": clock.now(), "iterations": count})
        return durations

    def idle() -> None:
        time.sleep(protocol["idle_s"])

    session = runtime.prepare(model)
    try:
        timed("idle", idle)
        warm = timed("warmup", lambda: warm_up(session))
        gc.collect()
        gc.disable()
        best, durations = None, None
        for attempt in range(1, WINDOWS + 1):
            wait_until_quiet(protocol["quiet_s"])
            before, started = Usage.now(), time.monotonic()
            now = timed(workload.kind, lambda: run_until_known(session, protocol, float(warm.min())))
            after, stopped = Usage.now(), time.monotonic()
            window = events.pop() | disturbances(before, after, stopped - started) | {"attempts": attempt}
            if best is None or window["other_cores"] < best["other_cores"]:
                best, durations = window, now
            if not best["flag"] or not protocol["quiet_s"]:
                break
        gc.enable()
        events.append(best | {"frequency_hz": frequency_hz(), "temperature_c": temperature_c()})
        timed("idle", idle)
    finally:
        gc.enable()
        session.close()
    return {"events": events, "durations": durations.tolist()}


def measure_alone(workload: Workload, runtime: Runtime, clock: Clock, isolated: bool) -> dict:
    """Return one part of a kernel: its event spans sandwich and flushes, so it states the kernel's latency itself.

    With ``isolated``, it states beside it what naive isolation would have given.
    """
    start = clock.now()
    durations = measure_kernel(workload.configuration, runtime)
    event = {"kind": "kernel", "start_ns": start, "end_ns": clock.now(), "iterations": len(durations)}
    event["latency_ms"] = float(durations.min()) / 1e6
    if isolated:
        event["isolated_ms"] = isolated_ms(workload, runtime)
    return {
        "events": [event],
        "durations": durations.tolist(),
        "kernel_kind": workload.configuration["kind"],
        "kernel_source": workload.configuration["source"],
    }


def isolated_ms(workload: Workload, runtime: Runtime) -> float | None:
    """Return a kernel's latency by itself (ms), or None where the runtime executes it as something else there."""
    try:
        return float(measure_kernel(workload.configuration, runtime, isolated=True).min()) / 1e6
    except EdgejouleError:
        return None


def node_times(runtime: Runtime, model: Path, durations: list[int]) -> list[dict]:
    """Return the runtime's own times of a network's nodes, in a session of their own: profiling slows a network."""
    least, most = NODE_RUNS
    runs = min(most, max(least, int(NODE_S * 1e9 / min(durations))))
    return [vars(node) for node in runtime.nodes(model, runs)]


def main(arguments: list[str]) -> None:
    """Measure a plan on a board: ``python3 -m edgejoule.measure.recorder plan.json models parts``.

    How far it is, and how it ended, stands in ``progress.json`` beside the parts.
    """
    plan, models, folder = Plan.read(arguments[0]), Path(arguments[1]), Path(arguments[2])
    state: dict = {"done": 0, "total": plan.size(), "left_s": None, "name": ""}

    def tell(done: int, total: int, left_s: float | None, name: str) -> None:
        state.update(done=done, total=total, left_s=left_s, name=name)
        replace(folder / "progress.json", state)

    try:
        record(plan, models, folder, tell)
    except EdgejouleError as error:
        replace(folder / "progress.json", {**state, "error": str(error)})
        raise SystemExit(2) from error
    replace(folder / "progress.json", {**state, "finished": True})


if __name__ == "__main__":
    main(sys.argv[1:])
