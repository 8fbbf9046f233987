"""A network's latency from the predicted times of its kernels: for devices whose runtime was profiled."""

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import numpy as np

from edgejoule.predictors.alone import evidence_of
from edgejoule.predictors.features import Features
from edgejoule.predictors.linear import NonNegativeLinear
from edgejoule.predictors.rows import EVIDENCE, KernelRows
from edgejoule.predictors.times import ForestPerKind, RooflineTrees

#: Share of the training kernels whose time must be known for a predictor that learns from kernels.
KNOWN = 0.8
#: Basis of the linear model of networks' totals whose disagreement tells how hard a network is.
SECOND = "by-kind"


def timed(features: Features) -> bool:
    """Whether enough kernels have a time inside networks.

    Times alone are not enough: where rules say what the kernels are, as the runtime's nodes cannot be matched to the
    graph (OpenVINO), latency from 1,049 kernels alone was off by 14.6 %, from networks' totals by 9.6 %.
    """
    return features.rows is not None and np.isfinite(features.rows.inside.duration_ms).mean() >= KNOWN


class FromKernels:
    """Latency = a x sum of the kernels' times + b x kernels, with a and b learned from whole networks.

    The profiler adds about a microsecond to each kernel, so b is negative where kernels are many and small. Where
    training knows a kernel's time, a and b are learned from that and not from its prediction.

    Args:
        make: makes the model of one kernel's time.
        evidence: which times of kernels to learn from, items of ``EVIDENCE``.
        totals: whether to learn from networks' latencies; without, a is 1 and b is 0.
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
        self.scale, self.per_count = 1.0, 0.0
        if not self.totals:
            return self
        self.second = NonNegativeLinear(SECOND).fit(features, target, family)
        rows = features.rows.inside
        known = np.isfinite(rows.duration_ms) & ("nodes" in self.evidence)
        times = rows.duration_ms.copy()
        if not known.all():
            times[~known] = self.kernels.predict(rows.where(~known))
        scaled = self._sums(rows, times, len(features)) / target[:, None]
        self.scale, self.per_count = np.linalg.lstsq(scaled, np.ones(len(target)), rcond=None)[0].tolist()
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Return the predicted latency (ms), shape (n,); NaN for a precision not seen in training."""
        rows = features.rows.inside
        sums = self._sums(rows, self.kernels.predict(rows), len(features))
        latency = sums @ np.array([self.scale, self.per_count])
        # However many small kernels a network has, it takes no less than a third of their sum.
        latency = np.maximum(latency, self.scale * sums[:, 0] / 3)
        return np.where(np.isin(features.precision, self.precisions), latency, np.nan)

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
        times = self.kernels.predict(networks.rows)
        sums = np.bincount(networks.rows.owner, times, len(networks))
        return self.predict(networks)[network] * times / sums[network]

    def to_dict(self) -> dict:
        """Return the model as JSON-able values."""
        return {
            "form": "kernels",
            "scale": self.scale,
            "per_count": self.per_count,
            "precisions": self.precisions,
            "kernels": self.kernels.to_dict(),
            "second": self.second.to_dict(),
        }

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the model that ``to_dict`` described."""
        model = cls()
        model.scale, model.per_count = value["scale"], value["per_count"]
        model.precisions = list(value["precisions"])
        model.kernels = RooflineTrees.from_dict(value["kernels"])
        model.second = NonNegativeLinear.from_dict(value["second"])
        return model

    @staticmethod
    def _sums(rows: KernelRows, times: np.ndarray, many: int) -> np.ndarray:
        """Return each network's sum of times and number of kernels, shape (many, 2)."""
        return np.stack([np.bincount(rows.owner, times, many), np.bincount(rows.owner, minlength=many)], axis=1)
