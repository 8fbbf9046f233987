"""Every single-file format: recognised, read in the right units, on the right clock; and what goes wrong with each."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgejoule.config.models import Segments, TraceColumns
from edgejoule.errors import EdgejouleError
from edgejoule.traces import event_energy
from edgejoule.traces.convert import recording_of
from edgejoule.traces.importers.formats import FORMATS, read_trace_file, recognise

META = {"device": "d", "board": "b", "meter": {"kind": "external"}, "power_scope": "dc"}
MS = 1_000_000


def pulse(t_s, low=1.0, high=3.0):
    return np.where((t_s > 2) & (t_s <= 6), high, low)


def table(path, header, columns, fmt="%.9g", preamble=""):
    rows = "\n".join(",".join(fmt % value for value in row) for row in zip(*columns, strict=True))
    path.write_text(f"{preamble}{header}\n{rows}\n")
    return path


def monsoon(folder, unit=1.0):
    t = np.arange(40_000) / 5000
    return table(
        folder / "m.csv", "Time(ms),Current(mA),Voltage(V)", [t * 1e3 * unit, pulse(t) * 250, np.full(40_000, 4.0)]
    )


def monsoon_bursts(folder):
    t = np.arange(40_000) / 5000
    arrival = np.ceil(t / 0.028) * 0.028 + 1e-6 * (np.arange(40_000) % 140)
    return table(folder / "m.csv", "Time,Main(mA),Main Voltage(V)", [arrival, pulse(t) * 250, np.full(40_000, 4.0)])


def ppk2(folder):
    t = np.arange(8000) / 1000
    return table(folder / "p.csv", "Timestamp(ms),Current(uA),D0-D7", [t * 1e3, pulse(t) / 2 * 1e6, np.zeros(8000)])


def joulescope(folder):
    t = np.arange(8000) / 1000
    columns = [t, pulse(t) / 5, np.full(8000, 5.0), pulse(t)]
    return table(folder / "j.csv", "#time,current,voltage,power", columns, preamble="# Joulescope\n")


def otii(folder):
    t = np.arange(8000) / 1000
    return table(folder / "o.csv", "Timestamp,Main current (A),Main voltage (V)", [t, pulse(t) / 2, np.full(8000, 2.0)])


def nvidia_smi(folder):
    lines = ["timestamp, power.draw [W]"]
    for k in range(80):
        lines.append(f"2026/03/01 12:00:{k // 10:02}.{k % 10}00, {float(pulse(k / 10)):.2f} W")
    lines[30] = "2026/03/01 12:00:02.900, [N/A]"
    path = folder / "n.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def powercap(folder):
    t = np.arange(800) / 100
    energy = np.cumsum(pulse(t)) * 0.01 * 1e6
    return table(folder / "r.csv", "time_s,energy_uj", [t, np.round(energy) % 7_000_000], "%.10g")


def perf(folder):
    lines = ["# started on Sun Mar  1 12:00:00 2026", ""]
    for k in range(1, 81):
        power = float(pulse(k / 10))
        lines.append(f"{k / 10:.9f},{power / 10},Joules,power/energy-pkg/,1000000,100.00,,")
        lines.append(f"{k / 10:.9f},{power / 40},Joules,power/energy-cores/,1000000,100.00,,")
    path = folder / "perf.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def tegrastats(folder, stamped=True):
    lines = []
    for k in range(80):
        stamp = f"03-01-2026 12:00:{k // 10:02} " if stamped else ""
        power = round(float(pulse(k / 10)) * 1000)
        lines.append(
            f"{stamp}RAM 2493/7620MB (lfb 1x4MB) SWAP 0/3810MB (cached 0MB) CPU [5%@729,3%@729] GR3D_FREQ 37% "
            f"cpu@45.5C tj@45.5C VDD_IN {power}mW/4000mW VDD_CPU_GPU_CV {power // 2}mW/400mW VDD_SOC 300mW/300mW"
        )
    path = folder / "tegrastats.log"
    path.write_text("\n".join(lines) + "\n")
    return path


def energyrunner(folder):
    t = np.arange(1, 8001) / 1000
    (folder / "e.bin").write_bytes(b"\xf1" + np.float32([1000, *pulse(t) * 1e3]).astype("<f4").tobytes())
    return folder / "e.bin"


def parquet(folder):
    t = np.arange(8000) * MS
    pd.DataFrame({"when": t, "watts": pulse(t * 1e-9) * 1000}).to_parquet(folder / "g.parquet")
    return folder / "g.parquet"


def powertool(folder):
    """The PowerTool's export averages before it writes: here 100 readings to one."""
    t = np.arange(400) / 50
    header = "Time (s),Main Avg Current (mA),Main Max Current (mA),Main Avg Power (mW),Main Avg Voltage (V)"
    amps = pulse(t) * 250
    return table(folder / "m.csv", header, [t, amps, 2 * amps, amps * 4, np.full(400, 4.0)])


