"""The environment, read from trees of files."""

import pytest

from edgejoule.measure.environment import Usage, describe, disturbances, frequency_hz, temperature_c


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_describes_a_board(tmp_path):
    root = write(
        tmp_path,
        {
            "proc/cpuinfo": "processor : 0\nFeatures : fp asimd\n\nModel : Raspberry Pi 4 Model B Rev 1.4\n",
            "proc/meminfo": "MemTotal:  3884360 kB\nMemFree: 1 kB\n",
            "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "600000\n",
            "sys/class/thermal/thermal_zone0/temp": "48312\n",
            "sys/class/thermal/thermal_zone1/temp": "51000\n",
        },
    )
    about = describe(root)
    assert about["board"] == "Raspberry Pi 4 Model B Rev 1.4"
    assert about["governor"] == "performance"
    assert about["frequency_hz"] == 1.05e9
    assert about["temperature_c"] == 51.0
    assert about["memory_kb"] == 3884360
    assert about["hypervisor"] is False


def test_what_is_not_told_is_none_not_zero(tmp_path):
    about = describe(tmp_path)
    assert about["cpu"] is None and about["governor"] is None and about["memory_kb"] is None
    assert frequency_hz(tmp_path) is None and temperature_c(tmp_path) is None
    assert Usage.now(tmp_path) is None
    assert disturbances(None, None, 1.0) == {"other_cores": None, "steal": None, "flag": ""}


def test_names_no_host_and_no_user():
    assert not {"hostname", "user", "node"} & set(describe())


@pytest.mark.parametrize(
    ("after", "flag"),
    [
        (Usage(11.0, 0.0, 1.0, 3), ""),
        (Usage(11.5, 0.0, 1.0, 3), "other processes used 0.5 cores"),
        (Usage(11.0, 0.1, 1.0, 3), "the hypervisor took 10% of the time"),
        (Usage(11.0, 0.0, 1.0, 5), "the processor was throttled"),
    ],
)
def test_flags_what_disturbed_a_measurement(after, flag):
    assert disturbances(Usage(10.0, 0.0, 0.0, 3), after, 1.0)["flag"] == flag


def test_reads_the_kernels_counters(tmp_path):
    write(tmp_path, {"proc/stat": "cpu  100 0 50 1000 5 2 3 40 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"})
    usage = Usage.now(tmp_path)
    assert usage.busy_s == pytest.approx(1.55) and usage.steal_s == pytest.approx(0.40)
