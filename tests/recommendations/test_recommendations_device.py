"""One device's tables: catalogue, accountings, sweep, fronts, page, proof."""

import numpy as np
import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.recommendations import build_catalogue, build_device, build_validation
from edgejoule.recommendations.catalogue import ARRAYS
from edgejoule.recommendations.sweep import spread_budgets
from edgejoule.tables import read_provenance, read_table, write_table
from edgejoule.tables.contracts import FRONTS, NETWORKS, RECOMMENDATION_VALIDATION, RECOMMENDATIONS, VALIDATION


def networks(**columns) -> pd.DataFrame:
    """Five networks: d is dominated by b, c is on the front but below the mix of b and e."""
    rows = {
        "network": ["a", "b", "c", "d", "e"],
        "energy_mj": [10.0, 20.0, 30.0, 25.0, 40.0],
        "top1": [50.0, 70.0, 71.0, 60.0, 80.0],
        "latency_ms": [5.0, 10.0, 15.0, 9.0, 20.0],
    }
    common = {
        "device": "board-x",
        "board": "board",
        "architecture": "a",
        "family": "f",
        "precision": "fp32",
        "runtime": "tflite",
        "power_w": 2.0,
        "idle_before_w": 1.1,
        "idle_after_w": 0.9,
        "energy_std_mj": 0.1,
        "drift": 0.0,
        "iterations": 100,
        "origin": "measured",
        "power_scope": "wall",
        "licence": "apache-2.0",
        "source": "here",
        "quality": "ok",
        "reason": "",
    }
    table = pd.DataFrame(rows).assign(**common)
    table["latency_p50_ms"] = table["latency_mean_ms"] = table["latency_ms"]
    table["latency_p90_ms"] = table["latency_ms"] * 1.2
    table["energy_above_idle_mj"] = table["energy_mj"] - table["latency_ms"]
    return table.assign(**columns)


def build(tmp_path, table, **options):
    source = tmp_path / "networks.parquet"
    write_table(table, source, NETWORKS)
    output, fronts = tmp_path / "board-x.parquet", tmp_path / "fronts" / "board-x.parquet"
    build_device("board-x", source, output, fronts, **options)
    page = output.with_suffix(".md").read_text()
    return read_table(output, RECOMMENDATIONS), read_table(fronts, FRONTS).set_index("network"), page


def test_a_mean_latency_that_is_stated_is_kept_beside_the_undisturbed_one():
    table = networks()
    table["latency_mean_ms"] = [6.0, 12.0, 18.0, 10.8, np.nan]
    known = build_catalogue(table)
    assert known.slowness.tolist() == pytest.approx([1.2] * 4 + [1.0])
    more = {name: getattr(known, name)[:1] for name in ARRAYS if name != "slowness"}
    assert known.extended(**more).latency_mean_ms.tolist() == pytest.approx([6.0, 12.0, 18.0, 10.8, 20.0, 6.0])


def test_choices_and_standings(tmp_path):
    chosen, fronts, page = build(tmp_path, networks(), budgets_mj=[5.0, 15.0, 30.0, 99.0])
    single = chosen[chosen["method"] == "single"].set_index("budget_mj")
    assert single["network"].to_dict() == {15.0: "a", 30.0: "c", 99.0: "e"}
    mix = chosen[(chosen["method"] == "mix") & (chosen["budget_mj"] == 30.0)].set_index("network")
    assert mix["share"].to_dict() == {"b": 0.5, "e": 0.5}
    assert mix["mix_energy_mj"].tolist() == [30.0, 30.0] and mix["mix_top1"].tolist() == [75.0, 75.0]
    assert mix["mix_latency_ms"].tolist() == [15.0, 15.0]
    assert fronts["standing"].to_dict() == {
        "a": "envelope",
        "b": "envelope",
        "c": "front",
        "d": "dominated",
        "e": "envelope",
    }
    assert fronts.loc["c", "beaten_by"] == "b+e" and fronts.loc["c", "beaten_by_points"] == 4.0
    assert fronts.loc["d", "beaten_by"] == "b" and fronts.loc["d", "beaten_by_points"] == 10.0
    assert fronts.loc["e", "marginal_mj_per_point"] == 2.0
    assert "1 budget(s) are below the cheapest network" in page
    assert "50.0 % `e`, 50.0 % `b`" in page


def test_what_cannot_be_chosen_is_left_out_with_its_reason(tmp_path):
    table = networks()
    table.loc[0, ["quality", "reason"]] = ["failed", "power window missing"]
    table.loc[1, "top1"] = np.nan
    table.loc[2, "origin"] = "estimated"
    _, fronts, page = build(tmp_path, table, budgets=3)
    reasons = fronts.loc[fronts["standing"] == "excluded", "reason"].to_dict()
    assert reasons == {
        "a": "recording failed: power window missing",
        "b": "no ImageNet top-1",
        "c": "estimated (wall) energy is not ranked with measured (wall)",
    }
    assert "power window missing" in page


