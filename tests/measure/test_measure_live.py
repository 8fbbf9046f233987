"""From a device file to a recording, by the command."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tiny_models import write_conv

from edgejoule.cli import main
from edgejoule.config.load import check
from edgejoule.config.models import Device
from edgejoule.datasets.device import derive
from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo
from edgejoule.measure import exports, prepare, protocol, recorder
from edgejoule.measure.prepare import kernel_workloads, make_plan
from edgejoule.tables import write_table
from edgejoule.tables.contracts import PLAN
from edgejoule.traces import read_recording

FILE = """\
name: cpu-onnxruntime-1t
title: A processor
board: cpu
class: computer
runtime: {name: onnxruntime, threads: 1}
meter: {kind: constant, watts: 4.0, watts_source: declared for the test}
power_scope: model
origin: estimated
source:
  kind: live
  networks: [small, tiny-family]
  protocol: {passes: 2, minimum_s: 0.02, maximum_s: 0.05, half_width: 0.2, idle_s: 0.01, kernels: 3, isolated: true}
"""
HEADER = "network\tarchitecture\tfamily\tprecision\tbuilder\targuments\tinput\tparameters\ttop1\ttop1_source\n"
ROWS = (
    'small\tsmall\tsome-family\tfp32\ttimm\t{"name": "small"}\t3x8x8\t10\t\t\n'
    'tiny\ttiny\ttiny-family\tfp32\ttimm\t{"name": "tiny"}\t3x8x8\t10\t\t\n'
    'tiny-int8\ttiny\ttiny-family\tint8\ttimm\t{"name": "tiny"}\t3x8x8\t10\t\t\n'
    'other\tother\tother-family\tfp32\ttimm\t{"name": "other"}\t3x8x8\t10\t\t\n'
)
REFERENCES = (
    'detector\tdetector\tdetectors\tfp32\treference\t{"name": "detector"}\t3x8x8\t10\t\t\n'
    'detector-fp16\tdetector\tdetectors\tfp16\treference\t{"name": "detector"}\t3x8x8\t10\t\t\n'
)


def kernel(order, name, **changes):
    row = dict.fromkeys(prepare.CONFIGURATION, 1)
    row |= {"order": order, "source": "zoo", "runtime": "onnxruntime", "kernel": name, "precision": "fp32", "macs": 0}
    row |= {"kind": "relu", "operator": "Relu", "tail": "", "layout": "nchw", "input_channels": 8, "output_channels": 8}
    return row | changes


def write_plan(path, rows, **about):
    write_table(pd.DataFrame(rows), path, PLAN, about)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorder, "gettempdir", lambda: str(tmp_path))
    exported = []

    def export(row, path, seed, pretrained):
        exported.append(row.network)
        write_conv(path, size=16)

    monkeypatch.setattr(exports, "EXPORTS", dict.fromkeys(exports.EXPORTS, (".onnx", export)))
    monkeypatch.setattr(protocol, "CHUNK_NS", 2_000_000)
    (tmp_path / "cpu-onnxruntime-1t.yaml").write_text(FILE)
    (tmp_path / "networks.tsv").write_text(HEADER + ROWS)
    (tmp_path / "references.tsv").write_text(HEADER + REFERENCES)
    rows = [
        kernel(0, "a-relu"),
        kernel(1, "drawn", source="synthetic"),
        kernel(2, "strange", kind="add", operator="Add", inputs=2, bytes_in=99),
        kernel(3, "too-late"),
    ]
    left_out = [{"kind": "transpose", "reason": "cannot be rebuilt alone", "kernels": 7}]
    write_plan(tmp_path / "kernels.parquet", rows, left_out=left_out)
    return exported


COMMAND = [
    "measure", "record", "--device-file", "cpu-onnxruntime-1t.yaml", "--zoo", "networks.tsv", "--work", "work",
    "--references", "references.tsv", "--kernels", "kernels.parquet", "--output", "recording",
]  # fmt: skip


def run(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code


def test_records_networks_and_kernels_that_the_device_file_asks_for(project, capsys):
    assert run(COMMAND) == 0
    recording = read_recording("recording")
    events = recording.events
    assert set(events.loc[events["kind"] == "network", "workload"]) == {"small", "tiny"}
    kernels = events[events["kind"] == "kernel"]
    assert set(zip(kernels["workload"], kernels["kernel_source"], strict=True)) == {
        ("a-relu", "zoo"), ("drawn", "synthetic")
    }  # fmt: skip
    assert set(kernels["kernel_kind"]) == {"relu"}
    stated = recording.samples.groupby("event")["duration_ns"].min() / 1e6
    assert (kernels.set_index("event")["latency_ms"] == stated[kernels["event"]]).all()
    reasons = recording.problems.set_index("workload")["reason"]
    assert reasons["tiny-int8"] == "the device file asks for other precisions ('source.precisions')"
    assert reasons["transpose"].startswith("7 configurations of this kind: cannot be rebuilt alone")
    assert "no broadcast to (1, 8, 1, 1) explains" in reasons["strange"]
    printed = capsys.readouterr()
    assert "measure: 0 of" in printed.err
    assert re.match(
        r"recording: 2 networks, 1 reference networks, 2 kernels; passes: 2; problems: 4 \(problems\.parquet\); "
        r"disturbed: \d+ of 10 windows",
        printed.out,
    )


def test_records_the_reference_networks_of_the_applications(project, tmp_path):
    assert run(COMMAND) == 0
    recording = read_recording("recording")
    events = recording.events[recording.events["kind"] == "application"]
    assert set(events["workload"]) == {"detector"} and events["pass"].tolist() == [0, 1]
    reasons = recording.problems.set_index("workload")["reason"]
    assert reasons["detector-fp16"] == "networks for the runtime 'onnxruntime' are not exported in FP16"
    (tmp_path / "cpu-onnxruntime-1t.yaml").write_text(FILE.replace("kind: live", "kind: live\n  references: false"))
    assert run(COMMAND) == 0
    assert "application" not in set(read_recording("recording").events["kind"])


def test_records_int8_networks_where_the_device_file_asks_for_them(project, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "export_with_weights", lambda row, path, seed, pretrained: write_conv(path, size=16))
    asked = FILE.replace("kind: live", "kind: live\n  precisions: [int8, fp16]")
    (tmp_path / "cpu-onnxruntime-1t.yaml").write_text(asked)
    assert run(COMMAND) == 0
    recording = read_recording("recording")
    networks = recording.events[recording.events["kind"] == "network"]
    assert set(zip(networks["workload"], networks["precision"], strict=True)) == {("tiny-int8", "int8")}
    assert "QLinearConv" in set(recording.nodes["operator"]), "quantised, not FP32 under a wrong name"
    reasons = recording.problems.set_index("workload")["reason"]
    assert reasons[["small", "tiny"]].str.startswith("the device file asks for other precisions").all()
    device = check(Device, yaml.safe_load(asked), "test")
    derived = derive(recording, device, read_zoo(Path("networks.tsv")), read_zoo(Path("references.tsv")))["networks"]
    measured = derived[derived["quality"] != "failed"].iloc[0]
    assert (measured["network"], measured["precision"], measured["architecture"]) == ("tiny-int8", "int8", "tiny")
    assert measured["latency_ms"] > 0 and measured["energy_mj"] == pytest.approx(4.0 * measured["latency_ms"])


def test_networks_are_exported_once_and_the_end_is_said_even_if_nothing_is_left(project, capsys):
    run(COMMAND)
    capsys.readouterr()
    run(COMMAND)
    assert project == ["small", "tiny", "detector"]
    done, total = re.fullmatch(r"measure: (\d+) of (\d+)", capsys.readouterr().err.splitlines()[-1]).groups()
    assert done == total


def test_the_noise_of_a_recording_is_printed(project, capsys):
    run(COMMAND)
    assert run(["measure", "noise", "recording"]) == 0
    out = capsys.readouterr().out
    assert "| two passes | minimum | kept | 2 |" in out
    assert "halves" not in out, "of two passes, the halves are the passes"
    assert run(["measure", "noise", "recording", "--kind", "kernel", "--minimum-ms", "900"]) == 2


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("kind: live\n  networks: [small, tiny-family]\n", "kind: live\n  networks: [smal]\n", "did you mean 'small'"),
        ("kind: live", "kind: live\n  host: adb://no-such-phone", "host 'adb://no-such-phone'"),
        ("kind: live", "kind: live\n  host: ssh://127.0.0.1", "host 'ssh://127.0.0.1' cannot be reached"),
        ("kind: constant, watts: 4.0", "kind: rapl, root: /none", "/none/sys/class/powercap: no RAPL domain"),
        (
            "threads: 1",
            "threads: 1, batch: 8",
            "are measured with pytorch only; 'onnxruntime' runs networks as they are",
        ),
        ("name: onnxruntime", "name: armnn", "runtime 'armnn' cannot be measured live"),
        ("threads: 1", "threads: 4000", "'threads' is 4000, but this process may use"),
        ("minimum_s: 0.02", "minimum_s: 0.06", "'minimum_s' is 0.06, more than 'maximum_s', 0.05"),
        ("kind: live", "kind: live\n  precisions: [int9]", "precisions"),
    ],
)
def test_says_what_cannot_be_measured(project, tmp_path, capsys, old, new, sentence):
    (tmp_path / "cpu-onnxruntime-1t.yaml").write_text(FILE.replace(old, new))
    assert run(COMMAND) == 2
    assert sentence in capsys.readouterr().err


def test_what_is_no_recording_is_not_replaced_by_one(project, tmp_path, capsys):
    (tmp_path / "recording").write_text("a letter")
    assert run(COMMAND) == 2
    assert "recording: is a file; a recording is a folder, so give another place" in capsys.readouterr().err
    (tmp_path / "recording").unlink()
    (tmp_path / "recording").mkdir()
    (tmp_path / "recording/letter").write_text("dear")
    assert run(COMMAND) == 2
    assert "recording: holds 'letter', which is no part of a recording" in capsys.readouterr().err
    assert not project, "said before anything is exported"


def test_kernels_need_their_table(project, capsys):
    assert run([*COMMAND[:-4], *COMMAND[-2:]]) == 2
    assert "make a plan with 'edgejoule graphs plan' and give it with --kernels" in capsys.readouterr().err


def test_the_first_kernels_of_the_plan_are_taken_in_its_order(tmp_path):
    path = tmp_path / "plan.parquet"
    write_plan(path, [kernel(order, f"k{order}", source="synthetic") for order in (2, 0, 1)])
    workloads = kernel_workloads(path, "onnxruntime", 2)
    assert [workload.name for workload in workloads] == ["k0", "k1"]
    assert json.loads(json.dumps(workloads[0].configuration)) == {
        name: kernel(0, "k0", source="synthetic")[name] for name in prepare.CONFIGURATION
    }


@pytest.mark.parametrize(
    ("runtime", "count", "absent", "sentence"),
    [
        ("onnxruntime", 3, None, "has 2 kernels, fewer than the 3 of 'source.protocol.kernels'"),
        ("openvino", 2, None, "is a plan for runtime 'onnxruntime'; the device runs 'openvino'"),
        ("onnxruntime", 2, "layout", "has no column 'layout'; make the plan with 'edgejoule graphs plan'"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(tmp_path, runtime, count, absent, sentence):
    path = tmp_path / "plan.parquet"
    rows = [{key: value for key, value in kernel(order, f"k{order}").items() if key != absent} for order in (0, 1)]
    write_plan(path, rows)
    with pytest.raises(EdgejouleError, match=re.escape(sentence)):
        kernel_workloads(path, runtime, count)


def test_a_device_without_networks_is_refused():
    device = check(Device, yaml.safe_load(FILE), "test")
    with pytest.raises(EdgejouleError, match="leaves nothing to measure"):
        make_plan(device, [])
