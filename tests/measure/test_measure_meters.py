"""Meters on trees of files, on programs, and on a recorded NVML stream."""

import math
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.measure.meters import lines, open_meter
from edgejoule.measure.meters.lines import StampedWatts, tegrastats
from edgejoule.measure.meters.nvml import Nvml
from edgejoule.traces import Rail
from edgejoule.traces.importers.formats import read_trace_file


def tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return {"root": str(root)}


def rails(meter):
    """Return the rails as the traces stage reads them; a wrong declaration stops."""
    return {rail["name"]: Rail.from_meta(rail, "test") for rail in meter.rails}


RAPL = {
    "sys/class/powercap/intel-rapl:0/name": "package-0",
    "sys/class/powercap/intel-rapl:0/energy_uj": 262143000000,
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": 262143328850,
    "sys/class/powercap/intel-rapl:0:0/name": "core",
    "sys/class/powercap/intel-rapl:0:0/energy_uj": 1000000,
    "sys/class/powercap/intel-rapl:0:0/max_energy_range_uj": 262143328850,
    "sys/class/powercap/intel-rapl:1/name": "package-1",
    "sys/class/powercap/intel-rapl:1/energy_uj": 5,
    "sys/class/powercap/intel-rapl:1/max_energy_range_uj": 65712999613,
    "sys/class/powercap/intel-rapl:1:0/name": "core",
    "sys/class/powercap/intel-rapl:1:0/energy_uj": 7,
    "sys/class/powercap/intel-rapl:1:0/max_energy_range_uj": 65712999613,
}


def test_rapl_counts_packages_and_declares_where_they_wrap(tmp_path):
    meter = open_meter({"kind": "rapl", **tree(tmp_path, RAPL)})
    found = rails(meter)
    assert {name for name, rail in found.items() if rail.used} == {"package-0", "package-1"}
    assert found["package-0"].sampling == "counter"
    assert found["package-0"].wrap_j == pytest.approx(262143.32885)
    assert dict(reading[:2] for reading in meter.read())["package-0"] == pytest.approx(262143.0)
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").write_text("671150\n")
    assert dict(reading[:2] for reading in meter.read())["package-0"] == pytest.approx(0.67115), "wrapped, as it stands"


def test_a_rapl_counter_that_is_set_back_is_not_taken_for_one_that_wrapped(tmp_path):
    meter = open_meter({"kind": "rapl", **tree(tmp_path, RAPL)})
    assert dict(reading[:2] for reading in meter.read())["core"] == 1.0
    (tmp_path / "sys/class/powercap/intel-rapl:0:0/energy_uj").write_text("999999\n")
    with pytest.raises(EdgejouleError, match="energy_uj: the counter went back from 1000000 to 999999 uJ, far from"):
        meter.read()


def test_rapl_says_what_is_missing(tmp_path):
    with pytest.raises(EdgejouleError, match="no RAPL domain here; load the module"):
        open_meter({"kind": "rapl", "root": str(tmp_path)})


def test_a_sensor_that_breaks_down_is_an_error_not_a_zero(tmp_path):
    meter = open_meter({"kind": "rapl", **tree(tmp_path, RAPL)})
    (tmp_path / "sys/class/powercap/intel-rapl:1/energy_uj").write_text("n/a\n")
    with pytest.raises(EdgejouleError, match="energy_uj: the sensor gave no whole number"):
        meter.read()
    meter.close()


def test_a_sensor_whose_driver_goes_away_is_an_error_at_once(tmp_path):
    # A file of the kernel's that goes away while it is open, as a sensor's does: that of a process.
    program = subprocess.Popen(["sleep", "60"])
    settings = {"kind": "hwmon", **tree(tmp_path, {"sys/class/hwmon/hwmon1/name": "ina219"})}
    (tmp_path / "sys/class/hwmon/hwmon1/power1_input").symlink_to(f"/proc/{program.pid}/oom_score_adj")
    meter = open_meter(settings)
    Path(f"/proc/{program.pid}/oom_score_adj").write_text("500")
    assert meter.read() == [("ina219:power1", pytest.approx(500e-6), None)], "what is there now, not when it was opened"
    program.kill()
    program.wait()
    with pytest.raises(EdgejouleError, match="power1_input: the sensor does not answer: No such process"):
        meter.read()


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("kind", ["rapl", "hwmon"])
def test_a_sensors_file_that_is_removed_or_made_anew_is_an_error_in_the_end(tmp_path, kind, anew):
    meter = open_meter({"kind": kind, **tree(tmp_path, RAPL | INA3221)})
    name = {"rapl": "powercap/intel-rapl:1/energy_uj", "hwmon": "hwmon/hwmon3/curr2_input"}[kind]
    (tmp_path / "sys/class" / name).unlink()
    if anew:
        tree(tmp_path, {f"sys/class/{name}": 7})
    meter.read()
    with pytest.raises(EdgejouleError, match=f"{name}: the sensor does not answer: its file was removed or made anew"):
        meter.close()


