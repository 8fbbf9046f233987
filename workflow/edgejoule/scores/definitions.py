"""What the scores are. Each is a merit per pair (higher is better) and a way of putting the pairs together.

SEC 2023 (Tu et al., arXiv 2310.18329) gives PCS and IECS in words: power efficiency, and energy per inference, over
all pairs of reference network and delegate. The plain sums are readings of these words; 'robust' is this project's
definition. docs/scores.md argues every choice.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from edgejoule.config import Applications
from edgejoule.scores.league import League, pair_weights
from edgejoule.scores.location import huber_centre

#: Score of the reference itself under a relative definition.
SCALE = 100.0
#: Weights that sum to 1 are equal within this.
ROUNDING = 1e-9

Aggregate = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class Definition:
    """A formula of a score.

    ``merit`` maps a league to merits (pairs, devices), NaN where it lacks one. ``aggregate(log_merit, log_reference,
    weights, counts, factor)`` works along the last axis and returns the logarithm of the score, -inf for none.
    """

    score: str
    name: str
    unit: str
    formula: str
    merit: Callable[[League], np.ndarray]
    aggregate: Aggregate


# -- merits of a pair ------------------------------------------------------------------------------------------------


def inferences_per_joule(league: League) -> np.ndarray:
    """1 / ECI: inferences per joule."""
    return 1.0 / league.energy_j


def power_headroom(league: League) -> np.ndarray:
    """TDP / APC: thermal design power over average power."""
    return league.tdp_w / league.power_w


def throughput_per_tdp(league: League) -> np.ndarray:
    """1 / (latency x TDP): inferences per second per watt of thermal design power."""
    return 1.0 / (league.latency_s * league.tdp_w)


# -- putting pairs together ------------------------------------------------------------------------------------------


def plain_sum(log_merit, log_reference, weights, counts, factor) -> np.ndarray:
    """Logarithm of the sum of merits; a missing pair adds nothing."""
    del log_reference, weights, factor
    with np.errstate(divide="ignore"):
        return np.log(np.nansum(np.exp(log_merit) * counts, axis=-1))


def geometric_mean(log_merit, log_reference, weights, counts, factor) -> np.ndarray:
    """Weighted geometric mean of the ratios to the reference; missing pairs are left out, which may help a device."""
    del factor
    present = np.isfinite(log_merit)
    held = np.where(present, weights * counts, 0.0)
    ratios = np.where(present, log_merit - log_reference, 0.0)
    total = held.sum(axis=-1)
    mean = np.divide((held * ratios).sum(axis=-1), total, out=np.full(total.shape, -np.inf), where=total > 0)
    return np.log(SCALE) + mean


def robust_mean(log_merit, log_reference, weights, counts, factor) -> np.ndarray:
    """Huber's centre of the log ratios to the reference; a failed pair counts as the worst (see ``huber_centre``)."""
    return np.log(SCALE) + huber_centre(log_merit - log_reference, weights * counts, np.log(factor))


DEFAULT = "robust"
RELATIVE_UNIT = "reference = 100"
DEFINITIONS = (
    Definition("IECS", DEFAULT, RELATIVE_UNIT, "100 x robust mean of ECI_ref / ECI", inferences_per_joule, robust_mean),
    Definition(
        "IECS",
        "geometric-mean",
        RELATIVE_UNIT,
        "100 x geometric mean of ECI_ref / ECI",
        inferences_per_joule,
        geometric_mean,
    ),
    Definition("IECS", "sum", "1/J", "sum of 1 / ECI", inferences_per_joule, plain_sum),
    Definition(
        "PCS", DEFAULT, RELATIVE_UNIT, "100 x robust mean of (t TDP)_ref / (t TDP)", throughput_per_tdp, robust_mean
    ),
    Definition(
        "PCS",
        "geometric-mean",
        RELATIVE_UNIT,
        "100 x geometric mean of (t TDP)_ref / (t TDP)",
        throughput_per_tdp,
        geometric_mean,
    ),
    Definition("PCS", "sum-tdp-per-power", "1", "sum of TDP / APC", power_headroom, plain_sum),
    Definition("PCS", "sum-throughput-per-tdp", "1/J", "sum of 1 / (t TDP)", throughput_per_tdp, plain_sum),
)


# -- a definition applied to a league --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """One definition on one league, ready to evaluate: pairs that the reference has, merits, weights.

    ``log_merit`` has shape (devices, pairs), -inf where the pair failed to run and NaN where it was not measured;
    ``log_reference`` and ``weights`` (pairs,).
    """

    definition: Definition
    devices: tuple[str, ...]
    pairs: pd.DataFrame
    log_merit: np.ndarray
    log_reference: np.ndarray
    weights: np.ndarray
    spread: np.ndarray
    factor: float

    def log_scores(self, noise: np.ndarray | float = 0.0) -> np.ndarray:
        """Return log scores, shape (devices,), -inf for none, with log merits moved by ``noise``, shape (pairs,)."""
        if not len(self.pairs):
            return np.full(len(self.devices), -np.inf)
        one = np.ones(len(self.pairs))
        scores = self.definition.aggregate(self.log_merit + noise, self.log_reference, self.weights, one, self.factor)
        return np.where(self.scored, scores, -np.inf)

    @property
    def scored(self) -> np.ndarray:
        """Which devices have a score, shape (devices,): their pairs carry more than half of the weight.

        It is the least share with which any two scored devices have pairs in common, on which they can be compared.
        """
        return (np.isfinite(self.log_merit) * self.weights).sum(axis=-1) > self.weights.sum() / 2 + ROUNDING

    def aggregate(self, device: int, kept: np.ndarray, counts: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Return log scores of one device on some of its pairs, shape (draws,), -inf for none.

        Args:
            device: its position.
            kept: which pairs count, shape (pairs,).
            counts: how often each pair counts, shape (draws, pairs).
            noise: what moves its log merits, shape (draws, pairs).
        """
        return self.definition.aggregate(
            (self.log_merit[device] + noise)[:, kept],
            self.log_reference[kept],
            self.weights[kept],
            counts[:, kept],
            self.factor,
        )


def pose(
    league: League,
    definition: Definition,
    settings: Applications,
    reference: tuple[str, ...] | None = None,
) -> Problem:
    """Return the problem of one definition on one league.

    The reference is the median, pair by pair, of the log merits of those reference devices on which the pair was
    measured, a failed pair lying below all others. Pairs that no more than half of the reference devices have are no
    pairs of the problem: so no other device decides which pairs count.
    """
    merit = definition.merit(league)
    known = np.isfinite(merit)
    log_merit = np.where(league.failed, -np.inf, np.nan)
    log_merit[known] = np.log(merit[known])
    held = log_merit[:, league.columns_of(reference or league.reference)]
    kept = 2 * np.isfinite(held).sum(axis=1) > held.shape[1]
    pairs = league.pairs[kept].reset_index(drop=True)
    return Problem(
        definition=definition,
        devices=league.devices,
        pairs=pairs,
        log_merit=log_merit[kept].T,
        log_reference=np.nanmedian(held[kept], axis=1),
        weights=pair_weights(pairs, settings.weights, settings.application_weights),
        spread=league.spread[kept].T,
        factor=settings.factor,
    )
