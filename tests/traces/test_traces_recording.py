"""The canonical recording: what is written is read, as a whole or not at all."""

import json

import numpy as np
import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.traces import Recording, event_energy, idle_power, read_nodes, read_recording, write_recording

S = 1_000_000_000


def event(name, start_s, end_s, kind="network", workload="net", iterations=10):
    return {
        "event": name, "start_ns": round(start_s * S), "end_ns": round(end_s * S), "kind": kind, "workload": workload,
        "precision": "fp32", "pass": 0, "iterations": 0 if kind == "idle" else iterations, "latency_ms": None,
        "latency_p50_ms": None, "latency_p90_ms": None, "top1": None, "source": "made",
    }  # fmt: skip


def make(power_w, period_s=0.1, sampling="averaged", events=None, rail="wall", **more):
    """A recording with readings at 0, period, 2 * period, ... s."""
    power_w = np.asarray(power_w, float)
    t_ns = np.round(np.arange(len(power_w)) * period_s * S).astype(np.int64)
    trace = pd.DataFrame({"t_ns": t_ns, "power_w": power_w, "energy_j": np.nan, "rail": rail})
    rails = [{"name": rail, "quantity": "power", "sampling": sampling, "period_ns": round(period_s * S)} | more]
    meta = {"device": "d", "board": "b", "meter": {"kind": "external"}, "clock": "made", "power_scope": "wall"}
    events = pd.DataFrame([event("e", 1, 9)] if events is None else events)
    return Recording(meta | {"rails": rails}, events, trace)


def test_round_trip(tmp_path):
    recording = make(np.full(101, 2.0))
    write_recording(recording, tmp_path / "r")
    again = read_recording(tmp_path / "r")
    pd.testing.assert_frame_equal(again.trace, recording.trace)
    assert again.meta == recording.meta | {"tables": ["events", "nodes", "problems", "samples", "trace"]}
    assert len(again.problems) == 0 and again.samples is None and again.nodes is None


def test_equal_recordings_are_equal_bytes(tmp_path):
    for name in "ab":
        write_recording(make(np.full(101, 2.0)), tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_writing_again_replaces_the_whole(tmp_path):
    write_recording(make(np.full(101, 2.0)), tmp_path / "r")
    second = make(np.full(101, 3.0))
    second.trace = None
    write_recording(second, tmp_path / "r")
    assert not (tmp_path / "r" / "trace.parquet").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(EdgejouleError, match=r"thesis\.tex"):
        write_recording(make([1.0, 1.0]), tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_a_failed_write_keeps_the_old_recording(tmp_path):
    write_recording(make(np.full(101, 2.0)), tmp_path / "r")
    bad = make(np.full(101, 3.0))
    bad.events.loc[0, "kind"] = "nap"
    with pytest.raises(EdgejouleError, match="nap"):
        write_recording(bad, tmp_path / "r")
    assert read_recording(tmp_path / "r").trace["power_w"].iloc[0] == 2.0
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda r: r.meta.pop("board"), "lacks the key 'board'"),
        (lambda r: r.meta["rails"][0].update(quantitty="power"), "did you mean 'quantity'"),
        (lambda r: r.meta["rails"][0].update(sampling="counter"), "a rail of energy is a counter"),
        (lambda r: r.trace.__setitem__("t_ns", r.trace["t_ns"][::-1].to_numpy()),
         "time does not advance in row 1"),
        (lambda r: r.trace.__setitem__("rail", "usb"), "'usb', which recording.json does not list"),
        (lambda r: r.events.__setitem__("end_ns", 0), "does not end after it starts"),
        (lambda r: r.meta.update(meter={"kind": "constant"}), "meter.watts"),
    ],
)  # fmt: skip
def test_bad_recordings_stop_with_a_sentence(tmp_path, spoil, message):
    recording = make(np.full(101, 2.0))
    spoil(recording)
    with pytest.raises(EdgejouleError, match=message):
        write_recording(recording, tmp_path / "r")
    assert not list(tmp_path.iterdir())


def test_absent_and_broken_recordings(tmp_path):
    with pytest.raises(EdgejouleError, match=r"no recording here: there is no recording\.json; give the folder"):
        read_recording(tmp_path)
    (tmp_path / "recording.json").write_text("")
    with pytest.raises(EdgejouleError, match=r"recording\.json: is empty"):
        read_recording(tmp_path)
    (tmp_path / "recording.json").write_text("{")
    with pytest.raises(EdgejouleError, match="not valid JSON"):
        read_recording(tmp_path)


@pytest.mark.parametrize("name", ["trace", "events", "samples", "nodes", "problems"])
def test_a_table_that_was_deleted(tmp_path, name):
    write_recording(make(np.full(101, 2.0)), tmp_path / "r")
    (tmp_path / "r" / f"{name}.parquet").unlink()
    for whole in (True, False):
        with pytest.raises(EdgejouleError, match=rf"{name}\.parquet is missing; restore it, or make"):
            read_recording(tmp_path / "r", whole)


def test_times_of_kernels_that_were_lost_are_not_taken_for_none(tmp_path):
    recording = make(np.full(101, 2.0))
    write_recording(recording, tmp_path / "without")
    assert read_nodes(tmp_path / "without") is None and read_nodes(None) is None
    recording.nodes = pd.DataFrame(
        {"network": ["net"], "precision": "fp32", "pass": 0, "node": "a", "operator": "Conv", "duration_ns": 5000}
    ).assign(index=0)
    write_recording(recording, tmp_path / "with")
    assert len(read_nodes(tmp_path / "with")) == 1
    (tmp_path / "with" / "nodes.parquet").unlink()
    with pytest.raises(EdgejouleError, match=r"nodes\.parquet is missing; restore it"):
        read_nodes(tmp_path / "with")


