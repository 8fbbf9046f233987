"""How far a recording disagrees with itself: the floor below which no prediction can be judged."""

from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.tables.vocabulary import AROUND_KINDS
from edgejoule.traces import read_recording, slowdown

#: How one pass is summed up.
ESTIMATORS = {"mean": "mean", "median": "median", "minimum": "min"}
LIMITS = (0.02, 0.05, 0.10)


def latencies(events: pd.DataFrame, samples: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return latency (ms) per workload and pass, one column per estimator, from the duration of each inference.

    A further column ``start_ns`` says when the pass began.
    """
    chosen = events.loc[events["kind"] == kind, ["event", "workload", "pass", "start_ns"]]
    joined = samples.merge(chosen, on="event", validate="many_to_one")
    grouped = joined.groupby(["workload", "pass"])
    table = pd.DataFrame({name: grouped["duration_ns"].agg(how) / 1e6 for name, how in ESTIMATORS.items()})
    return table.assign(start_ns=grouped["start_ns"].min())


def pairs_of(values: pd.Series) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Return what can be compared: the first two passes, and the even with the odd ones by their mean and their least.

    Of two passes, the halves are the passes themselves, and stand once.

    Args:
        values: latency by workload and pass.

    Raises:
        EdgejouleError: there is one pass only.
    """
    table = values.unstack("pass").dropna()
    even = np.arange(table.shape[1]) % 2 == 0
    if even.all():
        raise EdgejouleError("noise needs at least two passes; set 'source.protocol.passes' to 3 or more")
    passes = {"two passes": (table.iloc[:, 0], table.iloc[:, 1])}
    if len(even) == 2:
        return passes
    first, second = table.loc[:, even], table.loc[:, ~even]
    return passes | {
        "halves, means": (first.mean(axis=1), second.mean(axis=1)),
        "halves, least": (first.min(axis=1), second.min(axis=1)),
    }


def agreement(first: pd.Series, second: pd.Series) -> dict[str, float]:
    """Return how many workloads two measurements agree on within 2, 5 and 10 per cent, and the median difference."""
    difference = (first - second).abs() / np.minimum(first, second)
    shares = {f"within{limit * 100:.0f}_percent": 100 * float((difference <= limit).mean()) for limit in LIMITS}
    return {"workloads": len(difference), "median_percent": 100 * float(difference.median()), **shares}


def noise_table(
    events: pd.DataFrame, samples: pd.DataFrame, kind: str = "network", minimum_ms: float = 0.0
) -> pd.DataFrame:
    """Return the agreement of two single passes, and of the two halves of the recording, by estimator.

    Each comparison stands twice: with the machine's slow drift in it, and with it removed (see ``slowdown``).

    Args:
        events: table ``events`` of a recording.
        samples: its table ``samples``.
        kind: kind of workload.
        minimum_ms: leave out workloads that are faster than this in either half.

    Returns:
        One row per comparison: what was compared, the estimator, whether drift was kept, number of workloads, median
        difference, and the share of workloads that agree within 2, 5 and 10 per cent.
    """
    table = latencies(events, samples, kind)
    if table.empty:
        return table
    rows = []
    for estimator in ESTIMATORS:
        raw = table[estimator]
        for drift, values in (("kept", raw), ("removed", raw / slowdown(raw, table["start_ns"]))):
            for compared, (first, second) in pairs_of(values).items():
                slow = np.minimum(first, second) >= minimum_ms
                if slow.any():
                    about = {"compared": compared, "estimator": estimator, "drift": drift}
                    rows.append(about | agreement(first[slow], second[slow]))
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
        kinds = sorted(set(content.events["kind"]) - set(AROUND_KINDS))
        raise EdgejouleError(
            f"{recording}: no event of kind '{kind}' takes {minimum_ms:g} ms or more in two passes; "
            f"it has events of kind {', '.join(kinds)}"
        )
    return markdown(table)


def markdown(table: pd.DataFrame, digits: int = 1) -> str:
    """Return a table as Markdown, fractions with so many digits."""
    lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
    for row in table.itertuples(index=False):
        cells = (f"{cell:.{digits}f}" if isinstance(cell, float) else str(cell) for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
