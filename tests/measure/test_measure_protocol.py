"""Warm-up and stopping rules, on sessions whose durations are given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgejoule.measure.protocol import WARM_UP_S, chunk_size, half_width, run_for, run_until_known, warm_up

MS = 1_000_000


class Scripted:
    """A session whose n-th run takes ``duration(n)`` nanoseconds; no time passes."""

    def __init__(self, duration):
        self.duration, self.runs = duration, 0

    def run(self, times):
        start, self.runs = self.runs, self.runs + times
        return np.array([self.duration(index) for index in range(start, start + times)], np.int64)


def test_warm_up_lasts_as_long_as_latency_falls():
    quick = len(warm_up(Scripted(lambda n: 10 * MS)))
    slow = len(warm_up(Scripted(lambda n: 10 * MS + max(0, 60 - n) * MS)))
    assert quick <= 15
    assert slow > 60, "the ramp has 60 runs"


def test_warm_up_ends_even_if_latency_never_settles():
    durations = warm_up(Scripted(lambda n: int(100 * MS * 0.9**n) + MS))
    endless = warm_up(Scripted(lambda n: max(1, int(3000 * MS * 0.95**n))))
    assert durations.sum() < 2 * WARM_UP_S * 1e9
    assert endless.sum() < 3 * WARM_UP_S * 1e9


def test_a_single_slow_run_does_not_prolong_warm_up():
    assert len(warm_up(Scripted(lambda n: 50 * MS if n == 5 else 10 * MS))) <= 15


def test_runs_for_a_time():
    session = Scripted(lambda n: 3 * MS)
    assert run_for(session, 0.01, 3 * MS).sum() == 12 * MS
    assert len(run_for(session, 0.001, 3 * MS)) == 1


def test_runs_for_the_minimum_time_when_latency_is_steady():
    durations = run_until_known(
        Scripted(lambda n: 2 * MS), {"minimum_s": 1, "maximum_s": 9, "half_width": 0.02}, 2 * MS
    )
    assert 1e9 <= durations.sum() < 1.1e9


def test_runs_longer_when_latency_is_noisy_and_stops_at_the_cap():
    noise = np.random.default_rng(0).lognormal(0, 1.0, 100_000)
    rule = {"minimum_s": 0.2, "maximum_s": 3, "half_width": 0.01}
    durations = run_until_known(Scripted(lambda n: int(2 * MS * noise[n])), rule, 2 * MS)
    assert 3e9 <= durations.sum() < 3.3e9
    wider = run_until_known(Scripted(lambda n: int(2 * MS * noise[n])), {**rule, "half_width": 0.2}, 2 * MS)
    assert wider.sum() < durations.sum()
    assert half_width(wider) <= 0.2


@given(st.integers(20, 500), st.integers(0, 2**32 - 1))
def test_half_width_is_that_of_ten_block_means(runs, seed):
    durations = np.random.default_rng(seed).integers(1, 10**7, runs)
    usable = durations[runs % 10 :]
    means = [block.mean() for block in np.array_split(usable, 10)]
    expected = 2.262 * np.std(means, ddof=1) / np.sqrt(10) / np.mean(means)
    assert half_width(durations) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_half_width_knows_nothing_of_a_few_runs():
    assert half_width(np.full(19, 5)) == float("inf")
    assert half_width(np.full(20, 5)) == 0


@given(st.floats(0, 1e12))
def test_a_chunk_has_at_least_one_run_and_lasts_about_its_aim(duration):
    size = chunk_size(duration)
    assert size >= 1
    assert size == 1 or size * max(duration, 1) <= 50 * MS
