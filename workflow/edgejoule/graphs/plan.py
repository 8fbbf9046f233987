"""The kernel plan: which kernels to measure on a device, from the zoo and from a synthetic sample, kept apart."""

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.alone import executed, reason_left_out, variant
from edgejoule.graphs.sampler import sample

#: What one kernel takes to measure (s): 2,000 kernels, cold, in three minutes.
SECONDS_PER_KERNEL = 0.09
#: One pass over a plan takes no longer than a day.
MOST_MINUTES = 24 * 60
#: Precision of kernels that are measured alone.
MEASURED = "fp32"
#: Columns whose coverage is shown.
FEATURES = ("input_height", "input_channels", "output_channels", "kernel_height", "stride", "groups", "macs")
#: Kernels of each variant that come first of all, so that a plan that is cut short still has every variant.
LEAST = 3


def make_plan(
    catalogue: pd.DataFrame,
    runtime: str,
    budget_minutes: float,
    seed: int = 0,
    synthetic_share: float = 0.5,
    seconds_per_kernel: float = SECONDS_PER_KERNEL,
) -> pd.DataFrame:
    """Choose the kernels to measure in a given time.

    The zoo's share is spread over variants (kind, operator, layout, grouping, window, dilation) by the square root of
    how many configurations a variant has, so that rare ones are not forgotten, and within a variant evenly over work,
    so that small and large kernels are both measured. Synthetic kernels that the zoo happens to have are dropped from
    the synthetic part: the two sources stay disjoint. Kernels that cannot be measured alone are not planned
    (``left_out`` counts them).

    Args:
        catalogue: results/graphs/catalogue.parquet.
        runtime: runtime of the device.
        budget_minutes: time for one pass over the whole plan.
        seed: seed of the synthetic sample.
        synthetic_share: share of the budget for synthetic kernels, 0 to 1.
        seconds_per_kernel: what one kernel takes.

    Returns:
        One row per kernel with its configuration, ``source`` (zoo or synthetic) and ``order`` of measurement. Its first
        N rows are a plan too, for any N: both sources, every variant, small and large kernels.

    Raises:
        EdgejouleError: the budget is not positive or above a day, the share not in 0..1, or the zoo has no kernels for
            the runtime.
    """
    if not 0 < budget_minutes <= MOST_MINUTES or not seconds_per_kernel > 0:
        raise EdgejouleError(
            f"plan: budget is {budget_minutes} minutes at {seconds_per_kernel} s each; give more than 0, and at most "
            f"{MOST_MINUTES} minutes"
        )
    if not 0 <= synthetic_share <= 1:
        raise EdgejouleError(f"plan: the synthetic share is {synthetic_share}; give a number from 0 to 1")
    found = _measurable(catalogue, runtime)
    found = found[reason_left_out(found) == ""]
    if found.empty:
        raise EdgejouleError(
            f"plan: the catalogue has no kernels for runtime '{runtime}'; configure a device with this runtime, or "
            f"choose from {', '.join(sorted(set(catalogue['runtime']))) or 'none'}"
        )
    count = max(2, int(budget_minutes * 60 / seconds_per_kernel))
    from_zoo = min(len(found), count - round(count * synthetic_share))
    zoo = _spread(found, from_zoo).assign(source="zoo")
    layout = found["layout"].mode().iloc[0]
    # Whatever the zoo cannot fill, the sampler does; never the other way round.
    drawn = pd.DataFrame(sample(count - len(zoo), seed, MEASURED, executed(runtime, layout)))
    known = set(found["kernel"])
    synthetic = drawn[~drawn["kernel"].isin(known)].assign(source="synthetic", runtime=runtime)
    plan = pd.concat([_interleaved(zoo), _interleaved(synthetic)], ignore_index=True)
    plan = plan.sort_values(["order", "source", "kernel"], ignore_index=True)
    plan["order"] = np.arange(len(plan))
    configuration = [name for name in zoo if name in drawn and name not in ("source", "runtime")]
    return plan[["order", "source", "runtime", *configuration]]


def _measurable(catalogue: pd.DataFrame, runtime: str) -> pd.DataFrame:
    """Return a runtime's kernels in single precision: what is measured alone is built in that."""
    return catalogue[(catalogue["runtime"] == runtime) & (catalogue["precision"] == MEASURED)]


def left_out(catalogue: pd.DataFrame, runtime: str) -> list[dict[str, object]]:
    """Return which of a runtime's kernels no plan has: for each kind and reason, how many."""
    found = _measurable(catalogue, runtime)
    found = found.assign(reason=reason_left_out(found))
    counts = found[found["reason"] != ""].groupby(["kind", "reason"], sort=True).size()
    return [{"kind": kind, "reason": reason, "kernels": int(number)} for (kind, reason), number in counts.items()]


def _spread(found: pd.DataFrame, count: int) -> pd.DataFrame:
    """Choose ``count`` rows: variants by the square root of their size, within one evenly over work and traffic."""
    if count >= len(found):
        return found
    found = _ranked(found)
    sizes = found.groupby("variant", sort=True).size()
    weights = np.sqrt(sizes)
    wanted = np.minimum(sizes, np.maximum(1, np.floor(count * weights / weights.sum()))).astype(int)
    while wanted.sum() > count:
        wanted[wanted.idxmax()] -= 1
    while wanted.sum() < count:
        wanted[(sizes - wanted).idxmax()] += 1
    parts = []
    for name, group in found.groupby("variant", sort=True):
        places = np.linspace(0, len(group) - 1, wanted[name]).round().astype(int)
        parts.append(group.iloc[np.unique(places)])
    return pd.concat(parts, ignore_index=True).drop(columns=["variant", "moved"])


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort kernels by variant, and within one by work and traffic; add both as columns."""
    moved = rows["bytes_in"] + rows["bytes_out"] + rows["bytes_weights"]
    ranked = rows.assign(variant=variant(rows), moved=moved)
    return ranked.sort_values(["variant", "macs", "moved", "kernel"], ignore_index=True)


def _interleaved(rows: pd.DataFrame) -> pd.DataFrame:
    """Give each kernel its place within its source, variants interleaved: below 0 for the first few of each, then to 1.

    Within a variant, any number of first places is spread over small and large kernels alike.
    """
    if rows.empty:
        return rows.assign(order=0.0)
    rows = _ranked(rows)
    size = rows.groupby("variant")["variant"].transform("size")
    place = pd.Series(np.concatenate([_scattered(number) for number in rows.groupby("variant", sort=True).size()]))
    order = ((place + 0.5) / size).where(place >= LEAST, place / LEAST - 1)
    return rows.assign(order=order).drop(columns=["variant", "moved"])


def _scattered(count: int) -> np.ndarray:
    """Return the places of ``count`` things in a row such that, for every n, the first n places are spread evenly.

    Place p goes to thing k if p, its bits reversed (van der Corput's sequence), is the k-th smallest of all places.

    >>> places = _scattered(6).tolist()
    >>> [places.index(place) for place in range(6)]
    [0, 3, 2, 5, 1, 4]
    """
    bits = max(1, (count - 1).bit_length())
    return np.argsort([int(f"{number:0{bits}b}"[::-1], 2) for number in range(count)])


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
