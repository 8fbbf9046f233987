"""Intervals of scores, the probability that one device truly ranks above another, and ranks that admit ties."""

from zlib import crc32

import numpy as np

from edgejoule.scores.definitions import Problem

#: Ends of the 90 % interval.
ENDS = (0.05, 0.95)


def bootstrap(problem: Problem, draws: int, seed: int, league: str) -> np.ndarray:
    """Return resampled log scores, shape (draws, devices); -inf where a device has none.

    Each draw resamples networks with replacement, all pairs of a network together since they are not independent, the
    same for every device, and moves every figure by its measurement spread. Random numbers depend on seed, league and
    device only, so a new device moves nobody else's interval. The reference's figures define the unit and stay.
    """
    if not len(problem.pairs):
        return np.full((draws, len(problem.devices)), -np.inf)
    of_network, networks = problem.pairs["network"].factorize(sort=True)
    name = crc32(league.encode())
    chances = np.full(len(networks), 1 / len(networks))
    counts = np.random.default_rng([seed, name]).multinomial(len(networks), chances, size=draws)[:, of_network]
    scores = np.empty((draws, len(problem.devices)))
    for column, device in enumerate(problem.devices):
        random = np.random.default_rng([seed, name, crc32(device.encode())])
        noise = random.standard_normal((draws, len(problem.pairs))) * problem.spread[column]
        scores[:, column] = problem.definition.aggregate(
            problem.log_merit[column] + noise, problem.log_reference, problem.weights, counts, problem.factor
        )
    return scores


def interval(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the 90 % interval of each device's score from its log scores."""
    lower, upper = np.quantile(np.exp(draws), ENDS, axis=0)
    return lower, upper


def probability_above(draws: np.ndarray) -> np.ndarray:
    """Return the probability that the row's device ranks above the column's; a draw of equal scores counts half.

    Args:
        draws: resampled scores, shape (draws, devices).

    Returns:
        Shape (devices, devices), one half on the diagonal.
    """
    left, right = draws[:, :, None], draws[:, None, :]
    return (left > right).mean(axis=0) + (left == right).mean(axis=0) / 2


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