def pymonsoon(folder):
    """PyMonsoon stamps packets of three readings with seconds under 'Time(ms)', and ends lines with a comma."""
    t = np.arange(40_000) / 5000
    rows = "".join(f"{t[k - k % 3 + 2 if k < 39_998 else k]:.7f},{pulse(t[k]) * 250},4.0,\n" for k in range(40_000))
    (folder / "m.csv").write_text("Time(ms),Main(mA),Main Voltage(V),\n" + rows)
    return folder / "m.csv"


def ppk2_gap(folder):
    """The Power Profiler leaves out readings that it lost, and writes whatever columns were chosen."""
    t = np.delete(np.arange(8000) / 1000, slice(500, 900))
    return table(
        folder / "p.csv", "Timestamp(ms),Current(uA),D0-D7,D0,D1", [t * 1e3, pulse(t) / 2 * 1e6, *3 * [np.zeros(7600)]]
    )


def joulescope_statistics(folder):
    t = np.arange(80) / 10
    columns = [t, pulse(t) / 5, np.full(80, 5.0), pulse(t), t, np.cumsum(pulse(t)) // 4]
    return table(folder / "j.csv", "#time,current,voltage,power,charge,energy", columns)


def otii_four_to_one(folder):
    """Otii writes names in quotes, and a voltage for every fourth current only."""
    lines = ['"Timestamp (S)","Arc Main Current (A)","Arc Main Voltage (V)","Arc Main Energy (J)","Arc UART (TXT)"']
    for k in range(32_000):
        volts = "2.0" if k % 4 == 0 else ""
        lines.append(f'"{k / 4000:.6f}","{pulse(k / 4000) / 2}","{volts}","{k // 9000}","{"a, b" if k == 9 else ""}"')
    (folder / "o.csv").write_text("\n".join(lines))
    return folder / "o.csv"


def otii_of_day(folder):
    lines = ['"Wall-clock time (UTC)","Arc Main Current (A)","Arc Main Voltage (V)"']
    lines += [f'"2022-05-03T10:00:{k / 1000:09.6f}Z","{pulse(k / 1000) / 2}","2.0"' for k in range(8000)]
    (folder / "o.csv").write_text("\n".join(lines))
    return folder / "o.csv"


def tegrastats_of(rails):
    def make(folder):
        lines = []
        for k in range(80):
            power = round(float(pulse(k / 10)) * 1000)
            shown = " ".join(text.format(power, power // 2) for text in rails)
            lines.append(
                f"03-01-2026 12:00:{k // 10:02} RAM 9033/62780MB (lfb 2x4MB) SWAP 0/31390MB (cached 0MB) IRAM "
                f"0/252kB(lfb 252kB) CPU [5%@729,off] EMC_FREQ 0%@2133 GR3D_FREQ 0%@[0,0] APE 174 cpu@45.5C {shown}"
            )
        (folder / "t.log").write_text("\n".join(lines) + "\n")
        return folder / "t.log"

    return make


GENERIC = TraceColumns(time="when", time_unit="ns", power="watts", power_unit="mW")
CASES = {
    "monsoon": (monsoon, "monsoon", None, 5000, "power"),
    "monsoon in bursts": (monsoon_bursts, "monsoon", None, 5000, "power"),
    "monsoon with microseconds headed ms": (lambda f: monsoon(f, 1000), "monsoon", None, 5000, "power"),
    "ppk2": (ppk2, "ppk2", TraceColumns(voltage=2.0), 1000, "power"),
    "joulescope": (joulescope, "joulescope", None, 1000, "power"),
    "otii": (otii, "otii", None, 1000, "power"),
    "energyrunner": (energyrunner, "energyrunner", None, 1000, "supply"),
    "nvidia-smi": (nvidia_smi, "nvml", None, 10, "power"),
    "powercap": (powercap, "rapl", TraceColumns(wrap=7_000_000), 100, "energy"),
    "perf": (perf, "perf", None, 10, "energy-pkg"),
    "tegrastats": (tegrastats, "tegrastats", None, 10, "VDD_IN"),
    "powertool": (powertool, "monsoon", None, 50, "power"),
    "pymonsoon": (pymonsoon, "monsoon", None, 5000, "power"),
    "ppk2 with a gap": (ppk2_gap, "ppk2", TraceColumns(voltage=2.0), 1000, "power"),
    "joulescope statistics": (joulescope_statistics, "joulescope", None, 10, "power"),
    "otii, four currents to a voltage": (otii_four_to_one, "otii", None, 4000, "power"),
    "otii, time of day": (otii_of_day, "otii", None, 1000, "power"),
    "tegrastats of a Nano": (
        tegrastats_of(["POM_5V_IN {0}/{0}", "POM_5V_GPU 0/0", "POM_5V_CPU {1}/{1}"]),
        *("tegrastats", None, 10, "POM_5V_IN"),
    ),
    "tegrastats of a Thor": (
        tegrastats_of(["VDD_GPU -392mW/-392mW", "VDD_CPU_SOC_MSS {1}mW/1mW", "VIN_SYS_5V0 9mW/9mW", "VIN {0}mW/1mW"]),
        *("tegrastats", None, 10, "VIN"),
    ),
    "parquet": (parquet, "generic", GENERIC, 1000, "power"),
}


@pytest.mark.parametrize("case", CASES)
def test_read_in_the_right_units_on_the_right_clock(tmp_path, case):
    make, name, columns, rate, rail = CASES[case]
    path = make(tmp_path)
    assert recognise(path) == name or case == "parquet"
    readings = read_trace_file(path, None if case != "parquet" else name, columns)
    assert [rail.name for rail in readings.rails if rail.used] == [rail]
    used = next(each for each in readings.rails if each.used)
    assert used.observed_period_ns == pytest.approx(1e9 / rate, rel=0.03)
    events = tmp_path / "events.csv"
    first = int(readings.trace["t_ns"].iloc[0])
    begin, end = first + 3000 * MS, first + 5000 * MS
    events.write_text(f"event,start_ns,end_ns,workload,iterations\na,{begin},{end},net,10\n")
    figures = event_energy(recording_of(readings, META, path, events)).iloc[0]
    assert figures["energy_j"] == pytest.approx(6.0, rel=0.002)
    assert figures["reason"] == ""
    if name != "rapl":
        found = recording_of(readings, META, path, segments=Segments(workload="net", iterations=10, least_s=0.5))
        network = found.events[found.events["kind"] == "network"]
        assert len(network) == 1
        np.testing.assert_allclose(
            network[["start_ns", "end_ns"]].to_numpy()[0] - first, [2e9, 6e9], atol=3e9 / rate + 3e7
        )


@pytest.mark.parametrize(
    ("rails", "used"),
    [
        (
            ["VDD_GPU_SOC {1}mW/1mW", "VDD_CPU_CV {1}mW/1mW", "VIN_SYS_5V0 500mW/1mW", "VDDQ_VDD2_1V8AO 200mW/1mW"],
            ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"],
        ),
        (["GPU 0/0", "CPU {1}/9", "SOC 932/932", "CV 0/0", "VDDRQ 155/155", "SYS5V 1482/1482"], None),
        (["VDD_IN {0}/9", "VDD_SYS_GPU 152/152", "VDD_4V0_WIFI 0/0", "VDD_SYS_DDR 1145/1145"], ["VDD_IN"]),
    ],
)
def test_rails_of_jetsons_that_make_up_the_total(tmp_path, rails, used):
    readings = read_trace_file(tegrastats_of(rails)(tmp_path))
    assert [rail.name for rail in readings.rails] == [rail.split()[0] for rail in rails]
    assert [rail.name for rail in readings.rails if rail.used] == (used or [rail.split()[0] for rail in rails])


def test_readings_of_two_gpus_are_not_one_trace(tmp_path):
    rows = "".join(f"2026/03/01 12:00:{k // 2:02}.000, {k % 2}, 65.3{k} W\n" for k in range(40))
    (tmp_path / "n.csv").write_text("timestamp, index, power.draw [W]\n" + rows)
    with pytest.raises(EdgejouleError, match=r"column 'index' holds '0' and '1'; one trace is of one of them"):
        read_trace_file(tmp_path / "n.csv")


def test_a_voltage_holds_for_a_while_only(tmp_path):
    rows = "".join(f"{k / 1000},1,{5 if k in (1, 2) else ''}\n" for k in range(300))
    (tmp_path / "x.csv").write_text("time_s,current_A,voltage_V\n" + rows)
    readings = read_trace_file(tmp_path / "x.csv")
    assert readings.trace["power_w"].notna().sum() == 2 + 100 and np.isnan(readings.trace["power_w"].iloc[0])
    assert readings.notes == ("100 reading(s) of current have no voltage of their own: the voltage before them holds",)


def test_a_rate_of_averages_is_taken_unless_one_is_stated(tmp_path):
    path = powertool(tmp_path)
    assert read_trace_file(path).rails[0].period_ns is None
    with pytest.raises(EdgejouleError, match="50 readings a second by their stamps, but 5000 are declared"):
        read_trace_file(path, None, None, 5000)


def test_notes_say_what_was_corrected(tmp_path):
    assert "1000 times smaller than it says" in " ".join(read_trace_file(monsoon(tmp_path, 1000)).notes)
    assert "stamped in bursts; a uniform clock of 200000 ns" in " ".join(
        read_trace_file(monsoon_bursts(tmp_path)).notes
    )


def test_both_power_and_counter_are_kept_and_one_is_used(tmp_path):
    t = np.arange(100) / 10
    path = table(tmp_path / "x.csv", "time(s),power(W),energy(J)", [t, np.full(100, 2.0), 3.0 * t])
    readings = read_trace_file(path)
    assert {(rail.name, rail.used) for rail in readings.rails} == {("power", False), ("energy", True)}
    assert len(readings.trace) == 200


def test_jls_round_trip(tmp_path):
    pyjls = pytest.importorskip("pyjls", reason="pyjls is not installed")
    path = tmp_path / "x.jls"
    t = np.arange(8000) / 1000
    with pyjls.Writer(str(path)) as writer:
        writer.source_def(source_id=1, name="js", vendor="v", model="m", version="1", serial_number="1")
        for number, (name, units, values) in enumerate(
            [("current", "A", pulse(t) / 5), ("voltage", "V", np.full(8000, 5.0))], 1
        ):
            writer.signal_def(signal_id=number, source_id=1, sample_rate=1000, name=name, units=units)
            writer.fsr_f32(number, 0, values.astype(np.float32))
    assert recognise(path) == "jls"
    readings = read_trace_file(path)
    assert readings.trace["power_w"].to_numpy() == pytest.approx(pulse(t), rel=1e-6)
    data = path.read_bytes()
    (tmp_path / "cut.jls").write_bytes(data[:40])
    with pytest.raises(EdgejouleError, match=r"cut\.jls: "):
        read_trace_file(tmp_path / "cut.jls")


WRONG = {
    "no voltage": (ppk2, None, "'Current\\(uA\\)' is a current; give the supply's voltage .V., such as --voltage 5"),
    "no such column": (joulescope, TraceColumns(power="powr"), "no column 'powr'; did you mean 'power'"),
    "no rate": (lambda f: tegrastats(f, False), None, "its lines carry no times; declare 'rate_hz'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_file_does_not_say_must_be_given(tmp_path, case):
    make, columns, message = WRONG[case]
    with pytest.raises(EdgejouleError, match=message):
        read_trace_file(make(tmp_path), None, columns)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\x00\x01\x02", "no line of the first 50 names columns"),
        ("time,power\n", "0 reading\\(s\\); at least two"),
        ("time,power\n1,2\n", "1 reading\\(s\\)"),
        ("time,power\n1,2\n2,two\n", "reading 2, column 'power': 'two' is no number"),
        ("time,power\n1,2\n,3\n", "reading 2 has no time in column 'time'"),
        ("time,power\n3,2\n2,3\n1,4\n", "time goes back in reading 2"),
        (
            "time,power\n1e300,2\n2e300,3\n",
            "reading 1: column .time. holds 1e.300, which is no time in s; state its unit",
        ),
        ("time,power\n1,2\n4e9,3\n", "the unit of its time is wrong"),
        ("time,power\n1,2\n1,3\n", "do not advance"),
        ("a,b\n1,2\n2,3\n", r"no column is known to hold time \('a', 'b'\); give --rate-hz"),
        ("time,b\n1,2\n2,3\n", r"no column is known to hold power, current or energy \('time', 'b'\)"),
        ("T,power\n1,2\n2,3\n", "no column is known to hold time"),
        ("time;power\n1;2\n2;3\n", "separated by ','; if it is another sign, state it: --column 'separator=;'"),
        ("time\tpower\n1\t2\n2\t3\n", r"state it: --column \$'separator=.t'"),
        ("time,power,power\n1,2,3\n2,3,4\n", "has 2 columns 'power'; rename those that do not count"),
        ("time,power\n1,2\n2,-1e300\n", r"reading 2 of rail 'power' is -1e\+300 W; above 1e\+06 W it is no reading"),
        ("time,energy\n1,2\n2,1e16\n", r"reading 2 of rail 'energy' is 1e\+16 J; above 1e\+15 J"),
        ("time,power\n1,2,5\n2,3,5\n", r"0 reading.*; 2 line\(s\) without exactly 2 fields left out"),
        ("at,power\n2026-01-01T10:00Z,2\n2026-01-01T10:01Z,3\n", "no column is known to hold time"),
        ("time,power\n2026-01-01T10:00Z,2\n", "say so: --column time=time --column time_unit=datetime"),
        ("time,power\n1,2 W\n", "'2 W' is no number; if its unit stands with it, say so: --column with_unit=power"),
        ('time,power\n1,"2,5"\n', "'2,5' is no number; write its decimals with a point"),
    ],
)
def test_bad_tables_stop_with_a_sentence(tmp_path, text, message):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(EdgejouleError, match=message):
        read_trace_file(path)


def test_energy_per_period_is_no_counter(tmp_path):
    rng = np.random.default_rng(1)
    table(tmp_path / "x.csv", "time_s,energy_J", [np.arange(100) / 10, rng.uniform(0.4, 0.6, 100)])
    with pytest.raises(EdgejouleError, match=r"x\.csv: 'energy' falls in \d\d of its 99 steps, so it is no cumulative"):
        read_trace_file(tmp_path / "x.csv")
    # A counter that wraps, or is reset once in a while, is one.
    table(tmp_path / "x.csv", "time_s,energy_J", [np.arange(100) / 10, np.arange(100) % 34])
    assert len(read_trace_file(tmp_path / "x.csv").trace) == 100


def test_a_trace_cut_off_inside_a_reading_is_noted(tmp_path):
    path = energyrunner(tmp_path)
    assert not read_trace_file(path).notes
    path.write_bytes(path.read_bytes()[:-2])
    readings = read_trace_file(path)
    assert len(readings.trace) == 7999 and "cut off inside a reading" in readings.notes[0]


def test_short_lines_are_left_out_and_counted(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("time,power\n1,2\n2\n3,4\n4,5\n5")
    readings = read_trace_file(path)
    assert len(readings.trace) == 3 and readings.notes[0] == "2 line(s) without exactly 2 fields left out"


def test_dates_are_times_where_that_is_said(tmp_path):
    rows = "".join(f"2026-01-01T10:00:{k / 10:06.3f}Z;2\n" for k in range(20))
    (tmp_path / "x.csv").write_text("time;power\n" + rows)
    readings = read_trace_file(tmp_path / "x.csv", None, TraceColumns(time_unit="datetime", separator=";"))
    assert readings.rails[0].observed_period_ns == 100 * MS and len(readings.trace) == 20


def test_a_micro_sign_of_windows_is_one(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("time_s,power_µW\n1,2\n2,3\n".encode("latin-1"))
    readings = read_trace_file(path)
    assert readings.trace["power_w"].tolist() == pytest.approx([2e-6, 3e-6]) and not readings.notes


def test_unknown_formats_and_missing_files(tmp_path):
    with pytest.raises(EdgejouleError, match="did you mean 'monsoon'"):
        read_trace_file(monsoon(tmp_path), "monson")
    with pytest.raises(EdgejouleError, match=r"'mlperf-tiny' is one of folders; .*m\.csv is read as one of jls, ener"):
        read_trace_file(monsoon(tmp_path), "mlperf-tiny")
    for name in FORMATS:
        with pytest.raises(EdgejouleError, match="no such file"):
            read_trace_file(tmp_path / "nothing.csv", name)
    with pytest.raises(EdgejouleError, match="is a folder; give a trace file"):
        read_trace_file(tmp_path)
    with pytest.raises(EdgejouleError, match=r"nothing\.csv: no such file; give a trace file"):
        read_trace_file(tmp_path / "nothing.csv")


def test_events_files(tmp_path):
    path = joulescope(tmp_path)
    readings = read_trace_file(path)
    events = tmp_path / "events.csv"
    events.write_text("event,start_ns,end_ns\na,1,2\n")
    with pytest.raises(EdgejouleError, match=r"events\.csv: table 'events' lacks the column\(s\) workload, iterations"):
        recording_of(readings, META, path, events)
    for text, message in (
        ("", "not a readable table of events"),
        ("event,start_ns,end_ns,workload,iterations\na,2,1,net,1\n", "event 'a' does not end after it starts"),
    ):
        events.write_text(text)
        with pytest.raises(EdgejouleError, match=rf"events\.csv: {message}"):
            recording_of(readings, META, path, events)
    with pytest.raises(EdgejouleError, match=r"none\.csv: no such file of events"):
        recording_of(readings, META, path, tmp_path / "none.csv")


def check_fuzzed(path, name):
    """Whatever the bytes are: an answer, or one sentence that names the file."""
    try:
        readings = read_trace_file(path, name, TraceColumns(voltage=1.0))
    except EdgejouleError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert (
            len(readings.trace) >= 2
            and (np.diff(readings.trace["t_ns"].to_numpy())[: len(readings.trace) // 2] != 0).all()
        )


@given(st.sampled_from([None, *FORMATS]), st.binary(max_size=400))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_an_answer_or_a_sentence(tmp_path, name, data):
    path = tmp_path / "fuzz.csv"
    path.write_bytes(data)
    check_fuzzed(path, name)


MAKERS = [
    monsoon,
    monsoon_bursts,
    ppk2,
    joulescope,
    otii,
    nvidia_smi,
    powercap,
    perf,
    tegrastats,
    parquet,
    energyrunner,
]


@given(st.sampled_from(MAKERS), st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_are_an_answer_or_a_sentence(tmp_path, make, data):
    path = make(tmp_path)
    content = bytearray(path.read_bytes()[: data.draw(st.integers(10, 3000))])
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    check_fuzzed(path, None)
