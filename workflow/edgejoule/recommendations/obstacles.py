"""What stands in the way of a request that nothing meets, and which values would do."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from edgejoule.recommendations.catalogue import Catalogue
from edgejoule.recommendations.request import Request
from edgejoule.recommendations.solve import Limit, least_feasible, least_ratio, solve_mix

#: Halvings in the search for the shortest period between requests: to a millionth.
_HALVINGS = 20


@dataclass(frozen=True)
class Obstacle:
    """One limit of an infeasible request: what was asked, and the nearest value that would do, the others kept."""

    limit: str
    asked: float
    nearest: float | None


def find_obstacles(limits: list[Limit], request: Request, catalogue: Catalogue) -> tuple[Obstacle, ...]:
    """Return for each limit the nearest value with which a mix would exist, the others kept."""
    return tuple(_obstacle(limits, index, request, catalogue) for index in range(len(limits)))


def relax_together(limits: list[Limit], request: Request, catalogue: Catalogue) -> tuple[Obstacle, ...]:
    """Return two limits with values that would do together, where no one of them does alone; empty if no two do.

    The second is as near as it gets without the first, and the first as near as it gets then.
    """
    for first, second in combinations(range(len(limits)), 2):
        free = [limit for index, limit in enumerate(limits) if index not in (first, second)]
        eased = _obstacle([*free, limits[second]], len(free), request, catalogue)
        if eased.nearest is None:
            continue
        asked, held = limits[first], replace(limits[second], most=eased.nearest)
        if asked.name == "budget" and held.name == "rate":
            asked = replace(
                asked, values=asked.values + _idle_w(request, catalogue) * (held.most - 1e3 / request.rate_hz)
            )
        found = _obstacle([*free, held, asked], len(free) + 1, request, catalogue)
        if found.nearest is not None:
            return found, eased
    return ()


def _obstacle(limits: list[Limit], index: int, request: Request, catalogue: Catalogue) -> Obstacle:
    limit = limits[index]
    others = [other for other in limits if other is not limit]
    if limit.name == "average power":
        nearest = least_ratio(catalogue.energy_mj, catalogue.latency_ms, others, request.shares)
        return Obstacle(limit.name, request.mean_power_w, nearest)
    if limit.name == "rate":
        return Obstacle(limit.name, limit.most, _nearest_period(limit, others, request, catalogue))
    return Obstacle(limit.name, limit.most, least_feasible(limits, index, request.shares))


def _idle_w(request: Request, catalogue: Catalogue) -> float:
    """What the device is counted to draw between requests (W)."""
    return catalogue.idle_w if request.counted == "duty-cycle" else 0.0


def _nearest_period(rate: Limit, others: list[Limit], request: Request, catalogue: Catalogue) -> float | None:
    """Return the time between requests (ms) next to the one asked with which a mix would exist; None if there is none.

    A longer period allows more energy per request where an average power is asked, and has more idle energy to count:
    under a budget per request a shorter one may be what helps.
    """
    budget = next((other for other in others if other.name == "budget"), None)
    others = [other for other in others if other is not budget]
    idle_w = _idle_w(request, catalogue)
    if budget is None:
        return least_feasible([*others, rate], len(others), request.shares)
    # What an inference takes beyond idling all the time (mJ).
    above = budget.values - idle_w * 1e3 / request.rate_hz
    if request.mean_power_w is None:
        whole = replace(budget, values=above + idle_w * rate.values)
        shortest = least_feasible([*others, whole, rate], len(others) + 1, request.shares)
        if shortest is None or shortest >= rate.most or not idle_w:
            return shortest
        return (budget.most - solve_mix([above], [*others, whole], request.shares).mean(above)) / idle_w
    spare_w = request.mean_power_w - idle_w
    cheapest = solve_mix([above], others, request.shares)
    if spare_w <= 0 or cheapest is None:
        return None
    low, high = 0.0, max(cheapest.mean(above) / spare_w, cheapest.mean(rate.values))
    for _ in range(_HALVINGS):
        period = (low + high) / 2
        fits = [*others, replace(rate, most=period), replace(budget, values=above, most=spare_w * period)]
        if solve_mix([np.zeros(len(above))], fits, request.shares) is None:
            low = period
        else:
            high = period
    return high
