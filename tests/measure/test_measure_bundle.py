"""A bundle on a machine without edgejoule: recorded with a simulated NVML, in steps, collected, and as datasets."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from edgejoule.cli import main
from edgejoule.config.load import load_device
from edgejoule.datasets.device import derive
from edgejoule.errors import EdgejouleError
from edgejoule.graphs.zoo import read_zoo
from edgejoule.measure.bundle import collect_packed, write_bundle
from edgejoule.measure.observed import agreement_table, update_table
from edgejoule.measure.steps import unpack
from edgejoule.tables import write_table
from edgejoule.tables.contracts import PLAN
from edgejoule.tables.vocabulary import AROUND_KINDS
from edgejoule.traces import event_energy, read_recording

SIMULATED = Path(__file__).parent / "simulated"
HEADER = "network\tarchitecture\tfamily\tprecision\tbuilder\targuments\tinput\tparameters\ttop1\ttop1_source\n"
ROW = 'tiny\ttiny\ttiny\tfp32\tedgejoule\t{"line": "mobilenet-v1", "side": 64, "width": 0.25}\t3x64x64\t470329\t\t\n'
DEVICE = {
    "name": "gpu-fp32-b2",
    "title": "A simulated GPU",
    "board": "simulated-gpu",
    "class": "accelerator",
    "runtime": {"name": "pytorch", "backend": "cpu", "threads": 1, "batch": 2, "channels_last": True},
    "meter": {"kind": "nvml", "rate_hz": 200},
    "power_scope": "rail",
    "origin": "measured",
    "source": {
        "kind": "live",
        "networks": ["tiny"],
        "protocol": {
            "passes": 2, "minimum_s": 0.8, "maximum_s": 0.8, "idle_s": 0.2, "kernels": 4, "kernel_passes": 1,
            "kernel_s": 0.5, "meter_s": [0.6],
        },
    },
}  # fmt: skip
MAP = {
    "tail": "", "layout": "nchw", "batch": 1, "input_height": 28, "input_width": 28, "output_height": 28,
    "output_width": 28, "input_channels": 64, "output_channels": 64, "kernel_height": 0, "kernel_width": 0,
    "stride": 1, "dilation": 1, "groups": 1, "inputs": 1, "bytes_in": 4 * 64 * 28 * 28, "bytes_weights": 0,
    "runtime": "pytorch", "precision": "fp32", "macs": 0, "source": "zoo",
}  # fmt: skip
KERNELS = [
    MAP | {"kernel": "a-conv", "kind": "conv+bn+relu", "operator": "Conv", "kernel_height": 3, "kernel_width": 3,
           "bytes_weights": 4 * 64 * 64 * 9},
    MAP | {"kernel": "a-relu", "kind": "relu", "operator": "Relu", "source": "synthetic"},
    MAP | {"kernel": "a-scale", "kind": "mul", "operator": "Mul", "inputs": 2, "bytes_in": 4 * (64 * 28 * 28 + 64)},
    MAP | {"kernel": "a-prelu", "kind": "relu", "operator": "PRelu"},
]  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    pytest.importorskip("torch", reason="the package 'torch' is an extra that is not installed")
    root = tmp_path_factory.mktemp("bundle")
    (root / "gpu-fp32-b2.yaml").write_text(yaml.safe_dump(DEVICE))
    (root / "networks.tsv").write_text(HEADER + ROW)
    kernels = pd.DataFrame([row | {"order": order} for order, row in enumerate(KERNELS)])
    write_table(kernels, root / "plan.parquet", PLAN, {})
    plans = write_bundle(
        [root / "gpu-fp32-b2.yaml"], root / "networks.tsv", root / "out", kernels=root / "plan.parquet"
    )
    assert list(plans) == ["gpu-fp32-b2"] and plans["gpu-fp32-b2"].size() == 1 + 4 + 2
    assert plans["gpu-fp32-b2"].least_s() == pytest.approx(0.6 + 4 * 0.5 + 2 * 0.8 + 7 * 2 * 0.2)
    return root


def step(root, *arguments, **environment):
    """Run the script of the bundle as a machine does that has no edgejoule."""
    paths = os.pathsep.join([str(SIMULATED), str(root / "nothing")])
    environment = {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(root), "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, root / "out" / "record.py", *arguments]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def recording(bundle):
    """What two steps on machines that forget everything give, the first of no length."""
    first = step(bundle, "--minutes", "0", "--output", bundle / "there")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "gpu-fp32-b2: more to do; run this again\n"
    second = step(bundle, EDGEJOULE_TRUTH=str(bundle / "truth.csv"))
    assert second.returncode == 0, second.stderr
    assert second.stdout == "gpu-fp32-b2: finished\n"
    collect_packed(bundle / "gpu-fp32-b2.yaml", bundle / "out" / "results", bundle / "recording")
    return read_recording(bundle / "recording")


def test_a_recording_has_meter_networks_and_kernels(recording):
    events = recording.events
    counts = events[~events["kind"].isin(AROUND_KINDS)].groupby(["kind", "pass"]).size().to_dict()
    assert counts == {("kernel", 0): 3, ("meter", 0): 1, ("network", 0): 1, ("network", 1): 1}
    kernels = events[events["kind"] == "kernel"]
    assert (kernels["iterations"] % 2 == 0).all(), "a run of two inputs is two inferences"
    assert kernels["latency_ms"].isna().all() and kernels["latency_p50_ms"].notna().all()
    assert set(recording.samples["event"]) == {"tiny/0", "tiny/1"}, "runs of kernels are too many to keep each"
    (problem,) = recording.problems.to_dict("records")
    assert problem["workload"] == "a-prelu" and "the weights of PRelu are not in its configuration" in problem["reason"]
    assert recording.meta["settings"]["layout"] == "channels last" and recording.meta["settings"]["batch"] == "2"
    assert [rail.name for rail in recording.rails] == ["counter", "instant", "power"]


def test_energies_of_kernels_and_networks_are_those_that_the_gpu_drew(bundle, recording):
    truth = pd.read_csv(bundle / "truth.csv", names=["t_ns", "joules"]).drop_duplicates("t_ns")
    # The log has the clock of the machine, the recording its own: they meet in the readings.
    first = json.loads((bundle / "out" / "work" / "gpu-fp32-b2" / "sessions.json").read_text())[-1]
    assert first["offset_ns"] > 0, "the second session goes on behind the first"
    energies = event_energy(recording).set_index("event")
    runs = recording.events[recording.events["kind"].isin(["network", "kernel"])]
    assert len(runs) == 5
    shift = shift_of(recording, truth)
    for run in runs.itertuples():
        edges = np.interp([run.start_ns + shift, run.end_ns + shift], truth["t_ns"], truth["joules"])
        assert energies.loc[run.event, "energy_j"] == pytest.approx(edges[1] - edges[0], rel=0.04), run.event
        assert 50 < energies.loc[run.event, "power_w"] < 155


def shift_of(recording, truth):
    """Return what takes the recording's clock to the machine's (ns), by which the rises of both counters fit best."""
    counter = recording.trace[recording.trace["rail"] == "counter"]
    rises = counter[counter["energy_j"].diff() > 0]
    # A reading of the counter is made at a moment that the truth has too, with the same energy to a millijoule.
    exact = truth.assign(shown=(truth["joules"] * 1e3).round() / 1e3).drop_duplicates("shown")
    joined = rises.merge(exact, left_on="energy_j", right_on="shown", suffixes=("", "_there"))
    assert len(joined) > 20
    return float((joined["t_ns_there"] - joined["t_ns"]).median())


def test_the_meter_was_observed_before_all_else(recording):
    assert recording.events.loc[recording.events["kind"] != "idle", "workload"].iloc[0] == "meter"
    updates = update_table(recording).set_index("rail")
    assert 35 < updates.loc["counter", "update_ms"] < 80, "the simulated counter shows its value every 40 ms"
    assert 45 < updates.loc["counter", "idle_before_w"] < 90
    loads = agreement_table(recording)
    assert set(loads["rail"]) == {"counter", "instant", "power"} and loads["load_s"].between(0.5, 2).all()
    assert (loads.loc[loads["rail"] == "counter", "against_used_percent"] == 0).all()
    assert loads["against_used_percent"].abs().max() < 25


def test_datasets_have_measured_energies_of_kernels(bundle, recording):
    zoo = read_zoo(bundle / "networks.tsv")
    tables = derive(recording, load_device(bundle / "gpu-fp32-b2.yaml"), zoo, zoo)
    kernels = tables["kernels"].set_index("kernel")
    assert set(kernels.index) == {"a-conv", "a-relu", "a-scale"}
    assert set(kernels["origin"]) == {"measured"} and set(kernels["kernel_source"]) == {"zoo", "synthetic"}
    assert kernels["energy_mj"].gt(0).all()
    np.testing.assert_allclose(kernels["power_w"] * kernels["latency_ms"], kernels["energy_mj"])
    assert kernels["idle_before_w"].between(45, 155).all()
    assert kernels.loc["a-conv", "energy_mj"] > 2 * kernels.loc["a-relu", "energy_mj"]
    (network,) = tables["networks"].to_dict("records")
    assert network["origin"] == "measured" and network["energy_mj"] > 0 and network["precision"] == "fp32"


def test_a_finished_bundle_measures_nothing_again(bundle, recording):
    before = sorted((bundle / "out" / "results").rglob("*"))
    again = step(bundle)
    assert again.stdout == "gpu-fp32-b2: finished\n" and "of 7" not in again.stderr
    after = sorted((bundle / "out" / "results").rglob("*"))
    assert len(after) - len(before) <= 1, "its session only"


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "gpu").mkdir()
    (tmp_path / "gpu" / "1.tar.xz").write_bytes(b"no archive")
    with pytest.raises(EdgejouleError, match=r"1\.tar\.xz: is damaged .*copy it again, or delete it"):
        unpack(tmp_path / "gpu", tmp_path)


def test_says_that_nothing_came_back(bundle, tmp_path):
    with pytest.raises(EdgejouleError, match="no packed results of device 'gpu-fp32-b2'"):
        collect_packed(bundle / "gpu-fp32-b2.yaml", tmp_path, tmp_path / "recording")


def test_the_commands_do_it_too(bundle, recording, tmp_path, capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([*map(str, arguments)])
        return stopped.value.code

    device = bundle / "gpu-fp32-b2.yaml"
    plan = ["--zoo", bundle / "networks.tsv", "--kernels", bundle / "plan.parquet", "--references", tmp_path / "none"]
    device.with_name("remote.yaml").write_text(
        yaml.safe_dump(DEVICE | {"name": "remote", "source": DEVICE["source"] | {"host": "ssh://board"}})
    )
    assert run("measure", "bundle", "--device-file", device.with_name("remote.yaml"), "--output", tmp_path, *plan) == 2
    assert "a bundle is run where it is: leave 'host' out" in capsys.readouterr().err
    results = ["--results", bundle / "out" / "results", "--output", tmp_path / "recording"]
    assert run("measure", "collect", "--device-file", device, *results) == 0
    assert run("measure", "meter", tmp_path / "recording") == 0
    assert "| rail | readings | changes | update_ms |" in capsys.readouterr().out
