"""Rebuilt clocks, mistaken units, two hosts' clocks, and events found without marks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgejoule.errors import EdgejouleError
from edgejoule.traces import Recording, event_energy
from edgejoule.traces.align import align_by_load, align_by_marks
from edgejoule.traces.clock import mistaken_unit, rebuild_clock, scan
from edgejoule.traces.segment import change_points, segment

MS = 1_000_000


def bursts(count, rate, rng, first_ns=10**15):
    """True times, and times of arrival: all readings since the last burst come every 26 to 30 ms, 1 us apart."""
    true = first_ns + np.round(np.arange(count) * 1e9 / rate).astype(np.int64)
    arrivals = true[0] + np.cumsum(rng.uniform(26, 30, 2 + int(count / rate * 1000 / 26)) * MS).astype(np.int64)
    burst = np.searchsorted(arrivals, true)
    order = np.arange(count) - np.searchsorted(burst, burst)
    return true, arrivals[burst] + order * 1000


def uniform(t_ns):
    return rebuild_clock([t_ns], scan([t_ns]))


def test_bursts_at_5_khz_give_each_2_ms_inference_its_energy():
    rng = np.random.default_rng(5)
    count, rate, idle, busy = 60 * 5000, 5000, 1.0, 5.0
    true, stamped = bursts(count, rate, rng)
    starts = true[0] + np.arange(200 * MS, 59_000 * MS, 10 * MS) + rng.integers(0, MS, 5880)
    ends = starts + 2 * MS
    power = np.full(count, idle)
    index = np.searchsorted(starts, true, side="right") - 1
    power[(index >= 0) & (true < ends[np.maximum(index, 0)])] = busy
    assert scan([stamped]).in_bursts
    naive = [power[(stamped >= a) & (stamped < b)].sum() / rate for a, b in zip(starts[:500], ends[:500], strict=True)]
    assert np.median(naive) == 0
    clock = uniform(stamped)
    t_ns = clock.at(0, count)
    assert clock.period_ns == pytest.approx(1e9 / rate, rel=1e-6)
    assert np.abs(t_ns - true).max() < 0.3 * MS
    trace = pd.DataFrame({"t_ns": t_ns, "power_w": power, "energy_j": np.nan, "rail": "usb"})
    events = pd.DataFrame(
        {"event": np.arange(len(starts)), "start_ns": starts, "end_ns": ends, "kind": "network", "iterations": 1}
    )
    rail = {"name": "usb", "quantity": "power", "sampling": "instantaneous", "period_ns": 200_000}
    energy = event_energy(Recording({"meter": {"kind": "external"}, "rails": [rail]}, events, trace))["energy_j"]
    assert energy.mean() == pytest.approx(busy * 2e-3, rel=0.03)
    assert energy.median() == pytest.approx(busy * 2e-3, rel=0.03)


@given(st.integers(50, 400), st.floats(0.5, 2), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_the_clock_lies_under_all_arrivals_and_near_the_truth(count, drift, seed):
    rng = np.random.default_rng(seed)
    true = 10**18 + np.round(np.arange(count) * drift * MS).astype(np.int64)
    delay = rng.exponential(3 * MS, count).astype(np.int64)
    delay[rng.choice(count, 12, replace=False)] = 0
    delay[[0, -1]] = 0
    t_ns = uniform(true + delay).at(0, count)
    assert (t_ns <= true + delay + 1).all()
    assert np.abs(t_ns - true).max() <= 1 + MS * 1e-3 * count


def test_clocks_that_cannot_be_rebuilt():
    with pytest.raises(EdgejouleError, match="do not advance"):
        uniform(np.array([5, 5, 5]))
    assert not scan([np.arange(1000) * 1000]).in_bursts


@pytest.mark.parametrize(("observed", "factor"), [(5000, 1), (5.01, 1e-3), (4.9e6, 1e3), (0.005, 1e-6)])
def test_mistaken_units(observed, factor):
    assert mistaken_unit(observed, 5000) == factor


def test_a_rate_that_no_unit_explains():
    with pytest.raises(EdgejouleError, match="1234 readings a second by their stamps, but 5000 are declared"):
        mistaken_unit(1234, 5000)


def test_marks_of_two_hosts():
    found = align_by_marks([1_000, 2_000_400], [500, 2_000_100])
    assert found.offset_ns == pytest.approx(400) and found.uncertainty_ns == pytest.approx(100)
    assert np.isnan(align_by_marks([7], [3]).uncertainty_ns)
    with pytest.raises(EdgejouleError, match="2 marks on one clock and 1 on the other"):
        align_by_marks([1, 2], [1])


@pytest.mark.parametrize("offset_s", [-1.37, 0.0, 2.618])
def test_load_and_power_of_two_hosts(offset_s):
    rng = np.random.default_rng(9)
    load_t = np.arange(0, 120, 0.05)
    load = (np.sin(load_t * 1.3) + np.sin(load_t * 0.37) > 0.4).astype(float)
    power_t = np.arange(0, 120, 0.1)
    power = 3 + 4 * np.interp(power_t - offset_s, load_t, load) + rng.normal(0, 0.3, len(power_t))
    power_ns = (power_t * 1e9).astype(np.int64)
    pieces = zip(np.array_split(power_ns, 7), np.array_split(power, 7), strict=True)
    found = align_by_load(pieces, (load_t * 1e9).astype(np.int64), load, limit_s=5, step_s=0.05)
    assert found.offset_ns * 1e-9 == pytest.approx(offset_s, abs=0.1)
    assert abs(found.offset_ns * 1e-9 - offset_s) < 4 * found.uncertainty_ns * 1e-9


def test_nothing_to_align_by():
    t_ns = np.arange(0, 100 * 10**9, 10**8)
    with pytest.raises(EdgejouleError, match="never changes"):
        align_by_load([(t_ns, np.ones(len(t_ns)))], t_ns, np.ones(len(t_ns)), 5, 0.1)
    with pytest.raises(EdgejouleError, match="overlap for less than"):
        align_by_load([(t_ns[:20], np.ones(20))], t_ns[:20], np.ones(20), 5, 0.1)
    with pytest.raises(EdgejouleError, match="no power to align by"):
        align_by_load([(t_ns, np.full(len(t_ns), np.nan))], t_ns, np.ones(len(t_ns)), 5, 0.1)
    with pytest.raises(EdgejouleError, match="give a longer step"):
        align_by_load([(t_ns * 1000, np.ones(len(t_ns)))], t_ns, np.ones(len(t_ns)), 5, 0.001)


@given(
    st.lists(st.tuples(st.integers(50, 120), st.sampled_from([1.0, 4.0, 9.0])), min_size=1, max_size=8),
    st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_change_points_of_steps_in_noise(levels, seed):
    rng = np.random.default_rng(seed)
    values = np.concatenate([np.full(length, level) for length, level in levels])
    truth = np.flatnonzero(np.diff(values)) + 1
    found = change_points(values + rng.normal(0, 0.1, len(values)))
    assert all(np.abs(found - cut).min() <= 1 for cut in truth)
    assert len(found) <= len(truth) + 2


def test_segments_of_pulses():
    rng = np.random.default_rng(1)
    t_ns = np.arange(0, 60 * 10**9, MS)
    seconds = t_ns * 1e-9
    busy = ((seconds > 10.0123) & (seconds < 22.5)) | ((seconds > 31.25) & (seconds < 44.875))
    power = np.where(busy, 5.0, 2.0) + rng.normal(0, 0.2, len(t_ns))
    power[100:110] = np.nan
    found = segment(lambda: [(t_ns, power)], least_s=1.0) * 1e-9
    np.testing.assert_allclose(found, [[10.0123, 22.5], [31.25, 44.875]], atol=0.003)


def test_segments_of_nothing():
    with pytest.raises(EdgejouleError, match="at one level throughout"):
        segment(lambda: [(np.arange(100) * MS, np.full(100, 2.0))], 0.01)
    with pytest.raises(EdgejouleError, match="3 valid readings are too few"):
        segment(lambda: [(np.arange(3) * MS, np.full(3, 2.0))], 0.01)


def test_segments_meet_the_marks_of_the_real_recordings(shared_data):
    from edgejoule.traces.files import Files
    from edgejoule.traces.importers.mlperf_inference import import_mlperf_inference

    meta = {"device": "d", "board": "b", "meter": {"kind": "external"}, "power_scope": "wall"}
    files = Files([shared_data / "mlperf_inference"])
    for system in ("rpi4-tflite-v2.7.1-ruy", "rpi4-armnn-v21.11-neon", "odroid-armnn-v21.11-opencl"):
        recording = import_mlperf_inference(files, meta, system)
        t_ns, power = recording.trace["t_ns"].to_numpy(), recording.trace["power_w"].to_numpy()
        close = []
        for run in recording.events[recording.events["kind"] == "network"].itertuples():
            inside = (t_ns > run.start_ns - 100 * 10**9) & (t_ns < run.end_ns + 60 * 10**9)
            near = [(t_ns[inside], power[inside])]
            spans = segment(lambda near=near: near, least_s=30)
            missed = np.abs(spans - [run.start_ns, run.end_ns]).max(axis=1).min() if len(spans) else np.inf
            close.append(missed <= 3 * 10**9)
        assert np.mean(close) >= 0.95, system
