import hashlib
import json

import pytest
import yaml

from edgejoule import __version__
from edgejoule.errors import EdgejouleError
from edgejoule.report.publish import publish, validate
from edgejoule.tables import contracts, read_table, write_table


@pytest.fixture
def folder(page_inputs, tmp_path):
    (tmp_path / "networks.parquet").write_bytes(page_inputs["networks"].read_bytes())
    return tmp_path


def test_the_description_is_valid_and_readable_by_mlcroissant(folder):
    import mlcroissant

    publish([folder / "networks.parquet"], folder)
    records = list(mlcroissant.Dataset(jsonld=folder / "croissant.json").records("networks"))
    assert len(records) == 24
    assert records[0]["networks/device"] in (b"pi", "pi")


def test_checksums_and_dictionary_are_of_the_files(folder):
    publish([folder / "networks.parquet"], folder)
    sha256 = hashlib.sha256((folder / "networks.parquet").read_bytes()).hexdigest()
    assert (folder / "sha256sums.txt").read_text() == f"{sha256}  networks.parquet\n"
    assert "24 rows" in (folder / "DICTIONARY.md").read_text()
    assert "| `energy_mj` | double | mJ | yes |" in (folder / "DICTIONARY.md").read_text()


def test_every_source_of_rows_is_counted_with_its_licence_and_what_to_cite(folder):
    rows = read_table(folder / "networks.parquet", contracts.NETWORKS)
    rows.loc[:4, "source"] = "inference_results_v2.0/open/Krai/results/x"
    rows.loc[5:6, "source"] = "Tu et al., SEC 2023 (arXiv 2310.18329), a table"
    write_table(rows, folder / "networks.parquet", contracts.NETWORKS)
    publish([folder / "networks.parquet"], folder)
    text = (folder / "DICTIONARY.md").read_text()
    assert "| MLPerf Inference | networks.parquet: 5 | Apache-2.0 | MLCommons and its submitters" in text
    assert "| SEC 2023 | networks.parquet: 2 | published facts, typed in | X. Tu" in text
    assert "| edgejoule | networks.parquet: 17 | Apache-2.0 | The edgejoule authors" in text
    assert "MLPerf Tiny" not in text


def test_the_description_is_the_same_twice(folder):
    publish([folder / "networks.parquet"], folder)
    first = (folder / "croissant.json").read_bytes()
    publish([folder / "networks.parquet"], folder)
    assert (folder / "croissant.json").read_bytes() == first


def test_a_foreign_file_stops_with_its_name(folder):
    (folder / "x.parquet").write_text("no table")
    with pytest.raises(EdgejouleError, match=r"x.parquet: not a readable Parquet"):
        publish([folder / "x.parquet"], folder)
    assert not (folder / "croissant.json").exists()


def test_a_file_of_another_folder_is_refused(folder, page_inputs):
    with pytest.raises(EdgejouleError, match="described in its own folder"):
        publish([page_inputs["networks"]], folder)


def test_a_wrong_description_is_found(folder):
    publish([folder / "networks.parquet"], folder)
    wrong = json.loads((folder / "croissant.json").read_text())
    del wrong["distribution"]
    (folder / "wrong.json").write_text(json.dumps(wrong))
    with pytest.raises(EdgejouleError, match="not a valid Croissant"):
        validate(folder / "wrong.json")


def test_the_citation_is_of_this_version(pytestconfig):
    citation = yaml.safe_load((pytestconfig.rootpath / "CITATION.cff").read_text())
    assert citation["version"] == __version__
