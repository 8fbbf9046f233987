"""Networks that a device has not run yet: predicted by its trained predictor, and measured when they matter."""

import json

import numpy as np
import pandas as pd
import pytest
from test_recommendations_request import ask

from edgejoule.cli.main import main
from edgejoule.config import load_device
from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo
from edgejoule.predictors import load_predictor
from edgejoule.predictors.train import train
from edgejoule.recommendations import unmeasured
from edgejoule.recommendations.answer import answer
from edgejoule.recommendations.catalogue import Cost, build_catalogue
from edgejoule.recommendations.request import Request, make_limits
from edgejoule.recommendations.show import energies
from edgejoule.tables import empty, read_table, write_table
from edgejoule.tables.contracts import EVENTS, KERNELS, NETWORKS, PREDICTIONS, PROBLEMS
from edgejoule.traces import Recording, write_recording
from synthetic_board import IDLE_W, board


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A board that has run three of four families; the zoo has the fourth, too."""
    return build_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    """The same with noise, so that intervals have a width."""
    return build_project(tmp_path_factory.mktemp("noisy"), noise=0.05)


def build_project(folder, noise=0.0):
    networks, kernels = board(noise)
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


def cost_of(row: pd.Series, slower: float = 1.0) -> Cost:
    return Cost(float(row["energy_mj"]), float(row["latency_ms"]) * slower, float(row["latency_p90_ms"]) * slower)


def live(monkeypatch, networks: pd.DataFrame, slower: float) -> None:
    """Let a live device need as much energy as before, but ``slower`` times as long."""
    monkeypatch.setattr(
        unmeasured, "live_measurement", lambda *_: lambda network: cost_of(networks.loc[network], slower)
    )


def budget_of(networks: pd.DataFrame) -> str:
    return f"{networks.loc[networks['family'] == 'delta', 'energy_mj'].median():.6f} mJ"


def test_the_whole_zoo_is_planned_with(project):
    folder, device, networks = project
    options = ("--device", device, "--budget", budget_of(networks), "--energies", "predictor", "--json")
    data = json.loads(ask(folder, *options))
    unseen = (networks["family"] == "delta").sum()
    assert data["networks"] == len(networks) and data["predicted"] == unseen
    said = ask(folder, *options[:-1])
    assert f"of the {len(networks) - unseen} networks without ≤ that the device has run: measured, wall" in said
    for member in data["mix"]["networks"]:
        assert member["predicted"] == (networks.loc[member["network"], "family"] == "delta")
        shown = next(line for line in said.splitlines() if member["network"] in line)
        assert ("≤" in shown) == member["predicted"]


def test_a_new_board_is_planned_with_by_the_file_of_its_predictions(noisy, tmp_path):
    folder, device, networks = noisy
    unseen = networks[networks["family"] == "delta"].reset_index()
    rows = unseen.melt(["network", "family", "precision"], ["energy_mj", "latency_ms"], "metric", "predicted")
    rows = rows.assign(device=device, board="board", measured=np.nan)
    rows = rows.assign(lower=rows["predicted"] / 1.2, upper=rows["predicted"] * 1.2)
    path = tmp_path / "predictions.parquet"
    write_table(rows[rows["network"] != "delta-11"], path, PREDICTIONS)
    asked = ("--device", device, "--budget", budget_of(networks), "--energies", str(path))
    data = json.loads(ask(folder, *asked, "--confidence", "0.95", "--json"))
    assert data["networks"] == 47 and data["predicted"] == 11
    predicted = [member for member in data["mix"]["networks"] if member["predicted"]]
    assert predicted
    for member in predicted:
        assert member["energy_mj"] == pytest.approx(1.2 * networks.loc[member["network"], "energy_mj"], rel=1e-6)
    write_table(rows.assign(device="another"), path, PREDICTIONS)
    with pytest.raises(EdgejouleError, match=f"holds predictions for another, not for '{device}'"):
        ask(folder, *asked)


def test_a_limit_on_latency_is_asked_of_the_same_quantile_as_energy(noisy):
    folder, device, networks = noisy
    kernels = read_table(folder / "graphs" / "kernels.parquet", KERNELS)
    intervals = load_predictor(device, folder / "predictors").predict_many(kernels)
    latencies = intervals[intervals["metric"] == "latency_ms"].set_index("network")
    asked = ("--device", device, "--budget", budget_of(networks), "--energies", "predictor", "--json")
    # The upper end of an interval of 90 % is not exceeded with 95 %.
    free = json.loads(ask(folder, *asked, "--confidence", "0.95"))
    ours = [member for member in free["mix"]["networks"] if member["latency_predicted"]]
    assert ours and free["mix"]["latency_predicted"]
    for member in ours:
        assert networks.loc[member["network"], "family"] == "delta"
        assert member["latency_ms"] == pytest.approx(latencies.loc[member["network"], "upper"], rel=1e-6)
        assert member["latency_ms"] > 1.01 * latencies.loc[member["network"], "predicted"]
    # Within reach of what the mix is predicted to take, but not of what it does not exceed.
    limit = free["mix"]["latency_ms"] * 0.995
    for bound in (("--max-latency", f"{limit}ms"), ("--rate", f"{1e3 / limit}/s", "--accounting", "gross")):
        held = json.loads(ask(folder, *asked, "--confidence", "0.95", *bound))
        assert held["mix"]["latency_ms"] <= limit * (1 + 1e-5) and held["mix"]["top1"] < free["mix"]["top1"]
    said = ask(folder, *asked[:-1])
    assert "nor is any latency with ≤" in said
    for member in free["mix"]["networks"]:
        shown = [line for line in said.splitlines() if member["network"] in line]
        assert all(line.count("≤") == 2 * member["latency_predicted"] for line in shown)


def test_an_average_power_gets_no_margin_from_a_longer_latency(noisy):
    folder, device, networks = noisy
    kernels = read_table(folder / "graphs" / "kernels.parquet", KERNELS)
    seen = build_catalogue(networks[networks["family"] != "delta"].reset_index())
    predictor, zoo = load_predictor(device, folder / "predictors"), read_zoo(folder / "networks.tsv")
    catalogue = unmeasured.zoo_prediction(seen, predictor, kernels, zoo).cautious(0.95)
    (limit,) = make_limits(Request(power_w=5.0), catalogue)
    assert limit.values[~catalogue.predicted] == pytest.approx(0, abs=1e-9)
    assert (limit.values[catalogue.predicted] > 0).all()


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


def test_where_the_whole_zoo_was_run_nothing_is_predicted(project, monkeypatch):
    folder, device, networks = project
    predictor = load_predictor(device, folder / "predictors")
    monkeypatch.setattr(type(predictor), "predict_many", lambda *_: pytest.fail("there is nothing to predict"))
    kernels = read_table(folder / "graphs" / "kernels.parquet", KERNELS)
    known = build_catalogue(networks.reset_index())
    prediction = unmeasured.zoo_prediction(known, predictor, kernels, read_zoo(folder / "networks.tsv"))
    assert prediction.known.all() and (prediction.predicted_mj == known.energy_mj).all()
    result = answer(Request(budget_mj=float(known.energy_mj.max())), prediction.catalogue)
    said = energies(result, "predictor", 0.9)
    assert said == f"measured, wall: the device has run all {len(networks)}, nothing is predicted"


def test_what_cannot_be_predicted_is_named_with_its_reason(project):
    folder, device, networks = project
    kernels = read_table(folder / "graphs" / "kernels.parquet", KERNELS)
    zoo = read_zoo(folder / "networks.tsv")
    zoo.loc[zoo["network"] == "delta-10", "top1"] = None
    seen = build_catalogue(networks[networks["family"] != "delta"].reset_index())
    predictor = load_predictor(device, folder / "predictors")
    prediction = unmeasured.zoo_prediction(seen, predictor, kernels[kernels["network"] != "delta-11"], zoo)
    reasons = prediction.catalogue.excluded.set_index("network")["reason"].to_dict()
    runtime = predictor.runtime
    assert reasons == {"delta-10": "no ImageNet top-1", "delta-11": f"its kernels under '{runtime}' are not known"}
    assert len(prediction.catalogue) + len(reasons) == len(zoo)


def test_networks_never_run_are_measured_when_they_matter(project, monkeypatch):
    folder, device, networks = project
    asked = []

    def measure(network):
        asked.append(network)
        return cost_of(networks.loc[network])

    monkeypatch.setattr(unmeasured, "live_measurement", lambda *arguments: measure)
    options = ("--device", device, "--budget", budget_of(networks), "--energies", "predictor", "--refine")
    data = json.loads(ask(folder, *options, "--live", "board.yaml", "--json"))
    assert asked and [step["network"] for step in data["measured"]] == asked
    assert all(networks.loc[name, "family"] == "delta" for name in asked)
    for member in data["mix"]["networks"]:
        assert member["energy_mj"] == pytest.approx(networks.loc[member["network"], "energy_mj"], rel=1e-6)


@pytest.mark.parametrize("which", ["mean", "p90"])
def test_a_limit_on_latency_holds_for_what_was_measured(project, monkeypatch, which):
    folder, device, networks = project
    limit = 1.2 * networks.loc[networks["family"] == "delta", "latency_ms"].median()
    asked = ("--device", device, "--budget", budget_of(networks), "--energies", "predictor", "--refine")
    asked += ("--max-latency", f"{limit}ms", "--latency", which, "--live", "board.yaml", "--json")
    live(monkeypatch, networks, slower=1)
    quick = json.loads(ask(folder, *asked))
    live(monkeypatch, networks, slower=3)
    slow = json.loads(ask(folder, *asked))
    for data, slower in ((quick, 1), (slow, 3)):
        assert any(networks.loc[step["network"], "family"] == "delta" for step in data["measured"])
        for step in data["measured"]:
            truth = networks.loc[step["network"], "latency_ms"]
            assert step["measured_ms"] == pytest.approx(truth * slower)
            assert step["predicted_ms"] == pytest.approx(truth, rel=0.2)
        for member in data["mix"]["networks"]:
            own = networks.loc[member["network"]]
            assert member["latency_ms"] == pytest.approx(
                own["latency_ms"] * (slower if own["family"] == "delta" else 1)
            )
        assert data["mix"]["latency_ms"] <= limit * (1 + 1e-5)
        if which == "p90":
            assert all(member["latency_ms"] <= limit for member in data["mix"]["networks"])
    assert slow["mix"]["top1"] < quick["mix"]["top1"]


def test_a_rate_and_its_waiting_are_those_of_the_measured_latency(project, monkeypatch):
    folder, device, networks = project
    limit = 1.2 * networks.loc[networks["family"] == "delta", "latency_ms"].median()
    asked = ("--device", device, "--budget", budget_of(networks), "--energies", "predictor", "--refine")
    live(monkeypatch, networks, slower=2)
    data = json.loads(ask(folder, *asked, "--rate", f"{1e3 / limit}/s", "--live", "board.yaml", "--json"))
    assert data["accounting"] == "duty-cycle" and data["mix"]["latency_ms"] <= limit * (1 + 1e-5)
    for step in data["measured"]:
        waits = limit - step["measured_ms"]
        assert step["measured_mj"] == pytest.approx(networks.loc[step["network"], "energy_mj"] + IDLE_W * waits)


def test_the_command_tells_what_was_measured_and_what_of_it_failed(project, monkeypatch, capsys):
    folder, device, networks = project
    asked = ("--device", device, "--budget", budget_of(networks), "--energies", "predictor", "--refine")
    asked += ("--live", "board.yaml", "--exclude", "alpha*", "--exclude", "beta*", "--exclude", "gamma*")
    limit = 1.2 * networks.loc[networks["family"] == "delta", "latency_ms"].median()
    live(monkeypatch, networks, slower=3)
    assert " ms measured (+2" in ask(folder, *asked)
    live(monkeypatch, networks, slower=50)
    with pytest.raises(SystemExit):
        files = ("--results", str(folder), "--zoo", str(folder / "networks.tsv"))
        main(["recommend", *files, *asked, "--max-latency", f"{limit}ms"])
    assert f"of 6 networks measured on '{device}' no one and no mix meets the request" in capsys.readouterr().err


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
    zoo = tmp_path / "zoo.tsv"
    columns = "network architecture family precision builder arguments input parameters top1 top1_source"
    rows = [f"{name} {name} f fp32 edgejoule {{}} 3x8x8 1000 50 test" for name in "bc"]
    zoo.write_text("\n".join([columns, *rows, ""]).replace(" ", "\t"))
    file = tmp_path / "desk.yaml"
    file.write_text(DEVICE.replace("SOURCE", "{kind: live, networks: all, protocol: {kernels: 9, passes: 2}}"))
    recorded = []

    def record(device_file, zoo, work, output):
        source = load_device(device_file).source
        assert not source.references and not source.protocol.kernels and source.protocol.passes == 2
        recorded.append(source.networks)
        (name,) = source.networks
        runs = name == "b"
        event = {"event": name, "start_ns": 0, "end_ns": 40_000_000, "kind": "network", "workload": name, "pass": 0}
        event |= {"precision": "fp32", "iterations": 10, "source": "a test"}
        event |= dict.fromkeys(("latency_ms", "latency_p50_ms", "latency_p90_ms", "top1"), np.nan)
        meta = {"device": "desk", "board": "desk", "meter": {"kind": "constant", "watts": 5}, "clock": "made"}
        recording = Recording(meta | {"power_scope": "model", "rails": []}, pd.DataFrame([event]).iloc[: int(runs)])
        if not runs:
            refused = ("c", "network", "fp32", "a test", "the runtime refused it")
            recording.problems = pd.DataFrame([refused], columns=PROBLEMS.names)
            recording.events = empty(EVENTS)
        write_recording(recording, output)

    monkeypatch.setattr(unmeasured, "record_device", record)
    measure = unmeasured.live_measurement(file, zoo, tmp_path / "work")
    costs = [measure("b"), measure("b")]
    assert [cost.energy_mj for cost in costs] == [pytest.approx(20.0), pytest.approx(20.0)]
    assert costs[0].latency_ms == pytest.approx(4.0) and np.isnan(costs[0].latency_p90_ms)
    assert recorded == [["b"]]
    with pytest.raises(
        EdgejouleError, match=r"recording of desk: no event .* what failed first: c: the runtime refused"
    ):
        measure("c")


def test_only_a_live_device_is_measured(tmp_path):
    file = tmp_path / "desk.yaml"
    file.write_text(DEVICE.replace("SOURCE", "{kind: table, file: a.csv}"))
    with pytest.raises(EdgejouleError, match="--live needs a device of source 'live'"):
        unmeasured.live_measurement(file, tmp_path / "zoo.tsv", tmp_path / "work")
