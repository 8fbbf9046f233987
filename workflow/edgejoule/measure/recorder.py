"""The recorder: works a plan off, workload by workload, and can be killed and resumed at any moment.

Standard library and NumPy only, besides the runtime and the meter's package: a board needs no more than these.
"""

import fcntl
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace as with_changes
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir

from edgejoule.errors import EdgejouleError
from edgejoule.measure.cold import has_sandwiches
from edgejoule.measure.environment import describe
from edgejoule.measure.load import load
from edgejoule.measure.metered import longest_reading_s, measure_alone, measure_metered, observe_meter, updates_ns
from edgejoule.measure.meters import open_meter
from edgejoule.measure.parts import ATTEMPTS, Parts, replace
from edgejoule.measure.plan import METER, Plan, Workload
from edgejoule.measure.runtimes import Runtime, binaries, open_runtime
from edgejoule.measure.sampler import MeterError, Sampler
from edgejoule.measure.windows import Clock, measure_session

#: Runs of a network under the runtime's profiler: at least, at most, and the time that they aim at (s).
NODE_RUNS = (5, 30)
NODE_S = 0.3

#: A workload is measured again when the meter fails, this many times in all; then the recording stops.
METER_TRIES = 3

#: Called before each workload with: measured so far, in all, seconds left (None at first), name of the next one.
Progress = Callable[[int, int, float | None, str], None]


def record(
    plan: Plan,
    models: Path | str,
    folder: Path | str,
    progress: Progress | None = None,
    until: float = float("inf"),
) -> bool:
    """Measure what the plan asks for and the folder does not hold yet; return whether it holds all of it now.

    Args:
        plan: what to measure.
        models: folder that the plan's model files are relative to.
        folder: where parts, the plan as it was executed, and the sessions are kept.
        progress: told before each workload.
        until: no workload is begun at or after this time of ``time.monotonic()``.

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
            if time.monotonic() >= until:
                return False
            if progress:
                left = (time.monotonic() - start) / index * (len(waiting) - index) if index else None
                progress(total - len(waiting) + index, total, left, workload.name)
            record_part(parts, turn, workload, models, runtime, clock, rails)
    return True


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
    parts: Parts,
    turn: int,
    workload: Workload,
    models: Path,
    runtime: Runtime,
    clock: Clock,
    rails: Sequence[Mapping] = (),
) -> None:
    """Measure one workload in one pass and write its part; a failure becomes a part that says why.

    With a meter, whose ``rails`` these are, the part's trace stands beside it, and gets its name before the part does.
    The meter's failure is not the workload's: no part is written then.

    Raises:
        EdgejouleError: the meter failed each time, or the part cannot be written.
    """
    about = {"pass": turn, "kind": workload.kind, "workload": workload.name, "precision": workload.precision}
    if parts.begin(turn, workload) >= ATTEMPTS:
        reason = f"the process died {ATTEMPTS} times in this measurement; out of memory, or the runtime crashed"
        parts.write(turn, workload, {**about, "problem": reason})
        return
    try:
        part = measure_part(parts, turn, workload, models, runtime, clock, rails)
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


def measure_part(
    parts: Parts, turn: int, workload: Workload, models: Path, runtime: Runtime, clock: Clock, rails: Sequence[Mapping]
) -> dict:
    """Return one part: a kernel between two others where no meter is read, else what a window of its own gives."""
    protocol, sampled = parts.plan.protocol, bool(rails)

    def metered(act: Callable[[], dict]) -> dict:
        return beside_meter(act, parts, turn, workload, clock, sampled)

    if workload.kind == METER:
        part = metered(lambda: observe_meter(load(workload.load, models, runtime), protocol, clock))
        return part | {"updates_ns": updates_ns(parts.trace(turn, workload))}
    reading_s = longest_reading_s(rails, parts.observed_updates()) if sampled else 0.0
    if workload.kind == "kernel":
        if not sampled and has_sandwiches(runtime):
            return measure_alone(workload, runtime, clock, protocol.get("isolated", False))
        return metered(lambda: measure_metered(workload, runtime, protocol, reading_s, clock))
    part = metered(lambda: measure_network(workload, models, runtime, protocol, reading_s, clock))
    if turn < protocol["profiled_passes"]:
        part["nodes"] = node_times(runtime, models / workload.model, part["durations"]) if workload.model else []
    return part


def measure_network(
    workload: Workload, models: Path, runtime: Runtime, protocol: Mapping, reading_s: float, clock: Clock
) -> dict:
    """Return one part: events in order of time, with what disturbed them, and the duration of each run (ns)."""
    events, durations = measure_session(workload.kind, load(workload, models, runtime), protocol, clock, reading_s)
    return {"events": events, "durations": durations.tolist()}


def beside_meter(
    act: Callable[[], dict], parts: Parts, turn: int, workload: Workload, clock: Clock, sampled: bool
) -> dict:
    """Return one part, measured while the meter is sampled, and the sampler's cost and rate in it.

    Raises:
        MeterError: the meter failed each time.
    """

    def once() -> dict:
        with sampling(parts, turn, workload, clock, sampled) as statistics:
            part = act()
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
