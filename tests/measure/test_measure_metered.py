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

    def make(watts="7.5"):
        value = {
            "name": "metered-1t", "title": "A board", "board": "board", "class": "board",
            "runtime": {"name": "onnxruntime", "threads": 1}, "power_scope": "dc", "origin": "measured",
            "meter": {"kind": "command", "command": f"{sys.executable} {program} {watts}", "rate_hz": 20},
            "source": {"kind": "live", "protocol": {"passes": 2, "minimum_s": 0.8, "maximum_s": 0.8, "idle_s": 0.1}},
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


def test_a_meter_that_dies_is_a_problem_with_its_reason(tmp_path, metered):
    device, plan = metered()
    script = tmp_path / "meter.py"
    script.write_text(METER.replace("while True:", "while time.monotonic() - start < 0.2:"))
    record(plan, tmp_path, tmp_path / "parts")
    with pytest.raises(EdgejouleError, match=r"nothing could be measured: meter program .* ended with status 0"):
        collect(device, tmp_path / "parts")


def test_readings_that_are_gone_are_said(tmp_path, metered):
    device, plan = metered()
    record(plan, tmp_path, tmp_path / "parts")
    next((tmp_path / "parts").rglob("*.trace.csv")).unlink()
    with pytest.raises(EdgejouleError, match="the meter's readings are gone; delete the part"):
        collect(device, tmp_path / "parts")
