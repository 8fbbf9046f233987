"""Networks that a device has not run yet: predicted by its trained predictor, and measured when they matter."""

import json

import pandas as pd
import pytest
from test_recommendations_request import ask

from edgejoule.cli.main import main
from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo
from edgejoule.predictors import load_predictor
from edgejoule.predictors.train import train
from edgejoule.recommendations import unmeasured
from edgejoule.recommendations.catalogue import build_catalogue
from edgejoule.tables import read_table, write_table
from edgejoule.tables.contracts import KERNELS, NETWORKS
from synthetic_board import board


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A board that has run three of four families; the zoo has the fourth, too."""
    folder = tmp_path_factory.mktemp("project")
    networks, kernels = board()
    networks["top1"] = 40 + 40 * networks["energy_mj"].rank(pct=True) + 15 * (networks["family"] == "delta")
    seen = networks[networks["family"] != "delta"]
    device = networks["device"].iloc[0]
    write_table(seen, folder / "datasets" / device / "networks.parquet", NETWORKS)
    write_table(kernels, folder / "graphs" / "kernels.parquet", KERNELS)
    train(seen, kernels, folder / "predictors" / device)
    zoo = networks[["network", "architecture", "family", "precision", "top1"]].assign(
        builder="edgejoule", arguments="{}", input="3x64x64", parameters=1000, top1_source="a test"
    )
    order = ["network", "architecture", "family", "precision", "builder", "arguments", "input", "parameters"]
    zoo[[*order, "top1", "top1_source"]].to_csv(folder / "networks.tsv", sep="\t", index=False)
    return folder, device, networks.set_index("network")


def budget_of(networks: pd.DataFrame) -> str:
    return f"{networks.loc[networks['family'] == 'delta', 'energy_mj'].median():.6f} mJ"


def test_the_whole_zoo_is_planned_with(project):
    folder, device, networks = project
    options = ("--device", device, "--budget", budget_of(networks), "--energies", "predictor", "--json")
    data = json.loads(ask(folder, *options))
    assert data["networks"] == len(networks)


def test_a_network_unlike_the_training_is_not_planned_with_and_says_why(project):
    folder, device, networks = project
    kernels = read_table(folder / "graphs" / "kernels.parquet", KERNELS)
    kernels["macs"] = kernels["macs"].where(kernels["network"] != "delta-11", kernels["macs"] * 1000)
    seen = networks[networks["family"] != "delta"].reset_index()
    prediction = unmeasured.zoo_prediction(
        build_catalogue(seen), load_predictor(device, folder / "predictors"), kernels, read_zoo(folder / "networks.tsv")
    )
    assert "delta-11" not in prediction.catalogue.network and "delta-10" in prediction.catalogue.network
    reasons = prediction.catalogue.excluded.set_index("network")["reason"]
    assert reasons.to_dict() == {"delta-11": "unlike the training networks: its prediction has no interval"}


def test_a_zoo_without_further_networks_is_a_sentence(project, monkeypatch):
    folder, device, networks = project
    predictor = load_predictor(device, folder / "predictors")
    monkeypatch.setattr(type(predictor), "predict_many", lambda *_: pytest.fail("there is nothing to predict"))
    kernels = read_table(folder / "graphs" / "kernels.parquet", KERNELS)
    known = build_catalogue(networks.reset_index())
    with pytest.raises(EdgejouleError, match="the zoo has no further network"):
        unmeasured.zoo_prediction(known, predictor, kernels, read_zoo(folder / "networks.tsv"))


def test_networks_never_run_are_measured_when_they_matter(project, monkeypatch):
    folder, device, networks = project
    asked = []

    def measure(network):
        asked.append(network)
        return float(networks.loc[network, "energy_mj"])

    monkeypatch.setattr(unmeasured, "live_measurement", lambda *arguments: measure)
    options = ("--device", device, "--budget", budget_of(networks), "--energies", "predictor", "--refine")
    data = json.loads(ask(folder, *options, "--live", "board.yaml", "--json"))
    assert asked and [step["network"] for step in data["measured"]] == asked
    assert all(networks.loc[name, "family"] == "delta" for name in asked)
    for member in data["mix"]["networks"]:
        assert member["energy_mj"] == pytest.approx(networks.loc[member["network"], "energy_mj"], rel=1e-6)


def test_what_was_never_run_cannot_be_looked_up(project, capsys):
    folder, device, networks = project
    options = ["--device", device, "--budget", budget_of(networks), "--energies", "predictor", "--refine"]
    with pytest.raises(SystemExit):
        main(["recommend", "--results", str(folder), "--zoo", str(folder / "networks.tsv"), *options])
    assert "give --live" in capsys.readouterr().err


DEVICE = """
name: desk
title: Desk
board: desk
class: computer
runtime: {name: onnxruntime, threads: 1}
meter: {kind: constant, watts: 5}
power_scope: model
origin: estimated
source: SOURCE
"""


def test_a_live_measurement_is_recorded_once_and_derived(tmp_path, monkeypatch):
    from test_recommendations_device import networks

    file = tmp_path / "desk.yaml"
    file.write_text(DEVICE.replace("SOURCE", "{kind: live, networks: all}"))
    recorded = []

    def record(device_file, zoo, work, output):
        from edgejoule.config import load_device

        recorded.append(load_device(device_file).source.networks)
        output.mkdir(parents=True)
        (output / "recording.json").write_text("{}")

    def derive(device, source, zoo, output):
        rows = networks(device=device.name, origin="estimated", power_scope="model")
        rows.loc[2, ["quality", "reason"]] = ["failed", "the runtime refused it"]
        write_table(rows, output / "networks.parquet", NETWORKS)

    monkeypatch.setattr(unmeasured, "record_device", record)
    monkeypatch.setattr(unmeasured, "derive_device", derive)
    measure = unmeasured.live_measurement(file, tmp_path / "zoo.tsv", tmp_path / "work")
    assert [measure("b"), measure("b")] == [20.0, 20.0]
    assert recorded == [["b"]]
    with pytest.raises(EdgejouleError, match="'c' cannot be measured on 'desk': recording failed: the runtime refused"):
        measure("c")


def test_only_a_live_device_is_measured(tmp_path):
    file = tmp_path / "desk.yaml"
    file.write_text(DEVICE.replace("SOURCE", "{kind: table, file: a.csv}"))
    with pytest.raises(EdgejouleError, match="--live needs a device of source 'live'"):
        unmeasured.live_measurement(file, tmp_path / "zoo.tsv", tmp_path / "work")
