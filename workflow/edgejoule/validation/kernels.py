"""What times of kernels are worth: by the way in which they were timed, and by how many were measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from edgejoule.predictors import Costs, Features, training_set
from edgejoule.predictors.folds import family_folds
from edgejoule.predictors.kernelwise import FromKernels
from edgejoule.predictors.rows import EVIDENCE, NODES
from edgejoule.tables import empty
from edgejoule.tables.contracts import EVIDENCE as EVIDENCE_TABLE
from edgejoule.tables.contracts import LEARNING_CURVE
from edgejoule.validation.accuracy import within
from edgejoule.validation.subsets import LEAST_MS

#: Families are left out in this many groups here, not one by one: dozens of training runs are compared.
GROUPS = 5
#: Sorts of times, alone and together.
SORTS = ("nodes", "zoo", "synthetic", "zoo+synthetic", "nodes+zoo", "nodes+synthetic", "nodes+zoo+synthetic")
SOURCES: Mapping[str, tuple[str, ...]] = {"zoo": ("zoo",), "synthetic": ("synthetic",), "mixed": ("zoo", "synthetic")}
SIZES = (50, 100, 200, 400, 800, 1600, 3200)
DRAWS = 2
#: An error this many times that of all kernels is near it.
NEAR = 1.1


@dataclass(frozen=True)
class Device:
    """A device that measured kernels alone.

    Attributes:
        name: the device.
        features: its networks, their kernels, and those measured alone.
        costs: of the networks.
        seconds: what one kernel takes to measure, all passes.
    """

    name: str
    features: Features
    costs: Costs
    seconds: float

    @classmethod
    def of(
        cls, networks: pd.DataFrame, kernels: pd.DataFrame, nodes: pd.DataFrame | None, alone: pd.DataFrame, events
    ) -> "Device | None":
        """Return it, or None where no kernel was measured alone.

        Args:
            networks, kernels, nodes, alone: as ``training_set`` takes them.
            events: the recording's events.
        """
        if alone.empty:
            return None
        rows, features, costs = training_set(networks, kernels, nodes, alone)
        if features.rows is None or (features.rows.evidence == NODES).all():
            return None
        return cls(rows["device"].iloc[0], features, costs, seconds_per_kernel(events))


def seconds_per_kernel(events: pd.DataFrame) -> float:
    """Return how long one kernel occupies the device, all passes together: from one start to the next (median)."""
    kernels = events[events["kind"] == "kernel"].sort_values("start_ns")
    step = kernels.groupby("pass")["start_ns"].diff().median()
    return float(step * kernels["pass"].nunique() * 1e-9)


def evidence_table(device: Device | None) -> pd.DataFrame:
    """Return rows of table EVIDENCE: errors on families left out, by what the kernels' times are from."""
    if device is None:
        return empty(EVIDENCE_TABLE)
    rows = []
    for sort in SORTS:
        evidence = sort.split("+")
        used = device.features.rows.where(_from(device.features, evidence))
        if not len(used.same):
            continue
        about = {"device": device.name, "evidence": sort, "kernels": len(np.unique(used.same))}
        rows.append(about | errors_of(device, *_predicted(device, evidence, None)))
    return pd.DataFrame(rows)[EVIDENCE_TABLE.names]


