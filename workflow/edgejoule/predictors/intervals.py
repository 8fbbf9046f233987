"""Intervals from families left out inside the training part, wider where a network is hard to tell.

Conformal prediction with whole families as the unit that is left out. A score is the absolute log ratio of predicted to
measured, divided by how hard the network is (normalised conformal prediction: Lei, G'Sell, Rinaldo, Tibshirani and
Wasserman, Distribution-Free Predictive Inference for Regression, JASA 113, 2018, section 5.2). The quantile is that of
the pooled distribution in which every family weighs the same (Dunn, Wasserman and Ramdas, Distribution-Free Prediction
Sets for Two-Layer Hierarchical Models, JASA 118, 2023): networks of one family err alike, and a new network is of a new
family. What the network that was not seen weighs depends on how many families there are; see ``family_quantile``.
"""

from collections.abc import Callable

import numpy as np

from edgejoule.predictors.folds import MOST, family_folds

#: Nominal coverage of every interval of the project.
COVERAGE = 0.90
#: How hard a network is on which all models agree: relative error that agreement does not rule out.
FLOOR = 0.10


def difficulty(disagreement: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return how hard each network is to predict, shape (n,), as a relative error up to one factor for all.

    Args:
        disagreement: standard deviation of the logarithm over models of different grain, shape (n,).
        distance: factor by which the network lies outside the training range, 1 = inside, shape (n,). Each factor of e
            counts as much as what agreement does not rule out.
    """
    return FLOOR * (1 + np.log(distance)) + disagreement


def half_widths(make: Callable, features, costs, most: int = MOST) -> dict[str, float]:
    """Return each metric's quantile: half-width of the 90 % interval, in logarithms, per unit of difficulty.

    A metric of which too few networks are known to reach the nominal coverage is left out.

    Args:
        make: returns an untrained predictor with ``fit(features, costs)``, ``values(features)`` and
            ``difficulties(features, values)``.
        features: the training networks, n of them.
        costs: their measured costs; needs at least two families, or there is no interval.
        most: families are left out in at most this many groups.
    """
    scores: dict[str, list[np.ndarray]] = {}
    families: dict[str, list[np.ndarray]] = {}
    for out in family_folds(costs.family, most):
        predictor, left = make().fit(features.take(~out), costs.take(~out)), features.take(out)
        predicted = predictor.values(left)
        hard = predictor.difficulties(left, predicted)
        for metric, measured in costs.take(out).metrics.items():
            with np.errstate(invalid="ignore", divide="ignore"):
                score = np.abs(np.log(predicted[metric] / measured)) / hard[metric]
            known = np.isfinite(score)
            scores.setdefault(metric, []).append(score[known])
            families.setdefault(metric, []).append(costs.family[out][known])
    quantiles = {
        metric: family_quantile(np.concatenate(parts), np.concatenate(families[metric]))
        for metric, parts in scores.items()
    }
    return {metric: quantile for metric, quantile in quantiles.items() if np.isfinite(quantile)}


def family_quantile(scores: np.ndarray, family: np.ndarray) -> float:
    """Return the quantile of n scores of k families at the nominal coverage; NaN if it is out of reach.

    Nobody knows the new network's score; an infinite one stands for it. The first of these that reaches the level:

    - The new network's family weighs as much as any other (Lee, Barber and Willett, Distribution-Free Inference with
      Hierarchical Data, arXiv 2306.06342). Covers a network of a new family that is exchangeable with these k; takes
      nine, as k families can vouch for a coverage of k / (k + 1) at most.
    - Every family weighs the same and has one more network, unseen. Covers a network of a family drawn from these k,
      and one of a new family, exchangeable with them, in at least k / (k + 1) of the nominal coverage.
    - Every network weighs the same, the unseen one, too. Covers a network drawn as these n were; takes nine of them.

    Args:
        scores: shape (n,).
        family: the family of each, shape (n,).
    """
    names, member, sizes = np.unique(family, return_inverse=True, return_counts=True)
    of_new_family = 1 / ((len(names) + 1) * sizes[member])
    of_these_families = 1 / (len(names) * (sizes[member] + 1))
    of_these_networks = np.full(len(scores), 1 / (len(scores) + 1))
    order = np.argsort(scores, kind="stable")
    for weight in (of_new_family, of_these_families, of_these_networks):
        reached = np.cumsum(weight[order]) >= COVERAGE - 1e-12
        if reached.any():
            return float(scores[order][reached.argmax()])
    return float("nan")
