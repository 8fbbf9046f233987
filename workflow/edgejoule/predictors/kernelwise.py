"""A network's latency from the predicted times of its kernels: for devices whose runtime was profiled."""

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import numpy as np
from scipy.optimize import lsq_linear

from edgejoule.predictors.alone import evidence_of
from edgejoule.predictors.features import Features
from edgejoule.predictors.linear import NonNegativeLinear
from edgejoule.predictors.rows import EVIDENCE, NODES, KernelRows
from edgejoule.predictors.times import ForestPerKind, RooflineTrees

#: Share of the training networks' MACs that must be of kernels with a known time for a predictor that learns from them.
KNOWN = 0.8
#: Basis of the linear model of networks' totals whose disagreement tells how hard a network is.
SECOND = "by-kind"


def timed(features: Features) -> bool:
    """Whether the kernels that do most of the work have a time inside networks.

    Times alone are not enough: where rules say what the kernels are, latency from 1,049 of OpenVINO's kernels alone was
    off by 14.6 %, from networks' totals by 9.6 %. Where a runtime names its nodes otherwise than rules name kernels,
    small ones stay without a time; those that multiply are most of the work, and told.
    """
    if features.rows is None:
        return False
    rows = features.rows.inside
    macs = rows.amounts[:, 1]
    return bool(macs[np.isfinite(rows.duration_ms)].sum() >= KNOWN * macs.sum() > 0)


class FromKernels:
    """Latency = a x sum of the kernels' times + b x kernels, with a and b learned from whole networks.

    The profiler adds about a microsecond to each kernel, so b is negative where kernels are many and small. Where
    training knows a kernel's time, a and b are learned from that and not from its prediction.

    Laws of which no kernel's time is known inside a training network are silent: their one roofline is what the
    networks' latencies leave for them, learned together with a and b. b does not count them.

    Args:
        make: makes the model of one kernel's time.
        evidence: which times of kernels to learn from, items of ``EVIDENCE``.
        totals: whether to learn from networks' latencies; without, a is 1, b is 0 and no law is silent.
    """

    def __init__(
        self,
        make: Callable[[], RooflineTrees | ForestPerKind] = RooflineTrees,
        evidence: Sequence[str] = EVIDENCE,
        totals: bool = True,
    ) -> None:
        self._make = make
        self.evidence = tuple(evidence)
        self.totals = totals

    def fit(self, features: Features, target: np.ndarray, family: np.ndarray) -> Self:
        """Fit to the latency of each network (ms), shape (n,), and to the known times of its kernels."""
        evidence = evidence_of(features.rows, self.evidence)
        self.kernels = self._make().fit(evidence, evidence.duration_ms)
        self.precisions = sorted(set(features.precision))
        self.scale, self.per_count, self.silent, self.rest = 1.0, 0.0, [], np.zeros(features.rows.amounts.shape[1])
        if not self.totals:
            return self
        self.second = NonNegativeLinear(SECOND).fit(features, target, family)
        rows = features.rows.inside
        known = np.isfinite(rows.duration_ms) & (EVIDENCE[NODES] in self.evidence)
        told = rows.law[known] if known.any() else evidence.law
        self.silent = sorted(set(rows.law) - set(told))
        times = rows.duration_ms.copy()
        if not known.all():
            times[~known] = self.kernels.predict(rows.where(~known))
        silent = np.isin(rows.law, self.silent)
        rest = [np.bincount(rows.owner[silent], amount[silent], len(features)) for amount in rows.amounts.T]
        times[silent] = 0
        amounts = np.column_stack([self._sums(rows, times, len(features)), *rest])
        self.scale, self.per_count, *each = _relative(amounts, target).tolist()
        self.rest = np.array(each) / self.scale
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Return the predicted latency (ms), shape (n,); NaN for a precision not seen in training."""
        rows = features.rows.inside
        sums = self._sums(rows, self._times(rows), len(features))
        latency = sums @ np.array([self.scale, self.per_count])
        # However many small kernels a network has, it takes no less than a third of their sum.
        latency = np.maximum(latency, self.scale * sums[:, 0] / 3)
        return np.where(np.isin(features.precision, self.precisions), latency, np.nan)

    def _times(self, rows: KernelRows) -> np.ndarray:
        """Return each kernel's time as the profiler would tell it (ms), shape (k,)."""
        times = self.kernels.predict(rows)
        silent = np.isin(rows.law, self.silent)
        times[silent] = rows.amounts[silent] @ self.rest
        return times

    def disagreement(self, features: Features, predicted: np.ndarray) -> np.ndarray:
        """Return how far a linear model of networks' totals lies from what is predicted, shape (n,): half a log ratio.

        Half, as each of two opinions is that far from their mean.
        """
        return np.abs(np.log(np.maximum(self.second.predict(features), 1e-12) / predicted)) / 2

    def per_kernel(self, kernels: Features, network: np.ndarray, networks: Features) -> np.ndarray:
        """Return each kernel's part of its network's latency (ms), shape (k,), in proportion to its own time.

        Args:
            kernels: k kernels, in the order of ``networks.rows``.
            network: the row of ``networks`` that each kernel belongs to, shape (k,).
            networks: the features of whole networks, with the rows of their kernels.
        """
        times = self._times(networks.rows)
        sums = np.bincount(networks.rows.owner, times, len(networks))
        return self.predict(networks)[network] * times / sums[network]

    def to_dict(self) -> dict:
        """Return the model as JSON-able values."""
        return {
            "form": "kernels",
            "scale": self.scale,
            "per_count": self.per_count,
            "silent": self.silent,
            "rest": self.rest.tolist(),
            "precisions": self.precisions,
            "kernels": self.kernels.to_dict(),
            "second": self.second.to_dict(),
        }

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the model that ``to_dict`` described."""
        model = cls()
        model.scale, model.per_count = value["scale"], value["per_count"]
        model.silent, model.rest = list(value["silent"]), np.array(value["rest"])
        model.precisions = list(value["precisions"])
        model.kernels = RooflineTrees.from_dict(value["kernels"])
        model.second = NonNegativeLinear.from_dict(value["second"])
        return model

    def _sums(self, rows: KernelRows, times: np.ndarray, many: int) -> np.ndarray:
        """Return each network's sum of times and number of kernels that are not silent, shape (many, 2)."""
        told = rows.owner[~np.isin(rows.law, self.silent)]
        return np.stack([np.bincount(rows.owner, times, many), np.bincount(told, minlength=many)], axis=1)


def _relative(amounts: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return c, shape (terms,), that minimises the mean of (amounts @ c / target - 1)^2, c >= 0 but for the second.

    Args:
        amounts: shape (n, terms).
        target: > 0, shape (n,).
    """
    scaled = amounts / target[:, None]
    norm = np.linalg.norm(scaled, axis=0)
    there = norm > 0
    least = np.where(np.arange(len(norm)) == 1, -np.inf, 0.0)
    coefficients = np.zeros(len(norm))
    bounds = least[there], np.inf
    found = lsq_linear(scaled[:, there] / norm[there], np.ones(len(target)), bounds, method="bvls")
    coefficients[there] = found.x / norm[there]
    return coefficients
