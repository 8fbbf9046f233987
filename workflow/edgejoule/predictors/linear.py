"""Non-negative linear models of a network's cost: what a kernel adds can be small, but never less than nothing.

Errors are relative: each row is divided by its own cost before the fit, so that a network of 3 ms weighs as much as one
of 300 ms. A linear model extrapolates to larger networks, which trees cannot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from scipy.optimize import nnls

from edgejoule.errors import EdgejouleError
from edgejoule.predictors.features import GROUPS, QUANTITIES, Features


@dataclass(frozen=True)
class Term:
    """One coefficient: a quantity summed over some groups of kernels; without groups, one per network."""

    name: str
    quantity: str | None
    groups: tuple[str, ...] = GROUPS

    def members(self) -> np.ndarray:
        """Return 1 for each group and quantity that the term sums, else 0, shape (groups, quantities)."""
        return np.outer(np.isin(GROUPS, self.groups), np.array(list(QUANTITIES)) == self.quantity).astype(float)


ONE = Term("network", None)
MACS = Term("macs", "macs")
WEIGHTS = Term("bytes of weights", "bytes_weights")
ACTIVATIONS = Term("bytes of activations", "bytes_activations")
KERNELS = Term("kernels", "count")

DENSE = ("pointwise", "fc", "matmul")
SPATIAL = ("conv", "grouped")
CONVOLUTIONS = ("conv", "pointwise", "depthwise", "depthwise-large", "grouped")
LIGHT = tuple(group for group in GROUPS if group not in (*CONVOLUTIONS, "fc", "matmul"))


@dataclass(frozen=True)
class Basis:
    """What a model is linear in, and which of its coefficients are drawn towards each other.

    A tie of weight w costs w times the squared difference of its two coefficients, where coefficients are counted in
    the share of the mean network's cost that they make up, and the error of all networks counts one. Weight 10 makes
    two coefficients one; 1e-5 decides only what the networks leave open, such as a kind that training lacks.

    Attributes:
        terms: one coefficient each.
        ties: name of a term, name of another of the same quantity, weight.
    """

    terms: tuple[Term, ...]
    ties: tuple[tuple[str, str, float], ...] = ()


def _kinds(macs: float, window: float, activations: float, count: float) -> Basis:
    """Return the basis by kernel kind, tied with these weights.

    Args:
        macs: how MACs of convolutions, pointwise and depthwise ones hold together.
        window: how MACs of depthwise 5x5 hold to those of 3x3.
        activations: how activation bytes of all kinds hold together.
        count: how the overhead of light kernels holds to that of convolutions.
    """
    return Basis(
        (
            ONE,
            Term("macs of convolutions", "macs", SPATIAL),
            Term("macs of pointwise", "macs", DENSE),
            Term("macs of depthwise 3x3", "macs", ("depthwise",)),
            Term("macs of depthwise 5x5", "macs", ("depthwise-large",)),
            Term("activations of convolutions", "bytes_activations", SPATIAL),
            Term("activations of pointwise", "bytes_activations", DENSE),
            Term("activations of depthwise 3x3", "bytes_activations", ("depthwise",)),
            Term("activations of depthwise 5x5", "bytes_activations", ("depthwise-large",)),
            Term("activations of light kernels", "bytes_activations", LIGHT),
            WEIGHTS,
            Term("convolutions", "count", CONVOLUTIONS),
            Term("light kernels", "count", (*LIGHT, "fc", "matmul")),
        ),
        (
            ("macs of convolutions", "macs of pointwise", macs),
            ("macs of depthwise 3x3", "macs of pointwise", macs),
            ("macs of depthwise 5x5", "macs of depthwise 3x3", window),
            ("activations of convolutions", "activations of pointwise", activations),
            ("activations of depthwise 3x3", "activations of pointwise", activations),
            ("activations of depthwise 5x5", "activations of depthwise 3x3", activations),
            ("activations of light kernels", "activations of pointwise", activations),
            ("light kernels", "convolutions", count),
        ),
    )


#: Bases by name: of the baselines, and of the predictor ``edgejoule`` from coarse to fine.
BASES: dict[str, Basis] = {
    "macs": Basis((ONE, MACS)),
    "macs-bytes": Basis((MACS, WEIGHTS, ACTIVATIONS, KERNELS)),
    "one-law": _kinds(macs=10, window=10, activations=10, count=0.03),
    "by-kind": _kinds(macs=1e-5, window=10, activations=0.03, count=0.03),
    "by-kind-and-window": _kinds(macs=1e-5, window=1e-5, activations=0.03, count=0.03),
}


class NonNegativeLinear:
    """Non-negative least squares on relative errors, one set of coefficients per precision.

    Args:
        basis: name of the terms, a key of ``BASES``.

    A precision that training lacks is predicted as NaN: the model abstains.
    """

    def __init__(self, basis: str) -> None:
        if basis not in BASES:
            raise EdgejouleError(f"no basis '{basis}'; there are {', '.join(BASES)}")
        self.basis = basis
        self.coefficients: dict[str, np.ndarray] = {}

    def fit(self, features: Features, target: np.ndarray, family: np.ndarray | None = None) -> Self:
        """Fit to the cost of each network, ``target`` > 0, shape (n,), in any unit; families do not matter here."""
        amounts = design(self.basis, features)
        for precision in sorted(set(features.precision)):
            rows = features.precision == precision
            self.coefficients[precision] = relative_nnls(amounts[rows], target[rows], self._ties())
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Return the predicted cost in the unit of the target, shape (n,); NaN for an unknown precision."""
        return (design(self.basis, features) * self.rows(features)).sum(axis=1)

    def per_kernel(self, features: Features) -> np.ndarray:
        """Return the part of the prediction that the kernels make up, without the network's own, shape (n,).

        The parts of single kernels (``kernel_features``) add up to that of their network.
        """
        own = np.array([term.quantity is None for term in BASES[self.basis].terms])
        return (design(self.basis, features) * self.rows(features))[:, ~own].sum(axis=1)

    def _ties(self) -> list[tuple[list[int], list[int], float]]:
        """Return each tie as the terms' positions, the positions of all terms of that quantity, and its weight."""
        terms = {term.name: i for i, term in enumerate(BASES[self.basis].terms)}
        quantity = [term.quantity for term in BASES[self.basis].terms]
        return [
            ([terms[one], terms[other]], [i for i, q in enumerate(quantity) if q == quantity[terms[one]]], weight)
            for one, other, weight in BASES[self.basis].ties
        ]

    def rows(self, features: Features) -> np.ndarray:
        """Return each network's coefficients by its precision, shape (n, terms); NaN for an unknown precision."""
        unknown = np.full(len(BASES[self.basis].terms), np.nan)
        return np.array([self.coefficients.get(p, unknown) for p in features.precision]).reshape(-1, len(unknown))

    def to_dict(self) -> dict:
        """Return the model as JSON-able values, coefficients by term."""
        names = [term.name for term in BASES[self.basis].terms]
        fitted = {p: dict(zip(names, map(float, c), strict=True)) for p, c in self.coefficients.items()}
        return {"basis": self.basis, "coefficients": fitted}

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the model that ``to_dict`` described."""
        model = cls(value["basis"])
        names = [term.name for term in BASES[model.basis].terms]
        model.coefficients = {p: np.array([c[name] for name in names]) for p, c in value["coefficients"].items()}
        return model


def design(basis: str, features: Features) -> np.ndarray:
    """Return the amounts of a basis' terms, shape (n, terms)."""
    sums, own = _sums(basis)
    return features.values.reshape(len(features), -1) @ sums + own


