"""Intervals from families left out inside the training part.

Split-conformal in the manner of Barber, Candes, Ramdas and Tibshirani, Predictive inference with the jackknife+
(Annals of Statistics 49, 2021), with whole families as the unit that is left out: the quantile of the absolute log
ratios of predicted to measured, with the finite-sample correction.
"""

from collections.abc import Callable

import numpy as np

from edgejoule.predictors.folds import MOST, family_folds

#: Nominal coverage of every interval of the project.
COVERAGE = 0.90


def half_widths(make: Callable, features, costs, most: int = MOST) -> dict[str, float]:
    """Return each metric's half-width of the 90 % interval, in logarithms (upper = predicted x exp(half-width)).

    Args:
        make: returns an untrained predictor with ``fit(features, costs)`` and ``values(features)``.
        features: the training networks, n of them.
        costs: their measured costs; needs at least two families, or there is no interval.
        most: families are left out in at most this many groups.
    """
    errors: dict[str, list[np.ndarray]] = {}
    for out in family_folds(costs.family, most):
        predicted = make().fit(features.take(~out), costs.take(~out)).values(features.take(out))
        for metric, measured in costs.take(out).metrics.items():
            with np.errstate(invalid="ignore", divide="ignore"):
                error = np.abs(np.log(predicted[metric] / measured))
            errors.setdefault(metric, []).append(error[np.isfinite(error)])
    return {metric: upper_quantile(np.concatenate(parts)) for metric, parts in errors.items() if any(map(len, parts))}


def upper_quantile(errors: np.ndarray) -> float:
    """Return the ceil((n + 1) x coverage)-th smallest of n errors, the conformal quantile; for few, the largest."""
    rank = min(int(np.ceil((len(errors) + 1) * COVERAGE)), len(errors))
    return float(np.sort(errors)[rank - 1])
