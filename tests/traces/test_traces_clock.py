"""Rebuilt clocks, mistaken units, two hosts' clocks, and events found without marks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgejoule.config.models import Alignment
from edgejoule.errors import EdgejouleError
from edgejoule.traces import Rail, Recording, event_energy
from edgejoule.traces.align import align_by_load, align_by_marks
from edgejoule.traces.clock import mistaken_unit, rebuild_clock, scan, spread
from edgejoule.traces.convert import recording_of
from edgejoule.traces.importers.formats import read_trace_file
from edgejoule.traces.importers.readings import Rate, make_readings
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
    stamps = scan([t_ns])
    return rebuild_clock(lambda: [t_ns], stamps, stamps.pace())


def test_bursts_at_5_khz_give_each_2_ms_inference_its_energy():
    rng = np.random.default_rng(5)
    count, rate, idle, busy = 60 * 5000, 5000, 1.0, 5.0
    true, stamped = bursts(count, rate, rng)
    starts = true[0] + np.arange(200 * MS, 59_000 * MS, 10 * MS) + rng.integers(0, MS, 5880)
    ends = starts + 2 * MS
    power = np.full(count, idle)
    index = np.searchsorted(starts, true, side="right") - 1
    power[(index >= 0) & (true < ends[np.maximum(index, 0)])] = busy
    assert scan([stamped]).pace().in_bursts
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
    for stamps in ([5, 5, 5], [3, 2], [1, 1]):
        with pytest.raises(EdgejouleError, match=r"x\.csv: "):
            energies(stamps, np.ones(len(stamps)), [], Rate(None, 5000.0))
    assert not scan([np.arange(1000) * 1000]).pace().in_bursts


def energies(stamps_s, power_w, windows_s, rate=None, grain_ns=0, sampling="averaged"):
    """Return the readings of these stamps, and the figures of events in these windows."""
    t_ns = np.rint(np.asarray(stamps_s) * 1e9).astype(np.int64)
    rails = [Rail("p", "power", sampling)]
    readings = make_readings([(t_ns, [np.asarray(power_w, float)])], rails, "x.csv", "c", rate, grain_ns=grain_ns)
    spans = [(round(start * 1e9), round(end * 1e9)) for start, end in windows_s]
    events = pd.DataFrame(spans, columns=["start_ns", "end_ns"]).assign(event="e", kind="network", iterations=1)
    meta = {"meter": {"kind": "external"}, "rails": [rail.to_meta() for rail in readings.rails]}
    return readings, event_energy(Recording(meta, events, readings.stream))


@pytest.mark.parametrize("rate", [None, Rate(100)])
@pytest.mark.parametrize("pause_s", [1, 79, 81, 100, 86400])
def test_a_pause_is_no_burst(pause_s, rate):
    t = np.arange(1000) / 100
    again = 10 + pause_s
    windows = [(2, 8), (again + 2, again + 8), (9, again + 1)]
    readings, found = energies(np.append(t, again + t), np.repeat([1, 10], 1000), windows, rate, 0, "instantaneous")
    assert found["energy_j"][:2].to_list() == pytest.approx([6, 60]) and found["observed"][:2].min() > 0.999
    assert np.isnan(found["energy_j"][2]) and found["reason"][2] and not readings.notes


@pytest.mark.parametrize("rate", [None, Rate(None, 5000.0)])
@pytest.mark.parametrize("lost_s", [0, 2.5, 20])
def test_a_stretch_lost_among_bursts_stays_lost(lost_s, rate):
    true, stamped = bursts(60 * 5000, 5000, np.random.default_rng(3), 0)
    true, stamped = true * 1e-9, stamped * 1e-9
    kept = (true < 15) | (true >= 15 + lost_s)
    power = np.where((true >= 40) & (true < 45), 10, 1)
    windows = [(2, 12), (40, 45), (14, 16 + lost_s)]
    readings, found = energies(stamped[kept], power[kept], windows, rate)
    assert found["energy_j"][:2].to_list() == pytest.approx([10, 50], rel=1e-3)
    assert bool(found["reason"][2]) == (lost_s > 0) and len(readings.notes) == 1 + (lost_s > 0)
    assert np.abs(readings.trace["t_ns"] - true[kept] * 1e9).max() < 0.3 * MS


def test_bursts_that_a_busy_host_took_late_are_no_gap():
    rng = np.random.default_rng(4)
    true = np.arange(60 * 5000) / 5000
    arrivals = np.cumsum(np.where(rng.random(2500) < 0.02, rng.uniform(0.1, 0.5, 2500), rng.uniform(0.026, 0.03, 2500)))
    burst = np.searchsorted(arrivals, true)
    stamped = arrivals[burst] + 1e-6 * (np.arange(len(true)) - np.searchsorted(burst, burst))
    readings, _ = energies(stamped, true, [])
    assert len(readings.notes) == 1 and np.abs(readings.trace["t_ns"] - true * 1e9).max() < 0.3 * MS


def test_a_logger_that_reads_faster_under_load_keeps_its_stamps():
    t = np.concatenate([np.arange(300), 300 + np.arange(1000) / 100, 310 + np.arange(300)])
    readings, found = energies(t, np.where((t > 300) & (t <= 310), 10, 1), [(100, 200), (302, 308)])
    assert np.isnan(found["energy_j"][0]) and found["energy_j"][1] == pytest.approx(60)
    assert "stamps come unevenly, mostly 10 ms apart but by up to 1e+03 ms" in readings.notes[0]
    with pytest.raises(EdgejouleError, match=r"x\.csv: stamps stand still and then advance by up to 0.9 s"):
        energies(0.9 * np.append(t, np.full(5, t[-1])), np.ones(len(t) + 5), [])


@pytest.mark.parametrize("hz", [1, 10])
def test_a_hole_among_whole_seconds_stays_a_hole(hz):
    t = np.arange(30 * hz) / hz + 0.02
    stamps = np.floor(np.append(t, 90 + t))
    readings, found = energies(stamps, np.repeat([1, 10], 30 * hz), [(40, 80), (5, 25), (95, 115)], grain_ns=10**9)
    assert np.isnan(found["energy_j"][0]) and "in a gap of it" in found["reason"][0]
    assert found["energy_j"][1:].to_list() == pytest.approx([20, 200])
    assert readings.notes[1] == "1 gap(s) without readings, 60 s in all, are left as they are"


@pytest.mark.parametrize(("unit_s", "hz"), [(1, 10), (60, 1), (0.1, 100), (0.001, 5000)])
def test_cut_stamps_are_early_not_late(unit_s, hz):
    t = (np.arange(600 * round(hz * unit_s)) + 0.2) / hz
    power = np.where((t >= 200 * unit_s) & (t < 202 * unit_s), 10, 1)
    stamps = np.floor(t / unit_s + 1e-9) * unit_s
    readings, found = energies(stamps, power, [(200 * unit_s, 202 * unit_s)], None, 0, "instantaneous")
    assert found["energy_j"][0] == pytest.approx(20 * unit_s, rel=0.06)
    assert np.abs(readings.trace["t_ns"] - t * 1e9).max() <= 0.21e9 / hz
    assert f"stamps are cut to {unit_s:g} s" in readings.notes[0]


@pytest.mark.parametrize("pieces", [1, 7])
def test_cut_stamps_of_an_uneven_pace_are_spread(pieces):
    steps = np.append(np.full(1800, 0.101), np.full(1800, 0.303))
    t = np.cumsum(steps)
    readings, _ = energies(np.floor(t), t, [])
    assert "readings come unevenly: those of one stamp are spread evenly over it" in readings.notes[0]
    found = readings.trace["t_ns"].to_numpy()
    assert np.abs(found - t * 1e9).max() < 0.31e9 and (np.diff(found) > 0).all()
    cut = np.floor(t).astype(np.int64) * 10**9
    parts = list(spread(np.array_split(cut, pieces), scan([cut]).pace()))
    np.testing.assert_array_equal(np.concatenate(parts), found)


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


@pytest.mark.parametrize("noise_ns", [0, 300_000])
def test_clocks_that_drift_apart(noise_ns):
    host = 10**18 + np.linspace(0, 600e9, 10).round().astype(np.int64)
    late = np.random.default_rng(2).normal(0, noise_ns, 10).astype(np.int64)
    meter = host + 7_000_000 + np.rint((host - host[0]) * 50e-6).astype(np.int64)
    found = align_by_marks(meter + late, host)
    assert found.drift == pytest.approx(50e-6, rel=0.03)
    missed = found.shifted(pd.Series(host)) - meter
    assert np.abs(missed).max() <= 1 + 3 * found.uncertainty_ns < 1_000_000
    # Three marks close together tell no drift that could be applied minutes later.
    near = align_by_marks([0, 1_000_000_000, 2_000_300_000], [0, 1_000_200_000, 2_000_000_000])
    assert near.drift == 0


def test_events_are_laid_on_a_clock_that_drifts(tmp_path):
    (tmp_path / "t.csv").write_text("time_s,power_W\n" + "".join(f"{k},2\n" for k in range(700)))
    rows = "".join(f"{second * 1_000_100_000},{second * 1_000_000_000}\n" for second in (0, 100, 300, 600))
    (tmp_path / "m.csv").write_text("meter_ns,host_ns\n" + rows)
    (tmp_path / "e.csv").write_text("event,start_ns,end_ns,workload,iterations\na,0,600000000000,net,9\n")
    readings = read_trace_file(tmp_path / "t.csv")
    alignment = Alignment(marks=str(tmp_path / "m.csv"))
    meta = {"device": "d", "board": "b", "meter": {"kind": "external"}, "power_scope": "dc"}
    found = recording_of(readings, meta, tmp_path / "t.csv", tmp_path / "e.csv", alignment=alignment)
    event = found.events[found.events["event"] == "a"].iloc[0]
    assert (event["start_ns"], event["end_ns"]) == (0, 600_060_000_000)
    assert found.meta["alignment"]["drift"] == pytest.approx(1e-4)


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
