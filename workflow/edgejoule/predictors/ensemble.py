"""The predictor ``edgejoule`` where only totals of networks were measured: kernels' shares recovered from totals."""

from collections.abc import Mapping
from typing import Self

import numpy as np

from edgejoule.predictors.features import Features
from edgejoule.predictors.linear import NonNegativeLinear

MEMBERS = ("macs-bytes-offset", "kinds")


class KernelTotals:
    """Geometric mean of non-negative linear models of different grain, each linear in a network's kernels.

    The coarse member has few coefficients and errs by bias, the fine one has many and errs by variance; on families
    that were left out their errors differ, and the mean is better than either.
    """

    def __init__(self) -> None:
        self.members = [NonNegativeLinear(basis) for basis in MEMBERS]

    def fit(self, features: Features, target: np.ndarray) -> Self:
        """Fit to the cost of each network, ``target`` > 0, shape (n,)."""
        for member in self.members:
            member.fit(features, target)
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Return the predicted cost in the unit of the target, shape (n,); NaN for an unknown precision."""
        each = np.stack([member.predict(features) for member in self.members])
        return np.exp(np.log(np.maximum(each, 1e-12)).mean(axis=0))

    def per_kernel(self, kernels: Features, network: np.ndarray, networks: Features) -> np.ndarray:
        """Return each kernel's part of its network's prediction, shape (k,), in the target's unit.

        The members' shares are averaged and scaled so that kernels and the network's overhead add up to the prediction.

        Args:
            kernels: k kernels.
            network: the row of ``networks`` that each kernel belongs to, shape (k,).
            networks: the features of whole networks.
        """
        shares = [member.per_kernel(kernels) / member.predict(networks)[network] for member in self.members]
        return np.mean(shares, axis=0) * self.predict(networks)[network]

    def to_dict(self) -> dict:
        """Return the model as JSON-able values."""
        return {"members": [member.to_dict() for member in self.members]}

    @classmethod
    def from_dict(cls, value: Mapping) -> Self:
        """Return the model that ``to_dict`` described."""
        model = cls()
        model.members = [NonNegativeLinear.from_dict(member) for member in value["members"]]
        return model