def test_a_recording_made_by_hand_needs_no_list_of_its_tables(tmp_path):
    write_recording(make(np.full(101, 2.0)), tmp_path / "r")
    meta = json.loads((tmp_path / "r" / "recording.json").read_text())
    del meta["tables"]
    (tmp_path / "r" / "recording.json").write_text(json.dumps(meta))
    for name in ("samples", "nodes", "problems"):
        (tmp_path / "r" / f"{name}.parquet").unlink()
    assert read_recording(tmp_path / "r").samples is None and read_nodes(tmp_path / "r") is None


def test_no_device_draws_a_gigawatt(tmp_path):
    power = np.full(101, 2.0)
    power[50] = 1e9
    with pytest.raises(EdgejouleError, match=r"r: reading 51 of rail 'wall' is 1e\+09 W; above 1e\+06 W"):
        write_recording(make(power), tmp_path / "r")


def test_a_misspelt_key(tmp_path):
    recording = make(np.full(101, 2.0))
    recording.meta["bord"] = recording.meta.pop("board")
    with pytest.raises(EdgejouleError, match="lacks the key 'board'; it has 'bord': did you mean 'board'"):
        write_recording(recording, tmp_path / "r")


def test_constant_power_of_a_steady_trace():
    figures = event_energy(make(np.full(101, 2.0))).iloc[0]
    assert figures["energy_j"] == pytest.approx(16.0, rel=1e-12)
    assert figures["power_w"] == pytest.approx(2.0)
    assert figures["energy_std_mj"] == pytest.approx(0, abs=1e-9)
    assert figures["drift"] == pytest.approx(0, abs=1e-9)
    assert figures["samples"] == 80
    assert figures["reason"] == ""


def test_declared_power_and_no_meter():
    recording = make([1.0])
    recording.trace, recording.meta["rails"] = None, []
    recording.meta["meter"] = {"kind": "constant", "watts": 5.0}
    figures = event_energy(recording).iloc[0]
    assert figures["energy_j"] == pytest.approx(40.0) and figures["samples"] == 0
    recording.meta["meter"] = {"kind": "none"}
    figures = event_energy(recording).iloc[0]
    assert np.isnan(figures["energy_j"]) and "no power meter" in figures["reason"]


def test_no_silent_zero():
    short = event("short", 3.05, 3.2)
    outside = event("outside", 20, 30)
    partly = event("partly", 5, 15)
    figures = event_energy(make(np.full(101, 2.0), events=[short, outside, partly])).set_index("event")
    assert figures["energy_j"].isna().all()
    assert "too short for the meter" in figures.loc["short", "reason"]
    assert "lies outside the trace" in figures.loc["outside", "reason"]
    assert "cover 50 %" in figures.loc["partly", "reason"]


def test_lost_readings_count_neither_as_power_nor_as_time():
    power = np.full(101, 2.0)
    power[[30, 50]] = np.nan
    figures = event_energy(make(power)).iloc[0]
    assert figures["energy_j"] == pytest.approx(16.0)
    assert figures["observed"] == pytest.approx(78 / 80)
    assert figures["samples"] == 78
    figures = event_energy(make(np.full(101, np.nan))).iloc[0]
    assert np.isnan(figures["energy_j"]) and "lies outside the trace" in figures["reason"]
    assert figures["reason"].endswith("are the marks on another clock? see 'alignment'")


def test_drift_and_spread():
    power = np.linspace(1.0, 2.0, 10001)
    figures = event_energy(make(power, 0.001, "instantaneous", [event("e", 0, 9, iterations=9)])).iloc[0]
    first, last = 1.15, 1.75
    assert figures["drift"] == pytest.approx(last / first - 1, rel=1e-9)
    blocks = 1.045 + 0.09 * np.arange(10)
    assert figures["energy_std_mj"] == pytest.approx(1e3 * np.std(blocks, ddof=1), rel=1e-6)


def test_idle_belongs_to_its_workload_and_is_robust_against_loading():
    power = np.full(301, 1.0)
    power[60:90] = 8.0  # loading
    power[100:200] = 5.0
    events = [
        event("i", 0, 10, "idle"),
        event("e", 10, 20),
        event("j", 20, 30, "idle"),
        event("f", 11, 19, workload="x"),
    ]
    recording = make(power, events=events)
    idle = idle_power(recording).set_index("event")
    assert idle.loc["e", "idle_before_w"] == pytest.approx(1.0)
    assert idle.loc["e", "idle_after_w"] == pytest.approx(1.0)
    assert np.isnan(idle.loc["f", "idle_w"])
    recording.events.loc[recording.events["kind"] == "idle", "workload"] = None
    assert idle_power(recording).set_index("event").loc["f", "idle_w"] == pytest.approx(1.0)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_streaming_gives_the_same(tmp_path, rows):
    rng = np.random.default_rng(0)
    power = rng.uniform(1, 5, 400)
    power[[100, 200, 201]] = np.nan
    events = [event("a", 0.33, 5.01), event("b", 5.01, 39.123), event("c", 0.33, 39.123)]
    for sampling in ("averaged", "instantaneous"):
        recording = make(power, sampling=sampling, events=events)
        write_recording(recording, tmp_path / "r")
        whole, streamed = event_energy(recording), event_energy(read_recording(tmp_path / "r", whole=False), rows)
        pd.testing.assert_frame_equal(whole, streamed, rtol=1e-11)
