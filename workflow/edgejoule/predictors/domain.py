"""Whether a network is like those that a predictor learned from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from edgejoule.predictors.features import GROUPS, QUANTITIES, Features

#: A network that lies this many times beyond the training range gets a warning and no interval.
FAR = 1.5
#: A group of kernels matters in a network from this share of its MACs on.
MATTERS = 0.05
#: So does one with less than this share of its work in groups of kernels that training had.
THIN = 0.95


@dataclass(frozen=True)
class Domain:
    """Ranges of the training networks.

    Attributes:
        precisions: precisions that training had.
        groups: groups of kernels that training had.
        ranges: quantity: least and greatest total of a training network, in the units of ``QUANTITIES``.
        most_macs: group of kernels: most MACs (M) that a training network had in it.
    """

    precisions: tuple[str, ...]
    groups: tuple[str, ...]
    ranges: dict[str, tuple[float, float]]
    most_macs: dict[str, float]

    @classmethod
    def of(cls, features: Features) -> Self:
        """Return the ranges of the training networks."""
        present = features.values.sum(axis=(0, 2)) > 0
        totals = {quantity: features.total(quantity) for quantity in QUANTITIES}
        return cls(
            tuple(sorted(set(features.precision))),
            tuple(group for group, there in zip(GROUPS, present, strict=True) if there),
            {quantity: (float(total.min()), float(total.max())) for quantity, total in totals.items()},
            {
                group: float(most)
                for group, most in zip(GROUPS, features.values[:, :, 0].max(axis=0), strict=True)
                if most
            },
        )

    def judge(self, features: Features) -> tuple[np.ndarray, np.ndarray, list[list[str]]]:
        """Return coverage (0 to 1) and distance (a factor, 1 = inside), each shape (n,), and warnings per network.

        A network with a warning is none of those that the intervals were learned from: they were learned from training
        families left out, which lie within the range or little beyond it. It has a prediction and no interval.
        """
        coverage, distance = self.coverage(features), self.distance(features)
        return coverage, distance, [self._warn(c, d) for c, d in zip(coverage, distance, strict=True)]

    def coverage(self, features: Features) -> np.ndarray:
        """Return the lesser of the shares of MACs and of bytes in groups of kernels that training had, shape (n,)."""
        known = np.isin(GROUPS, self.groups)
        shares = []
        for columns in ([0], [1, 2]):
            amounts = features.values[:, :, columns].sum(axis=2)
            whole = amounts.sum(axis=1)
            shares.append(np.where(whole > 0, amounts[:, known].sum(axis=1) / np.where(whole > 0, whole, 1), 1.0))
        return np.minimum(*shares)

    def distance(self, features: Features) -> np.ndarray:
        """Return the largest factor by which a total, or a group of kernels that matters, is out of range, shape (n,).

        1 = inside.
        """
        distance = np.ones(len(features))
        for quantity, (least, greatest) in self.ranges.items():
            total = np.maximum(features.total(quantity), 1e-9)
            outside = np.maximum(total / max(greatest, 1e-9), max(least, 1e-9) / total)
            distance = np.maximum(distance, outside)
        macs = features.values[:, :, 0]
        matters = macs > MATTERS * macs.sum(axis=1, keepdims=True)
        for group, most in self.most_macs.items():
            column = GROUPS.index(group)
            distance = np.where(matters[:, column], np.maximum(distance, macs[:, column] / most), distance)
        return distance

    def _warn(self, coverage: float, distance: float) -> list[str]:
        warnings = []
        if coverage < THIN:
            warnings.append(
                f"{100 * (1 - coverage):.0f} % of the work (MACs or bytes) is in groups of kernels that no training "
                "network had"
            )
        if distance > FAR:
            far = f"lies {distance:.1f} times outside the range of the training networks"
            warnings.append(f"the network, or a group of its kernels, {far}")
        return warnings

    def to_dict(self) -> dict:
        """Return it as JSON-able values."""
        return {
            "precisions": list(self.precisions),
            "groups": list(self.groups),
            "ranges": dict(self.ranges),
            "most_macs": dict(self.most_macs),
        }

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the domain that ``to_dict`` described."""
        ranges = {quantity: (low, high) for quantity, (low, high) in value["ranges"].items()}
        return cls(tuple(value["precisions"]), tuple(value["groups"]), ranges, dict(value["most_macs"]))
