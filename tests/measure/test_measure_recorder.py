"""The recorder: order, resuming, problems, and the canonical recording that it ends in."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import write_conv

from edgejoule.config.load import check
from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.measure import protocol, recorder
from edgejoule.measure.collect import collect
from edgejoule.measure.parts import ATTEMPTS, Parts
from edgejoule.measure.plan import Plan, Workload, sha256_of
from edgejoule.measure.prepare import make_plan
from edgejoule.measure.recorder import record
from edgejoule.traces import read_recording, write_recording

DEVICE = {
    "name": "cpu-onnxruntime-1t",
    "title": "A processor",
    "board": "cpu",
    "class": "computer",
    "runtime": {"name": "onnxruntime", "threads": 1},
    "meter": {"kind": "constant", "watts": 4.0, "watts_source": "declared for the test"},
    "power_scope": "model",
    "origin": "estimated",
    "source": {
        "kind": "live",
        "protocol": {"passes": 2, "minimum_s": 0.02, "maximum_s": 0.05, "half_width": 0.2, "idle_s": 0.01},
    },
}


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """A lock of the test's own, so that tests and real measurements do not wait for each other; and short chunks."""
    monkeypatch.setattr(protocol, "CHUNK_NS", 2_000_000)
    monkeypatch.setattr(recorder, "gettempdir", lambda: str(tmp_path))


@pytest.fixture
def device():
    return check(Device, DEVICE, "test")


@pytest.fixture
def plan(tmp_path, device):
    models = []
    for name, size in (("a-net", 8), ("b-net", 16), ("c/net:1", 32)):
        path = write_conv(tmp_path / f"model-{size}.onnx", size=size)
        models.append(Workload(name, "network", "fp32", path.name, sha256_of(path)))
    return make_plan(device, models)


def test_order_is_shuffled_anew_in_each_pass_and_the_same_everywhere(plan):
    many = replace(plan, workloads=tuple(Workload(f"n{i}", "network", "fp32", "m", "0") for i in range(30)))
    orders = [[workload.name for workload in many.order(turn)] for turn in range(3)]
    assert sorted(orders[0]) == sorted(orders[1]) and orders[0] != orders[1] != orders[2]
    again = replace(many, workloads=many.workloads[::-1])
    assert [workload.name for workload in again.order(0)] == orders[0]


@pytest.mark.usefixtures("lock")
def test_a_recording_has_what_the_contract_asks_for(tmp_path, plan, device):
    told = []
    record(plan, tmp_path, tmp_path / "parts", lambda *args: told.append(args))
    write_recording(collect(device, tmp_path / "parts"), tmp_path / "recording")
    recording = read_recording(tmp_path / "recording")
    events, samples = recording.events, recording.samples
    networks = events[events["kind"] == "network"]
    assert sorted(zip(networks["workload"], networks["pass"], strict=True)) == [
        (name, turn) for name in ("a-net", "b-net", "c/net:1") for turn in (0, 1)
    ]
    assert list(events["kind"][:4]) == ["idle", "warmup", "network", "idle"]
    assert (events["start_ns"].diff().dropna() > 0).all(), "events stand in order of time"
    for _, event in networks.iterrows():
        durations = samples.loc[samples["event"] == event["event"], "duration_ns"]
        assert len(durations) == event["iterations"]
        window = event["end_ns"] - event["start_ns"]
        assert 0.5 * window < durations.sum() <= window
    assert set(recording.nodes["network"]) == {"a-net", "b-net", "c/net:1"}
    assert set(recording.nodes["pass"]) == {0, 1}
    assert recording.meta["meter"] == DEVICE["meter"]
    assert recording.meta["runtime"]["version"] == recording.meta["versions"]["onnxruntime"]
    libraries = recording.meta["sessions"][0]["binaries"]
    assert libraries and all("onnxruntime" in name and len(hash) == 64 for name, hash in libraries.items())
    assert recording.trace is None and recording.problems.empty
    assert [args[0] for args in told] == list(range(6)) and told[0][2] is None and told[-1][2] > 0


@pytest.mark.usefixtures("lock")
def test_a_finished_recording_is_not_measured_again(tmp_path, plan, monkeypatch):
    record(plan, tmp_path, tmp_path / "parts")
    monkeypatch.setattr(recorder, "measure_part", lambda *_: pytest.fail("measured again"))
    record(plan, tmp_path, tmp_path / "parts")


@pytest.mark.usefixtures("lock")
def test_a_changed_model_or_protocol_is_measured_again_and_nothing_else(tmp_path, plan):
    record(plan, tmp_path, tmp_path / "parts")
    before = {path: path.read_text() for path in (tmp_path / "parts").glob("pass-*/*.json")}
    changed = write_conv(tmp_path / "model-8.onnx", size=8, layers=3)
    workloads = [replace(plan.workloads[0], sha256=sha256_of(changed)), *plan.workloads[1:]]
    record(replace(plan, workloads=tuple(workloads)), tmp_path, tmp_path / "parts")
    after = {path: path.read_text() for path in before}
    assert {path.name for path in before if before[path] != after[path]} == {"network-a-net.json"}


@pytest.mark.usefixtures("lock")
def test_what_fails_is_a_problem_with_a_reason_and_the_rest_is_measured(tmp_path, plan, device):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"broken")
    gone = Workload("gone", "network", "fp32", "gone.onnx", "0")
    bad = Workload("broken", "network", "fp32", broken.name, sha256_of(broken))
    record(replace(plan, workloads=(*plan.workloads, bad, gone)), tmp_path, tmp_path / "parts")
    recording = collect(device, tmp_path / "parts")
    reasons = dict(zip(recording.problems["workload"], recording.problems["reason"], strict=True))
    assert "ONNX Runtime does not load it" in reasons["broken"]
    assert "not the model file that the plan was made for" in reasons["gone"]
    assert set(recording.events["workload"]) == {"a-net", "b-net", "c/net:1"}
    assert not any(str(tmp_path) in reason for reason in reasons.values()), "a recording names no folder of its machine"