def test_a_device_without_accuracies_says_so(tmp_path):
    chosen, fronts, page = build(tmp_path, networks(top1=np.nan))
    assert chosen.empty and (fronts["standing"] == "excluded").all()
    assert "no network of it has both an energy and an ImageNet accuracy" in page


def test_a_device_without_networks_has_empty_tables(tmp_path):
    chosen, fronts, page = build(tmp_path, networks().iloc[:0])
    assert chosen.empty and fronts.empty and "Nothing can be recommended on `board-x`" in page


def test_flagged_recordings_are_used_and_named(tmp_path):
    table = networks()
    table.loc[1, ["quality", "reason"]] = ["flagged", "drift of 7 %"]
    chosen, _, page = build(tmp_path, table, budgets_mj=[20.0])
    assert chosen["network"].tolist() == ["b", "b"] and "flagged in the dataset, and used all the same: `b`" in page


def test_estimated_energy_is_labelled(tmp_path):
    table = networks(origin="estimated", power_scope="model")
    chosen, _, page = build(tmp_path, table, budgets=4)
    assert set(chosen["origin"]) == {"estimated"}
    assert "modelled, 2 W x latency" in page
    assert read_provenance(tmp_path / "board-x.parquet")["energy"] == "modelled, 2 W x latency"


def test_equal_input_makes_equal_bytes(tmp_path):
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        build(tmp_path / name, networks(), budgets=20)
        written.append((tmp_path / name / "board-x.parquet").read_bytes())
    assert written[0] == written[1]


def test_accountings():
    table = networks()
    assert build_catalogue(table).energy_mj.tolist() == [10, 20, 30, 25, 40]
    assert build_catalogue(table, "above-idle").energy_mj.tolist() == [5, 10, 15, 16, 20]
    # 10 requests a second: 100 ms each, of which the rest is idle at 1 W.
    duty = build_catalogue(table, "duty-cycle", 10.0)
    assert duty.idle_w == 1.0
    assert duty.energy_mj.tolist() == [105, 110, 115, 116, 120]
    # A rate that keeps network b busy all the time leaves it no idle energy.
    assert build_catalogue(table, "duty-cycle", 100.0).energy_mj[1] == 20.0


@pytest.mark.parametrize(
    ("table", "arguments", "message"),
    [
        (networks(), ("duty-cycle",), "give --rate"),
        (networks(idle_before_w=np.nan, idle_after_w=np.nan), ("duty-cycle", 1.0), "no idle power was recorded"),
        (networks(energy_above_idle_mj=np.nan), ("above-idle",), "no idle power was recorded"),
        (networks(), ("netto",), "valid: gross"),
        (networks(), ("duty-cycle", -1.0), "must be positive"),
        (networks(), ("gross", None, "here", "board-z"), "here: holds board-x, but .* here 'board-z'"),
        (networks(device=list("aaabb")), (), "holds a, b, but"),
    ],
)
def test_accountings_that_the_recordings_do_not_allow(table, arguments, message):
    with pytest.raises(EdgejouleError, match=message):
        build_catalogue(table, *arguments)


@pytest.mark.parametrize("budget", [-5.0, 0.0, float("nan")])
def test_budgets_that_are_none_are_refused(tmp_path, budget):
    with pytest.raises(EdgejouleError, match="budgets must be positive"):
        build(tmp_path, networks(), budgets_mj=[budget])
    assert not (tmp_path / "board-x.parquet").exists()


def test_budgets_span_the_energies_exactly():
    budgets = spread_budgets(np.array([3.0, 7.7, 1.1]), 5)
    assert budgets[0] == 1.1 and budgets[-1] == 7.7
    assert np.diff(np.log(budgets)) == pytest.approx(np.log(7) / 4)


def test_predictions_without_intervals_are_named_and_not_judged(tmp_path):
    table = networks()
    write_table(table, tmp_path / "networks.parquet", NETWORKS)
    common = {"board": "board", "origin": "measured", "predictor": "edgejoule", "metric": "energy_mj", "flagged": False}
    rows = table[["device", "network", "family"]].assign(**common, measured=table["energy_mj"])
    rows = rows.assign(
        predicted=table["energy_mj"], lower=table["energy_mj"] / 1.1, upper=table["energy_mj"] * 1.1, stated=True
    )
    parts = [rows.assign(protocol="leave-one-family-out"), rows.assign(protocol="ten-fold", lower=np.nan, upper=np.nan)]
    write_table(pd.concat(parts), tmp_path / "predictions.parquet", VALIDATION)
    asked = ["leave-one-family-out", "ten-fold", "transfer-k10"]
    output = tmp_path / "out.parquet"
    build_validation(
        "board-x", tmp_path / "networks.parquet", tmp_path / "predictions.parquet", output, asked, budgets=4
    )
    judged = read_table(output, RECOMMENDATION_VALIDATION)
    assert set(judged["energies"]) == {"measured", "leave-one-family-out"}
    assert read_provenance(output)["protocols_without_predictions"] == ["ten-fold", "transfer-k10"]
