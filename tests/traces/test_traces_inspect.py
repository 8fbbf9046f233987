"""Looking at traces and importing them from the command line."""

import numpy as np
import pandas as pd
import pytest
from mlperf_runs import power_lines

from edgejoule.cli import main
from edgejoule.errors import EdgejouleError
from edgejoule.traces import Rail, event_energy, read_recording
from edgejoule.traces.inspect import Counter, Envelope, describe, draw, inspect, summarise, table_of


@pytest.fixture
def capture(tmp_path):
    t = np.arange(8000) / 1000
    power = np.where((t > 2) & (t < 6), 3.0, 1.0)
    power[100] = np.nan
    pd.DataFrame({"time (s)": np.where(t > 7, t + 2, t), "power (W)": power}).to_csv(tmp_path / "c.csv", index=False)
    return tmp_path / "c.csv"


def test_what_is_said(capture):
    looked = inspect(capture)
    text = table_of(describe(looked, summarise(looked)))
    for part in (
        "format      generic",
        "instantaneous power; 1 to 3 W, median 1 W",
        "8000 readings over 9.999 s; no rate declared, 1000 Hz observed",
        "1 lost; 1 gap(s), the longest 2.001 s",
        "events      none",
    ):
        assert part in text


def outline(t_ns, power, gap_ns, points, piece=77):
    envelope = Envelope(len(t_ns), gap_ns, points)
    for first in range(0, len(t_ns), piece if len(t_ns) < 1000 else 100_000):
        last = first + (piece if len(t_ns) < 1000 else 100_000)
        envelope.feed(t_ns[first:last], power[first:last])
    return envelope.outline()


def test_no_peak_is_lost_in_the_picture():
    power = np.ones(1_000_003)
    power[777_777] = 50.0
    power[:300] = np.nan
    t_ns, low, high = outline(np.arange(len(power)), power, 0, 100)
    assert len(t_ns) <= 100 and high.max() == 50.0 and low.min() == 1.0
    _, low, _ = outline(np.arange(900), power[:900], 0, 9)
    assert np.isnan(low[:3]).all() and not np.isnan(low[3:]).any()


def test_nothing_is_drawn_in_a_gap():
    times, low, high = outline(np.concatenate([np.arange(100), np.arange(500, 600)]), np.ones(200), 3, 20)
    assert np.isnan(low).sum() == 1 and np.isnan(high[times == 500]).any()
    assert (np.diff(times) >= 0).all()


def test_pictures_are_the_same_bytes_every_time(capture, tmp_path):
    looked = inspect(capture)
    for name in ("a", "b"):
        draw(looked, summarise(looked), tmp_path / f"{name}.png", "c.csv")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with pytest.raises(EdgejouleError, match=r"a picture ends in \.png"):
        draw(looked, summarise(looked), tmp_path / "a.jpeg", "c.csv")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["trace", *map(str, arguments)])
        return stop.value.code, capsys.readouterr()

    return run


def test_from_the_command_line(capture, tmp_path, run):
    marks = ["--workload", "net", "--iterations", "20", "--least-s", "0.5"]
    status, said = run("import", capture, "--device", "dev", "--output", "r", *marks)
    assert status == 0 and "8000 readings and 3 events in r" in said.out
    figures = event_energy(read_recording(tmp_path / "r")).set_index("event")
    assert figures.loc["net#0", "energy_j"] == pytest.approx(12.0, rel=0.001)
    status, said = run("inspect", "r")
    assert status == 0 and "2 idle, 1 network" in said.out and (tmp_path / "r.png").stat().st_size > 5000
    status, said = run("inspect", capture, "--column", "power=amps")
    assert status == 2 and "no column 'amps'" in said.err
    status, said = run("inspect", capture, "--column", "powr=amps")
    assert status == 2 and "did you mean 'power'" in said.err
    status, said = run("import", capture, "--device", "dev", "--output", "r", "--scope", "wal")
    assert status == 2 and "did you mean 'wall'" in said.err
    status, said = run("inspect", "nothing.csv")
    assert status == 2 and "nothing.csv: no such file" in said.err


IMPORT = ("--device", "dev", "--output", "r")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("inspect", "c.csv", "--voltage", "-5"), "--voltage -5: should be more than 0"),
        (("inspect", "c.csv", "--rate-hz", "0"), "--rate-hz 0: should be more than 0"),
        (("inspect", "c.csv", "--picture", "no/such.png"), "no/such.png: there is no folder no"),
        (("import", "c.csv", *IMPORT, "--workload", "net"), "--workload and --iterations"),
        (("import", "c.csv", *IMPORT, "--iterations", "9"), "--workload and --iterations"),
        (("import", "c.csv", *IMPORT, "--workload", "net", "--iterations", "0"), "--iterations 0: should be more"),
        (("import", "c.csv", *IMPORT, "--scope", "model"), "--scope model: valid: dc, rail, wall"),
    ],
)
def test_options_that_cannot_be(capture, tmp_path, run, arguments, message):
    status, said = run(*arguments)
    assert status == 2 and message in said.err and said.err.count("\n") <= 2
    assert [path.name for path in tmp_path.iterdir()] == ["c.csv"]


def test_no_events_and_another_recording_are_said(capture, tmp_path, run):
    status, said = run("import", capture, *IMPORT)
    assert status == 0 and "no events: no energies can be computed" in said.err
    assert run("import", capture, *IMPORT)[0] == 0
    (tmp_path / "d.csv").write_text("time_s,power_W\n1,2\n2,3\n")
    before = (tmp_path / "r" / "trace.parquet").read_bytes()
    status, said = run("import", "d.csv", *IMPORT)
    assert status == 2 and "r: holds another recording, of device 'dev' from 'c.csv'; give another folder" in said.err
    assert (tmp_path / "r" / "trace.parquet").read_bytes() == before


