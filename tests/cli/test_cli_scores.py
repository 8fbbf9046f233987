import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from edgejoule.cli import main
from edgejoule.config import load_applications
from edgejoule.datasets.applications import build_applications
from edgejoule.tables import empty, read_table, write_table
from edgejoule.tables.contracts import ALL, APPLICATIONS, NETWORKS


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return stopped.value.code


@pytest.fixture
def files(root, tmp_path, monkeypatch):
    monkeypatch.chdir(root)
    write_table(empty(NETWORKS), tmp_path / "networks.parquet", NETWORKS)
    settings = root / "config/applications.yaml"
    rows = build_applications(empty(NETWORKS), [], load_applications(settings), root)
    write_table(rows, tmp_path / "applications.parquet", APPLICATIONS)
    return tmp_path, ["--applications", tmp_path / "applications.parquet", "--settings", settings]


def rank(files):
    folder, inputs = files
    return run(
        *("scores", "rank", *inputs, "--bootstrap", 20),
        *("--output", folder / "scores.parquet", "--comparisons", folder / "comparisons.parquet"),
    )


def test_every_command_writes_what_it_says(files, capsys):
    folder, inputs = files
    assert rank(files) == 0
    assert f"to be read in {folder / 'scores.md'}" in capsys.readouterr().err
    out = {name: folder / f"{name}.parquet" for name in ("contributions", "sensitivity", "agreement", "disagreements")}
    out |= {name: folder / f"{name}.parquet" for name in ("labels", "footprint", "scores")}
    assert (
        run(
            *("scores", "explain", *inputs, "--contributions", out["contributions"]),
            *("--sensitivity", out["sensitivity"], "--markdown", folder / "explanation.md"),
        )
        == 0
    )
    assert (
        run(
            *("scores", "agree", *inputs, "--scores", out["scores"], "--bootstrap", 20),
            *("--agreement", out["agreement"], "--disagreements", out["disagreements"]),
            *("--markdown", folder / "agreement.md"),
        )
        == 0
    )
    assert (
        run(
            *("scores", "label", *inputs, "--scores", out["scores"], "--labels", out["labels"]),
            *("--footprint", out["footprint"], "--markdown", folder / "labels.md"),
        )
        == 0
    )
    tables = {table.name: table for table in ALL}
    for path in out.values():
        about = json.loads(pq.read_schema(path).metadata[b"edgejoule"])
        rows = read_table(path, tables[about["table"]])
        assert len(pd.read_csv(path.with_suffix(".csv"))) == len(rows) > 0
    assert {path.stem for path in folder.glob("*.md")} == {"scores", "explanation", "agreement", "labels"}
    assert run("score", "oneplus_8_pro", "--scores", out["scores"]) == 0
    printed = capsys.readouterr().out
    assert "PCS (robust): 131" in printed
    assert "IECS (robust): 106" in printed
    assert "35 of 35 pairs; rank 1 to 4 of 8 in league phone-dc, not settled" in printed


def test_equal_input_gives_equal_bytes(files):
    folder, _ = files
    contents = []
    for _ in range(2):
        assert rank(files) == 0
        contents.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert contents[0] == contents[1]


def test_the_applications_command(files, root):
    folder, _ = files
    device = root / "config/devices/rpi4-armnn-v21.11-neon.yaml"
    code = run(
        *("datasets", "applications", "--networks", folder / "networks.parquet", "--device-file", device),
        *("--references", folder / "networks.parquet"),
        *("--settings", root / "config/applications.yaml", "--output", folder / "out.parquet"),
    )
    assert code == 0
    assert len(read_table(folder / "out.parquet", APPLICATIONS)) == 280


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "oneplus_8_por"], "no scores of device 'oneplus_8_por'; did you mean 'oneplus_8_pro'"),
        (["score", "oneplus_8_pro", "--definition", "geomean"], "did you mean 'geometric-mean'"),
    ],
)
def test_a_misspelt_name_is_one_sentence(files, capsys, arguments, message):
    folder, _ = files
    assert rank(files) == 0
    assert run(*arguments, "--scores", folder / "scores.parquet") == 2
    assert message in capsys.readouterr().err


def test_a_missing_table_is_one_sentence(tmp_path, capsys):
    assert run("score", "x", "--scores", tmp_path / "none.parquet") == 2
    error = capsys.readouterr().err
    assert "no such file; the stage that writes table 'scores' has not run" in error
    assert "Traceback" not in error


def test_wrong_settings_are_one_sentence(files, capsys):
    folder, inputs = files
    settings = folder / "applications.yaml"
    settings.write_text("factr: 2\n")
    outputs = ["--output", folder / "s.parquet", "--comparisons", folder / "c.parquet"]
    assert run("scores", "rank", *inputs[:3], settings, *outputs) == 2
    assert "unknown key 'factr'; did you mean 'factor'" in capsys.readouterr().err
