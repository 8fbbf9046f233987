"""Events of a trace that came without them: from a file of marks, or found where the power changes its level."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from edgejoule.config.models import Segments
from edgejoule.errors import EdgejouleError
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import EVENTS
from edgejoule.traces.importers.readings import Readings
from edgejoule.traces.recording import check_events
from edgejoule.traces.segment import segment

#: A pause between marked events that is shorter (ns) tells nothing of idle power.
LEAST_PAUSE_NS = 10**9
#: Windows of something that costs.
RUN_KINDS = ("network", "application", "kernel")
#: What a file of marks need not say.
DEFAULTS = {
    "kind": "network",
    "precision": None,
    "pass": 0,
    "latency_ms": None,
    "latency_p50_ms": None,
    "latency_p90_ms": None,
    "top1": None,
}


def read_events(path: Path | str) -> pd.DataFrame:
    """Read a CSV or Parquet file of marks with the columns of table ``events``.

    Needed: ``event, start_ns, end_ns, workload, iterations``; the others have defaults, ``kind`` is ``network``.

    Raises:
        EdgejouleError: the file cannot be read, holds no event, lacks a column, a value is not what the table allows,
            an event does not end after it starts, or two overlap that cannot (see ``check_apart``).
    """
    path = Path(path)
    if not path.is_file():
        raise EdgejouleError(f"{path}: no such file of events")
    try:
        table = pq.read_table(path) if path.suffix == ".parquet" else pa.csv.read_csv(path)
    except (pa.ArrowException, OSError) as error:
        raise EdgejouleError(f"{path}: not a readable table of events: {error}") from error
    frame = table.to_pandas()
    defaults = DEFAULTS | {"source": path.name}
    frame = frame.assign(**{name: value for name, value in defaults.items() if name not in frame})
    events = to_arrow(frame, EVENTS, str(path)).to_pandas()
    if events.empty:
        raise EdgejouleError(f"{path}: holds no event; mark at least one")
    check_events(events, str(path))
    check_apart(events, str(path))
    return events


def check_apart(events: pd.DataFrame, where: str) -> None:
    """Stop if the windows of two runs share time: the energy of it would be counted for both.

    Only a kernel may lie inside a run of its network.

    Raises:
        EdgejouleError: two networks (or applications), or two kernels, overlap, or a kernel reaches out of a network.
    """
    runs = events[events["kind"].isin(RUN_KINDS)].sort_values("start_ns", kind="stable")
    is_kernel = (runs["kind"] == "kernel").to_numpy()
    _demand_apart(runs[~is_kernel], where)
    _demand_apart(runs[is_kernel], where)
    outer, inner = runs[~is_kernel], runs[is_kernel]
    # Neither overlaps itself now: a kernel either meets no network, or lies in the last one that began before it.
    starts, ends = outer["start_ns"].to_numpy(), np.append(outer["end_ns"].to_numpy(), np.iinfo(np.int64).min)
    begin, end = inner["start_ns"].to_numpy(), inner["end_ns"].to_numpy()
    host, last = np.searchsorted(starts, begin, side="right") - 1, np.searchsorted(starts, end, side="left") - 1
    reaches = np.flatnonzero((last > host) | ((begin < ends[host]) & (end > ends[host])))
    if len(reaches):
        _stop(inner["event"].iloc[reaches[0]], outer["event"].iloc[last[reaches[0]]], where)


def _demand_apart(runs: pd.DataFrame, where: str) -> None:
    """Stop if two of ``runs``, sorted by their beginnings, overlap."""
    shared = np.flatnonzero(runs["start_ns"].to_numpy()[1:] < runs["end_ns"].to_numpy()[:-1])
    if len(shared):
        _stop(*runs["event"].iloc[shared[0] : shared[0] + 2], where)


def _stop(first: str, second: str, where: str) -> None:
    raise EdgejouleError(
        f"{where}: events '{first}' and '{second}' overlap, so that both would get the energy of the same time; "
        "mark each run from its own beginning to its own end"
    )


def with_pauses(events: pd.DataFrame, span_ns: tuple[int, int], source: str) -> pd.DataFrame:
    """Return marked events and, where none of them is idle, the pauses of a trace between them as idle.

    Args:
        events: table ``events``.
        span_ns: first and last reading of the trace (ns).
        source: where the marks are from.
    """
    if (events["kind"] == "idle").any():
        return events
    marked = events.sort_values("start_ns")
    starts = np.minimum([*marked["start_ns"], span_ns[1]], span_ns[1])
    # Marks may overlap or lie in each other: a pause begins where the last of those before it ends.
    ends = np.maximum.accumulate([span_ns[0], *marked["end_ns"]])
    pauses = [(first, last) for first, last in zip(ends, starts, strict=True) if last - first >= LEAST_PAUSE_NS]
    common = dict.fromkeys(EVENTS.names) | {"kind": "idle", "pass": 0, "iterations": 0, "source": source}
    rows = [
        common | {"event": f"pause#{number}", "start_ns": first, "end_ns": last}
        for number, (first, last) in enumerate(pauses)
    ]
    if not rows:
        return events
    return pd.concat([events, to_arrow(pd.DataFrame(rows), EVENTS, source).to_pandas()], ignore_index=True)


def power_of(readings: Readings, source: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return a trace's times (ns) and power (W) in pieces: the rails that count, or else whatever reads power.

    Raises:
        EdgejouleError: the trace has no power.
    """
    used = [rail.name for rail in readings.rails if rail.used and rail.quantity == "power"] or [
        rail.name for rail in readings.rails if rail.quantity == "power"
    ]
    if not used:
        raise EdgejouleError(f"{source}: holds counters only; mark its events in a file")
    return readings.stream.sums(used)


def find_events(readings: Readings, wanted: Segments, source: str) -> pd.DataFrame:
    """Return the spans in which a trace's power is high as events, and the pauses between them as idle.

    Raises:
        EdgejouleError: the trace has no power, or is at one level throughout.
    """
    power_of(readings, source)
    try:
        spans = segment(lambda: power_of(readings, source), wanted.least_s, wanted.threshold_w)
    except EdgejouleError as error:
        raise EdgejouleError(f"{source}: {error}") from error
    if not len(spans):
        raise EdgejouleError(f"{source}: no span of high power lasts {wanted.least_s:g} s; lower 'least_s' (--least-s)")
    unknown = dict.fromkeys(("latency_ms", "latency_p50_ms", "latency_p90_ms", "top1"))
    common = {"precision": wanted.precision, "workload": wanted.workload, "source": source} | unknown
    rows = []
    start_ns, end_ns = readings.stream.span_ns
    bounds = np.concatenate([[start_ns], spans.ravel(), [end_ns]]).reshape(-1, 2)
    for number, (start, end) in enumerate(spans):
        runs = {"kind": "network", "iterations": wanted.iterations or 0}
        idle = {"kind": "idle", "iterations": 0}
        for event, about, first, last in (
            (f"{wanted.workload}#{number}:idle-before", idle, *bounds[number]),
            (f"{wanted.workload}#{number}", runs, start, end),
            (f"{wanted.workload}#{number}:idle-after", idle, *bounds[number + 1]),
        ):
            if last > first:
                rows.append(common | about | {"event": event, "pass": number, "start_ns": first, "end_ns": last})
    return pd.DataFrame(rows)
