"""The predictor ``edgejoule`` where only totals of networks were measured: kernels' shares recovered from totals."""

from collections.abc import Mapping
from typing import Self

import numpy as np

from edgejoule.predictors.features import Features
from edgejoule.predictors.folds import family_folds
from edgejoule.predictors.linear import NonNegativeLinear

#: From coarse to fine. On a CPU's GEMM library one law holds for all kinds; on a GPU's kernels it does not.
MEMBERS = ("one-law", "by-kind", "by-kind-and-window")

#: A member whose error on families left out is this much larger weighs 1/e as much.
TEMPERATURE = 0.02


class KernelTotals:
    """Weighted geometric mean of non-negative linear models of different grain, each linear in a network's kernels.

    A coarse member errs by bias, a fine one by variance; which is worse depends on the device. Members weigh
    exp(-error / temperature), with the error on families left out inside the training part (relative errors, averaged
    within each family and then over families).
    """

    def __init__(self) -> None:
        self.members = [NonNegativeLinear(basis) for basis in MEMBERS]
        self.weights = np.full(len(MEMBERS), 1 / len(MEMBERS))

    def fit(self, features: Features, target: np.ndarray, family: np.ndarray) -> Self:
        """Fit to the cost of each network.

        Args:
            features: n networks.
            target: their cost > 0, shape (n,).
            family: their families, shape (n,).
        """
        errors = np.array([_error_left_out(basis, features, target, family) for basis in MEMBERS])
        if np.isfinite(errors).all():
            weights = np.exp(-(errors - errors.min()) / TEMPERATURE)
            self.weights = weights / weights.sum()
        for member in self.members:
            member.fit(features, target)
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Return the predicted cost in the unit of the target, shape (n,); NaN for an unknown precision."""
        each = np.stack([member.predict(features) for member in self.members])
        return np.exp(self.weights @ np.log(np.maximum(each, 1e-12)))

    def disagreement(self, features: Features, predicted: np.ndarray) -> np.ndarray:
        """Return how far the members lie from what is predicted, shape (n,): root mean square log ratio."""
        each = np.stack([member.predict(features) for member in self.members])
        return np.sqrt((np.log(np.maximum(each, 1e-12) / predicted) ** 2).mean(axis=0))

    def per_kernel(self, kernels: Features, network: np.ndarray, networks: Features) -> np.ndarray:
        """Return each kernel's part of its network's prediction, shape (k,), in the target's unit.

        The members' shares are averaged and scaled so that kernels and the network's overhead add up to the prediction.

        Args:
            kernels: k kernels.
            network: the row of ``networks`` that each kernel belongs to, shape (k,).
            networks: the features of whole networks.
        """
        shares = [member.per_kernel(kernels) / member.predict(networks)[network] for member in self.members]
        return (self.weights @ np.stack(shares)) * self.predict(networks)[network]

    def to_dict(self) -> dict:
        """Return the model as JSON-able values."""
        members = [member.to_dict() for member in self.members]
        return {"form": "totals", "members": members, "weights": self.weights.tolist()}

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the model that ``to_dict`` described."""
        model = cls()
        model.members = [NonNegativeLinear.from_dict(member) for member in value["members"]]
        model.weights = np.array(value["weights"])
        return model


def _error_left_out(basis: str, features: Features, target: np.ndarray, family: np.ndarray) -> float:
    """Return a member's mean relative error on families left out, at most 1 per network; NaN for a single family."""
    errors = np.full(len(target), np.nan)
    for out in family_folds(family):
        predicted = NonNegativeLinear(basis).fit(features.take(~out), target[~out]).predict(features.take(out))
        errors[out] = np.minimum(np.abs(predicted / target[out] - 1), 1)
    names = np.unique(family[np.isfinite(errors)])
    return float(np.mean([np.nanmean(errors[family == name]) for name in names])) if len(names) else float("nan")
