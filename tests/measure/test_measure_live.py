"""From a device file to a recording, by the command."""

import sys

import pandas as pd
import pytest
import yaml
from tiny_models import write_conv

from edgejoule.cli import main
from edgejoule.config.load import check
from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.measure import live, protocol, recorder
from edgejoule.measure.prepare import LEAST_OF_A_KIND, kernel_workloads, make_plan
from edgejoule.tables import write_table
from edgejoule.tables.contracts import KERNELS
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
  protocol: {passes: 2, minimum_s: 0.02, maximum_s: 0.05, half_width: 0.2, idle_s: 0.01, kernels: 10}
"""
HEADER = "network\tarchitecture\tfamily\tprecision\tbuilder\targuments\tinput\tparameters\ttop1\ttop1_source\n"
ROWS = (
    'small\tsmall\tsome-family\tfp32\ttimm\t{"name": "small"}\t3x8x8\t10\t\t\n'
    'tiny\ttiny\ttiny-family\tfp32\ttimm\t{"name": "tiny"}\t3x8x8\t10\t\t\n'
    'tiny-int8\ttiny\ttiny-family\tint8\ttimm\t{"name": "tiny"}\t3x8x8\t10\t\t\n'
    'other\tother\tother-family\tfp32\ttimm\t{"name": "other"}\t3x8x8\t10\t\t\n'
)


def kernel(name, network="small", **changes):
    row = {column.name: 1 if str(column.type) == "int64" else "" for column in KERNELS.columns}
    row |= {"network": network, "precision": "fp32", "runtime": "onnxruntime", "kernel": name, "layout": "nchw"}
    row |= {"kind": "relu", "operator": "Relu", "input_channels": 8, "output_channels": 8}
    return row | changes


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorder, "gettempdir", lambda: str(tmp_path))
    exported = []

    def export(row, path, seed):
        exported.append(row.network)
        write_conv(path, size=16)

    monkeypatch.setattr(live, "EXPORTS", dict.fromkeys(live.EXPORTS, (".onnx", export)))
    monkeypatch.setattr(protocol, "CHUNK_NS", 2_000_000)
    (tmp_path / "cpu-onnxruntime-1t.yaml").write_text(FILE)
    (tmp_path / "watts.py").write_text("import time\nprint('1,2', flush=True)\ntime.sleep(9)\n")
    (tmp_path / "networks.tsv").write_text(HEADER + ROWS)
    rows = [
        kernel("a-relu", index=0),
        kernel("a-relu", index=1),
        kernel("a-transpose", index=2, kind="transpose", operator="Transpose"),
        kernel("of-another-network", network="other", index=0),
    ]
    write_table(pd.DataFrame(rows), tmp_path / "kernels.parquet", KERNELS)
    return exported


COMMAND = [
    "measure", "record", "--device-file", "cpu-onnxruntime-1t.yaml", "--zoo", "networks.tsv", "--work", "work",
    "--kernels", "kernels.parquet", "--output", "recording",
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
    assert set(kernels["workload"]) == {"a-relu"} and set(kernels["kernel_kind"]) == {"relu"}
    stated = recording.samples.groupby("event")["duration_ns"].min() / 1e6
    assert (kernels.set_index("event")["latency_ms"] == stated[kernels["event"]]).all()
    reasons = recording.problems.set_index("workload")["reason"]
    assert reasons["tiny-int8"] == "a live measurement exports networks in FP32 only"
    assert reasons["transpose"].startswith("1 configurations of this kind cannot be rebuilt alone")
    assert "measure: 0 of" in capsys.readouterr().err


def test_networks_are_exported_once(project):
    run(COMMAND)
    run(COMMAND)
    assert project == ["small", "tiny"]


def test_the_noise_of_a_recording_is_printed(project, capsys):
    run(COMMAND)
    assert run(["measure", "noise", "recording"]) == 0
    out = capsys.readouterr().out
    assert "| halves, least | minimum | kept | 2 |" in out
    assert run(["measure", "noise", "recording", "--kind", "application"]) == 2


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("kind: live\n  networks: [small, tiny-family]\n", "kind: live\n  networks: [smal]\n", "did you mean 'small'"),
        ("kind: live", "kind: live\n  host: adb://", "measuring over adb is not built yet"),
        ("kind: live", "kind: live\n  host: ssh://127.0.0.1", "host 'ssh://127.0.0.1' cannot be reached"),
        ("kind: constant, watts: 4.0", "kind: rapl, root: /none", "/none/sys/class/powercap: no RAPL domain"),
        (
            "kind: constant, watts: 4.0",
            f"kind: command, command: {sys.executable} watts.py",
            "needs the meter 'constant'",
        ),
        ("name: onnxruntime", "name: openvino", "needs the runtime 'onnxruntime'"),
        ("name: onnxruntime", "name: armnn", "runtime 'armnn' cannot be measured live"),
    ],
)
def test_says_what_cannot_be_measured(project, tmp_path, capsys, old, new, sentence):
    (tmp_path / "cpu-onnxruntime-1t.yaml").write_text(FILE.replace(old, new))
    assert run(COMMAND) == 2
    assert sentence in capsys.readouterr().err


def test_kernels_need_their_table(project, capsys):
    assert run([*COMMAND[:-4], *COMMAND[-2:]]) == 2
    assert "give their table with --kernels" in capsys.readouterr().err


def test_a_sample_of_kernels_has_every_kind_and_no_kernel_twice():
    rows = [kernel(f"c{i}", index=i, kind="conv+bn+relu") for i in range(500)]
    rows += [kernel(f"r{i}", index=500 + i) for i in range(15)] + [kernel("s", index=600, kind="softmax")]
    table = pd.DataFrame(rows + rows)
    sample = kernel_workloads(table, ["small"], 60, 0)
    kinds = pd.Series([workload.configuration["kind"] for workload in sample]).value_counts()
    assert len(sample) == len({workload.name for workload in sample}) == 60
    assert kinds["softmax"] == 1 and kinds["relu"] >= LEAST_OF_A_KIND
    assert kernel_workloads(table, ["small"], 60, 0) == sample != kernel_workloads(table, ["small"], 60, 1)
    assert len(kernel_workloads(table, ["small"], 10_000, 0)) == 516


def test_a_device_without_networks_is_refused():
    device = check(Device, yaml.safe_load(FILE), "test")
    with pytest.raises(EdgejouleError, match="leaves nothing to measure"):
        make_plan(device, [])
