"""The answer to one request: the best single network, the best mix, why, the next steps, or what stands in the way."""

from dataclasses import dataclass, replace

import numpy as np

from edgejoule.recommendations.catalogue import Catalogue
from edgejoule.recommendations.front import pareto_front
from edgejoule.recommendations.obstacles import Obstacle, find_obstacles, relax_together
from edgejoule.recommendations.request import Request, make_limits
from edgejoule.recommendations.solve import SLACK, Choice, Limit, solve_mix, solve_single

#: How much larger a budget the shadow price is taken over.
STEP = 0.01
#: What a mix must gain on the best single network to be worth a second one: points, or a share of the energy.
LEAST_POINTS, LEAST_SAVING = 0.005, 0.001


@dataclass(frozen=True)
class Answer:
    """Choices are indices into ``catalogue``; ``single`` and ``mix`` are None where nothing meets the limits.

    ``mix`` is the single network where no mix is better, or where the best one, ``slight``, gains too little.
    ``ruled_out`` counts the networks that each limit alone rules out; ``binding`` names the limits that the mix uses
    up. ``cheaper`` and ``dearer`` are the neighbours of the single choice on the front of the networks that meet the
    other limits and are not in the mix, in energy (in power, where that is what the request limits); ``step_points``
    is how much accuracy 1 % more of the budget buys. ``together`` are two limits that would do, both relaxed, where
    relaxing no one helps.
    """

    request: Request
    catalogue: Catalogue
    limits: list[Limit]
    single: Choice | None
    mix: Choice | None
    slight: Choice | None
    ruled_out: dict[str, int]
    binding: tuple[str, ...]
    cheaper: int | None
    dearer: int | None
    step_points: float | None
    obstacles: tuple[Obstacle, ...]
    together: tuple[Obstacle, ...]


def answer(request: Request, catalogue: Catalogue, sizes: np.ndarray | None = None) -> Answer:
    """Solve a request on a catalogue whose energies are counted as the request says.

    Accuracy is maximised, ties by energy, then latency. Where the request has no budget, energy is minimised instead,
    ties by accuracy, then latency.

    Args:
        request: what is asked.
        catalogue: what may be chosen.
        sizes: bytes of weights per network, shape (networks,), where the request limits them; NaN = unknown.
    """
    limits = make_limits(request, catalogue, sizes)
    objectives = [-catalogue.top1, catalogue.energy_mj, catalogue.latency_ms]
    if request.per_request_mj is None and request.mean_power_w is None:
        objectives = [catalogue.energy_mj, -catalogue.top1, catalogue.latency_ms]
    single = solve_single(objectives, limits) if request.shares.most == 1 else None
    mix, slight = solve_mix(objectives, limits, request.shares), None
    if single is not None and mix is not None and len(mix.networks) > 1 and not _worth(mix, single, catalogue):
        mix, slight = single, mix
    obstacles = () if mix is not None else find_obstacles(limits, request, catalogue)
    stuck = bool(obstacles) and all(obstacle.nearest is None for obstacle in obstacles)
    cheaper, dearer = _neighbours(single, mix, catalogue, limits)
    return Answer(
        request=request,
        catalogue=catalogue,
        limits=limits,
        single=single,
        mix=mix,
        slight=slight,
        ruled_out={limit.name: int((~limit.allows(limit.values)).sum()) for limit in limits},
        binding=tuple(limit.name for limit in limits if mix is not None and _binds(limit, mix)),
        cheaper=cheaper,
        dearer=dearer,
        step_points=None if mix is None else _step(request, objectives, limits, mix, catalogue),
        obstacles=obstacles,
        together=relax_together(limits, request, catalogue) if stuck else (),
    )


def _worth(mix: Choice, single: Choice, catalogue: Catalogue) -> bool:
    """Whether a mix is so much more accurate than the single network, or so much cheaper, that a second one pays."""
    points = mix.mean(catalogue.top1) - single.mean(catalogue.top1)
    saving = 1 - mix.mean(catalogue.energy_mj) / single.mean(catalogue.energy_mj)
    return points >= LEAST_POINTS or saving >= LEAST_SAVING


def _binds(limit: Limit, mix: Choice) -> bool:
    return not limit.each and mix.mean(limit.values) >= limit.most - SLACK * max(abs(limit.most), 1.0)


def _neighbours(
    single: Choice | None, mix: Choice | None, catalogue: Catalogue, limits: list[Limit]
) -> tuple[int | None, int | None]:
    """Return the next cheaper and the next dearer network on the front of those that meet all limits but the budget.

    Networks of the mix are not among them: they are chosen already.
    """
    if single is None:
        return None, None
    fits = np.ones(len(catalogue), bool)
    for limit in limits:
        if limit.name not in ("budget", "average power", "accuracy"):
            fits &= limit.allows(limit.values)
    members = np.flatnonzero(fits)
    busy = any(limit.name == "average power" for limit in limits)
    cost = catalogue.energy_mj / catalogue.latency_ms if busy else catalogue.energy_mj
    front = members[pareto_front(cost[members], catalogue.top1[members], catalogue.latency_ms[members])]
    chosen = single.networks[0]
    front = front[~np.isin(front, () if mix is None else mix.networks)]
    cheaper = front[cost[front] < cost[chosen]]
    dearer = front[cost[front] > cost[chosen]]
    return (int(cheaper[-1]) if len(cheaper) else None), (int(dearer[0]) if len(dearer) else None)


def _step(
    request: Request, objectives: list[np.ndarray], limits: list[Limit], mix: Choice, catalogue: Catalogue
) -> float | None:
    """Return the accuracy that 1 % more of the budget buys (points); None without a budget."""
    if not limits or limits[0].name not in ("budget", "average power"):
        return None
    more = replace(limits[0], most=limits[0].most * (1 + STEP))
    if limits[0].name == "average power":
        more = replace(more, values=limits[0].values - STEP * request.mean_power_w * catalogue.latency_ms)
    better = solve_mix(objectives[:1], [more, *limits[1:]], request.shares)
    return None if better is None else max(0.0, better.mean(catalogue.top1) - mix.mean(catalogue.top1))
