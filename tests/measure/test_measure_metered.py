"""A recording with a meter, from the program that prints watts to energy per inference."""

import sys

import numpy as np
import pytest
from tiny_models import write_conv

from edgejoule.config.load import check
from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.measure import recorder
from edgejoule.measure.collect import collect
from edgejoule.measure.plan import Workload, sha256_of
from edgejoule.measure.prepare import make_plan
from edgejoule.measure.recorder import record
from edgejoule.traces import event_energy, read_recording, write_recording

METER = """\
import sys, time
start = time.monotonic()
while True:
    print(f"{1000 + time.monotonic() - start:.6f},{sys.argv[1]}", flush=True)
    time.sleep(0.02)
"""


@pytest.fixture
def metered(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "gettempdir", lambda: str(tmp_path))
    program = tmp_path / "meter.py"
    program.write_text(METER)

    def make(passes=2, window_s=0.8):
        value = {
            "name": "metered-1t", "title": "A board", "board": "board", "class": "board",
            "runtime": {"name": "onnxruntime", "threads": 1}, "power_scope": "dc", "origin": "measured",
            "meter": {"kind": "command", "command": f"{sys.executable} {program} 7.5", "rate_hz": 20},
            "source": {"kind": "live", "protocol": {
                "passes": passes, "minimum_s": window_s, "maximum_s": window_s, "idle_s": 0.1, "profiled_passes": 0}},
        }  # fmt: skip
        device = check(Device, value, "test")
        model = write_conv(tmp_path / "net.onnx", size=32)
        plan = make_plan(device, [Workload("net", "network", "fp32", model.name, sha256_of(model))])
        return device, plan

    return make


def test_energy_per_inference_is_power_times_window(tmp_path, metered):
    device, plan = metered()
    record(plan, tmp_path, tmp_path / "parts")
    write_recording(collect(device, tmp_path / "parts"), tmp_path / "recording")
    recording = read_recording(tmp_path / "recording")
    assert set(recording.trace["power_w"]) == {7.5}
    assert 2e7 <= recording.meta["rails"][0]["observed_period_ns"] < 5e7
    energies = event_energy(recording).set_index("event")
    events = recording.events.set_index("event")
    for name in ("net/0", "net/1"):
        window_s = (events.loc[name, "end_ns"] - events.loc[name, "start_ns"]) / 1e9
        assert energies.loc[name, "reason"] == ""
        assert energies.loc[name, "energy_j"] == pytest.approx(7.5 * window_s, rel=0.01)
    assert (events.loc[["net/0", "net/1"], "sampling_share"] > 0).all()
    stamps = recording.trace["t_ns"].to_numpy()
    assert (np.diff(stamps) > 0).all()
    assert stamps[0] <= events["start_ns"].min() and stamps[-1] >= events["end_ns"].max() - 5e7


SHORT_LIVED = METER.replace("while True:", "while time.monotonic() - start < 0.2:")


def test_a_meter_that_fails_stops_the_recording_which_goes_on_when_it_is_mended(tmp_path, metered):
    device, plan = metered(passes=1, window_s=0.3)
    (tmp_path / "meter.py").write_text(SHORT_LIVED)
    with pytest.raises(EdgejouleError, match=r"ended with status 0; tried 3 times\. What was measured is kept: mend"):
        record(plan, tmp_path, tmp_path / "parts")
    (tmp_path / "meter.py").write_text(METER)
    record(plan, tmp_path, tmp_path / "parts")
    recording = collect(device, tmp_path / "parts")
    assert recording.problems.empty and (recording.events["kind"] == "network").sum() == 1


def test_a_meter_that_fails_once_costs_the_workload_in_flight_only(tmp_path, metered):
    device, plan = metered(passes=1, window_s=0.3)
    opened = tmp_path / "opened"
    # It is opened once before anything is measured; its next life is short.
    count = f"import pathlib\nopened = pathlib.Path({str(opened)!r})\nopened.open('a').write('x')\n"
    (tmp_path / "meter.py").write_text(
        count + METER.replace("while True:", "while opened.stat().st_size != 2 or time.monotonic() - start < 0.2:")
    )
    record(plan, tmp_path, tmp_path / "parts")
    assert opened.read_text() == "xxx", "before, in vain, and for good"
    recording = collect(device, tmp_path / "parts")
    assert recording.problems.empty and (event_energy(recording)["reason"] == "").any()


def test_a_rail_that_was_read_once_has_no_observed_period(tmp_path, metered):
    device, plan = metered(passes=1, window_s=0.3)
    record(plan, tmp_path, tmp_path / "parts")
    (file,) = (tmp_path / "parts").rglob("*.trace.csv")
    file.write_text(file.read_text().splitlines()[0] + "\n")
    assert "observed_period_ns" not in collect(device, tmp_path / "parts").meta["rails"][0]


def test_readings_that_are_gone_are_said(tmp_path, metered):
    device, plan = metered(passes=1, window_s=0.3)
    record(plan, tmp_path, tmp_path / "parts")
    next((tmp_path / "parts").rglob("*.trace.csv")).unlink()
    with pytest.raises(EdgejouleError, match="the meter's readings are gone; delete the part"):
        collect(device, tmp_path / "parts")
