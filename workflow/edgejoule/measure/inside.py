"""Kernels alone against the same kernels inside networks: how far the way of measuring one kernel can be believed."""

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.measure.noise import markdown

#: Ways of measuring one kernel, and the column of ``events`` that has its latency.
WAYS = {"between neighbours": "between_ms", "isolated": "isolated_ms", "back to back": "window_ms"}
LIMITS = (0.10, 0.25)
#: Row of the table for kernels of all kinds.
ALL = "all"


def ratios(events: pd.DataFrame, kernels: pd.DataFrame, minimum_ms: float = 0.0) -> pd.DataFrame:
    """Return the latency of each kernel, measured alone in each way, over its latency inside networks.

    Alone, a kernel's latency is its least over the passes. Inside networks, it is the median over all the places where
    it stands of the least over the passes.

    Args:
        events: table ``events`` of a recording.
        kernels: rows of table KERNELS with ``duration_ms``, the time of each inside its network; NaN where unknown.
        minimum_ms: leave out kernels that are faster inside networks; profilers count whole microseconds.

    Returns:
        One row per kernel and way: ``way, kernel, kind, inside_ms, ratio``.
    """
    inside = kernels.groupby("kernel")["duration_ms"].median()
    inside = inside[inside.notna() & (inside > 0) & (inside >= minimum_ms)].rename("inside_ms")
    alone = _alone(events)
    parts = [
        alone.groupby("workload")[column].min().dropna().rename("alone_ms").to_frame().assign(way=way)
        for way, column in WAYS.items()
        if column in alone
    ]
    table = pd.concat(parts).join(inside, how="inner").rename_axis("kernel").reset_index()
    kind = kernels.drop_duplicates("kernel").set_index("kernel")["kind"]
    table = table.assign(kind=table["kernel"].map(kind), ratio=table["alone_ms"] / table["inside_ms"])
    return table[["way", "kernel", "kind", "inside_ms", "ratio"]]


def _alone(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events of kernels with a column for each way; a kernel without a meter states its time itself."""
    alone = events[events["kind"] == "kernel"]
    alone = alone.reindex(columns=list(dict.fromkeys([*alone.columns, *WAYS.values()])))
    window = (alone["end_ns"] - alone["start_ns"]) / 1e6 / alone["iterations"]
    stated = alone["latency_ms"].notna()
    return alone.assign(between_ms=alone["between_ms"].fillna(alone["latency_ms"]), window_ms=window.mask(stated))


def ratio_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return how well each way meets the times inside networks: one row per way and kind, and one for all kinds.

    Args:
        table: what ``ratios`` returns.

    Returns:
        ``way, kind, kernels, median_ratio``, and the share of kernels within 10 and 25 per cent.
    """
    both = pd.concat([table.assign(kind=ALL), table])
    rows = []
    for (way, kind), group in both.groupby(["way", "kind"], sort=False):
        off = np.abs(group["ratio"] - 1)
        shares = {f"within{limit * 100:.0f}_percent": 100 * float((off <= limit).mean()) for limit in LIMITS}
        about = {"way": way, "kind": kind, "kernels": len(group), "median_ratio": float(group["ratio"].median())}
        rows.append(about | shares)
    return pd.DataFrame(rows).sort_values(["way", "kernels", "kind"], ascending=[True, False, True], ignore_index=True)


def ratio_report(events: pd.DataFrame, kernels: pd.DataFrame, minimum_ms: float = 0.0) -> str:
    """Return the table as Markdown.

    Raises:
        EdgejouleError: no kernel was measured alone, none has a time inside networks, or none has both.
    """
    if not (events["kind"] == "kernel").any():
        raise EdgejouleError("no kernel was measured alone; it takes 'source.protocol.kernels' in the device file")
    if not kernels["duration_ms"].notna().any():
        raise EdgejouleError(
            "no kernel has a time inside networks: none of the nodes that the runtime's profiler told is one of the "
            "graph's kernels, which takes a graph as the runtime itself lists it (docs/measure.md)"
        )
    table = ratios(events, kernels, minimum_ms)
    if table.empty:
        raise EdgejouleError(
            f"no kernel was measured both alone and inside a network, in {minimum_ms:g} ms or more there"
        )
    return markdown(ratio_table(table), digits=2)
