"""Tables as pages, for Snakemake's report."""

import json
import re

import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.report.tables import CATEGORIES, caption, write_tables
from edgejoule.tables import contracts, empty, write_table


@pytest.fixture
def tables(page_inputs, tmp_path):
    files = [
        page_inputs["networks"],
        page_inputs["accuracy"],
        *sorted(page_inputs["recommendations"].glob("*.parquet")),
    ]
    write_tables(files, tmp_path / "tables")
    return tmp_path / "tables"


def data_of(path) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text(), re.S)
    return json.loads(found.group(1))


def test_each_table_is_one_page_in_its_category_with_a_caption(tables):
    names = sorted(path.relative_to(tables).as_posix() for path in tables.rglob("*.html"))
    assert names == ["Data/networks.html", "Prediction/accuracy.html", "Recommendation/recommendations.html"]
    assert all(path.with_suffix(".rst").is_file() for path in tables.rglob("*.html"))
    said = (tables / "Data/networks.rst").read_text()
    assert "24 rows: 2 device(s), 12 network(s), 2 families. Energy: 12 measured, 12 estimated." in said
    assert "Quality: 18 ok, 4 failed, 2 flagged." in said


def test_a_page_has_every_row_and_column_and_what_they_mean(tables):
    data = data_of(tables / "Data/networks.html")
    shown = [column["key"] for column in data["columns"]]
    empty_here = {"latency_p50_ms", "idle_before_w", "licence", "drift"}
    assert set(contracts.NETWORKS.names) - set(shown) >= empty_here and set(shown) <= set(contracts.NETWORKS.names)
    assert all(len(values) == 24 for values in data["rows"].values())
    energy = next(column for column in data["columns"] if column["key"] == "energy_mj")
    assert energy["meaning"] == "gross energy per inference (mJ)" and energy["digits"] == "auto"
    assert "origin" in data["selects"] and "network" in data["selects"] and "licence" not in data["selects"]
    # Files of one table become one page.
    assert set(data_of(tables / "Recommendation/recommendations.html")["rows"]["device"]) == {"pi", "cpu"}


def test_what_was_there_before_is_gone_and_markup_stays_text(tables, page_inputs):
    write_tables([page_inputs["networks"]], tables)
    assert [path.name for path in tables.rglob("*.html")] == ["networks.html"]
    assert "</script><b>drift" not in (tables / "Data/networks.html").read_text()
    assert not list(tables.parent.glob(".tables*"))


def test_an_empty_table_is_a_page_without_rows(tmp_path):
    write_table(empty(contracts.BREAK_EVENS), tmp_path / "b.parquet", contracts.BREAK_EVENS)
    write_tables([tmp_path / "b.parquet"], tmp_path / "tables")
    assert "0 rows" in (tmp_path / "tables/Recommendation/break-evens.rst").read_text()


def test_a_table_without_a_page_stops_and_leaves_nothing(tmp_path):
    write_table(empty(contracts.TRACE), tmp_path / "t.parquet", contracts.TRACE)
    with pytest.raises(EdgejouleError, match=r"t.parquet: table 'trace' has no page .* networks, passes"):
        write_tables([tmp_path / "t.parquet"], tmp_path / "tables")
    (tmp_path / "x.parquet").write_text("no table")
    with pytest.raises(EdgejouleError, match=r"x.parquet: not a readable Parquet"):
        write_tables([tmp_path / "x.parquet"], tmp_path / "tables")
    assert not (tmp_path / "tables").exists()


def test_captions_of_all_tables_are_made_from_their_rows():
    for table in CATEGORIES:
        assert caption(table, empty(table)).startswith(f"{table.meaning} 0 rows")
    rows = pd.DataFrame({"device": ["a", "b"], "league": "l", "origin": "measured"})
    assert caption(contracts.LABELS, rows).endswith("2 rows: 2 device(s), 1 league(s). Energy: 2 measured.")
