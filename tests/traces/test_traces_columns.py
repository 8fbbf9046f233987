"""Which column of a table is what, in which unit: by name, as stated, or a sentence that asks."""

import numpy as np
import pytest

from edgejoule.config.models import TraceColumns
from edgejoule.errors import EdgejouleError
from edgejoule.traces.importers.formats import read_trace_file
from edgejoule.traces.inspect import inspect

SUFFIXES = [
    ("time_s,power_mW", 1e-3, 1.0),
    ("time_us,power_uw", 1e-6, 1e-6),
    ("time_min,power_W", 1.0, 60.0),
    ("time-ms,power-mw", 1e-3, 1e-3),
    ("Time ms,Power milliwatts", 1e-3, 1e-3),
    ("timeMs,powerMw", 1e-3, 1e-3),
    ("timestamp_ns,gpu_power_mW_avg", 1e-3, 1e-9),
    ("time (s),power (mw)", 1e-3, 1.0),
    ("t [ms],Power (mW)", 1e-3, 1e-3),
    ("t_us,Watts", 1.0, 1e-6),
    ("t_s,milliwatts", 1e-3, 1.0),
    ("t_ns,mW", 1e-3, 1e-9),
]


@pytest.mark.parametrize(("header", "watts", "seconds"), SUFFIXES)
def test_units_at_the_end_of_a_name(tmp_path, header, watts, seconds):
    path = tmp_path / "x.csv"
    path.write_text(f"{header}\n1000,2\n2000,3\n3000,4\n")
    readings = read_trace_file(path)
    np.testing.assert_allclose(readings.trace["power_w"], np.array([2, 3, 4]) * watts)
    np.testing.assert_allclose(np.diff(readings.trace["t_ns"]), 1000 * seconds * 1e9)
    assert not readings.notes


def test_current_voltage_and_energy_at_the_end_of_a_name(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("time_ms,current_mA,voltage_mV,energy_mj\n0,500,2000,0\n1000,500,2000,1000\n2000,500,2000,2000\n")
    trace = read_trace_file(path).trace
    np.testing.assert_allclose(trace["power_w"].dropna(), 1.0)
    np.testing.assert_allclose(trace["energy_j"].dropna(), [0, 1, 2])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("time,power_hp", r"x\.csv: column 'power_hp': 'hp' is no unit of power .* --column power_unit="),
        ("time,power (hp)", "'hp' is no unit of power"),
        ("time_fortnights,power_W", "'fortnights' is no unit of time .* --column time_unit="),
        ("time_s,POWER_MW", "'MW' is no unit of power"),
        ("time_s,energy_cal", "'cal' is no unit of energy"),
    ],
)
def test_an_unknown_unit_stops(tmp_path, header, message):
    path = tmp_path / "x.csv"
    path.write_text(f"{header}\n1,2\n2,3\n3,4\n")
    with pytest.raises(EdgejouleError, match=message):
        read_trace_file(path)


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        (
            "time_s,power_cpu_W,power_gpu_W,power_total_W",
            "'power_cpu_W', 'power_gpu_W', 'power_total_W' could be power",
        ),
        ("runtime_s,time_s,power_W", "'runtime_s', 'time_s' could be time"),
        ("time_s,energy_cpu_J,energy_gpu_J", "'energy_cpu_J', 'energy_gpu_J' could be energy"),
        ("time_s,current_A,bus_voltage_V,shunt_voltage_V", "'bus_voltage_V', 'shunt_voltage_V' could be voltage"),
    ],
)
def test_several_columns_that_could_be_the_same_stop(tmp_path, header, roles):
    path = tmp_path / "x.csv"
    rows = "".join(",".join(str(k + column) for column in range(header.count(",") + 1)) + "\n" for k in range(3))
    path.write_text(f"{header}\n{rows}")
    with pytest.raises(EdgejouleError, match=rf"x\.csv: columns {roles}; state one with --column "):
        read_trace_file(path)
    role, last = roles.split()[-1], header.split(",")[-1]
    stated = TraceColumns(**{role: "time_s" if role == "time" else last})
    assert len(read_trace_file(path, None, stated).trace) == 3


