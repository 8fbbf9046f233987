"""Integration against closed forms, and the laws that it must keep whatever the signal."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgejoule.traces import Rail, Recording, event_energy
from edgejoule.traces.integrate import RailIntegrator, Windows

MS = 1_000_000
PERIOD = 10 * MS

SAMPLINGS = st.sampled_from(["instantaneous", "averaged", "counter"])


def rail(sampling, **more):
    quantity = "energy" if sampling == "counter" else "power"
    return Rail("r", quantity, sampling, PERIOD, **more)


def integrate(sampling, t_ns, values, start_ns, end_ns, splits=(), **more):
    windows = Windows(start_ns, end_ns)
    integrator = RailIntegrator(rail(sampling, **more), windows)
    edges = [0, *sorted(splits), len(t_ns)]
    for first, last in pairwise(edges):
        integrator.feed(np.asarray(t_ns[first:last], np.int64), np.asarray(values[first:last], float))
    return windows


@st.composite
def traces(draw):
    """A rail with jittering stamps, its readings, and the span that it speaks for."""
    sampling = draw(SAMPLINGS)
    count = draw(st.integers(20, 60))
    steps = draw(st.lists(st.integers(PERIOD // 2, 2 * PERIOD), min_size=count, max_size=count))
    power = draw(st.lists(st.floats(0.001, 1000), min_size=count, max_size=count))
    t_ns = 10**18 + np.cumsum(steps)
    values = np.cumsum(power) * 1e-2 if sampling == "counter" else np.array(power)
    return sampling, t_ns, values


@given(traces(), st.data())
@settings(max_examples=150, deadline=None)
def test_adjoining_windows_add_up(trace, data):
    sampling, t_ns, values = trace
    cuts = data.draw(st.lists(st.integers(int(t_ns[0]), int(t_ns[-1])), min_size=3, max_size=12, unique=True))
    cuts = np.sort(cuts)
    parts = integrate(sampling, t_ns, values, cuts[:-1], cuts[1:])
    whole = integrate(sampling, t_ns, values, cuts[:1], cuts[-1:])
    assert parts.energy_j.sum() == pytest.approx(whole.energy_j[0], rel=1e-9, abs=1e-12)
    assert parts.observed_s.sum() == pytest.approx(whole.observed_s[0], rel=1e-9)
    assert whole.observed_s[0] == pytest.approx((cuts[-1] - cuts[0]) * 1e-9, rel=1e-9)
    assert parts.readings.sum() == whole.readings[0]
    assert (parts.energy_j >= 0).all()


@given(traces(), st.lists(st.integers(1, 59), max_size=8))
@settings(max_examples=100, deadline=None)
def test_batches_do_not_matter(trace, splits):
    sampling, t_ns, values = trace
    values = values.copy()
    values[7:9] = np.nan
    start, end = t_ns[:-5:3] + 12345, t_ns[5::3]
    count = min(len(start), len(end))
    splits = [split for split in splits if split < len(t_ns)]
    whole = integrate(sampling, t_ns, values, start[:count], end[:count])
    split = integrate(sampling, t_ns, values, start[:count], end[:count], splits)
    np.testing.assert_allclose(split.energy_j, whole.energy_j, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(split.observed_s, whole.observed_s, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(split.readings, whole.readings)


@given(traces(), st.integers(2, 5))
@settings(max_examples=100, deadline=None)
def test_resampling_above_the_rate_changes_nothing(trace, factor):
    sampling, t_ns, values = trace
    fine = np.unique(np.concatenate([t_ns, *(t_ns[:-1] + np.diff(t_ns) * k // factor for k in range(1, factor))]))
    if sampling == "averaged":
        dense = values[np.searchsorted(t_ns, fine)]
    else:
        dense = np.interp((fine - t_ns[0]).astype(float), (t_ns - t_ns[0]).astype(float), values)
    start, end = t_ns[2:3] + 777, t_ns[-2:-1] - 777
    coarse = integrate(sampling, t_ns, values, start, end).energy_j
    np.testing.assert_allclose(integrate(sampling, fine, dense, start, end).energy_j, coarse, rtol=1e-6)


@given(st.floats(0, 50), st.floats(-20, 20), st.integers(0, 400), st.integers(20, 500))
def test_a_ramp_of_instantaneous_power_is_exact(base, slope, start_ms, length_ms):
    t_ns = np.arange(0, 1000 * MS + 1, PERIOD)
    power = base + slope * t_ns * 1e-9
    a, b = start_ms * 1e-3, (start_ms + length_ms) * 1e-3
    found = integrate("instantaneous", t_ns, power, [start_ms * MS], [(start_ms + length_ms) * MS])
    assert found.energy_j[0] == pytest.approx(base * (b - a) + slope * (b * b - a * a) / 2, rel=1e-9, abs=1e-9)


def test_a_step_between_two_readings_of_averaged_power_is_exact():
    # 1 W, then 5 W from 0.104 s on, averaged over each 10 ms: the reading at 0.11 s has 4 ms of one, 6 ms of the other.
    t_ns = np.arange(PERIOD, 300 * MS + 1, PERIOD)
    power = np.where(t_ns <= 100 * MS, 1.0, 5.0)
    power[t_ns == 110 * MS] = 0.4 * 1 + 0.6 * 5
    found = integrate("averaged", t_ns, power, [0, 50 * MS], [300 * MS, 200 * MS])
    assert found.energy_j == pytest.approx([0.104 + 0.196 * 5, 0.054 + 0.096 * 5], rel=1e-12)


def test_a_sine_converges_with_the_square_of_the_period():
    errors = []
    for rate in (100, 200, 400):
        t_ns = np.round(np.arange(0, 2 * rate + 1) * 1e9 / rate).astype(np.int64)
        power = 3 + 2 * np.sin(2 * np.pi * 5 * t_ns * 1e-9)
        found = integrate("instantaneous", t_ns, power, [113 * MS], [1613 * MS]).energy_j[0]
        cos = np.cos(2 * np.pi * 5 * np.array([0.113, 1.613]))
        errors.append(abs(found - (3 * 1.5 - 2 / (10 * np.pi) * (cos[1] - cos[0]))))
    assert errors[0] < 1e-3 and errors[1] < errors[0] / 3 and errors[2] < errors[1] / 3


@given(st.integers(1, 9), st.integers(1, 4))
def test_pulses_shorter_than_the_period_keep_their_energy_in_averages_and_counters(width_ms, every):
    # Pulses of 10 W and 1 to 9 ms, one in every 1 to 4 periods of 10 ms.
    count = 400
    pulses = np.arange(count) % every == 0
    energy = pulses * 10.0 * width_ms * 1e-3
    t_ns = np.arange(1, count + 1) * PERIOD
    start, end = [t_ns[0]], [t_ns[0] + 12 * 30 * PERIOD]
    inside = energy[1 : 1 + 12 * 30].sum()
    assert integrate("averaged", t_ns, energy / 0.01, start, end).energy_j[0] == pytest.approx(inside, rel=1e-9)
    assert integrate("counter", t_ns, np.cumsum(energy), start, end).energy_j[0] == pytest.approx(inside, rel=0.02)


def test_a_counter_that_wraps():
    t_ns = np.arange(500) * PERIOD
    counter = (2.5 * t_ns * 1e-9) % 0.7
    windows = ([5 * PERIOD + 3 * MS], [480 * PERIOD + 1 * MS])
    found = integrate("counter", t_ns, counter, *windows, wrap_j=0.7)
    assert found.energy_j[0] == pytest.approx(2.5 * (475 * 0.01 - 0.002), rel=1e-9)
    reset = integrate("counter", t_ns, counter, *windows)
    assert reset.observed_s[0] < found.observed_s[0]
    assert reset.energy_j[0] / reset.observed_s[0] == pytest.approx(2.5, rel=1e-9)


def test_a_counter_that_is_set_back_did_not_wrap():
    t_ns = np.arange(500) * PERIOD
    counter = 1000 + 2.5 * t_ns * 1e-9
    counter[200:] -= 400
    found = integrate("counter", t_ns, counter, [5 * PERIOD], [480 * PERIOD], wrap_j=262143.3)
    assert found.observed_s[0] == pytest.approx(4.74), "all but the step in which it was set back"
    assert found.energy_j[0] / found.observed_s[0] == pytest.approx(2.5, rel=1e-9)


@given(st.integers(2, 12), st.integers(0, 400))
def test_a_counter_read_more_often_than_it_is_updated(reads, start_ms):
    # Updated every 50 ms by the energy since then, read every 50 / reads ms: power is 4 W throughout.
    t_ns = np.arange(0, 2000 * MS, 50 * MS // reads)
    counter = 4.0 * (t_ns // (50 * MS)) * 0.05
    found = integrate("counter", t_ns, counter, [start_ms * MS + 60 * MS], [start_ms * MS + 1360 * MS])
    # An update is seen up to one reading late: nothing at all where the readings divide the updates.
    late = 0 if 50 % reads == 0 else 4 * 0.05 / reads
    assert found.energy_j[0] == pytest.approx(4 * 1.3, rel=1e-9, abs=late)


def test_a_gap_has_neither_energy_nor_time():
    t_ns = np.concatenate([np.arange(0, 101), np.arange(151, 301)]) * PERIOD
    for sampling in ("instantaneous", "averaged"):
        found = integrate(sampling, t_ns, np.full(len(t_ns), 2.0), [10 * PERIOD], [290 * PERIOD])
        gap = 0.51 if sampling == "instantaneous" else 0.50
        assert found.observed_s[0] == pytest.approx(2.8 - gap)
        assert found.energy_j[0] == pytest.approx(2 * (2.8 - gap))


def test_a_lost_reading_takes_the_time_it_speaks_for():
    t_ns = np.arange(100) * PERIOD
    power = np.full(100, 3.0)
    power[50] = np.nan
    for sampling, lost in (("instantaneous", 2), ("averaged", 1)):
        found = integrate(sampling, t_ns, power, [10 * PERIOD], [90 * PERIOD])
        assert found.observed_s[0] == pytest.approx(0.8 - 0.01 * lost)
        assert found.energy_j[0] == pytest.approx(3 * (0.8 - 0.01 * lost))
        assert found.readings[0] == 79


def test_outside_the_trace_there_is_nothing():
    t_ns = np.arange(10, 20) * PERIOD
    found = integrate("instantaneous", t_ns, np.ones(10), [0, 30 * PERIOD], [5 * PERIOD, 40 * PERIOD])
    assert not found.observed_s.any() and not found.readings.any()


def frame(t_ns, rails):
    parts = [
        pd.DataFrame({"t_ns": t_ns, "power_w": power, "energy_j": np.nan, "rail": name})
        for name, power in rails.items()
    ]
    return pd.concat(parts, ignore_index=True)


def recording(trace, rails, start_ns, end_ns):
    events = pd.DataFrame(
        {"event": ["e"], "start_ns": [start_ns], "end_ns": [end_ns], "kind": "network", "iterations": [4]}
    )
    meta = {"meter": {"kind": "external"}, "rails": rails}
    return Recording(meta, events, trace)


def test_order_of_columns_and_of_rails_does_not_matter_and_unused_rails_do_not_count():
    t_ns = np.arange(200) * PERIOD
    rng = np.random.default_rng(3)
    trace = frame(t_ns, {"cpu": rng.uniform(1, 2, 200), "gpu": rng.uniform(3, 4, 200), "total": np.full(200, 99.0)})
    rails = [
        {"name": name, "quantity": "power", "sampling": "averaged", "period_ns": PERIOD, "used": name != "total"}
        for name in ("cpu", "gpu", "total")
    ]
    expected = event_energy(recording(trace, rails, 20 * PERIOD, 150 * PERIOD))
    shuffled = trace.sort_values(["t_ns", "rail"], ascending=[True, False])[["rail", "energy_j", "power_w", "t_ns"]]
    found = event_energy(recording(shuffled, rails[::-1], 20 * PERIOD, 150 * PERIOD))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)
    inside = trace[(trace["t_ns"] > 20 * PERIOD) & (trace["t_ns"] <= 150 * PERIOD) & (trace["rail"] != "total")]
    assert expected["energy_j"].iloc[0] == pytest.approx(inside["power_w"].sum() * 0.01, rel=1e-9)


@pytest.mark.parametrize("sampling", ["instantaneous", "averaged"])
def test_the_stated_uncertainty_covers_the_error(sampling):
    # A square pulse whose edges fall anywhere between readings: two standard deviations hold in nineteen of twenty.
    rng = np.random.default_rng(11)
    inside, trials = 0, 400
    for _ in range(trials):
        start, end = 300 + rng.uniform(0, 10), 900 + rng.uniform(0, 10)
        ms = np.arange(0, 1200, 10)
        if sampling == "instantaneous":
            power = np.where((ms >= start) & (ms < end), 6.0, 2.0)
        else:
            power = 2 + 4 * np.clip(np.minimum(ms, end) - np.maximum(ms - 10, start), 0, 10) / 10
        rails = [{"name": "r", "quantity": "power", "sampling": sampling, "period_ns": PERIOD}]
        trace = frame(ms * MS, {"r": power})
        figures = event_energy(recording(trace, rails, round(start * MS), round(end * MS))).iloc[0]
        inside += abs(figures["energy_j"] - 6.0 * (end - start) * 1e-3) <= 2 * figures["uncertainty_j"]
    assert inside >= 0.95 * trials


COUNTER = {"name": "r", "quantity": "energy", "sampling": "counter", "period_ns": PERIOD, "observed_period_ns": PERIOD}


def counted(joules, update_ms):
    """Return the trace of a counter that is updated every so often and read every 10 ms, given its true energy."""
    ms = np.arange(0, 3000, 10)
    shown = joules(ms // update_ms * update_ms)
    return pd.DataFrame({"t_ns": ms * MS, "power_w": np.nan, "energy_j": shown, "rail": "r"})


def test_a_reading_of_a_counter_speaks_for_the_time_between_its_updates():
    trace = counted(lambda ms: 0.004 * ms, 100)
    short = event_energy(recording(trace, [COUNTER], 1000 * MS, 1150 * MS)).iloc[0]
    assert short["reason"].startswith("too short for the meter: 0.15 s, but one reading of rail 'r' speaks for 0.1 s")
    long = event_energy(recording(trace, [COUNTER], 1000 * MS, 1700 * MS)).iloc[0]
    assert long["energy_j"] == pytest.approx(4 * 0.7)


@given(st.integers(20, 120), st.integers(0, 99), st.integers(300, 900))
def test_load_that_lasts_beyond_a_window_by_two_updates_keeps_idle_out_of_it(update_ms, start_ms, length_ms):
    # 4 W idle, 20 W of load. A window that is as long as the load is mixed with idle at its edges.
    start, end, beside = 1000 + start_ms, 1000 + start_ms + length_ms, 2 * update_ms + 10

    def joules(ms):
        return 0.004 * ms + 0.016 * np.clip(ms - (start - beside), 0, length_ms + 2 * beside)

    figures = event_energy(recording(counted(joules, update_ms), [COUNTER], start * MS, end * MS)).iloc[0]
    # Each edge is known to one reading of the counter.
    assert figures["energy_j"] == pytest.approx(0.020 * length_ms, abs=2 * 0.020 * 10)
    assert figures["power_w"] <= 20 * (1 + 20 / length_ms)


def test_accuracy_and_resolution_enter_the_uncertainty():
    t_ns = np.arange(200) * PERIOD
    trace = frame(t_ns, {"r": np.full(200, 2.0)})
    plain = {"name": "r", "quantity": "power", "sampling": "averaged", "period_ns": PERIOD}
    window = (20 * PERIOD, 120 * PERIOD)
    assert event_energy(recording(trace, [plain], *window))["uncertainty_j"].iloc[0] == pytest.approx(0, abs=1e-9)
    accurate = event_energy(recording(trace, [plain | {"accuracy_percent": 3.0}], *window))
    assert accurate["uncertainty_j"].iloc[0] == pytest.approx(0.03 * 2.0 / np.sqrt(3))
    coarse = event_energy(recording(trace, [plain | {"resolution_w": 0.5}], *window))
    assert coarse["uncertainty_j"].iloc[0] == pytest.approx(0.5 * 0.01 / np.sqrt(12) * np.sqrt(100))
