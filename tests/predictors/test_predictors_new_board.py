"""The two commands for a new board: which networks to measure, and what the others will cost."""

import numpy as np
import pandas as pd
import pytest
import yaml

from edgejoule.cli.main import main
from edgejoule.config import load_device
from edgejoule.config.load import read_yaml
from edgejoule.errors import EdgejouleError
from edgejoule.predictors.new_board import design, predict_new_board
from edgejoule.tables import read_provenance, read_table, write_table
from edgejoule.tables.contracts import KERNELS, NETWORKS, PREDICTIONS
from edgejoule.validation import validate
from synthetic_board import board

SPEEDS = {"one": (1, 1, 1, 1, 1), "two": (3, 2, 1, 2, 1), "three": (0.5, 1, 1, 0.5, 0.7), "new": (1.5, 0.8, 1, 1, 2)}
FILE = {
    "title": "New",
    "board": "new-board",
    "class": "board",
    "runtime": {"name": "onnxruntime", "threads": 1},
    "meter": {"kind": "rapl"},
    "power_scope": "wall",
    "origin": "measured",
}


@pytest.fixture(scope="module")
def boards():
    """Three known boards and a new one, by name, and the kernels of their networks."""
    tables = {name: board(0.02, seed=i, name=name, speed=speed) for i, (name, speed) in enumerate(SPEEDS.items())}
    return {name: networks for name, (networks, _) in tables.items()}, tables["one"][1]


def device_file(folder, **source):
    path = folder / "new.yaml"
    path.write_text(yaml.safe_dump(FILE | {"name": "new", "source": {"kind": "live", "host": "local"} | source}))
    return path


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 0


def test_ten_measured_networks_predict_what_the_proof_says_of_them(boards, tmp_path, capsys):
    tables, kernels = boards
    write_table(kernels, tmp_path / "kernels.parquet", KERNELS)
    for name, table in tables.items():
        write_table(table, tmp_path / f"{name}.parquet", NETWORKS)
    # Its own board among the priors must be passed over.
    priors = [f"--prior={tmp_path / name}.parquet" for name in tables]
    common = [*priors, f"--kernels={tmp_path}/kernels.parquet"]
    path = device_file(tmp_path, precisions=["fp32", "int8"])
    run("predictors", "design", f"--device={path}", f"--output={tmp_path}/first.yaml", *common)
    first = read_yaml(tmp_path / "first.yaml")
    printed = capsys.readouterr().out
    assert len(first["networks"]) == 10 and all(name in printed for name in first["networks"])
    few = tables["new"][tables["new"]["network"].isin(first["networks"])]
    assert len(few) == 10
    write_table(few, tmp_path / "few.parquet", NETWORKS)
    output = tmp_path / "predictions.parquet"
    run("predictors", "transfer", f"--networks={tmp_path}/few.parquet", f"--output={output}", *common)
    shown = capsys.readouterr().out
    assert shown.count(" measured") == 3 * 10 and shown.count(" to ") == 3 * 38
    assert "10 of the 10 networks of" in shown and "used, 38 predicted; priors: one, two, three\n" in shown
    assert read_provenance(output)["priors"] == ["one", "two", "three"]
    found = read_table(output, PREDICTIONS)
    proven, _ = validate(tables["new"], kernels, ["edgejoule"], ["transfer-k10"], priors=list(tables.values()))
    columns = ["metric", "network", "predicted", "lower", "upper"]
    left = found[found["measured"].isna()].sort_values(columns[:2])
    proven = proven.sort_values(columns[:2])
    pd.testing.assert_frame_equal(
        left[columns].reset_index(drop=True), proven[columns].reset_index(drop=True), rtol=1e-9
    )
    known = found[found["measured"].notna() & (found["metric"] == "energy_mj")].set_index("network")["measured"]
    assert known.sort_index().to_dict() == few.set_index("network")["energy_mj"].sort_index().to_dict()


def test_a_live_device_is_asked_only_for_what_it_measures_and_takes_the_list(boards, tmp_path):
    tables, kernels = boards
    device = load_device(device_file(tmp_path))
    chosen = design(device, list(tables.values()), kernels, 6)
    assert set(chosen["precision"]) == {"fp32"} and chosen["network"].nunique() == 6
    path = device_file(tmp_path, networks=chosen["network"].tolist(), precisions=["fp32"])
    assert load_device(path).source.networks == chosen["network"].tolist()
    few = tables["new"][tables["new"]["network"].isin(chosen["network"])]
    found, _ = predict_new_board(few, list(tables.values()), kernels)
    # Nothing measured says what a precision costs that was not measured.
    assert set(found["precision"]) == {"fp32"} and found["network"].nunique() == 24


def test_a_board_without_idle_power_has_no_energy_above_it(boards):
    tables, kernels = boards
    few = tables["new"].iloc[::4].assign(energy_above_idle_mj=np.nan)
    found, _ = predict_new_board(few, list(tables.values()), kernels)
    missing = found["predicted"].isna()
    assert missing.any() and missing.eq(found["metric"] == "energy_above_idle_mj").all()


@pytest.mark.parametrize(
    ("rows", "priors", "message"),
    [
        (slice(0, 48, 4), ["one"], r"energies of 1 boards other than 'new-board' \(one-board\); give networks.parquet"),
        (slice(0, 4), ["one", "two"], "holds 4 measured networks of 'new' that all priors measured, too; at least 5"),
        (slice(0, 0), ["one", "two"], "holds rows of 0 devices; give those of the new one alone"),
    ],
)
def test_what_cannot_be_predicted_from_says_why(boards, rows, priors, message):
    tables, kernels = boards
    with pytest.raises(EdgejouleError, match=message):
        predict_new_board(tables["new"].iloc[rows], [tables[name] for name in priors], kernels)


def test_more_networks_than_there_are_cannot_be_asked_for(boards, tmp_path):
    tables, kernels = boards
    with pytest.raises(EdgejouleError, match="--count is 25; give 5 to 24"):
        design(load_device(device_file(tmp_path)), list(tables.values()), kernels, 25)
