"""Intervals of scores, the probability that one device truly ranks above another, and ranks that admit ties."""

from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from zlib import crc32

import numpy as np

from edgejoule.scores.definitions import Problem

#: Ends of the 90 % interval.
ENDS = (0.05, 0.95)


@dataclass(frozen=True)
class Resamples:
    """How often each resample counts each pair, shape (draws, pairs), the same for every device; and what measurement
    spread moves each log merit by, shape (devices, draws, pairs).
    """

    counts: np.ndarray
    noise: np.ndarray


def resample(problem: Problem, draws: int, seed: int, league: str) -> Resamples:
    """Draw networks with replacement, all pairs of a network together since they are not independent, and the spread.

    Random numbers depend on seed, league and device only, so a new device moves nobody else's interval. The reference's
    figures define the unit and stay.
    """
    if not len(problem.pairs):
        return Resamples(np.zeros((draws, 0)), np.zeros((len(problem.devices), draws, 0)))
    of_network, networks = problem.pairs["network"].factorize(sort=True)
    name = crc32(league.encode())
    chances = np.full(len(networks), 1 / len(networks))
    counts = np.random.default_rng([seed, name]).multinomial(len(networks), chances, size=draws)[:, of_network]
    noise = np.empty((len(problem.devices), draws, len(problem.pairs)))
    for column, device in enumerate(problem.devices):
        random = np.random.default_rng([seed, name, crc32(device.encode())])
        noise[column] = random.standard_normal(noise.shape[1:]) * problem.spread[column]
    return Resamples(counts, noise)


def resampled_scores(problem: Problem, resamples: Resamples) -> np.ndarray:
    """Return log scores of every resample on each device's own pairs, shape (draws, devices); -inf for none."""
    scores = np.full((len(resamples.counts), len(problem.devices)), -np.inf)
    every = np.ones(len(problem.pairs), bool)
    for device in np.flatnonzero(problem.scored):
        scores[:, device] = problem.aggregate(device, every, resamples.counts, resamples.noise[device])
    return scores


def interval(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the 90 % interval of each device's score from its log scores.

    An end that lies among resamples without a score is NaN: there is no such end, rather than one of 0.
    """
    ends = np.quantile(np.exp(draws), ENDS, axis=0)
    none = np.isneginf(draws).mean(axis=0)
    lower, upper = np.where(none >= np.array(ENDS)[:, None], np.nan, ends)
    return lower, upper


def probability_above(problem: Problem, resamples: Resamples) -> np.ndarray:
    """Return the probability that the row's device ranks above the column's; a draw of equal scores counts half.

    Two devices are compared on the pairs that were measured, or failed, on both. Any two that have a score have such
    pairs.

    Returns:
        Shape (devices, devices), one half on the diagonal; NaN where one of the two has no score.
    """
    known = ~np.isnan(problem.log_merit)

    @cache
    def scores(device: int, kept: bytes) -> np.ndarray:
        common = np.frombuffer(kept, bool)
        return problem.aggregate(device, common, resamples.counts, resamples.noise[device])

    above = np.full((len(problem.devices),) * 2, np.nan)
    for left, right in combinations_with_replacement(np.flatnonzero(problem.scored), 2):
        common = (known[left] & known[right]).tobytes()
        one, two = scores(left, common), scores(right, common)
        above[left, right] = (one > two).mean() + (one == two).mean() / 2
        above[right, left] = 1 - above[left, right]
    return above


def ranks(above: np.ndarray, eligible: np.ndarray, settled: float) -> np.ndarray:
    """Return the best and the worst rank of each device that the settled orders allow.

    A device is no better than the devices that are settled to be above it allow, and no worse than those below it.

    Args:
        above: what ``probability_above`` returned.
        eligible: which devices are ranked at all, shape (devices,).
        settled: probability from which one device is said to be above another.

    Returns:
        Shape (devices, 2): 1 + devices settled above, ranked devices - devices settled below; NaN where not ranked.
    """
    result = np.full((len(eligible), 2), np.nan)
    held = np.flatnonzero(eligible)
    sure = above[np.ix_(held, held)] >= settled
    result[held, 0] = 1 + sure.sum(axis=0)
    result[held, 1] = len(held) - sure.sum(axis=1)
    return result


def rank_range(best: float, worst: float) -> str:
    """Return the ranks from best to worst as people read them; a table with gaps holds whole numbers as floats.

    >>> rank_range(5, 8), rank_range(1.0, 1.0)
    ('5 to 8', '1')
    """
    return f"{best:.0f}" if best == worst else f"{best:.0f} to {worst:.0f}"
