"""The predictor ``edgejoule`` where only totals of networks were measured: kernels' shares recovered from totals."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from edgejoule.predictors.features import Features
from edgejoule.predictors.folds import error_left_out, family_folds
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
        #: The members again, trained without some of the families, one list per group of families left out.
        self.without: list[list[NonNegativeLinear]] = []

    def fit(self, features: Features, target: np.ndarray, family: np.ndarray) -> Self:
        """Fit to the cost of each network.

        Args:
            features: n networks.
            target: their cost > 0, shape (n,).
            family: their families, shape (n,).
        """
        folds = list(family_folds(family))
        self.without = [
            [NonNegativeLinear(basis).fit(features.take(~out), target[~out]) for basis in MEMBERS] for out in folds
        ]
        left = np.full((len(MEMBERS), len(target)), np.nan)
        for out, models in zip(folds, self.without, strict=True):
            left[:, out] = [model.predict(features.take(out)) for model in models]
        errors = np.array([error_left_out(predicted, target, family) for predicted in left])
        if np.isfinite(errors).all():
            weights = np.exp(-(errors - errors.min()) / TEMPERATURE)
            self.weights = weights / weights.sum()
        for member in self.members:
            member.fit(features, target)
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Return the predicted cost in the unit of the target, shape (n,); NaN for an unknown precision."""
        return np.exp(self.weights @ _logs(self.members, features))

    def disagreement(self, features: Features, predicted: np.ndarray) -> np.ndarray:
        """Return how far others lie from what is predicted, shape (n,), as log ratios (root mean square).

        It is the sum of two: how far the members lie, and how far the same model lies that was trained without some of
        the families. The latter shrinks as families are added, as errors do: an interval that was learned from models
        of two families is not too wide for one of three.
        """
        centre = np.log(predicted)
        members = np.sqrt(((_logs(self.members, features) - centre) ** 2).mean(axis=0))
        if not self.without:
            return members
        without = np.stack([self.weights @ _logs(models, features) for models in self.without]) - centre
        # A precision that only families left out have is no evidence of disagreement.
        return members + np.sqrt((np.where(np.isfinite(without), without, 0.0) ** 2).mean(axis=0))

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
        return {
            "form": "totals",
            "members": [member.to_dict() for member in self.members],
            "weights": self.weights.tolist(),
            "without": [[member.to_dict() for member in models] for models in self.without],
        }

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the model that ``to_dict`` described."""
        model = cls()
        model.members = [NonNegativeLinear.from_dict(member) for member in value["members"]]
        model.weights = np.array(value["weights"])
        model.without = [[NonNegativeLinear.from_dict(member) for member in models] for models in value["without"]]
        return model


def _logs(models: Sequence[NonNegativeLinear], features: Features) -> np.ndarray:
    """Return the logarithms of what models predict, shape (models, n)."""
    return np.log(np.maximum([model.predict(features) for model in models], 1e-12))
