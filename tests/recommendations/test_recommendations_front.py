"""Fronts, envelopes and choices against brute force and against an independent solver."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgejoule.errors import EdgejouleError
from edgejoule.recommendations.front import (
    best_mix,
    best_single,
    concave_envelope,
    dominated_by,
    marginal_cost,
    most_efficient,
    nearest_cost,
    pareto_front,
)
from edgejoule.recommendations.solve import SLACK, Limit, Shares, solve_mix, solve_single


# A coarse grid makes ties, duplicates and collinear points frequent.
@st.composite
def planes(draw):
    size = draw(st.integers(1, 9))
    whole = st.integers(1, 12).map(float)
    fine = st.floats(0.5, 90.0, allow_nan=False).map(lambda v: round(v, 3))
    value = draw(st.sampled_from([whole, fine]))
    columns = [np.array(draw(st.lists(value, min_size=size, max_size=size))) for _ in range(3)]
    budget = draw(st.one_of(fine, st.sampled_from(columns[0].tolist())))
    return (*columns, budget)


def brute_single(cost, top1, tie, budget):
    within = [i for i in range(len(cost)) if cost[i] <= budget]
    return min(within, key=lambda i: (-top1[i], cost[i], tie[i], i), default=-1)


def brute_mix(cost, top1, budget):
    """The most accurate mix of at most two networks, by trying every pair at its extreme share."""
    best = max((top1[i] for i in range(len(cost)) if cost[i] <= budget), default=None)
    for i, j in combinations(range(len(cost)), 2):
        low, high = (i, j) if cost[i] < cost[j] else (j, i)
        if cost[low] <= budget < cost[high]:
            share = (budget - cost[low]) / (cost[high] - cost[low])
            best = max(best, top1[low] * (1 - share) + top1[high] * share)
    return best


@given(planes())
@settings(derandomize=True, max_examples=300, deadline=None)
def test_best_single_is_what_brute_force_finds(plane):
    cost, top1, tie, budget = plane
    chosen = best_single(cost, pareto_front(cost, top1, tie), np.array([budget]))[0]
    assert chosen == brute_single(cost, top1, tie, budget)


def test_the_best_choices_on_every_shipped_device_are_what_brute_force_finds(root):
    rows = pd.read_csv(root / "resources/derived/edge_boards.csv")
    devices = list(rows.groupby("device"))
    assert len(devices) == 5
    for name, part in devices:
        cost, top1, tie = (part[column].to_numpy() for column in ("energy_mj", "top1", "latency_ms"))
        front = pareto_front(cost, top1, tie)
        budgets = np.geomspace(cost.min(), cost.max() * 1.1, 15)
        single = best_single(cost, front, budgets)
        mix = best_mix(cost, concave_envelope(cost, top1, front), budgets).mean(top1)
        assert single.tolist() == [brute_single(cost, top1, tie, budget) for budget in budgets], name
        assert mix == pytest.approx([brute_mix(cost, top1, budget) for budget in budgets], abs=1e-9), name


@given(planes())
@settings(derandomize=True, max_examples=300, deadline=None)
def test_best_mix_is_what_brute_force_finds(plane):
    cost, top1, tie, budget = plane
    front = pareto_front(cost, top1, tie)
    envelope = concave_envelope(cost, top1, front)
    mix = best_mix(cost, envelope, np.array([budget]))
    expected = brute_mix(cost, top1, budget)
    if expected is None:
        assert mix.low[0] == mix.high[0] == -1 and np.isnan(mix.mean(top1)[0])
        return
    assert mix.mean(top1)[0] == pytest.approx(expected, abs=1e-9)
    assert mix.mean(cost)[0] <= budget * (1 + 1e-12)
    if cost[envelope[0]] <= budget <= cost[envelope[-1]]:
        assert mix.mean(cost)[0] == pytest.approx(budget, rel=1e-12)
    single = best_single(cost, front, np.array([budget]))
    assert mix.mean(top1)[0] >= top1[single[0]] - 1e-12


@given(planes())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_envelope_equals_the_linear_programme(plane):
    cost, top1, tie, budget = plane
    mix = best_mix(cost, concave_envelope(cost, top1, pareto_front(cost, top1, tie)), np.array([budget]))
    limit = [Limit("energy", cost, budget)]
    solved = solve_mix([-top1, cost, tie], limit)
    single = solve_single([-top1, cost, tie], limit)
    if mix.low[0] < 0:
        assert single is None
        return
    assert solved.mean(top1) == pytest.approx(mix.mean(top1)[0], abs=1e-4)
    assert len(solved.networks) <= 2
    assert single.networks[0] == best_single(cost, pareto_front(cost, top1, tie), np.array([budget]))[0]


@given(planes())
@settings(derandomize=True, max_examples=200, deadline=None)
def test_front_and_what_beats_the_rest(plane):
    cost, top1, tie, _ = plane
    front = pareto_front(cost, top1, tie)
    beaten = dominated_by(cost, top1, front)
    for i in range(len(cost)):
        beats = [
            j
            for j in range(len(cost))
            if (cost[j] <= cost[i] and top1[j] >= top1[i])
            and ((cost[j], -top1[j], tie[j], j) != (cost[i], -top1[i], tie[i], i))
            and ((cost[j] < cost[i] or top1[j] > top1[i]) or (tie[j], j) < (tie[i], i))
        ]
        assert (i in front) == (not beats)
        assert beaten[i] == i if i in front else beaten[i] in beats
    envelope = concave_envelope(cost, top1, front)
    assert set(envelope) <= set(front)
    assert {front[0], front[-1]} <= set(envelope)
    assert (np.diff(marginal_cost(cost, top1, envelope)[1:]) > 0).all()


@given(planes())
@settings(derandomize=True, max_examples=200, deadline=None)
def test_baselines_are_what_brute_force_finds(plane):
    cost, top1, _, budget = plane
    within = [i for i in range(len(cost)) if cost[i] <= budget]
    efficient = most_efficient(cost, top1, np.array([budget]))[0]
    if within:
        assert top1[efficient] / cost[efficient] == max(top1[i] / cost[i] for i in within)
    else:
        assert efficient == -1
    nearest = nearest_cost(cost, top1, np.array([budget]))[0]
    assert (abs(cost[nearest] - budget), -top1[nearest]) == min(zip(abs(cost - budget), -top1, strict=True))


@given(planes(), st.floats(0.5, 90.0))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_two_limits_against_all_triples(plane, latency):
    """With two rows a basic solution has at most three networks: the best vertex over all triples is the optimum."""
    cost, top1, tie, budget = plane
    limits = [Limit("energy", cost, budget), Limit("latency", tie, latency)]
    solved = solve_mix([-top1, cost], limits)
    best = _best_vertex(cost, top1, tie, budget, latency)
    if best is None:
        # The solver's slack may admit what exact arithmetic just misses, never more than that.
        assert solved is None or all(limit.allows(solved.mean(limit.values)) for limit in limits)
        return
    assert solved is not None
    assert solved.mean(top1) == pytest.approx(best, abs=1e-3)
    assert solved.mean(cost) <= budget * (1 + SLACK) + 1e-6 and solved.mean(tie) <= latency * (1 + SLACK) + 1e-6


def _best_vertex(cost, top1, tie, budget, latency):
    best = None
    rows = ((cost, budget), (tie, latency))
    size = len(cost)
    for count in (1, 2, 3):
        for members in combinations(range(size), count):
            for tight in combinations(rows, count - 1):
                matrix = np.array([np.ones(count), *[values[list(members)] for values, _ in tight]])
                right = np.array([1.0, *[limit for _, limit in tight]])
                if abs(np.linalg.det(matrix)) < 1e-12:
                    continue
                shares = np.linalg.solve(matrix, right)
                means = [float(shares @ values[list(members)]) for values, _ in rows]
                if (shares < -1e-12).any() or means[0] > budget + 1e-9 or means[1] > latency + 1e-9:
                    continue
                value = float(shares @ top1[list(members)])
                best = value if best is None else max(best, value)
    return best


@given(planes(), st.floats(0.05, 0.3), st.floats(0.4, 0.9))
@example((np.array([1.0, 4.0, 3.0, 2.0]), np.array([1.0, 15.0, 34.0, 1.5]), np.array([2.0, 1, 1, 1]), 3.0), 0.25, 0.875)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_limits_on_shares_hold(plane, least, most):
    cost, top1, tie, budget = plane
    shares = Shares(least, most)
    solved = solve_mix([-top1, cost, tie], [Limit("energy", cost, budget)], shares)
    free = solve_mix([-top1, cost, tie], [Limit("energy", cost, budget)])
    if solved is None:
        return
    assert len(solved.networks) <= 3
    assert sum(solved.shares) == pytest.approx(1)
    assert all(least - 1e-6 <= share <= most + 1e-6 for share in solved.shares)
    assert solved.mean(top1) <= free.mean(top1) + 1e-3


def test_share_limits_that_cannot_serve_all_requests_are_refused():
    with pytest.raises(EdgejouleError, match="unserved"):
        Shares(0.0, 0.3)
    with pytest.raises(EdgejouleError, match=r"--min-share is 0\.6 and --max-share 0\.5"):
        Shares(0.6, 0.5)


def test_nothing_to_choose_from():
    none = np.empty(0)
    budgets = np.array([1.0, 2.0])
    front = pareto_front(none, none, none)
    assert best_single(none, front, budgets).tolist() == [-1, -1]
    assert best_mix(none, concave_envelope(none, none, front), budgets).low.tolist() == [-1, -1]
    assert nearest_cost(none, none, budgets).tolist() == [-1, -1]
    assert most_efficient(none, none, budgets).tolist() == [-1, -1]
    assert solve_mix([none], []) is None and solve_single([none], []) is None
