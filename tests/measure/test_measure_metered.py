"""A recording with a meter, from the program that prints watts to energy per inference."""

import sys

import numpy as np
import pandas as pd
import pytest
from tiny_models import write_conv

from edgejoule.config.load import check
from edgejoule.config.models import Device
from edgejoule.datasets.device import derive
from edgejoule.errors import EdgejouleError
from edgejoule.graphs.zoo import read_zoo
from edgejoule.measure import recorder
from edgejoule.measure.collect import collect
from edgejoule.measure.inside import ratios
from edgejoule.measure.metered import longest_reading_s, updates_ns
from edgejoule.measure.parts import Parts
from edgejoule.measure.plan import METER, Plan, Workload, sha256_of
from edgejoule.measure.prepare import make_plan
from edgejoule.measure.recorder import record
from edgejoule.traces import event_energy, read_recording, write_recording

PROGRAM = """\
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
    program.write_text(PROGRAM)

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


SHORT_LIVED = PROGRAM.replace("while True:", "while time.monotonic() - start < 0.2:")


def test_a_meter_that_fails_stops_the_recording_which_goes_on_when_it_is_mended(tmp_path, metered):
    device, plan = metered(passes=1, window_s=0.3)
    (tmp_path / "meter.py").write_text(SHORT_LIVED)
    with pytest.raises(EdgejouleError, match=r"ended with status 0; tried 3 times\. What was measured is kept: mend"):
        record(plan, tmp_path, tmp_path / "parts")
    (tmp_path / "meter.py").write_text(PROGRAM)
    record(plan, tmp_path, tmp_path / "parts")
    recording = collect(device, tmp_path / "parts")
    assert recording.problems.empty and (recording.events["kind"] == "network").sum() == 1


def test_a_meter_that_fails_once_costs_the_workload_in_flight_only(tmp_path, metered):
    device, plan = metered(passes=1, window_s=0.3)
    opened = tmp_path / "opened"
    # It is opened once before anything is measured; its next life is short.
    count = f"import pathlib\nopened = pathlib.Path({str(opened)!r})\nopened.open('a').write('x')\n"
    (tmp_path / "meter.py").write_text(
        count + PROGRAM.replace("while True:", "while opened.stat().st_size != 2 or time.monotonic() - start < 0.2:")
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


MAP = {
    "tail": "", "layout": "nchw", "batch": 1, "input_height": 56, "input_width": 56, "output_height": 56,
    "output_width": 56, "input_channels": 64, "output_channels": 64, "kernel_height": 0, "kernel_width": 0, "stride": 1,
    "dilation": 1, "groups": 1, "inputs": 1, "bytes_in": 4 * 64 * 56 * 56, "bytes_weights": 0, "source": "zoo",
}  # fmt: skip
CONV = MAP | {"kernel": "conv", "kind": "conv+bn+relu", "operator": "Conv", "kernel_height": 3, "kernel_width": 3,
              "bytes_weights": 4 * 9 * 64 * 64}  # fmt: skip
TINY = MAP | {"kernel": "tiny", "kind": "sigmoid", "operator": "Sigmoid", "input_height": 1, "input_width": 1}
ODD = MAP | {"kernel": "odd", "kind": "transpose", "operator": "Transpose"}


@pytest.mark.parametrize(
    ("name", "package", "layout"), [("onnxruntime", "onnx", "nchwc"), ("openvino", "openvino", "nchw"),
                                    ("litert", "ai_edge_litert", "nhwc"), ("pytorch", "torch", "nchw")],
)  # fmt: skip
def test_a_kernel_alone_has_a_window_that_the_meter_sees(tmp_path, metered, root, name, package, layout):
    pytest.importorskip(package, reason=f"the package '{package}' is an extra that is not installed")
    device, plan = metered()
    device = device.model_copy(update={"runtime": device.runtime.model_copy(update={"name": name})})
    kernels = [CONV | {"layout": layout}, TINY, ODD]
    workloads = [Workload(one["kernel"], "kernel", "fp32", configuration=one) for one in kernels]
    protocol = {**plan.protocol, "kernel_passes": 1, "kernel_s": 0.4, "passes": 1}
    record(
        Plan(device.name, {"name": name, "threads": 1}, plan.meter, protocol, tuple(workloads)),
        tmp_path,
        tmp_path / "parts",
    )
    recording = collect(device, tmp_path / "parts")
    events = recording.events.set_index("event")
    conv = events.loc["conv/0"]
    # The meter's ten readings at 20 Hz are half a second, longer than what the protocol asks for.
    assert 0.5e9 <= conv["end_ns"] - conv["start_ns"] < 15e9
    assert list(recording.events.loc[recording.events["workload"] == "conv", "kind"]) == [
        "idle",
        "warmup",
        "warmup",
        "kernel",
        "tail",
        "idle",
    ]
    tail = recording.events.set_index(["workload", "kind"]).loc[("conv", "tail")]
    assert tail["end_ns"] - tail["start_ns"] >= 0.08e9, "two readings at 20 Hz, if its runs are no faster than the best"
    energies = event_energy(recording).set_index("event")
    assert energies.loc["conv/0", "energy_j"] == pytest.approx(7.5 * energies.loc["conv/0", "duration_s"], rel=0.01)
    assert "'transpose' cannot be rebuilt" in recording.problems.set_index("workload").loc["odd", "reason"]
    zoo = read_zoo(root / "config" / "networks.tsv")
    kernels = derive(recording, device, zoo, zoo)["kernels"].set_index("kernel")
    assert kernels.loc["conv", "power_w"] == pytest.approx(7.5, rel=0.01)
    assert kernels.loc["conv", "idle_before_w"] == pytest.approx(7.5)
    if name == "pytorch":
        assert kernels[["between_ms", "isolated_ms"]].isna().all(axis=None), "no profiler is asked"
        return
    latency = kernels.loc["conv", "latency_ms"]
    # Whatever else runs here lengthens a window more than the fastest of a few runs.
    assert 0 < kernels.loc["conv", "isolated_ms"] < 1.2 * latency
    assert kernels.loc["conv", "between_ms"] > 0
    ways = ratios(recording.events, pd.DataFrame([{"kernel": "conv", "kind": "conv+bn+relu", "duration_ms": latency}]))
    assert ways.set_index("way").loc["back to back", "ratio"] == pytest.approx(1)
    assert set(ways["way"]) == {"between neighbours", "isolated", "back to back"}


def test_a_kernel_that_is_little_of_its_window_is_flagged(tmp_path, metered, root):
    device, plan = metered()
    workload = Workload("tiny", "kernel", "fp32", configuration=TINY)
    protocol = {**plan.protocol, "passes": 1}
    record(Plan(device.name, plan.runtime, plan.meter, protocol, (workload,)), tmp_path, tmp_path / "parts")
    recording = collect(device, tmp_path / "parts")
    recording.events.loc[recording.events["kind"] == "kernel", "isolated_ms"] = 1e-3
    zoo = read_zoo(root / "config" / "networks.tsv")
    (kernel,) = derive(recording, device, zoo, zoo)["kernels"].to_dict("records")
    assert kernel["quality"] == "flagged" and "% of its window, which holds what the runtime puts" in kernel["reason"]
    assert kernel["energy_mj"] > 0


def test_what_a_reading_speaks_for_is_what_the_slowest_rail_that_counts_takes(tmp_path, metered):
    _, plan = metered()
    load = Workload(
        METER, METER, "fp32", configuration={"load": {"name": "net", "kind": "network", "precision": "fp32"}}
    )
    plan = Plan("d", plan.runtime, plan.meter, {**plan.protocol, "kernel_s": 0.5}, (load,))
    parts = Parts(tmp_path, plan)
    rails = [
        {"name": "counter", "period_ns": 10_000_000, "used": True},
        {"name": "power", "period_ns": 10**9, "used": False},
    ]
    assert longest_reading_s(rails, parts.observed_updates()) == 0.01
    assert longest_reading_s([rails[0] | {"window_ns": 40_000_000}], {}) == 0.04
    assert longest_reading_s([], {}) == 0
    parts.write(0, load, {"updates_ns": {"counter": 100_000_000, "power": 1}})
    assert longest_reading_s(rails, parts.observed_updates()) == 0.1


def test_updates_are_told_by_changes_of_a_reading(tmp_path):
    lines = [f"{10 * step},power,{step // 3}.5\n{10 * step + 1},still,4\n" for step in range(13)]
    (tmp_path / "trace.csv").write_text("".join(lines))
    assert updates_ns(tmp_path / "trace.csv") == {"power": 30}
