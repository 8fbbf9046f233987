import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgejoule.cli.main import main
from edgejoule.tables import read_table, to_arrow, write_table
from edgejoule.tables.contracts import ABLATION, EVIDENCE, LEARNING_CURVE
from edgejoule.validation import ablation as lacking
from edgejoule.validation import kernels as worth
from edgejoule.validation import validate
from edgejoule.validation.ablation import NOISE, ablation
from synthetic_kernels import events_of, measured_alone, profiled


@pytest.fixture(scope="module")
def device():
    networks, kernels, nodes = profiled()
    alone = measured_alone(kernels)
    return worth.Device.of(networks, kernels, nodes, alone, events_of(alone))


def test_every_sort_of_times_has_its_error(device, monkeypatch):
    monkeypatch.setattr(worth, "GROUPS", 2)
    table = worth.evidence_table(device)
    to_arrow(table, EVIDENCE)
    found = table.set_index("evidence")
    assert list(found.index) == list(worth.SORTS)
    parts = found.loc[["zoo", "synthetic"], "kernels"].sum()
    assert found.loc["zoo+synthetic", "kernels"] == parts
    assert found.loc["nodes+zoo+synthetic", "mape_percent"] < found.loc["synthetic", "mape_percent"]


def test_more_minutes_bring_the_error_near_that_of_all_kernels(device, monkeypatch):
    monkeypatch.setattr(worth, "SIZES", (30,))
    table = worth.learning_curve(device)
    to_arrow(table, LEARNING_CURVE)
    for _, group in table.groupby(["source", "choice"]):
        assert group["kernels"].is_monotonic_increasing
        last = group.iloc[-1]
        assert last["near"] and last["draws"] == 1
        # Two passes at a kernel every 50 ms.
        assert group["minutes"].to_numpy() == pytest.approx(group["kernels"] * 0.1 / 60)
    zoo = table[(table["source"] == "zoo") & (table["choice"] == "random")]
    assert zoo["mape_percent"].iloc[0] > zoo["mape_percent"].iloc[-1]
    assert (zoo["mape_low_percent"] <= zoo["mape_percent"]).all()
    assert (zoo["mape_percent"] <= zoo["mape_high_percent"]).all()


def test_what_is_known_helps_and_what_is_left_out_does_not(device, monkeypatch):
    monkeypatch.setattr(lacking, "GROUPS", 2)
    workloads = np.repeat(device.features.networks, 2)
    passes = pd.DataFrame({"device": "d", "kind": "network", "workload": workloads, "precision": "fp32"})
    passes["pass"] = np.arange(len(passes)) % 2
    passes["latency_min_ms"] = np.where(passes["pass"] == 0, 10.0, 10.4)
    table = ablation(device, passes.assign(slowdown=1.0, latency_ms=11.0))
    to_arrow(table, ABLATION)
    error = table.set_index("variant")["mape_percent"]
    assert list(error.index) == [*(variant.name for variant in lacking.VARIANTS), NOISE]
    # Half of 4 %.
    assert error[NOISE] == pytest.approx(2.0)
    whole, totals, _, _, roofline, _, family, told = error[:-1]
    assert family < whole < totals and told < totals
    assert whole < roofline


def test_nothing_of_the_left_out_families_reaches_the_curve(device):
    out = next(iter(worth.family_folds(device.costs.family, worth.GROUPS)))
    slower = device.costs.metrics["latency_ms"].copy()
    slower[out] *= 3
    changed, _ = worth._predicted(
        worth.replace(device, costs=worth.replace(device.costs, metrics={"latency_ms": slower})), ("zoo",), None
    )
    honest, _ = worth._predicted(device, ("zoo",), None)
    assert changed[out].tolist() == honest[out].tolist()
    assert not np.allclose(changed[~out], honest[~out])


def test_a_device_without_kernels_alone_has_empty_tables(tmp_path):
    networks, kernels, nodes = profiled()
    assert worth.Device.of(networks, kernels, nodes, measured_alone(kernels).iloc[:0], None) is None
    tables = (
        (EVIDENCE, worth.evidence_table(None)),
        (ABLATION, ablation(None, None)),
        (LEARNING_CURVE, worth.learning_curve(None)),
    )
    for table, rows in tables:
        write_table(rows, tmp_path / "one.parquet", table)
        arguments = ["--table", table.name, "--output", str(tmp_path / "all.parquet"), str(tmp_path / "one.parquet")]
        with pytest.raises(SystemExit) as stop:
            main(["validation", "stack", *arguments])
        assert not stop.value.code
        assert read_table(tmp_path / "all.parquet", table).empty
        assert "No device of this run" in (tmp_path / "all.md").read_text()


def test_a_table_that_is_none_of_them_stops(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["validation", "stack", "--table", "evidnce", "--output", str(tmp_path / "all.parquet")])
    assert stop.value.code == 2
    assert "is none of evidence, ablation, learning-curve" in capsys.readouterr().err


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 40))
def test_a_spread_order_has_every_point_once_and_covers_from_the_beginning(seed, many):
    points = np.random.default_rng(seed).normal(size=(many, 3))
    order = worth.spread(points)
    assert sorted(order.tolist()) == list(range(many))
    scaled = points / points.std(axis=0)
    nearest = [np.linalg.norm(scaled[order[i]] - scaled[order[:i]], axis=1).min() for i in range(1, many)]
    assert (np.diff(nearest) <= 1e-9).all()


def test_synthetic_kernels_alone_predict_networks_and_nothing_of_the_zoo_matters():
    networks, kernels, nodes = profiled()
    alone = measured_alone(kernels)
    names = ["edgejoule", "random-forest-per-kernel", "macs-linear"]
    table, used = validate(networks, kernels, names, ["synthetic-only"], nodes=nodes, alone=alone)
    assert set(table["predictor"]) == {"edgejoule", "random-forest-per-kernel"}
    assert set(used["fold"]) == {"zoo"} and len(used) == len(networks)
    zoo = alone["kernel"].isin(kernels["kernel"])
    changed = alone.assign(latency_ms=alone["latency_ms"].where(~zoo, 9.0))
    altered, _ = validate(
        networks.assign(latency_ms=networks["latency_ms"] * 2),
        kernels,
        names,
        ["synthetic-only"],
        nodes=nodes.assign(duration_ns=nodes["duration_ns"] * 5),
        alone=changed,
    )
    assert table["predicted"].tolist() == altered["predicted"].tolist()
    none, split = validate(networks, kernels, names, ["synthetic-only"], nodes=nodes, alone=alone[zoo])
    assert none.empty and split.empty