def test_a_sensor_that_may_not_be_read_is_said_before_anything_is_measured(tmp_path, monkeypatch):
    settings = {"kind": "rapl", **tree(tmp_path, RAPL)}
    real = Path.open

    def refuse(path, *mode, **more):
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(path, *mode, **more)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(EdgejouleError, match="energy_uj: may not be read; run as root, or: sudo chmod a"):
        open_meter(settings)


INA3221 = {
    "sys/class/hwmon/hwmon3/name": "ina3221",
    "sys/class/hwmon/hwmon3/update_interval": 2,
    "sys/class/hwmon/hwmon3/in1_label": "VDD_IN",
    "sys/class/hwmon/hwmon3/in1_input": 5000,
    "sys/class/hwmon/hwmon3/curr1_input": 820,
    "sys/class/hwmon/hwmon3/in2_label": "VDD_CPU_GPU_CV",
    "sys/class/hwmon/hwmon3/in2_input": 5000,
    "sys/class/hwmon/hwmon3/curr2_input": 100,
    "sys/class/hwmon/hwmon3/in4_input": 41,
    "sys/class/hwmon/hwmon3/curr4_input": 920,
    "sys/class/hwmon/hwmon3/in7_label": "sum of shunt voltages",
    "sys/class/hwmon/hwmon3/in7_input": 46,
    "sys/class/hwmon/hwmon0/name": "cpu_thermal",
    "sys/class/hwmon/hwmon0/temp1_input": 45000,
}
INA219 = {"sys/class/hwmon/hwmon1/name": "ina219", "sys/class/hwmon/hwmon1/power1_input": 3500000}


def test_hwmon_multiplies_voltage_and_current_and_counts_the_boards_input_alone(tmp_path):
    meter = open_meter({"kind": "hwmon", **tree(tmp_path, INA3221)})
    assert dict(reading[:2] for reading in meter.read()) == pytest.approx(
        {"ina3221:VDD_IN": 4.1, "ina3221:VDD_CPU_GPU_CV": 0.5}
    )
    found = rails(meter)
    assert [rail.used for rail in found.values()] == [True, False]
    assert found["ina3221:VDD_IN"].window_ns == 2_000_000


def test_hwmon_reads_a_power_channel_and_can_be_told_which_sensor(tmp_path):
    settings = {"kind": "hwmon", **tree(tmp_path, INA3221 | INA219)}
    both = open_meter(settings)
    assert len(both.rails) == 3
    one = open_meter(settings | {"name": "ina219"})
    assert one.read() == [("ina219:power1", pytest.approx(3.5), None)]
    with pytest.raises(EdgejouleError, match="did you mean 'ina219'"):
        open_meter(settings | {"name": "ina218"})


def test_hwmon_without_power_is_said(tmp_path):
    with pytest.raises(EdgejouleError, match="no sensor of power is there"):
        open_meter({"kind": "hwmon", **tree(tmp_path, {"sys/class/hwmon/hwmon0/name": "cpu_thermal"})})


XAVIER = (
    "RAM 2345/7763MB (lfb 4x4MB) SWAP 0/3882MB (cached 0MB) CPU [12%@1190,off] EMC_FREQ 0% GR3D_FREQ 0% AO@40C "
    "thermal@41.2C POM_5V_IN 2101/2032 POM_5V_GPU 40/40 POM_5V_CPU 484/457"
)
ORIN = (
    "06-01-2026 10:00:00 RAM 3049/7620MB CPU [3%@729] VDD_IN 4021mW/4000mW VDD_CPU_GPU_CV 554mW/554mW "
    "VDD_SOC 1188mW/1188mW"
)


def test_tegrastats_lines_of_old_and_new_boards():
    assert tegrastats(XAVIER, 5) == [("POM_5V_IN", 2.101, 5), ("POM_5V_GPU", 0.04, 5), ("POM_5V_CPU", 0.484, 5)]
    assert [reading[:2] for reading in tegrastats(ORIN, 5)] == [
        ("VDD_IN", 4.021), ("VDD_CPU_GPU_CV", 0.554), ("VDD_SOC", 1.188),
    ]  # fmt: skip
    assert not tegrastats("RAM 2345/7763MB SWAP 0/3882MB", 5), "memory is no power"


