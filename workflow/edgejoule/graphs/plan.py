"""The kernel plan: which kernels to measure on a device, from the zoo and from a synthetic sample, kept apart."""

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.sampler import sample

#: What one kernel takes to measure (s): 2,000 kernels, cold, in three minutes.
SECONDS_PER_KERNEL = 0.09
#: Columns whose coverage is shown.
FEATURES = ("input_height", "input_channels", "output_channels", "kernel_height", "stride", "groups", "macs")
#: Kinds that compute nothing and whose cost is not a kernel's own: they are measured inside networks only.
NOT_ALONE = ("reshape", "expand")


def make_plan(
    catalogue: pd.DataFrame,
    runtime: str,
    budget_minutes: float,
    seed: int = 0,
    synthetic_share: float = 0.5,
    seconds_per_kernel: float = SECONDS_PER_KERNEL,
) -> pd.DataFrame:
    """Choose the kernels to measure in a given time.

    The zoo's share is spread over kinds by the square root of how many configurations a kind has, so that rare kinds
    are not forgotten, and within a kind evenly over work, so that small and large kernels are both measured. Synthetic
    kernels that the zoo happens to have are dropped from the synthetic part: the two sources stay disjoint.

    Args:
        catalogue: results/graphs/catalogue.parquet.
        runtime: runtime of the device.
        budget_minutes: time for the whole plan.
        seed: seed of the synthetic sample.
        synthetic_share: share of the budget for synthetic kernels, 0 to 1.
        seconds_per_kernel: what one kernel takes.

    Returns:
        One row per kernel with its configuration, ``source`` (zoo or synthetic) and ``order`` of measurement; a plan
        that is stopped early has measured both sources evenly.

    Raises:
        EdgejouleError: the budget is not positive, the share not in 0..1, or the zoo has no kernels for the runtime.
    """
    if not budget_minutes > 0 or not seconds_per_kernel > 0:
        raise EdgejouleError(
            f"plan: budget is {budget_minutes} minutes at {seconds_per_kernel} s each; give more than 0"
        )
    if not 0 <= synthetic_share <= 1:
        raise EdgejouleError(f"plan: the synthetic share is {synthetic_share}; give a number from 0 to 1")
    found = catalogue[(catalogue["runtime"] == runtime) & ~catalogue["kind"].isin(NOT_ALONE)]
    found = found[~found["kind"].str.startswith("other:")]
    if found.empty:
        raise EdgejouleError(
            f"plan: the catalogue has no kernels for runtime '{runtime}'; configure a device with this runtime, or "
            f"choose from {', '.join(sorted(set(catalogue['runtime']))) or 'none'}"
        )
    count = max(2, int(budget_minutes * 60 / seconds_per_kernel))
    from_zoo = min(len(found), count - round(count * synthetic_share))
    zoo = _spread(found, from_zoo).assign(source="zoo")
    layout = found["layout"].mode().iloc[0]
    precision = found["precision"].mode().iloc[0]
    # Whatever the zoo cannot fill, the sampler does; never the other way round.
    drawn = pd.DataFrame(sample(count - len(zoo), seed, precision, layout))
    known = set(found["kernel"])
    synthetic = drawn[~drawn["kernel"].isin(known)].assign(source="synthetic", runtime=runtime)
    plan = pd.concat([_interleaved(zoo), _interleaved(synthetic)], ignore_index=True)
    plan = plan.sort_values(["order", "source", "kernel"], ignore_index=True)
    plan["order"] = np.arange(len(plan))
    configuration = [name for name in zoo if name in drawn and name not in ("source", "runtime")]
    return plan[["order", "source", "runtime", *configuration]]


def _spread(found: pd.DataFrame, count: int) -> pd.DataFrame:
    """Choose ``count`` rows: kinds by the square root of their size, within a kind evenly over work and traffic."""
    if count >= len(found):
        return found
    sizes = found.groupby("kind", sort=True).size()
    weights = np.sqrt(sizes)
    wanted = np.minimum(sizes, np.maximum(1, np.floor(count * weights / weights.sum()))).astype(int)
    while wanted.sum() > count:
        wanted[wanted.idxmax()] -= 1
    while wanted.sum() < count:
        wanted[(sizes - wanted).idxmax()] += 1
    moved = found["bytes_in"] + found["bytes_out"] + found["bytes_weights"]
    ranked = found.assign(moved=moved).sort_values(["kind", "macs", "moved", "kernel"])
    parts = []
    for kind, group in ranked.groupby("kind", sort=True):
        places = np.linspace(0, len(group) - 1, wanted[kind]).round().astype(int)
        parts.append(group.iloc[np.unique(places)])
    return pd.concat(parts, ignore_index=True).drop(columns="moved")


def _interleaved(rows: pd.DataFrame) -> pd.DataFrame:
    """Give each kernel its place within its source, 0 to 1, kinds interleaved."""
    position = rows.groupby("kind").cumcount()
    size = rows.groupby("kind")["kind"].transform("size")
    return rows.assign(order=(position + 0.5) / size)


def coverage(plan: pd.DataFrame) -> pd.DataFrame:
    """Return how each feature is covered: one row per source, kind and feature, with its range and distinct values."""
    rows = []
    for (source, kind), group in plan.groupby(["source", "kind"], sort=True):
        for feature in FEATURES:
            values = group[feature]
            low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
            rows.append(
                {
                    "source": source,
                    "kind": kind,
                    "feature": feature,
                    "kernels": len(group),
                    "distinct": values.nunique(),
                    "minimum": int(values.min()),
                    "p10": float(low),
                    "median": float(middle),
                    "p90": float(high),
                    "maximum": int(values.max()),
                }
            )
    return pd.DataFrame(rows)