def test_readings_with_their_unit(tmp_path, run):
    rows = "".join(f"{second},{2 + second % 2} W\n" for second in range(20))
    (tmp_path / "w.csv").write_text("time_s,power_W\n" + rows)
    assert run("inspect", "w.csv")[0] == 2
    status, said = run("inspect", "w.csv", "--column", "with_unit=power_W")
    assert status == 0 and "instantaneous power; 2 to 3 W" in said.out
    # A reading in another unit than the others is not a thousand times what it is.
    (tmp_path / "w.csv").write_text("time_s,power_W\n" + rows + "20,2500 mW\n")
    status, said = run("inspect", "w.csv", "--column", "with_unit=power_W")
    assert status == 2 and "not a number: Failed to parse string: '2500 mW'" in said.err


def test_events_without_an_energy_are_said(capture, tmp_path, run):
    rows = "a,3000000000,5000000000,net,9\nb,30000000000,50000000000,net,9\n"
    (tmp_path / "e.csv").write_text("event,start_ns,end_ns,workload,iterations\n" + rows)
    status, said = run("import", capture, *IMPORT, "--events", "e.csv")
    assert (
        status == 0 and "1 of 2 event(s) have no energy; the first, 'b': no reading of rail 'power' speaks" in said.err
    )


def test_a_recording_overwrites_nothing_else(capture, tmp_path, run):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "thesis.tex").touch()
    status, said = run("import", capture, *IMPORT)
    assert status == 2 and "r: holds 'thesis.tex' and no recording; give a new or an empty folder" in said.err
    status, said = run("import", capture, "--device", "dev", "--output", "c.csv/r")
    assert status == 2 and "c.csv/r: cannot be written: File exists; give another place" in said.err


def test_lost_and_negative_power_is_said(tmp_path, run):
    rows = "".join(f"{second},nan\n" for second in range(20))
    (tmp_path / "nan.csv").write_text("time_s,power_W\n" + rows)
    status, said = run("inspect", "nan.csv")
    assert status == 0 and "every reading is lost" in said.out
    status, said = run("import", "nan.csv", *IMPORT, "--workload", "net", "--iterations", "9")
    assert status == 2 and "nan.csv: 0 valid readings are too few" in said.err
    (tmp_path / "minus.csv").write_text("time_s,power_W\n1,-2\n2,-3\n3,-4\n")
    status, said = run("inspect", "minus.csv")
    assert status == 0 and "the mean power is negative (-3 W)" in said.out


def test_an_event_on_negative_power_has_no_energy(tmp_path, run):
    rows = "".join(f"{second},{-3 if 10 <= second < 21 else -1}\n" for second in range(40))
    (tmp_path / "minus.csv").write_text("time_s,power_W\n" + rows)
    (tmp_path / "e.csv").write_text("event,start_ns,end_ns,workload,iterations\na,10000000000,20000000000,net,9\n")
    status, said = run("import", "minus.csv", *IMPORT, "--events", "e.csv")
    assert status == 0 and "1 of 1 event(s) have no energy; the first, 'a': its mean power is -3 W" in said.err
    figures = event_energy(read_recording(tmp_path / "r")).set_index("event")
    assert np.isnan(figures.loc["a", "energy_j"]) and "wired the other way" in figures.loc["a", "reason"]
    assert (figures["reason"] == "").sum() == len(figures) - 1, "idle power may be read as nothing"


def test_a_number_of_volts_is_no_column(tmp_path, run):
    (tmp_path / "a.csv").write_text("time_s,current_A\n" + "".join(f"{second},2\n" for second in range(20)))
    status, said = run("inspect", "a.csv", "--column", "voltage=5")
    assert status == 0 and "10 to 10 W" in said.out
    for volts in ("0", "-5"):
        status, said = run("inspect", "a.csv", "--column", f"voltage={volts}")
        assert status == 2 and "--column: key 'voltage" in said.err and "greater than 0" in said.err
    status, said = run("inspect", "a.csv", "--column", "voltage=volts")
    assert status == 2 and "no column 'volts'" in said.err


def test_a_power_log_of_ptdaemon_by_itself(tmp_path, run):
    (tmp_path / "spl.txt").write_text("\n".join(power_lines()) + "\n")
    status, said = run("inspect", "spl.txt")
    assert status == 0 and "ptdaemon" in said.out and "averaged power; 2 to 6 W" in said.out
    assert (tmp_path / "spl.txt.png").stat().st_size > 5000


def test_a_counter_is_drawn_as_power(tmp_path, run):
    rows = "".join(f"{k / 10},{(300_000 * k) % 700_000}\n" for k in range(100))
    (tmp_path / "r.csv").write_text("time_s,energy_uj\n" + rows)
    status, said = run("inspect", "r.csv", "--column", "wrap=700000")
    assert status == 0 and "counter energy; 0 to 0.6 J" in said.out and (tmp_path / "r.csv.png").stat().st_size > 5000
    counter = Counter(Rail("energy", "energy", "counter", wrap_j=0.7))
    t_ns, energy = np.arange(100) * 10**8, np.arange(100) * 0.3 % 0.7
    power = np.concatenate([counter.power_w(t_ns[:37], energy[:37]), counter.power_w(t_ns[37:], energy[37:])])
    assert np.isnan(power[0]) and power[1:] == pytest.approx(np.full(99, 3.0))