THOR = (
    "06-01-2026 10:00:00 RAM 3049/7620MB CPU [3%@729] VDD_GPU -392mW/-392mW VDD_CPU_SOC_MSS 12000mW/1mW "
    "VIN_SYS_5V0 5000mW/1mW VIN 20000mW/20000mW"
)
AGX_ORIN = (
    "06-01-2026 10:00:00 RAM 3049/7620MB CPU [3%@729] VDD_GPU_SOC 3000mW/1mW VDD_CPU_CV 1000mW/1mW "
    "VIN_SYS_5V0 4000mW/1mW VDDQ_VDD2_1V8AO 500mW/1mW"
)


@pytest.mark.parametrize(("line", "watts"), [(XAVIER, 2.101), (ORIN, 4.021), (THOR, 20.0), (AGX_ORIN, 8.0)])
def test_a_board_counts_alike_live_and_replayed(tmp_path, line, watts):
    meter = open_meter({"kind": "tegrastats", "command": printing(line)})
    live = {name: rail.used for name, rail in rails(meter).items()}
    assert sum(value for name, value, _ in meter.read() if live[name]) == pytest.approx(watts)
    meter.close()
    (tmp_path / "t.log").write_text(f"{line}\n" * 20)
    replayed = read_trace_file(tmp_path / "t.log", "tegrastats", None, 1.0)
    assert {rail.name: rail.used for rail in replayed.rails} == live


def test_hwmon_counts_the_rails_that_no_other_one_feeds(tmp_path):
    labels = {"in1": "VDD_GPU_SOC", "in2": "VIN_SYS_5V0", "in3": "VDDQ_VDD2_1V8AO"}
    files = {"name": "ina3221"} | {f"{name}_label": label for name, label in labels.items()}
    files |= {f"in{n}_input": 5000 for n in (1, 2, 3)} | {f"curr{n}_input": 100 for n in (1, 2, 3)}
    meter = open_meter(
        {"kind": "hwmon", **tree(tmp_path, {f"sys/class/hwmon/hwmon3/{k}": v for k, v in files.items()})}
    )
    assert [rail.used for rail in rails(meter).values()] == [True, True, False]


def printing(text):
    return f'{sys.executable} -u -c "import time; print({text!r}, flush=True); time.sleep(60)"'


def test_tegrastats_as_a_program(tmp_path):
    # What tegrastats is called with here is taken by the stand-in as arguments.
    meter = open_meter({"kind": "tegrastats", "command": printing(ORIN)})
    assert {name: rail.used for name, rail in rails(meter).items()} == {
        "VDD_IN": True, "VDD_CPU_GPU_CV": False, "VDD_SOC": False,
    }  # fmt: skip
    assert meter.read()[0][:2] == ("VDD_IN", 4.021)
    meter.close()
    assert meter.process.poll() is not None


def test_a_program_that_prints_timestamp_and_watts():
    meter = open_meter({"kind": "command", "command": printing("1000.0,2.5\n1000.1,3.5")})
    found = meter.read()
    while len(found) < 2:
        found += meter.read()
    meter.close()
    (_, first, start), (_, second, end) = found
    assert (first, second) == (2.5, 3.5)
    assert end - start == pytest.approx(1e8, abs=1e3)


def test_a_programs_clock_is_shifted_by_its_first_line():
    watts = StampedWatts()
    assert watts("10.0,1\n", 5_000) == [("command", 1.0, 5_000)]
    assert watts("10.5,1\n", 999_999_999) == [("command", 1.0, 500_005_000)]
    with pytest.raises(EdgejouleError, match=r"time does not advance at '10\.5,1'"):
        watts("10.5,1", 2)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (None, "'meter.command' is missing"),
        ("no-such-program-here", "'no-such-program-here' does not start: No such file"),
        (printing("watts: 5"), "printed 'watts: 5'; each line is two numbers, the time in seconds"),
        (printing("time,watts"), "printed 'time,watts'; .* there is no heading"),
        (printing("1.0,nan"), "printed '1.0,nan'; each line is two numbers"),
        (printing("nan,1.0"), "printed 'nan,1.0'; each line is two numbers"),
        (printing("1.0,inf"), "printed '1.0,inf'; each line is two numbers"),
        (
            printing("").replace("print('', flush=True)", "print('x' * 9999, end='', flush=True)"),
            "without the end of a",
        ),
        (printing("").replace("print('', flush=True)", "import os; os.close(1)"), "closed its output"),
        (f"{sys.executable} -c pass", "ended with status 0"),
    ],
)
def test_programs_that_give_nothing_are_said(command, sentence):
    with pytest.raises(EdgejouleError, match=sentence):
        open_meter({"kind": "command", "command": command})


