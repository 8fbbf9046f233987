"""Measure and resolve: settle a choice by measuring only the networks that matter to it.

Choose the mix from corrected predictions, measure one of the chosen networks, correct the predictions, choose again,
until every chosen network is measured. Then ask whether any other network, measured, would be expected to raise the
accuracy by more than a threshold (expected improvement: Jones, Schonlau and Welch, *Efficient Global Optimization*,
Journal of Global Optimization 13, 1998), measure it if so, and stop otherwise. The result consists of measured networks
only, so it lands on the budget.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.recommendations.correct import Kinship, corrected, error_covariance
from edgejoule.recommendations.front import Mixes, best_mix, concave_envelope, pareto_front
from edgejoule.recommendations.predicted import Prediction
from edgejoule.recommendations.solve import Choice

#: Nodes and weights for means over a standard normal variable.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Policy:
    """When to stop: at most ``most`` measurements; none that is expected to add less than ``worth`` points."""

    most: int = 6
    worth: float = 0.08
    kinship: Kinship = field(default_factory=Kinship)


@dataclass(frozen=True)
class Refined:
    """A settled choice (indices into the catalogue) and all measured energies (mJ), those known beforehand first.

    ``measurements`` counts what was measured on the way, ``barred`` names what of it turned out to break a limit.
    """

    choice: Choice | None
    measured: dict[int, float]
    measurements: int
    barred: frozenset[int] = frozenset()


def refine(
    prediction: Prediction,
    budget_mj: float,
    measure: Callable[[int], float],
    policy: Policy | None = None,
    allows: Callable[[int], bool] | None = None,
) -> Refined:
    """Settle the best mix within a budget.

    Args:
        prediction: predicted energies of the candidates.
        budget_mj: energy per inference.
        measure: measures a network, given its index, and returns its energy (mJ).
        policy: when to stop.
        allows: says of a network that was just measured whether it meets the limits beside the budget. One that does
            not is out of the choice; its energy still corrects the others'. Without it, all do.

    Returns:
        The most accurate mix of the measured networks; None where none of them fits the budget.

    Raises:
        EdgejouleError: a measurement returned no positive energy.
    """
    policy = policy or Policy()
    top1 = prediction.catalogue.top1
    covariance = error_covariance(prediction, policy.kinship)
    measured = {int(i): float(prediction.predicted_mj[i]) for i in np.flatnonzero(prediction.known)}
    before, barred = len(measured), set()
    while len(measured) - before < policy.most and len(measured) < len(top1):
        energy, spread = corrected(prediction, covariance, measured)
        last = len(measured) - before == policy.most - 1
        eligible = np.array([i for i in range(len(top1)) if i not in barred])
        usable = {place: measured[i] for place, i in enumerate(eligible.tolist()) if i in measured}
        place = _next(energy[eligible], spread[eligible], top1[eligible], budget_mj, usable, policy.worth, last)
        if place is None:
            break
        network = int(eligible[place])
        value = float(measure(network))
        if not (np.isfinite(value) and value > 0):
            name = prediction.catalogue.network[network]
            raise EdgejouleError(f"measuring '{name}' gave {value} mJ; an energy must be positive")
        measured[network] = value
        if allows is not None and not allows(network):
            barred.add(network)
    usable = {i: value for i, value in measured.items() if i not in barred}
    return Refined(_best_of(usable, top1, budget_mj), measured, len(measured) - before, frozenset(barred))


def _next(
    energy: np.ndarray,
    spread: np.ndarray,
    top1: np.ndarray,
    budget: float,
    measured: dict[int, float],
    worth: float,
    last: bool,
) -> int | None:
    """Return the network to measure next, None where the choice stands."""
    if last:
        missing = _missing_side(energy, spread, top1, budget, measured)
        if missing is not None:
            return missing
    mix = _solve(energy, top1, budget)
    chosen = {int(mix.low[0]), int(mix.high[0])} - {-1}
    if not chosen:  # nothing seems to fit: what seems cheapest decides
        chosen = {int(np.argmin(energy))}
    unknown = sorted(chosen - set(measured))
    if unknown:
        share = {int(mix.low[0]): 1 - mix.share[0], int(mix.high[0]): mix.share[0]}
        return max(unknown, key=lambda i: share.get(i, 1.0) * energy[i] * spread[i])
    if not any(value <= budget for value in measured.values()):
        return _likeliest_to_fit(energy, spread, budget, measured)
    gains = expected_gain(energy, spread, top1, budget, measured)
    best = int(np.argmax(gains))
    return best if gains[best] > worth else None


def _missing_side(
    energy: np.ndarray, spread: np.ndarray, top1: np.ndarray, budget: float, measured: dict[int, float]
) -> int | None:
    """Return what the last measurement must go to for a mix to be possible: a network below, or one above it."""
    known = np.array(list(measured.values()))
    if not (known <= budget).any():
        return _likeliest_to_fit(energy, spread, budget, measured)
    if not (known > budget).any():
        gains = expected_gain(energy, spread, top1, budget, measured)
        return int(np.argmax(gains)) if gains.max() > 0 else None
    return None


def _likeliest_to_fit(energy: np.ndarray, spread: np.ndarray, budget: float, measured: dict[int, float]) -> int:
    """Return the network not yet measured whose energy is most likely within the budget."""
    free = np.array([i for i in range(len(energy)) if i not in measured])
    margin = np.log(budget / energy[free]) / np.maximum(spread[free], 1e-12)
    return int(free[np.argmax(margin)])


def expected_gain(
    energy: np.ndarray, spread: np.ndarray, top1: np.ndarray, budget: float, measured: dict[int, float]
) -> np.ndarray:
    """Return the accuracy that measuring each network is expected to add to the best mix of measured ones (points).

    With a network's energy log-normal around its corrected prediction, the best mix of it and the measured ones is
    computed at the nodes of a Gauss-Hermite rule and the gain averaged. Shape (networks,); 0 for measured ones.
    """
    present = _best_of(measured, top1, budget)
    base = 0.0 if present is None else present.mean(top1)
    possible = energy[:, None] * np.exp(spread[:, None] * _NODES)
    reached = np.where(possible <= budget, top1[:, None], base)
    for partner, cost in measured.items():
        low, high = np.minimum(possible, cost), np.maximum(possible, cost)
        share = (budget - low) / np.where(high > low, high - low, np.inf)
        own_is_high = possible >= cost
        top_high = np.where(own_is_high, top1[:, None], top1[partner])
        top_low = np.where(own_is_high, top1[partner], top1[:, None])
        mixed = top_low * (1 - share) + top_high * share
        reached = np.where((low <= budget) & (high > budget), np.maximum(reached, mixed), reached)
    gains = np.maximum(reached - base, 0.0) @ _WEIGHTS
    gains[list(measured)] = 0.0
    return gains


def _solve(energy: np.ndarray, top1: np.ndarray, budget: float) -> Mixes:
    envelope = concave_envelope(energy, top1, pareto_front(energy, top1))
    return best_mix(energy, envelope, np.array([budget]))


def _best_of(measured: dict[int, float], top1: np.ndarray, budget: float) -> Choice | None:
    """Return the best mix of measured networks, the larger share first."""
    if not measured:
        return None
    known = np.array(sorted(measured))
    mix = _solve(np.array([measured[i] for i in known]), top1[known], budget)
    if mix.low[0] < 0:
        return None
    if mix.low[0] == mix.high[0]:
        return Choice((int(known[mix.high[0]]),), (1.0,))
    pairs = [(float(mix.share[0]), int(known[mix.high[0]])), (1 - float(mix.share[0]), int(known[mix.low[0]]))]
    pairs.sort(key=lambda pair: (-pair[0], pair[1]))
    return Choice(tuple(network for _, network in pairs), tuple(share for share, _ in pairs))
