import errno

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgejoule.errors import EdgejouleError
from edgejoule.tables import Column, Table, empty, read_provenance, read_table, to_arrow, unit_of, write_table
from edgejoule.tables.contracts import ALL
from edgejoule.tables.store import atomic_path, write_text

LAMPS = Table(
    "lamps",
    "Lamps.",
    (
        Column("lamp", pa.string(), "name"),
        Column("power_w", pa.float64(), "power", nullable=True, minimum=0),
        Column("state", pa.string(), "on or off", choices=("on", "off")),
    ),
    key=("lamp",),
)


def lamps(**changes) -> pd.DataFrame:
    return pd.DataFrame({"lamp": ["a", "b"], "power_w": [1.5, None], "state": ["on", "off"]} | changes)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "deep" / "lamps.parquet"
    write_table(lamps(colour=["red", "blue"]), path, LAMPS, {"source": "shop"})
    back = read_table(path, LAMPS)
    assert list(back["lamp"]) == ["a", "b"]
    assert back["power_w"].isna().tolist() == [False, True]
    assert list(back.columns) == ["lamp", "power_w", "state", "colour"], "further columns follow the declared ones"
    assert read_provenance(path) == {
        "table": "lamps",
        "edgejoule": read_provenance(path)["edgejoule"],
        "source": "shop",
    }


def test_a_file_describes_its_columns(tmp_path):
    write_table(lamps(), tmp_path / "lamps.parquet", LAMPS)
    field = pq.read_schema(tmp_path / "lamps.parquet").field("power_w")
    assert field.metadata == {b"meaning": b"power", b"unit": b"W"}


def test_equal_data_are_equal_bytes(tmp_path):
    for name in ("one", "two"):
        write_table(lamps(), tmp_path / name, LAMPS, {"b": 1, "a": 2})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lamp": ["a", None]}, "column 'lamp' is empty in row 1"),
        ({"lamp": ["a", "a"]}, "more than one row for {'lamp': 'a'}"),
        ({"state": ["on", "dim"]}, "column 'state' holds 'dim' in row 1; allowed: on, off"),
        ({"power_w": [1.0, -2.0]}, r"column 'power_w' holds -2\.0 in row 1; at least 0"),
        ({"power_w": ["1", "much"]}, "column 'power_w' is not double"),
    ],
)
def test_bad_values_stop_with_a_sentence(tmp_path, changes, message):
    with pytest.raises(EdgejouleError, match=message):
        write_table(lamps(**changes), tmp_path / "lamps.parquet", LAMPS)
    assert not list(tmp_path.iterdir()), "nothing half-written stays behind"


def test_a_missing_column_is_named():
    with pytest.raises(EdgejouleError, match="table 'lamps' lacks the column\\(s\\) state"):
        to_arrow(lamps().drop(columns="state"), LAMPS)


def test_a_table_of_another_version_says_how_to_make_it_again(tmp_path):
    path = tmp_path / "scores" / "lamps.parquet"
    older = Table("lamps", "Lamps.", tuple(column for column in LAMPS.columns if column.name != "state"), LAMPS.key)
    write_table(lamps().drop(columns="state"), path, older)
    sentence = (
        r"lacks the column\(s\) state: another version of edgejoule wrote it; run `snakemake --cores all scores` again"
    )
    with pytest.raises(EdgejouleError, match=sentence):
        read_table(path, LAMPS)
    # What nobody of ours wrote is not of another version.
    lamps().drop(columns="state").to_parquet(path)
    with pytest.raises(EdgejouleError, match=r"lacks the column\(s\) state$"):
        read_table(path, LAMPS)
    with pytest.raises(EdgejouleError, match="has not run: run `snakemake --cores all graphs`"):
        read_table(tmp_path / "scores" / "graphs" / "none.parquet", LAMPS)


def test_reading_what_is_not_there_or_no_parquet(tmp_path):
    with pytest.raises(EdgejouleError, match="no such file"):
        read_table(tmp_path / "none.parquet", LAMPS)
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(EdgejouleError, match="not a readable Parquet file"):
        read_table(tmp_path / "text.parquet", LAMPS)


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_every_contract_is_sound(table):
    assert list(empty(table).columns) == table.names
    assert len(set(table.names)) == len(table.names)
    assert set(table.key) <= set(table.names)
    for column in table.columns:
        assert column.meaning, f"{table.name}.{column.name} has no meaning"


@given(st.sampled_from(["power", "latency", "x"]), st.sampled_from(["_mw", "_w", "_ms", "_s", "_mj", "_j", "_bytes"]))
def test_units_come_from_the_longest_ending(stem, ending):
    units = {"_mw": "mW", "_w": "W", "_ms": "ms", "_s": "s", "_mj": "mJ", "_j": "J", "_bytes": "byte"}
    assert unit_of(stem + ending) == units[ending]


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "file" / "x.md", tmp_path / "folder"):
        with pytest.raises(EdgejouleError, match=f"{place}: cannot be written: .*; give another place"):
            write_text(place, "text")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"], "nothing half-written stays behind"


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path):
    with pytest.raises(EdgejouleError, match=r"t\.txt: cannot be written: No space left on device; make room"):  # noqa: SIM117
        with atomic_path(tmp_path / "t.txt"):
            raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "t.txt"):
        (tmp_path / "another file").read_text()
    assert not list(tmp_path.iterdir())