def test_a_program_that_falls_silent_is_said(monkeypatch):
    monkeypatch.setattr(lines, "PATIENCE_S", 0.1)
    monkeypatch.setattr(lines, "PATIENCE_PERIODS", 1)
    meter = open_meter({"kind": "command", "command": printing("1000.0,2.5"), "rate_hz": 2})
    assert [reading[:2] for reading in meter.read()] == [("command", 2.5)]
    start = time.monotonic()
    with pytest.raises(EdgejouleError, match=r"printed no reading within 0\.5 s"):
        while time.monotonic() < start + 5:
            meter.read()
    assert time.monotonic() - start > 0.3, "a period of 0.5 s is waited for, whatever the patience"
    assert meter.process.poll() is not None


# -- NVML ------------------------------------------------------------------------------------------------------------


class NVMLError(Exception):
    pass


class NotSupportedError(NVMLError):
    pass


def recorded(power_mw, energy_mj, instant_mw=()):
    """Replay a recorded stream of readings through the functions of pynvml that the meter calls."""
    power, energy, instant = iter(power_mw), iter(energy_mj) if energy_mj else None, iter(instant_mw)

    def fields(_, wanted):
        assert wanted == [186]
        watts = next(instant, None)
        return [SimpleNamespace(nvmlReturn=3 if watts is None else 0, value=SimpleNamespace(uiVal=watts))]

    def counter(_):
        if energy is None:
            raise NotSupportedError("Not Supported")
        return next(energy)

    return SimpleNamespace(
        NVMLError=NVMLError,
        NVMLError_NotSupported=NotSupportedError,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUUID=lambda handle: f"GPU-{handle}",
        nvmlDeviceGetName=lambda handle: b"Some GPU",
        nvmlDeviceGetPowerUsage=lambda _: next(power),
        nvmlDeviceGetTotalEnergyConsumption=counter,
        nvmlDeviceGetFieldValues=fields,
        NVML_FI_DEV_POWER_INSTANT=186,
        NVML_SUCCESS=0,
    )


def test_nvml_reads_counter_and_power_and_counts_the_counter():
    meter = Nvml(recorded([80000, 81000, 310000], [5000, 5000, 9500]), "GPU-1", 100.0)
    assert meter.read() == [("counter", 5.0, None), ("power", 81.0, None)]
    assert meter.read() == [("counter", 9.5, None), ("power", 310.0, None)]
    assert {name: rail.used for name, rail in rails(meter).items()} == {"counter": True, "power": False}


def test_nvml_without_a_counter_counts_power():
    meter = Nvml(recorded([80000, 81000], None), None, 100.0)
    assert meter.read() == [("power", 81.0, None)]
    assert rails(meter)["power"].used


def test_nvml_reads_instantaneous_power_where_the_driver_tells_it():
    meter = Nvml(recorded([80000, 81000, 82000], [5000, 6000, 7000], [90000, 91000]), None, 100.0)
    assert meter.read() == [("counter", 6.0, None), ("instant", 91.0, None), ("power", 81.0, None)]
    assert {name: rail.used for name, rail in rails(meter).items()} == {
        "counter": True, "instant": False, "power": False,
    }  # fmt: skip
    lost = meter.read()[1]
    assert lost[0] == "instant" and math.isnan(lost[1])
    assert rails(Nvml(recorded([80000], None, [90000]), None, 100.0))["instant"].used


def test_nvml_says_which_gpus_there_are():
    with pytest.raises(EdgejouleError, match="no GPU 'GPU-7'; there: 0, GPU-0, Some GPU; 1, GPU-1, Some GPU"):
        Nvml(recorded([], None), "GPU-7", 100.0)


def test_nvml_without_a_driver_is_said():
    def no_driver():
        raise NVMLError("NVML Shared Library Not Found")

    library = recorded([], None)
    library.nvmlInit = no_driver
    with pytest.raises(EdgejouleError, match="NVML Shared Library Not Found; is an NVIDIA driver installed"):
        Nvml(library, None, 100.0)


def test_a_meter_that_is_only_replayed_cannot_be_opened():
    with pytest.raises(EdgejouleError, match="meter 'external' cannot be read live"):
        open_meter({"kind": "external"})
