"""Non-negative linear models of a network's cost: what a kernel adds can be small, but never less than nothing.

Errors are relative: each row is divided by its own cost before the fit, so that a network of 3 ms weighs as much as one
of 300 ms. A linear model extrapolates to larger networks, which trees cannot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return the term's amount, shape (n,), from ``Features.values``, shape (n, groups, quantities)."""
        if self.quantity is None:
            return np.ones(len(values))
        rows = [GROUPS.index(group) for group in self.groups]
        return values[:, rows, list(QUANTITIES).index(self.quantity)].sum(axis=1)


ONE = Term("network", None)
MACS = Term("macs", "macs")
WEIGHTS = Term("bytes of weights", "bytes_weights")
ACTIVATIONS = Term("bytes of activations", "bytes_activations")
KERNELS = Term("kernels", "count")

DENSE = ("pointwise", "fc", "matmul")
DEPTHWISE = ("depthwise", "depthwise-large")
REST = tuple(group for group in GROUPS if group not in (*DENSE, *DEPTHWISE))

#: Bases by name: what the baselines and the ensemble of ``KernelTotals`` are linear in.
BASES: dict[str, tuple[Term, ...]] = {
    "macs": (ONE, MACS),
    "macs-bytes": (MACS, WEIGHTS, ACTIVATIONS, KERNELS),
    "macs-bytes-offset": (ONE, MACS, WEIGHTS, ACTIVATIONS, KERNELS),
    "kinds": (
        ONE,
        Term("macs of convolutions", "macs", ("conv", "grouped")),
        Term("macs of pointwise convolutions", "macs", DENSE),
        Term("macs of depthwise convolutions", "macs", DEPTHWISE),
        WEIGHTS,
        Term("bytes of activations of pointwise convolutions", "bytes_activations", DENSE),
        Term("bytes of activations of depthwise convolutions", "bytes_activations", DEPTHWISE),
        Term("bytes of activations of other kernels", "bytes_activations", REST),
        KERNELS,
    ),
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

    def fit(self, features: Features, target: np.ndarray) -> Self:
        """Fit to the cost of each network, ``target`` > 0, shape (n,), in any unit."""
        terms = design(self.basis, features)
        for precision in sorted(set(features.precision)):
            rows = features.precision == precision
            self.coefficients[precision] = relative_nnls(terms[rows], target[rows])
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Return the predicted cost in the unit of the target, shape (n,); NaN for an unknown precision."""
        return (design(self.basis, features) * self._rows(features)).sum(axis=1)

    def per_kernel(self, features: Features) -> np.ndarray:
        """Return the part of the prediction that the kernels make up, without the network's own, shape (n,).

        The parts of single kernels (``kernel_features``) add up to that of their network.
        """
        own = np.array([term.quantity is None for term in BASES[self.basis]])
        return (design(self.basis, features) * self._rows(features))[:, ~own].sum(axis=1)

    def _rows(self, features: Features) -> np.ndarray:
        unknown = np.full(len(BASES[self.basis]), np.nan)
        return np.array([self.coefficients.get(p, unknown) for p in features.precision]).reshape(-1, len(unknown))

    def to_dict(self) -> dict:
        """Return the model as JSON-able values, coefficients by term."""
        names = [term.name for term in BASES[self.basis]]
        fitted = {p: dict(zip(names, map(float, c), strict=True)) for p, c in self.coefficients.items()}
        return {"basis": self.basis, "coefficients": fitted}

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the model that ``to_dict`` described."""
        model = cls(value["basis"])
        names = [term.name for term in BASES[model.basis]]
        model.coefficients = {p: np.array([c[name] for name in names]) for p, c in value["coefficients"].items()}
        return model


def design(basis: str, features: Features) -> np.ndarray:
    """Return the amounts of a basis' terms, shape (n, terms)."""
    return np.stack([term.of(features.values) for term in BASES[basis]], axis=1)


def relative_nnls(terms: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return c >= 0, shape (terms,), that minimises the sum over rows of (terms @ c / target - 1)^2.

    Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23, as in ``scipy.optimize.nnls``.
    """
    scaled = terms / target[:, None]
    norm = np.linalg.norm(scaled, axis=0)
    norm[norm == 0] = 1.0
    return nnls(scaled / norm, np.ones(len(target)))[0] / norm
