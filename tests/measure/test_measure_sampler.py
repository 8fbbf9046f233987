"""The sampling process."""

import sys
import time

import numpy as np
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.measure.sampler import Sampler

RAPL = "sys/class/powercap/intel-rapl:0"


@pytest.fixture
def meter(tmp_path):
    folder = tmp_path / RAPL
    folder.mkdir(parents=True)
    for name, text in {"name": "package-0", "energy_uj": "2500000", "max_energy_range_uj": "262143328850"}.items():
        (folder / name).write_text(text)
    return {"kind": "rapl", "root": str(tmp_path), "rate_hz": 100}


def readings(path):
    lines = [line.split(",") for line in path.read_text().splitlines()]
    return np.array([int(line[0]) for line in lines]), [line[1] for line in lines], [float(line[2]) for line in lines]


def test_samples_at_the_declared_rate_on_the_recorders_clock(tmp_path, meter):
    before = time.monotonic_ns()
    with Sampler(meter, tmp_path / "trace.csv", shift_ns=10**18) as sampler:
        time.sleep(0.6)
    after = time.monotonic_ns()
    stamps, names, values = readings(tmp_path / "trace.csv")
    assert set(names) == {"package-0"} and set(values) == {2.5}
    assert before <= stamps[0] - 10**18 and stamps[-1] - 10**18 <= after
    assert (np.diff(stamps) > 0).all()
    assert np.median(np.diff(stamps)) == pytest.approx(1e7, rel=0.2)
    assert sampler.observed_hz == pytest.approx(100, rel=0.2)
    assert sampler.rails[0]["name"] == "package-0"


def test_says_what_it_costs(tmp_path, meter):
    with Sampler(meter, tmp_path / "trace.csv") as sampler:
        time.sleep(1.0)
    assert 0 < sampler.share < 0.05, "the aim is 1 % of a core at 100 Hz; a busy machine may show more"


def test_the_first_reading_is_there_when_the_workload_starts(tmp_path, meter):
    with Sampler(meter, tmp_path / "trace.csv"):
        now = time.monotonic_ns()
    assert readings(tmp_path / "trace.csv")[0][0] < now


def test_a_meter_that_does_not_open_stops_before_the_workload(tmp_path):
    with (
        pytest.raises(EdgejouleError, match="no RAPL domain"),
        Sampler({"kind": "rapl", "root": str(tmp_path)}, tmp_path),
    ):
        pytest.fail("the workload ran without a meter")


def test_a_meter_that_breaks_down_is_an_error_of_the_measurement(tmp_path, meter):
    with pytest.raises(EdgejouleError, match="the sensor gave no whole number"):  # noqa: SIM117
        with Sampler(meter, tmp_path / "trace.csv"):
            (tmp_path / RAPL / "energy_uj").write_text("broken")
            time.sleep(0.2)


def test_a_sensor_that_was_swapped_meanwhile_is_an_error_of_the_measurement(tmp_path, meter):
    with pytest.raises(EdgejouleError, match="energy_uj: the sensor does not answer: its file was removed or made"):  # noqa: SIM117
        with Sampler(meter, tmp_path / "trace.csv"):
            (tmp_path / RAPL / "energy_uj").rename(tmp_path / "elsewhere")
            (tmp_path / "elsewhere").unlink()
            (tmp_path / RAPL / "energy_uj").write_text("5")


def test_a_slow_meter_ends_with_the_workload_not_with_its_next_reading(tmp_path, meter):
    with Sampler(meter | {"rate_hz": 0.1}, tmp_path / "trace.csv"):
        start = time.monotonic()
    assert time.monotonic() - start < 5
    assert len(readings(tmp_path / "trace.csv")[0]) == 2, "the first, and one at the end"


def test_what_stops_the_workload_is_told_rather_than_what_it_did_to_the_sampler(tmp_path, meter):
    with pytest.raises(ZeroDivisionError), Sampler(meter, tmp_path / "trace.csv"):
        (tmp_path / RAPL / "energy_uj").write_text("broken")
        time.sleep(0.1)
        raise ZeroDivisionError


def test_a_sampler_that_dies_is_said(tmp_path, meter):
    with pytest.raises(EdgejouleError, match="the sampler died"):  # noqa: SIM117
        with Sampler(meter, tmp_path / "trace.csv") as sampler:
            sampler.process.kill()


def test_the_sampler_ends_when_the_recorder_dies(tmp_path, meter):
    import subprocess

    code = (
        "import json, os, signal, sys; from pathlib import Path; from edgejoule.measure.sampler import Sampler\n"
        f"sampler = Sampler({meter!r}, Path({str(tmp_path / 't.csv')!r})).__enter__()\n"
        "print(sampler.process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    source = sys.modules["edgejoule"].__path__[0].rsplit("/", 1)[0]
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": source})
    pid = int(dead.stdout)
    end = time.monotonic() + 5
    while time.monotonic() < end and _alive(pid):
        time.sleep(0.02)
    assert not _alive(pid)


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as handle:  # noqa: PTH123
            return handle.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
