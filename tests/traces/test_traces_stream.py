"""Large files in pieces: the same answer and the same bytes as in one piece, whatever the pieces."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgejoule.config.models import Segments, TraceColumns
from edgejoule.errors import EdgejouleError
from edgejoule.tables import write_batches, write_table
from edgejoule.tables.contracts import TRACE
from edgejoule.traces import event_energy, read_recording, write_recording
from edgejoule.traces.clock import rebuild_clock, scan
from edgejoule.traces.convert import recording_of
from edgejoule.traces.importers import blocks
from edgejoule.traces.importers.formats import read_trace_file
from edgejoule.traces.sample import MOST, Runs, Sample
from edgejoule.traces.segment import segment
from edgejoule.traces.spool import Column

META = {"device": "d", "board": "b", "meter": {"kind": "external"}, "power_scope": "dc"}
HEADER = "Time(ms),Main(mA),Main Voltage(V),"
SMALL = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def cut(series, cuts):
    return np.split(series, sorted(min(at, len(series)) for at in cuts))


def monsoon(path, count=4000, bad=None):
    """What PyMonsoon writes: seconds under 'Time(ms)', one stamp for the readings of a packet, a comma at each end."""
    t = np.ceil(np.arange(count) / 5000 / 0.028) * 0.028
    rows = [f"{t[k]!r},{250 + 500 * (count // 4 < k < count // 2)!r},4.0," for k in range(count)]
    rows = [row.replace("np.float64(", "").replace(")", "") for row in rows]
    for at, row in (bad or {}).items():
        rows[at] = row
    path.write_text("\n".join([HEADER, *rows, ""]))
    return path


@given(st.lists(st.integers(0, 400), max_size=6), st.booleans(), st.integers(0, 2**31))
@SMALL
def test_stamps_and_clock_do_not_depend_on_the_pieces(cuts, bursts, seed):
    rng = np.random.default_rng(seed)
    t_ns = np.cumsum(rng.integers(1, 1000, 400))
    if bursts:
        t_ns = np.repeat(np.cumsum(rng.integers(10**6, 10**7, 20)), 20)
    whole, pieces = scan([t_ns]), scan(cut(t_ns, cuts))
    for name in ("count", "first", "last", "least", "most", "back", "lag"):
        assert getattr(whole, name) == getattr(pieces, name), name
    pace = whole.pace()
    assert pace == pieces.pace() and pace.in_bursts == bursts
    one, other = rebuild_clock(lambda: [t_ns], whole, pace), rebuild_clock(lambda: cut(t_ns, cuts), whole, pace)
    np.testing.assert_array_equal(one.at(0, 400), other.at(0, 400))
    np.testing.assert_array_equal(one.at(0, 400), np.concatenate([one.at(0, 150), one.at(150, 250)]))


@given(st.lists(st.integers(0, 5000), max_size=6), st.integers(1, 5000))
@SMALL
def test_a_sample_is_even_whatever_the_pieces(cuts, most):
    from edgejoule.traces import sample

    values, kept = np.arange(5000), Sample()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "MOST", most)
        for piece in cut(values, cuts):
            kept.feed(piece)
        steps = np.diff(kept.values)
    assert kept.values[0] == 0 and (not len(steps) or (steps == steps[0]).all())
    assert len(kept.values) <= most and len(kept.values) >= min(5000, most) // 3 and MOST > 10**5


@given(st.lists(st.integers(0, 5000), max_size=6), st.integers(50, 5000))
@SMALL
def test_runs_are_whole_whatever_the_pieces(cuts, most):
    from edgejoule.traces import sample

    values, kept, whole = np.arange(5000), Runs(), Runs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "MOST", most)
        patch.setattr(sample, "RUN", 16)
        for piece in cut(values, cuts):
            kept.feed(piece)
        whole.feed(values)
    np.testing.assert_array_equal(kept.values, whole.values)
    assert min(5000, most) // 4 <= len(kept.values) <= most
    steps = np.diff(kept.values)
    assert ((steps == 1) | (np.arange(1, len(kept.values)) % 16 == 0)).all()


@given(st.lists(st.integers(0, 600), max_size=5), st.lists(st.integers(0, 599), max_size=8))
@SMALL
def test_events_found_do_not_depend_on_the_pieces(cuts, lost):
    t_ns = np.arange(600) * 10**7
    power = np.where((t_ns > 2e9) & (t_ns < 4.5e9), 5.0, 2.0) + 0.01 * np.sin(np.arange(600))
    power[lost] = np.nan
    whole = segment(lambda: [(t_ns, power)], 0.5)
    pieces = segment(lambda: zip(cut(t_ns, cuts), cut(power, cuts), strict=True), 0.5)
    np.testing.assert_array_equal(whole, pieces)
    np.testing.assert_allclose(whole, [[2e9, 4.5e9]], atol=6e7)


@pytest.mark.parametrize("block", [64, 1000, 1 << 23])
def test_blocks_of_a_csv_do_not_matter(tmp_path, monkeypatch, block):
    path = monsoon(tmp_path / "m.csv", bad={50: "0.028,250", 99: "", 3999: "0.812,250,4.0"})
    monkeypatch.setattr(blocks, "BLOCK", block)
    readings = read_trace_file(path)
    assert readings.notes[0] == "2 line(s) without exactly 4 fields left out"
    assert len(readings.trace) == 3997
    assert readings.trace["power_w"].sum() == pytest.approx(3997 + 999 * 2, rel=0.001)
    found = recording_of(readings, META, path, segments=Segments(workload="n", iterations=4, least_s=0.1))
    write_recording(found, tmp_path / "r")
    figures = event_energy(read_recording(tmp_path / "r", whole=False)).set_index("event")
    assert figures.loc["n#0", "power_w"] == pytest.approx(3.0, rel=0.01)
    pd.testing.assert_frame_equal(figures, event_energy(read_recording(tmp_path / "r")).set_index("event"))


@pytest.mark.parametrize("block", [64, 1 << 23])
@pytest.mark.parametrize(
    ("row", "text", "message"),
    [
        (3210, "0.67,many,4.0,", r"m\.csv: reading 3211, column 'Main\(mA\)': 'many' is no number"),
        (3210, ",250,4.0,", r"m\.csv: reading 3211 has no time in column 'Time\(ms\)'"),
        (3210, "0.1,250,4.0,", r"m\.csv: time goes back in reading 3211"),
    ],
)
def test_a_failure_names_the_reading_in_any_block(tmp_path, monkeypatch, block, row, text, message):
    monkeypatch.setattr(blocks, "BLOCK", block)
    with pytest.raises(EdgejouleError, match=message):
        read_trace_file(monsoon(tmp_path / "m.csv", bad={row: text}))


def test_two_captures_in_one_file_are_not_taken_for_bursts(tmp_path):
    rows = "".join(f"{k / 100},{1 + k % 2}\n" for k in [*range(100), *range(100)])
    (tmp_path / "x.csv").write_text("time_s,power_W\n" + rows)
    with pytest.raises(EdgejouleError, match="time goes back in reading 101"):
        read_trace_file(tmp_path / "x.csv")


def test_numbers_as_numpy_2_prints_them(tmp_path):
    rows = "".join(f"np.float64({k / 100}),np.float64({k % 2})\n" for k in range(100))
    (tmp_path / "x.csv").write_text("time_s,power_W\n" + rows)
    assert read_trace_file(tmp_path / "x.csv").trace["power_w"].sum() == 50


def test_a_line_without_an_end_does_not_fill_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 1 << 12)
    (tmp_path / "x.csv").write_text("time_s,power_W\n1,2\n" + "3" * 50_000)
    with pytest.raises(EdgejouleError, match=r"a line beyond byte \d+ has no end for 8,192 bytes"):
        read_trace_file(tmp_path / "x.csv")


def test_a_column_that_outgrows_memory_waits_on_disk(monkeypatch):
    from edgejoule.traces import spool

    monkeypatch.setattr(spool, "IN_MEMORY", 1000)
    column = Column(float)
    for part in cut(np.arange(5000.0), [7, 7, 900, 4999]):
        column.add(part)
    np.testing.assert_array_equal(np.concatenate(list(column.batches(999))), np.arange(5000.0))
    np.testing.assert_array_equal(column.read(4990, 100), np.arange(4990.0, 5000.0))


def test_a_full_disk_is_a_sentence(monkeypatch):
    column = Column(float)

    def full(data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(column._file, "write", full)
    with pytest.raises(EdgejouleError, match=r"No space left on device; .*set TMPDIR"):
        column.add(np.zeros(9))


def test_batches_are_the_same_bytes_as_the_whole(tmp_path):
    rows = 3 << 20
    frame = pd.DataFrame({"t_ns": np.arange(rows), "power_w": 1.0, "energy_j": np.nan, "rail": "r"})
    write_table(frame, tmp_path / "whole.parquet", TRACE)
    write_batches((frame[at : at + (1 << 20)] for at in range(0, rows, 1 << 20)), tmp_path / "parts.parquet", TRACE)
    assert (tmp_path / "whole.parquet").read_bytes() == (tmp_path / "parts.parquet").read_bytes()


def test_batches_that_fail_leave_nothing(tmp_path):
    good = pd.DataFrame({"t_ns": [1], "power_w": 1.0, "energy_j": np.nan, "rail": "r"})
    with pytest.raises(EdgejouleError, match="lacks the column"):
        write_batches(iter([good, good.drop(columns="rail")]), tmp_path / "x.parquet", TRACE)
    assert not list(tmp_path.iterdir())


def test_parquet_is_read_in_batches_too(tmp_path, monkeypatch):
    from edgejoule.traces.importers import columns

    monkeypatch.setattr(columns, "BATCH", 17)
    frame = pd.DataFrame({"t": np.arange(100) / 10, "P": np.arange(100.0)})
    frame.to_parquet(tmp_path / "x.parquet")
    stated = TraceColumns(time="t", power="P", power_unit="mW")
    assert read_trace_file(tmp_path / "x.parquet", "generic", stated).trace["power_w"].sum() == pytest.approx(4.95)
    frame.assign(t=frame["t"].where(frame["t"] != 5.0)).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(EdgejouleError, match="reading 51 has no time"):
        read_trace_file(tmp_path / "x.parquet", "generic", stated)