@pytest.mark.usefixtures("lock")
def test_nothing_measured_is_an_error_with_the_first_reason(tmp_path, plan, device):
    gone = Workload("gone", "network", "fp32", "gone.onnx", "0")
    record(replace(plan, workloads=(gone,)), tmp_path, tmp_path / "parts")
    with pytest.raises(EdgejouleError, match=r"nothing could be measured: gone\.onnx: not the model file"):
        collect(device, tmp_path / "parts")


def test_a_workload_that_kills_the_process_is_given_up_with_a_reason(tmp_path, plan, device):
    parts, workload = Parts(tmp_path / "parts", plan), plan.workloads[0]
    assert [parts.begin(0, workload) for _ in range(ATTEMPTS)] == list(range(ATTEMPTS))
    recorder.record_part(parts, 0, workload, tmp_path, None, None)
    assert f"the process died {ATTEMPTS} times" in parts.read(0, workload)["problem"]


def test_another_workload_in_flight_does_not_count_as_an_attempt(tmp_path, plan):
    parts = Parts(tmp_path / "parts", plan)
    parts.begin(0, plan.workloads[0])
    assert parts.begin(0, plan.workloads[1]) == 0


def test_one_measurement_at_a_time_on_a_host(tmp_path, plan, monkeypatch):
    monkeypatch.setattr(recorder, "gettempdir", lambda: str(tmp_path))
    with (tmp_path / "edgejoule-measurement.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(EdgejouleError, match="another measurement runs on this machine"):
            record(plan, tmp_path, tmp_path / "parts")


@pytest.mark.usefixtures("lock")
def test_another_runtime_in_the_same_folder_leaves_nothing_of_the_first(tmp_path, plan, device):
    record(plan, tmp_path, tmp_path / "parts")
    record(replace(plan, runtime={"name": "onnxruntime", "threads": 1, "backend": "cpu"}), tmp_path, tmp_path / "parts")
    recording = collect(device, tmp_path / "parts")
    assert (recording.events["kind"] == "network").sum() == 6
    (session,) = recording.meta["sessions"]
    assert session["offset_ns"] > 0 and recording.events["start_ns"].min() > session["offset_ns"]


def test_a_torn_part_is_measured_again(tmp_path, plan):
    parts, workload = Parts(tmp_path / "parts", plan), plan.workloads[2]
    parts.write(0, workload, {"problem": "x"})
    assert parts.read(0, workload)["problem"] == "x"
    path = parts.path(0, workload)
    assert path.name == "network-c%2Fnet%3A1.json", "any name is a file name"
    path.write_text(path.read_text()[:-9])
    assert parts.read(0, workload) is None


@pytest.mark.usefixtures("lock")
def test_a_full_disk_stops_the_recording_in_one_sentence(tmp_path, plan, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EdgejouleError, match=r"plan\.json: cannot be written: No space left on device"):
        record(plan, tmp_path, tmp_path / "parts")
    assert not [path for path in (tmp_path / "parts").rglob("*") if path.is_file()], "nothing half written is left"


@pytest.mark.usefixtures("lock")
def test_damaged_sessions_are_said(tmp_path, plan):
    record(plan, tmp_path, tmp_path / "parts")
    (tmp_path / "parts/sessions.json").write_text("[")
    with pytest.raises(EdgejouleError, match=r"sessions\.json: is damaged, .*; delete the folder"):
        record(plan, tmp_path, tmp_path / "parts")


def test_a_plan_that_is_none_is_refused(tmp_path):
    with pytest.raises(EdgejouleError, match=r"plan\.json: no plan here"):
        Plan.read(tmp_path / "plan.json")
    (tmp_path / "plan.json").write_text('{"workloads": []}')
    with pytest.raises(EdgejouleError, match="not a plan of this version"):
        Plan.read(tmp_path / "plan.json")


RESUMED = """
import json, sys
from pathlib import Path
from edgejoule.measure import protocol, recorder
from edgejoule.measure.plan import Plan
recorder.gettempdir = lambda: sys.argv[1]
folder = Path(sys.argv[1])
recorder.record(Plan.read(folder / "plan.json"), folder, folder / "parts", lambda done, *_: print(done, flush=True))
"""


def test_killed_at_any_moment_it_resumes_and_loses_only_the_workload_in_flight(tmp_path, plan, device):
    (tmp_path / "plan.json").write_text(json.dumps(plan.to_json()))
    command = [sys.executable, "-c", RESUMED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(recorder.__file__).parents[2])}
    kept = 0
    for delay in (0.0, 0.03, 0.09):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        first = int(process.stdout.readline())
        assert first >= kept, "what was finished is not measured again"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        kept = int(rest[-1]) if rest else first
    subprocess.run(command, check=True, env=environment, capture_output=True)
    recording = collect(device, tmp_path / "parts")
    events = recording.events
    assert (events["kind"] == "network").sum() == 6 and recording.problems.empty
    ordered = events.sort_values("start_ns")
    assert (ordered["start_ns"].to_numpy()[1:] >= ordered["end_ns"].to_numpy()[:-1]).all(), "sessions do not overlap"
    sessions = json.loads((tmp_path / "parts/sessions.json").read_text())
    assert len(sessions) == 4
    assert 1 <= len(recording.meta["sessions"]) <= 4, "a session in which nothing was finished is none of the recording"
