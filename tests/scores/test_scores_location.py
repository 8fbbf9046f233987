"""Properties of the robust centre that the scores stand on."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgejoule.scores.location import huber_centre, pseudo_values

K = np.log(1.5)
values = arrays(float, st.integers(1, 25), elements=st.floats(-8, 8))
corners = st.floats(0.01, 20)


def weights_of(x, seed):
    return np.random.default_rng(seed).uniform(0.1, 2, len(x))


def test_it_agrees_with_a_search_for_the_zero():
    random = np.random.default_rng(1)
    x, w = random.normal(size=(50, 12)), random.uniform(0, 1, (50, 12))
    x[random.uniform(size=x.shape) < 0.1] = -np.inf
    for row, weights in zip(x, w, strict=True):
        low, high = -50.0, 50.0
        for _ in range(100):
            middle = (low + high) / 2
            pull = (weights * np.clip(row - middle, -K, K)).sum()
            low, high = (middle, high) if pull > 0 else (low, middle)
        assert huber_centre(row, weights, K) == pytest.approx(low, abs=1e-9)


def test_an_even_split_gives_the_middle():
    assert huber_centre(np.array([0.0, 10.0]), np.ones(2), 1.0) == pytest.approx(5.0)


@given(values, corners, st.integers(0, 99))
def test_it_lies_within_the_values_and_moves_with_them(x, k, seed):
    w = weights_of(x, seed)
    centre = huber_centre(x, w, k)
    assert x.min() - 1e-9 <= centre <= x.max() + 1e-9
    assert huber_centre(x + 3.0, w, k) == pytest.approx(centre + 3.0, abs=1e-9)


@given(values, corners, st.integers(0, 99), st.integers(0, 24), st.floats(0, 50))
def test_a_better_pair_never_lowers_it(x, k, seed, which, gain):
    w, better = weights_of(x, seed), x.copy()
    better[which % len(x)] += gain
    assert huber_centre(better, w, k) >= huber_centre(x, w, k) - 1e-9


@given(values, corners, st.integers(0, 99), st.integers(0, 24))
def test_losing_a_pair_never_raises_it(x, k, seed, which):
    w, without = weights_of(x, seed), x.copy()
    without[which % len(x)] = -np.inf
    assert huber_centre(without, w, k) <= huber_centre(x, w, k) + 1e-9


@given(values, st.integers(0, 24), st.floats(-1e6, 1e6))
def test_one_wild_value_moves_it_no_further_than_the_corner_allows(x, which, wild):
    assume(len(x) >= 5)
    spoilt = x.copy()
    spoilt[which % len(x)] = wild
    rest = np.delete(x, which % len(x))
    assert rest.min() - K <= huber_centre(spoilt, np.ones(len(x)), K) <= rest.max() + K


def test_half_missing_is_no_value():
    assert huber_centre(np.array([1.0, -np.inf]), np.ones(2), K) == -np.inf
    assert np.isfinite(huber_centre(np.array([1.0, 1.1, -np.inf]), np.ones(3), K))


@given(values, corners, st.integers(0, 99), st.integers(0, 24))
def test_an_unknown_value_is_left_out(x, k, seed, which):
    assume(len(x) > 1)
    w, unknown = weights_of(x, seed), x.copy()
    unknown[which % len(x)] = np.nan
    rest, of_rest = np.delete(x, which % len(x)), np.delete(w, which % len(x))
    assert huber_centre(unknown, w, k) == pytest.approx(huber_centre(rest, of_rest, k), abs=1e-9)


def test_it_works_along_the_last_axis():
    x = np.random.default_rng(0).normal(size=(3, 4, 7))
    expected = [[huber_centre(row, np.ones(7), K) for row in plane] for plane in x]
    np.testing.assert_allclose(huber_centre(x, np.ones(7), K), expected)


@given(values, st.integers(0, 99))
def test_the_cut_values_average_to_the_centre(x, seed):
    w = weights_of(x, seed)
    centre = huber_centre(x, w, K)
    assert np.average(pseudo_values(x, centre, K), weights=w) == pytest.approx(centre, abs=1e-9)
