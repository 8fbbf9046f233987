"""Where a runtime and its rules disagree: which kernels both have, and which only one of them, by kind."""

from collections import Counter

import pandas as pd

from edgejoule.tables.contracts import FUSION_CHECK, FUSION_KINDS

#: Two kernels are the same if they agree in these, whatever their layout in memory.
SAME = ("kind", "tail", "macs", "bytes_in", "bytes_out")


def check_fusion(told: pd.DataFrame, ruled: pd.DataFrame) -> pd.DataFrame:
    """Compare one network's kernels as the runtime tells them with those of its rules.

    Args:
        told, ruled: rows of table KERNELS of one network, precision and runtime.

    Returns:
        Table FUSION_CHECK: per kind, how many kernels each has, and how many are in both.
    """
    first, second = (Counter(zip(*(table[name] for name in SAME), strict=True)) for table in (told, ruled))
    counts = {}
    for side, kernels in (("told", first), ("ruled", second), ("agreed", first & second)):
        for (kind, *_), count in kernels.items():
            counts.setdefault(kind, dict.fromkeys(("told", "ruled", "agreed"), 0))[side] += count
    whose = {name: told[name].iloc[0] for name in ("network", "precision", "runtime")}
    rows = [{**whose, "kind": kind, **counts[kind]} for kind in sorted(counts)]
    return pd.DataFrame(rows, columns=list(FUSION_CHECK.names))


def by_kind(table: pd.DataFrame) -> pd.DataFrame:
    """Return table FUSION_KINDS: table FUSION_CHECK summed over networks, the most frequent kinds first.

    A kernel that both sides have, but with another activation or shape, is in ``only_runtime`` and in ``only_rules``.
    """
    groups = table.groupby(["runtime", "kind"], sort=True)
    found = groups.agg(
        networks=("network", "nunique"), told=("told", "sum"), ruled=("ruled", "sum"), agreed=("agreed", "sum")
    ).reset_index()
    found["only_runtime"] = found["told"] - found["agreed"]
    found["only_rules"] = found["ruled"] - found["agreed"]
    found = found.sort_values(["runtime", "told", "kind"], ascending=[True, False, True], ignore_index=True)
    return found[list(FUSION_KINDS.names)]
