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


#: A distance above this is not worth a figure: the network is of another sort altogether.
BEYOND = 100

_WORDS = {
    "conv": "convolutions larger than 1x1",
    "pointwise": "pointwise convolutions",
    "depthwise": "depthwise convolutions up to 3x3",
    "depthwise-large": "depthwise convolutions larger than 3x3",
    "grouped": "grouped convolutions",
    "fc": "fully connected layers",
    "matmul": "matrix products and attention",
    "elementwise": "elementwise operators",
    "normalisation": "normalisation",
    "pooling": "pooling",
    "movement": "moving data",
    "other": "operators of no known kind",
}
_AMOUNTS = {
    "macs": "{} M MACs",
    "bytes_activations": "{} MB of activations",
    "bytes_weights": "{} MB of weights",
    "count": "{} kernels",
}


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
        warnings: list[list[str]] = [[] for _ in range(len(features))]
        for i in np.flatnonzero((coverage < THIN) | (distance > FAR)):
            warnings[i] = self._warn(features.take(np.array([i])), coverage[i], distance[i])
        return coverage, distance, warnings

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
        for quantity in self.ranges:
            distance = np.maximum(distance, self._of_total(features, quantity))
        for group in self.most_macs:
            distance = np.maximum(distance, self._of_group(features, group))
        return distance

    def _of_total(self, features: Features, quantity: str) -> np.ndarray:
        """Return by which factor a total is above the greatest or below the least of training, shape (n,)."""
        least, greatest = self.ranges[quantity]
        total = np.maximum(features.total(quantity), 1e-9)
        return np.maximum(total / max(greatest, 1e-9), max(least, 1e-9) / total)

    def _of_group(self, features: Features, group: str) -> np.ndarray:
        """Return by which factor a group's MACs are above those of training, 0 where it hardly matters, shape (n,)."""
        macs = features.values[:, :, 0]
        own = macs[:, GROUPS.index(group)]
        return np.where(own > MATTERS * macs.sum(axis=1), own / self.most_macs[group], 0.0)

    def _warn(self, one: Features, coverage: float, distance: float) -> list[str]:
        """Return what is unlike training in one network; of what is outside the range, the farthest."""
        warnings = []
        if coverage < THIN:
            strange = [
                _WORDS[group]
                for group, there in zip(GROUPS, one.values[0].any(axis=1), strict=True)
                if there and group not in self.groups
            ]
            warnings.append(
                f"{100 * (1 - coverage):.0f} % of the work (MACs or bytes) is in groups of kernels that no training "
                f"network had: {', '.join(strange)}"
            )
        if distance > FAR:
            far = f"lies {times(distance)} times outside the range of the training networks"
            warnings.append(f"the network {far}: {self._farthest(one)}")
        return warnings

    def _farthest(self, one: Features) -> str:
        """Return the total or group of one network that is farthest outside, with its amount and that of training."""
        totals = {quantity: self._of_total(one, quantity)[0] for quantity in self.ranges}
        groups = {group: self._of_group(one, group)[0] for group in self.most_macs}
        quantity, group = max(totals, key=totals.get), max(groups, key=groups.get, default="")
        if groups.get(group, 0) > totals[quantity]:
            own, most = one.values[0, GROUPS.index(group), 0], self.most_macs[group]
            return f"its {_WORDS[group]} have {_amount(own)} M MACs, in a training network at most {_amount(most)}"
        total, (least, greatest) = one.total(quantity)[0], self.ranges[quantity]
        bound = f"at most {_amount(greatest)}" if total > greatest else f"at least {_amount(least)}"
        return f"it has {_AMOUNTS[quantity].format(_amount(total))}, a training network {bound}"

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


def times(distance: float) -> str:
    """Return a distance for people: one digit after the point, or that it is beyond reason."""
    return f"{distance:.1f}" if distance <= BEYOND else f"more than {BEYOND}"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