@pytest.mark.parametrize(
    ("header", "column", "sampling"),
    [
        ("timestamp, power.limit [W], power.draw [W]", 2, "instantaneous"),
        ("timestamp, power.draw.average [W], power.draw.instant [W], power.draw [W]", 3, "instantaneous"),
        ("timestamp, power.draw.average [W], power.draw.instant [W]", 2, "instantaneous"),
        ("timestamp, power.max_limit [W], power.draw.average [W], enforced.power.limit [W]", 2, "averaged"),
        ("time_s,max_power_W,power_W,powerLimit_W", 2, "instantaneous"),
        ("time_s,power_W,bus_voltage_V,shunt_voltage_V", 1, "instantaneous"),
        ("Time(ms),USB(mA),Main(mA),USB Voltage(V),Main Voltage(V)", 2, "averaged"),
    ],
)
def test_limits_are_no_readings_and_formats_know_their_columns(tmp_path, header, column, sampling):
    path, gpu = tmp_path / "x.csv", "timestamp" in header
    names = header.split(",")
    lines = [header]
    for k in range(20):
        values = [f"{10 * number} W" if gpu else f"{10 * number}" for number in range(1, len(names))]
        stamp = f"2026/03/01 12:00:{k:02}.000" if gpu else f"{k / (5000 if 'mA' in header else 1)}"
        lines.append(", ".join([stamp, *values]))
    path.write_text("\n".join(lines) + "\n")
    readings = read_trace_file(path)
    watts = 20 * 40 * 1e-3 if "mA" in header else 10 * column
    assert readings.trace["power_w"].to_list() == pytest.approx([watts] * 20)
    assert readings.rails[0].sampling == sampling


def test_a_stated_unit_goes_over_a_name_and_an_assumed_one_is_said(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("time,power_hp,power_mW\n1,2,2000\n2,3,3000\n3,4,4000\n")
    assert read_trace_file(path).trace["power_w"].to_list() == [2, 3, 4]
    stated = TraceColumns(power="power_hp", power_unit="mW", time_unit="s")
    readings = read_trace_file(path, None, stated)
    assert readings.trace["power_w"].to_list() == [0.002, 0.003, 0.004] and not readings.notes
    assert read_trace_file(path, None, TraceColumns(power="power_mW")).trace["power_w"].to_list() == [2, 3, 4]
    path.write_text("time,power\n1,2\n2,3\n3,4\n")
    (note,) = read_trace_file(path).notes
    assert "'time' is taken to be in s, 'power' is taken to be in W" in note


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("time_s,power_W\n1,2\n2,3\n".encode("utf-16"), r"x\.csv: is text in UTF-16; save it in UTF-8"),
        (b"\x1f\x8b\x08" + bytes(99), r"x\.csv: is compressed"),
        (b"PK\x03\x04" + bytes(99), "unpack it, or export a CSV of it"),
        (b"time_s;power_W\n0,1;2,5\n", "no line of the first 50 names columns separated by ','"),
        (b"time_s,power_W\ns,W\n0,1\n", "reading 1, column 'time_s': 's' is no number"),
    ],
)
def test_files_that_a_stranger_has(tmp_path, content, message):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(EdgejouleError, match=message):
        read_trace_file(tmp_path / "x.csv")


def test_a_stated_separator_needs_no_stated_format(tmp_path):
    path = tmp_path / "semicolons.csv"
    path.write_text("time_s;power_w\n" + "".join(f"{i / 10};2.5\n" for i in range(20)))
    found = inspect(path, columns=TraceColumns(separator=";"))
    assert (found.format, found.clock) == ("generic", "column time_s")
