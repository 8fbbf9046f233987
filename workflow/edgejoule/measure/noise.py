"""How far a recording disagrees with itself: the floor below which no prediction can be judged."""

from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.traces import read_recording

#: How one pass is summed up.
ESTIMATORS = {"mean": "mean", "median": "median", "minimum": "min"}
LIMITS = (0.02, 0.05, 0.10)


def latencies(events: pd.DataFrame, samples: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return latency (ms) per workload and pass, one column per estimator, from the duration of each inference."""
    chosen = events.loc[events["kind"] == kind, ["event", "workload", "pass"]]
    joined = samples.merge(chosen, on="event", validate="many_to_one")
    grouped = joined.groupby(["workload", "pass"])["duration_ns"]
    return pd.DataFrame({name: grouped.agg(how) / 1e6 for name, how in ESTIMATORS.items()})


def split_halves(values: pd.Series) -> pd.DataFrame:
    """Return the two halves of a recording, one row per workload: the least of the even and of the odd passes.

    The lower envelope of several short passes is what a network takes when nothing else runs; noise only adds.

    Args:
        values: latency by workload and pass.
    """
    table = values.unstack("pass")
    if table.empty:
        return pd.DataFrame({"first": [], "second": []})
    even = np.arange(table.shape[1]) % 2 == 0
    if even.all():
        raise EdgejouleError("noise needs at least two passes; set 'source.protocol.passes' to 3 or more")
    halves = pd.DataFrame({"first": table.loc[:, even].min(axis=1), "second": table.loc[:, ~even].min(axis=1)})
    return halves.dropna()


def agreement(first: pd.Series, second: pd.Series) -> dict[str, float]:
    """Return how many workloads two measurements agree on within 2, 5 and 10 per cent, and the median difference."""
    difference = (first - second).abs() / np.minimum(first, second)
    shares = {f"within{limit * 100:.0f}_percent": 100 * float((difference <= limit).mean()) for limit in LIMITS}
    return {"workloads": len(difference), "median_percent": 100 * float(difference.median()), **shares}


def noise_table(
    events: pd.DataFrame, samples: pd.DataFrame, kind: str = "network", minimum_ms: float = 0.0
) -> pd.DataFrame:
    """Return the agreement of two single passes, and of the two halves of the recording, by estimator.

    Args:
        events: table ``events`` of a recording.
        samples: its table ``samples``.
        kind: kind of workload.
        minimum_ms: leave out workloads that are faster than this in either half.

    Returns:
        One row per comparison: what was compared, the estimator, number of workloads, median difference, and the share
        of workloads that agree within 2, 5 and 10 per cent.
    """
    table = latencies(events, samples, kind)
    if table.empty:
        return table
    rows = []
    for estimator in table:
        values = table[estimator]
        passes = values.unstack("pass").dropna()
        halves = split_halves(values)
        pairs = {"two passes": (passes.iloc[:, 0], passes.iloc[:, 1]), "halves": (halves["first"], halves["second"])}
        for compared, (first, second) in pairs.items():
            slow = np.minimum(first, second) >= minimum_ms
            if slow.any():
                rows.append({"compared": compared, "estimator": estimator, **agreement(first[slow], second[slow])})
    return pd.DataFrame(rows)


def noise_report(recording: Path | str, kind: str = "network", minimum_ms: float = 0.0) -> str:
    """Return the noise table of a recording as Markdown.

    Raises:
        EdgejouleError: the recording has no single inferences, fewer than two passes, or nothing of this kind and size.
    """
    content = read_recording(recording)
    if content.samples is None:
        raise EdgejouleError(f"{recording}: has no samples.parquet; noise is judged from single inferences")
    table = noise_table(content.events, content.samples, kind, minimum_ms)
    if table.empty:
        raise EdgejouleError(f"{recording}: no event of kind '{kind}' takes {minimum_ms} ms or more in two passes")
    lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
    for row in table.itertuples(index=False):
        lines.append("| " + " | ".join(f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in row) + " |")
    return "\n".join(lines)
