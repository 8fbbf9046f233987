"""A linear model of a board on which few networks were measured, drawn to the coefficients of known devices."""

from collections.abc import Sequence

import numpy as np

from edgejoule.predictors.features import Features
from edgejoule.predictors.linear import NonNegativeLinear, design, scaled_nnls

#: Enough to settle what the measured networks leave open. On the boards at hand ten times as much is as good, and so is
#: a ten-thousandth (medians within 0.1 points); a thousand times as much is worse on most.
STRENGTH = 0.01


def drawn_linear(
    features: Features,
    known: Sequence[NonNegativeLinear],
    chosen: np.ndarray,
    target: np.ndarray,
    strength: float = STRENGTH,
) -> np.ndarray:
    """Return the cost of all n networks, shape (n,), in the unit of the target.

    Ridge regression towards a mean (Hoerl and Kennard, Technometrics 12, 1970) on relative errors, non-negative, one
    set of coefficients per precision. The mean is that of the known devices, each first made as fast as the new one on
    the measured networks. A precision of which none was measured takes the mean.

    Args:
        features: n networks.
        known: a model of one basis per known device, trained on all its networks.
        chosen: positions of the measured networks, shape (k,); at least one.
        target: their cost > 0, shape (k,).
        strength: what a coefficient's squared difference from the mean costs, counted in shares of the mean network's
            cost, against the squared relative error of one measured network.
    """
    elsewhere = np.stack([model.predict(features) for model in known])
    speed = np.exp(np.log(target / elsewhere[:, chosen]).mean(axis=1))
    amounts, cost = design(known[0].basis, features), np.empty(len(features))
    for precision in sorted(set(features.precision)):
        rows = features.precision == precision
        usual = np.mean([s * model.coefficients[precision] for s, model in zip(speed, known, strict=True)], axis=0)
        mine = rows[chosen]
        shares = amounts[rows] / (amounts[rows] @ usual)[:, None]
        pull = np.sqrt(strength) * shares.mean(axis=0)
        system = np.concatenate([amounts[chosen[mine]] / target[mine, None], np.diag(pull)])
        cost[rows] = amounts[rows] @ scaled_nnls(system, np.concatenate([np.ones(mine.sum()), pull * usual]))
    return cost