@cache
def _sums(basis: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what terms sum, shape (groups x quantities, terms), and 1 for those that are one per network, (terms,)."""
    terms = BASES[basis].terms
    sums = np.stack([term.members().ravel() for term in terms], axis=1)
    return sums, np.array([float(term.quantity is None) for term in terms])


def relative_nnls(
    amounts: np.ndarray, target: np.ndarray, ties: Sequence[tuple[list[int], list[int], float]] = ()
) -> np.ndarray:
    """Return c >= 0, shape (terms,), that minimises the mean over rows of (amounts @ c / target - 1)^2, plus ties.

    Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23, as in ``scipy.optimize.nnls``; ties are rows
    below the data's.

    Args:
        amounts: shape (n, terms).
        target: > 0, shape (n,).
        ties: the two coefficients' positions, the positions of all terms of their quantity, and a weight.
    """
    scaled = amounts / target[:, None]
    rows = np.zeros((len(ties), amounts.shape[1]))
    for row, (pair, peers, weight) in zip(rows, ties, strict=True):
        row[pair] = np.array([1.0, -1.0]) * np.sqrt(weight * len(target)) * scaled[:, peers].sum(axis=1).mean()
    return scaled_nnls(np.concatenate([scaled, rows]), np.concatenate([np.ones(len(target)), np.zeros(len(ties))]))


def scaled_nnls(system: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return x >= 0 that minimises |system @ x - right|, solved with columns of length one; 0 for an empty column."""
    norm = np.linalg.norm(system, axis=0)
    norm[norm == 0] = 1.0
    return nnls(system / norm, right)[0] / norm
