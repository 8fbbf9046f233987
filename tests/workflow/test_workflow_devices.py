"""Devices in the workflow: adding a file adds that device's jobs; a wrong file stops at once."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

SNAKEMAKE = [str(Path(sys.executable).with_name("snakemake")), "--cores", "2"]


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([*SNAKEMAKE, *arguments], cwd=folder, capture_output=True, text=True, timeout=300)


def jobs(printed: str) -> set[tuple[str, str]]:
    """Return (rule, device) of every job that a dry run prints; the device is empty for tables of all devices."""
    found = re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", printed, flags=re.M)
    return {(rule, (re.search(r"device=(\S+)", text) or ["", ""])[1].rstrip(",")) for rule, text in found}


@pytest.fixture
def checkout(tmp_path, root):
    """The workflow with the boards' table cut down to two devices, in a folder of its own."""
    for name in ("Snakefile", "workflow", "resources", "profiles"):
        (tmp_path / name).symlink_to(root / name)
    shutil.copytree(root / "config", tmp_path / "config")
    devices = tmp_path / "config" / "devices"
    keep = ("rpi4-tflite-v2.7.1-ruy.yaml", "rpi4-armnn-v21.11-neon.yaml")
    for file in devices.rglob("*.yaml"):
        if file.name not in keep:
            file.unlink()
    config = tmp_path / "config" / "config.yaml"
    text, cut = re.subn(r"prior_devices:\n(    - .*\n)+", "prior_devices: []\n", config.read_text())
    assert cut == 1
    config.write_text(text)
    return tmp_path


def test_a_new_file_adds_its_jobs_and_the_tables_of_all_devices_only(checkout):
    done = snakemake(checkout, "datasets")
    assert done.returncode == 0, done.stderr
    assert not jobs(snakemake(checkout, "--dry-run", "datasets", "--quiet", "host").stdout)

    old = checkout / "config/devices/rpi4-tflite-v2.7.1-ruy.yaml"
    new = yaml.safe_load(old.read_text()) | {"name": "odroid-armnn-v21.11-opencl", "board": "odroid-n2-plus"}
    (checkout / "config/devices/odroid-armnn-v21.11-opencl.yaml").write_text(yaml.safe_dump(new))
    printed = snakemake(checkout, "--dry-run", "datasets", "--quiet", "host").stdout
    assert {device for _, device in jobs(printed) if device} == {"odroid-armnn-v21.11-opencl"}
    assert ("consolidate", "") in jobs(printed)


def test_times_of_kernels_that_were_lost_are_made_again(checkout, root):
    name = "epyc-litert-1t"
    shutil.copy(root / f"config/devices/{name}.yaml", checkout / f"config/devices/{name}.yaml")
    folder = f"results/traces/{name}"
    done = snakemake(checkout, f"{folder}/recording.json")
    assert done.returncode == 0, done.stderr
    predictor = f"results/predictors/{name}/predictor.json"
    printed = snakemake(checkout, "--dry-run", predictor, "--quiet", "host").stdout
    assert ("predictor", name) in jobs(printed) and ("import_recording", name) not in jobs(printed)
    for table in ("nodes", "samples"):
        (checkout / folder / f"{table}.parquet").unlink()
        printed = snakemake(checkout, "--dry-run", predictor, "--quiet", "host").stdout
        assert ("import_recording", name) in jobs(printed)
        assert snakemake(checkout, f"{folder}/{table}.parquet").returncode == 0


def test_a_server_processor_is_not_predicted_unmeasured_from_boards(checkout, root):
    name, boards = "epyc-litert-1t", ["rpi4-tflite-v2.7.1-ruy", "odroid-armnn-v21.11-opencl"]
    for device in (name, boards[1]):
        shutil.copy(root / f"config/devices/{device}.yaml", checkout / f"config/devices/{device}.yaml")
    config = checkout / "config" / "config.yaml"
    text = config.read_text()
    assert "prior_devices: []" in text
    config.write_text(text.replace("prior_devices: []", f"prior_devices: [{', '.join([*boards, name])}]"))
    targets = [f"results/validation/{device}/networks.parquet" for device in (name, boards[0])]
    printed = snakemake(checkout, "--dry-run", "--quiet", "host", "--printshellcmds", *targets).stdout
    runs = [line for line in printed.splitlines() if "edgejoule validation run" in line]
    device = re.compile(r"--output results/validation/(\S+)/")
    protocols = {device.search(run)[1]: set(re.findall(r"--protocol=(\S+)", run)) for run in runs}
    assert protocols[boards[0]] - protocols[name] == {"leave-one-board-out"}
    assert "transfer-k10" in protocols[name]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("config/config.yaml", "devices: all", "devices: [rpi4-tflite]", "unknown device 'rpi4-tflite'; did you mean"),
        ("config/config.yaml", "scores:", "skores:", "unknown key 'skores'; did you mean 'scores'"),
        ("config/config.yaml", "budgets: 100", "budgets_mj: [-5]", "budgets_mj"),
        (
            "config/devices/rpi4-tflite-v2.7.1-ruy.yaml",
            "board: rasp",
            "bored: rasp",
            "unknown key 'bored'; did you mean 'board'",
        ),
    ],
)
def test_a_wrong_configuration_stops_in_seconds_with_the_nearest_name(checkout, file, old, new, message):
    path = checkout / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    start = time.perf_counter()
    stopped = snakemake(checkout, "--dry-run")
    assert time.perf_counter() - start < 20, "goal: 3 s (see benchmarks); a wide margin for a busy machine"
    assert stopped.returncode != 0
    printed = stopped.stdout + stopped.stderr
    assert message in printed
    assert "Traceback" not in printed
