"""The accuracy-energy plane of one device: Pareto front, concave envelope, and the best choices on them.

Plain functions of arrays. ``cost`` is whatever is to be spent, energy per inference in mJ unless said otherwise;
``top1`` is accuracy in percent; ``tie`` breaks ties that cost leaves (latency in ms), and then the order given does.
"""

from typing import NamedTuple

import numpy as np


class Mixes(NamedTuple):
    """One choice per budget: share ``share`` of the requests to network ``high``, the rest to network ``low``.

    All of shape (budgets,). Where one network is chosen alone ``low == high`` and ``share`` is 1; where nothing fits
    the budget both are -1 and ``share`` is NaN.
    """

    low: np.ndarray
    high: np.ndarray
    share: np.ndarray

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return the mean of a per-network quantity over the requests, NaN where nothing fits; shape (budgets,)."""
        if not len(values):
            return np.full(len(self.share), np.nan)
        mixed = np.where(
            self.low == self.high,
            values[self.high],
            values[self.low] * (1 - self.share) + values[self.high] * self.share,
        )
        return np.where(self.low < 0, np.nan, mixed)


def pareto_front(cost: np.ndarray, top1: np.ndarray, tie: np.ndarray | None = None) -> np.ndarray:
    """Return the networks that no other matches at lower cost or beats at equal cost, in order of rising cost.

    Of networks equal in cost and accuracy the one with the least ``tie`` stays, then the first.

    >>> pareto_front(np.array([1.0, 2.0, 3.0]), np.array([50.0, 40.0, 60.0]))
    array([0, 2])
    """
    keys = (-top1, cost) if tie is None else (tie, -top1, cost)
    order = np.lexsort(keys)
    best_before = np.maximum.accumulate(np.concatenate([[-np.inf], top1[order]]))[:-1]
    return order[top1[order] > best_before]


def concave_envelope(cost: np.ndarray, top1: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Return the members of ``front`` that span its upper concave hull, in order of rising cost.

    Every mix of two neighbours lies on the hull and every other mix on or below it, so the most accurate mix within a
    budget is a mix of two neighbours: the linear programme max a's, e's <= B, sum s = 1, s >= 0 has a basic optimal
    solution with at most two positive shares (Dantzig 1963), and these two are neighbours on the hull.
    """
    hull: list[int] = []
    for new in front.tolist():
        while len(hull) > 1 and _below(cost, top1, hull[-2], hull[-1], new):
            hull.pop()
        hull.append(new)
    return np.array(hull, dtype=int)


def _below(cost: np.ndarray, top1: np.ndarray, left: int, middle: int, right: int) -> bool:
    """Whether ``middle`` is on or below the line from ``left`` to ``right``."""
    rise = (top1[middle] - top1[left]) * (cost[right] - cost[left])
    return bool(rise <= (top1[right] - top1[left]) * (cost[middle] - cost[left]))


def best_single(cost: np.ndarray, front: np.ndarray, budgets: np.ndarray) -> np.ndarray:
    """Return for each budget the most accurate network within it, -1 where none fits; shape (budgets,)."""
    return _last_within(cost[front], front, budgets)


def best_mix(cost: np.ndarray, envelope: np.ndarray, budgets: np.ndarray) -> Mixes:
    """Return for each budget the most accurate mix of at most two networks whose mean cost is within it."""
    budgets = np.asarray(budgets, float)
    if not len(envelope):
        none = np.full(len(budgets), -1)
        return Mixes(none, none, np.full(len(budgets), np.nan))
    place = np.searchsorted(cost[envelope], budgets, side="right") - 1
    nearest = np.maximum(place, 0)
    low = envelope[nearest]
    high = envelope[np.minimum(nearest + 1, len(envelope) - 1)]
    span = cost[high] - cost[low]
    share = np.divide(budgets - cost[low], span, out=np.ones(len(budgets)), where=span > 0)
    alone = (share <= 0) & (span > 0)  # the budget is exactly the cheaper one's cost
    high = np.where(alone, low, high)
    share = np.where(alone, 1.0, share)
    fits = place >= 0
    return Mixes(np.where(fits, low, -1), np.where(fits, high, -1), np.where(fits, share, np.nan))


def most_efficient(cost: np.ndarray, top1: np.ndarray, budgets: np.ndarray) -> np.ndarray:
    """Return for each budget the network within it with the most accuracy per joule, -1 where none fits."""
    order = np.lexsort((-(top1 / cost), cost))
    ratio = (top1 / cost)[order]
    best_before = np.maximum.accumulate(np.concatenate([[-np.inf], ratio]))[:-1]
    kept = order[ratio > best_before]
    return _last_within(cost[kept], kept, budgets)


def nearest_cost(cost: np.ndarray, top1: np.ndarray, budgets: np.ndarray) -> np.ndarray:
    """Return for each budget the network whose cost is nearest to it, above or below; ties by accuracy."""
    budgets = np.asarray(budgets, float)
    if not len(cost):
        return np.full(len(budgets), -1)
    order = np.lexsort((-top1, cost))
    first = np.concatenate([[True], np.diff(cost[order]) > 0])
    order = order[first]
    right = np.clip(np.searchsorted(cost[order], budgets), 0, len(order) - 1)
    left = np.maximum(right - 1, 0)
    to_left, to_right = np.abs(budgets - cost[order[left]]), np.abs(cost[order[right]] - budgets)
    take_right = (to_right < to_left) | ((to_right == to_left) & (top1[order[right]] > top1[order[left]]))
    return np.where(take_right, order[right], order[left])


def _last_within(ascending: np.ndarray, members: np.ndarray, budgets: np.ndarray) -> np.ndarray:
    budgets = np.asarray(budgets, float)
    if not len(members):
        return np.full(len(budgets), -1)
    place = np.searchsorted(ascending, budgets, side="right") - 1
    return np.where(place >= 0, members[np.maximum(place, 0)], -1)


def marginal_cost(cost: np.ndarray, top1: np.ndarray, envelope: np.ndarray) -> np.ndarray:
    """Return the cost of one more point of accuracy on the way to each member of the envelope; NaN for the first.

    It rises along the envelope by construction: the last points are the dearest. Shape (envelope,), in cost per point.
    """
    if not len(envelope):
        return np.empty(0)
    steps = np.diff(cost[envelope]) / np.diff(top1[envelope])
    return np.concatenate([[np.nan], steps])


def dominated_by(cost: np.ndarray, top1: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Return for each network the most accurate member of the front at no more than its cost; shape (networks,).

    For a member of the front that is itself. For any other network it is at least as accurate and no dearer, and
    better in one of the two (or equal in both, and quicker or first).
    """
    return best_single(cost, front, cost)