def learning_curve(device: Device | None, seed: int = 0) -> pd.DataFrame:
    """Return rows of table LEARNING_CURVE: errors on families left out, by how many kernels were measured alone.

    Nothing but kernels alone is learned from, and two numbers from the totals of other families' networks: what a
    network takes per kernel and per time of its kernels. A kernel that only families left out have counts as measured
    and is not learned from.
    """
    if device is None:
        return empty(LEARNING_CURVE)
    rows = []
    for source, evidence in SOURCES.items():
        there = np.flatnonzero(_from(device.features, evidence))
        if not len(there):
            continue
        orders = {
            "random": [np.random.default_rng([seed, draw]).permutation(there) for draw in range(DRAWS)],
            "design": [there[spread(device.features.rows.inputs[there])]],
        }
        for choice, drawn in orders.items():
            for size in [size for size in SIZES if size < len(there)] + [len(there)]:
                draws = drawn if size < len(there) else drawn[:1]
                errors = [errors_of(device, *_predicted(device, evidence, order[:size])) for order in draws]
                mape = [error["mape_percent"] for error in errors]
                mean = {
                    name: float(np.mean([e[name] for e in errors])) for name in errors[0] if name.endswith("percent")
                }
                rows.append(
                    {"device": device.name, "source": source, "choice": choice, "kernels": size}
                    | {"minutes": size * device.seconds / 60, "draws": len(draws), "networks": errors[0]["networks"]}
                    | mean
                    | {"mape_low_percent": min(mape), "mape_high_percent": max(mape)}
                )
    table = pd.DataFrame(rows)
    final = table.groupby("source")["kernels"].transform("max").eq(table["kernels"])
    last = table[final].groupby("source")["mape_percent"].min()
    return table.assign(near=table["mape_percent"] <= NEAR * table["source"].map(last))[LEARNING_CURVE.names]


def spread(points: np.ndarray) -> np.ndarray:
    """Return an order of points, shape (n,), in which each is the farthest from all before it.

    Gonzalez, Clustering to minimize the maximum intercluster distance (Theoretical Computer Science 38, 1985): every
    beginning covers the space within twice the best possible radius. The first is the one nearest to the mean.

    Args:
        points: shape (n, m); scaled to unit variance here.
    """
    scaled = (points - points.mean(axis=0)) / np.maximum(points.std(axis=0), 1e-9)
    order = [int((scaled**2).sum(axis=1).argmin())]
    distance = ((scaled - scaled[order[0]]) ** 2).sum(axis=1)
    for _ in range(len(points) - 1):
        distance[order[-1]] = -1
        order.append(int(distance.argmax()))
        distance = np.minimum(distance, ((scaled - scaled[order[-1]]) ** 2).sum(axis=1))
    return np.array(order)


def _from(features: Features, evidence: Sequence[str]) -> np.ndarray:
    """Return which kernels have a time of one of these sorts, shape (k,)."""
    rows = features.rows
    return np.isfinite(rows.duration_ms) & np.isin(rows.evidence, [EVIDENCE.index(name) for name in evidence])


def _predicted(device: Device, evidence: Sequence[str], measured: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return latency (ms) by predictors that were trained without the network's family, and what was measured.

    Args:
        evidence: what to learn from.
        measured: positions of the kernels alone that are known; None = all.
    """
    features = device.features
    if measured is not None:
        known = features.rows.owner >= 0
        known[measured] = True
        features = replace(features, rows=features.rows.where(known))
    latency = device.costs.metrics["latency_ms"]
    predicted = np.full(len(features), np.nan)
    for out in family_folds(device.costs.family, GROUPS):
        model = FromKernels(evidence=evidence).fit(features.take(~out), latency[~out], device.costs.family[~out])
        predicted[out] = model.predict(features.take(out))
    return predicted, latency


def errors_of(device: Device, predicted: np.ndarray, latency: np.ndarray) -> dict[str, object]:
    """Return the errors of predicted latencies of networks of ``LEAST_MS`` and more, by column.

    Args:
        device: the device, n networks.
        predicted, latency: in ms, shape (n,); where a prediction is NaN there is none.
    """
    judged = np.isfinite(predicted) & (latency >= LEAST_MS)
    relative = predicted[judged] / latency[judged] - 1
    by_family = pd.Series(np.abs(relative)).groupby(device.costs.family[judged]).mean()
    return {
        "networks": int(judged.sum()),
        "mape_percent": float(100 * by_family.mean()),
        "within5_percent": within(relative, 0.05),
        "within10_percent": within(relative, 0.10),
        "within15_percent": within(relative, 0.15),
        "worst_family": by_family.idxmax(),
        "worst_mape_percent": float(100 * by_family.max()),
    }
