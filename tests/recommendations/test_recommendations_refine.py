"""Correcting predictions, measuring and resolving, and the judgement of every method."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_catalogue import catalogue, prediction

from edgejoule.errors import EdgejouleError
from edgejoule.figures import palette
from edgejoule.recommendations.correct import Kinship, corrected, error_covariance
from edgejoule.recommendations.pages import validation_page
from edgejoule.recommendations.predicted import Prediction, predicted_catalogue
from edgejoule.recommendations.refine import Policy, expected_gain, refine
from edgejoule.recommendations.sweep import spread_budgets, sweep
from edgejoule.recommendations.validate import summarise, validate_device
from edgejoule.tables import to_arrow, vocabulary
from edgejoule.tables.contracts import RECOMMENDATION_VALIDATION


def settle(source: Prediction, budget: float, policy: Policy | None = None):
    asked = []

    def measure(network: int) -> float:
        asked.append(network)
        return source.measured_mj[network]

    result = refine(source, budget, measure, policy)
    assert len(asked) == len(set(asked)) == result.measurements
    return result


@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
@settings(derandomize=True, max_examples=40, deadline=None)
def test_a_settled_choice_is_measured_and_within_its_budget(seed, place):
    known = catalogue(30, seed)
    source = prediction(known, seed)
    best = sweep(known, np.empty(0))
    low, high = np.log(known.energy_mj[best.envelope[[0, -1]]])
    budget = float(np.exp(low + place * (high - low)))
    result = settle(source, budget)
    assert result.measurements <= 6
    if result.choice is not None:
        assert set(result.choice.networks) <= set(result.measured)
        assert result.choice.mean(known.energy_mj) <= budget * (1 + 1e-9)
        oracle = sweep(known, np.array([budget])).mix.mean(known.top1)[0]
        assert result.choice.mean(known.top1) <= oracle + 1e-9


def test_refining_reaches_the_best_mix_with_few_measurements():
    known = catalogue(60, 3)
    source = prediction(known, 3)
    asked = spread_budgets(known.energy_mj, 40)[2:-2]
    oracle = sweep(known, asked).mix.mean(known.top1)
    regret, counts = [], []
    for budget, ideal in zip(asked, oracle, strict=True):
        result = settle(source, budget)
        regret.append(ideal - result.choice.mean(known.top1))
        counts.append(result.measurements)
    plain = sweep(source.catalogue, asked).mix.mean(known.energy_mj)
    assert np.mean(np.abs(plain - asked) / asked) > 0.05  # what predictions alone would miss by
    assert np.mean(regret) < 0.15 and np.mean(counts) < 4


def test_exact_predictions_need_only_the_chosen_networks():
    known = catalogue(40, 5)
    guess = known.with_energy(known.energy_mj, np.ones(40, bool))
    source = Prediction(guess, known.energy_mj, np.full(40, 1e-6), np.zeros(40), np.zeros(40))
    budget = float(np.median(known.energy_mj))
    result = settle(source, budget)
    assert result.measurements == 2
    assert result.choice.mean(known.energy_mj) == pytest.approx(budget, rel=1e-9)


def test_networks_measured_beforehand_cost_nothing():
    known = catalogue(40, 5)
    source = prediction(known, 5)
    everything = replace(source, catalogue=known, spread=np.zeros(40), measured_mj=known.energy_mj)
    result = settle(everything, 100.0)
    assert result.measurements == 0
    assert result.choice.mean(known.top1) == pytest.approx(sweep(known, np.array([100.0])).mix.mean(known.top1)[0])


def test_nothing_fits_below_the_cheapest_network():
    known = catalogue(20, 1)
    result = settle(prediction(known, 1), known.energy_mj.min() * 0.5)
    assert result.choice is None and result.measurements == 6


def test_a_network_that_breaks_a_limit_when_measured_is_not_chosen_but_corrects_the_others():
    known = catalogue(40, 5)
    source = prediction(known, 5)
    free = settle(source, 100.0)
    result = refine(source, 100.0, source.measured_mj.__getitem__, allows=lambda i: i not in free.choice.networks)
    assert result.barred == set(free.choice.networks) and result.barred < set(result.measured)
    assert not result.barred & set(result.choice.networks)
    assert result.choice.mean(known.energy_mj) <= 100 * (1 + 1e-9)
    nothing = refine(source, 100.0, source.measured_mj.__getitem__, Policy(most=50), lambda i: False)
    assert nothing.choice is None and nothing.measurements == 40


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_measurement_without_energy_is_refused(value):
    with pytest.raises(EdgejouleError, match="must be positive"):
        refine(prediction(catalogue()), 100.0, lambda network: value)


def test_correction_agrees_with_the_textbook_and_spares_the_unrelated():
    source = prediction(catalogue(12, 2), 2)
    covariance = error_covariance(source, Kinship(device=0.0))
    assert np.linalg.eigvalsh(covariance).min() > 0
    measured = {0: float(source.predicted_mj[0] * np.exp(0.2))}
    energy, spread = corrected(source, covariance, measured)
    relatives = source.catalogue.family == source.catalogue.family[0]
    assert energy[0] == measured[0] and spread[0] == 0
    assert np.array_equal(energy[~relatives], source.predicted_mj[~relatives])
    moved = np.log(energy / source.predicted_mj)[relatives]
    expected = covariance[relatives, 0] / covariance[0, 0] * 0.2
    assert moved == pytest.approx(expected, rel=1e-6)
    left = np.diag(covariance) - covariance[:, 0] ** 2 / covariance[0, 0]
    surprise = 0.2**2 / covariance[0, 0]
    assert spread[1:] ** 2 == pytest.approx((left * (2 + surprise) / 3)[1:], rel=1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_expected_gain_agrees_with_fine_integration(seed):
    known = catalogue(8, seed)
    source = prediction(known, seed)
    measured = {int(i): float(known.energy_mj[i]) for i in np.argsort(known.energy_mj)[[1, 6]]}
    budget = float(np.sqrt(np.prod(list(measured.values()))))
    energy, spread = source.predicted_mj, source.spread
    gains = expected_gain(energy, spread, known.top1, budget, measured)
    base = sweep_of(measured, known.top1, budget)
    nodes = np.linspace(-6, 6, 601)
    weights = np.exp(-(nodes**2) / 2) / np.exp(-(nodes**2) / 2).sum()
    for network in set(range(8)) - set(measured):
        reached = [
            sweep_of(measured | {network: float(energy[network] * np.exp(spread[network] * z))}, known.top1, budget)
            for z in nodes
        ]
        fine = float(np.maximum(np.array(reached) - base, 0) @ weights)
        assert gains[network] == pytest.approx(fine, rel=0.05, abs=0.03)
    assert all(gains[network] == 0 for network in measured)


def sweep_of(measured: dict[int, float], top1: np.ndarray, budget: float) -> float:
    from test_recommendations_front import brute_mix

    known = list(measured)
    return brute_mix(np.array([measured[i] for i in known]), top1[known], budget)


def test_margin_is_the_quantile_of_the_interval():
    source = prediction(catalogue(), 0)
    assert source.quantile_mj(0.5) == pytest.approx(source.predicted_mj)
    assert source.quantile_mj(0.95) == pytest.approx(source.predicted_mj * np.exp(1.6448536 * source.spread))
    with pytest.raises(EdgejouleError, match="between 0 and 1"):
        source.quantile_mj(1.0)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_a_mix_with_margin_meets_its_budget_as_often_as_it_says_when_errors_go_together(confidence):
    source = prediction(catalogue(40, 12), 12)
    budget = float(np.median(source.predicted_mj))
    planned = sweep(source.catalogue.with_energy(source.quantile_mj(confidence)), np.array([budget])).mix
    draws = np.random.default_rng(1).normal(size=4000)
    met = [planned.mean(source.predicted_mj * np.exp(source.spread * z))[0] <= budget * (1 + 1e-9) for z in draws]
    assert np.mean(met) == pytest.approx(confidence, abs=0.02)


def test_every_method_is_judged_on_measured_energies():
    known = catalogue(40, 11)
    table = validate_device(known, {"leave-one-family-out": prediction(known, 11)}, budgets=25)
    to_arrow(table, RECOMMENDATION_VALIDATION)
    summary = summarise(table).set_index(["energies", "method"])
    measured = summary.loc["measured"]
    assert measured.loc["mix", ["gap_max", "regret_max", "violation_max"]].tolist() == [0, 0, 0]
    assert measured.loc["oracle-mix", "regret_max"] < 1e-4
    assert measured.loc["oracle-single", "regret_mean"] == pytest.approx(measured.loc["single", "regret_mean"])
    assert measured.loc["nearest-budget", "violations"] > 0
    assert measured.loc["accuracy-per-joule", "regret_mean"] > measured.loc["single", "regret_mean"]
    predicted = summary.loc["leave-one-family-out"]
    assert set(predicted.index) == {*measured.index} - {"oracle-mix", "oracle-single"} | {"mix-margin", "refine"}
    assert predicted.loc["refine", "gap_max"] == 0 and predicted.loc["refine", "violation_max"] == 0
    assert predicted.loc["mix-margin", "violations"] < predicted.loc["mix", "violations"]
    rows = table[(table["method"] == "mix") & (table["energies"] == "leave-one-family-out")]
    for row in rows.itertuples():
        if row.networks:
            shares = [float(share) for share in row.shares.split("+")]
            names = row.networks.split("+")
            energy = sum(s * known.energy_mj[list(known.network).index(n)] for s, n in zip(shares, names, strict=True))
            assert row.energy_mj == pytest.approx(energy, rel=1e-4)


def test_no_method_is_another_under_a_second_name():
    table = validate_device(catalogue(40, 11), {}, budgets=25)
    chosen = {method: tuple(rows["networks"]) for method, rows in table.groupby("method") if "oracle" not in method}
    assert len(chosen) == len(set(chosen.values())) >= 4
    assert set(palette.METHODS) == set(vocabulary.METHODS)


def test_a_budget_without_a_choice_keeps_no_promise_and_loses_all_the_accuracy():
    columns = ["device", "energies", "method", "budget_mj", "networks", "gap", "violation", "regret_top1"]
    cells = [
        ("d", "measured", "mix", 1.0, "", np.nan, np.nan, 70.0),
        ("d", "measured", "mix", 2.0, "a", 0.1, 0.1, 2.0),
        ("d", "measured", "mix", 3.0, "a", 0.2, 0.0, 4.0),
        ("d", "measured", "single", 1.0, "", np.nan, np.nan, 70.0),
    ]
    table = pd.DataFrame(cells, columns=columns).assign(inside=True, measurements=0)
    summary = summarise(table)
    mix, single = summary.set_index("method").loc["mix"], summary.set_index("method").loc["single"]
    assert mix[["budgets", "unserved", "violations", "violations_1"]].tolist() == [3, 1, 0.5, 0.5]
    assert mix["regret_mean"] == 3 and mix["regret_max"] == 4 and mix["regret_all_mean"] == pytest.approx(76 / 3)
    assert np.isnan(single[["violations", "regret_mean", "gap_mean"]].astype(float)).all()
    assert single["regret_all_mean"] == 70
    lines = validation_page(summary, ["d"]).splitlines()
    assert "| measured | mix | 3 | 1 | 15.00 | 20.00 | 50.0 | 50.0 | 3.000 | 4.00 | 25.333 |  |  |" in lines
    single_row = "| measured | single: one network (Hanafy et al. 2021, as we read it) "
    assert single_row + "| 1 | 1 | – | – | – | – | – | – | 70.000 |  |  |" in lines


def test_what_nothing_seems_to_fit_is_judged_as_unserved():
    known = catalogue(40, 11)
    dear = prediction(known, 11)
    dear = replace(dear, catalogue=dear.catalogue.with_energy(dear.predicted_mj * 2))
    table = validate_device(known, {"leave-one-family-out": dear}, budgets=25)
    rows = table[(table["energies"] == "leave-one-family-out") & (table["method"] == "mix") & (table["networks"] == "")]
    oracle = table[table["method"] == "oracle-mix"].set_index("budget_mj")["top1"]
    assert len(rows) and rows["regret_top1"].to_numpy() == pytest.approx(oracle[rows["budget_mj"]].to_numpy(), rel=1e-6)


def test_predictions_that_are_missing_are_named():
    known = catalogue(6, 0)
    rows = pd.DataFrame(
        {
            "device": "synthetic",
            "metric": "energy_mj",
            "predictor": "edgejoule",
            "protocol": "leave-one-family-out",
            "network": known.network[:5],
            "predicted": [1.0, 2.0, np.nan, 4.0, 5.0],
            "lower": [0.9, 1.8, np.nan, np.nan, 4.0],
            "upper": [1.1, 2.2, np.nan, np.nan, 6.0],
        }
    )
    found = predicted_catalogue(known, rows, "leave-one-family-out")
    assert found.catalogue.network.tolist() == ["n000", "n001", "n004"]
    assert found.catalogue.excluded.set_index("network")["reason"].to_dict() == {
        "n002": "the predictor 'edgejoule' declined it",
        "n005": "the predictor 'edgejoule' declined it",
        "n003": "the predictor 'edgejoule' gave no interval",
    }
    transfer = predicted_catalogue(known, rows.assign(protocol="transfer-k10"), "transfer-k10")
    assert transfer.known.tolist() == [False, False, False, True]
    assert transfer.predicted_mj[-1] == known.energy_mj[5] and transfer.spread[-1] == 0
    with pytest.raises(EdgejouleError, match="by 'edgejoule', and no other predictor states intervals"):
        predicted_catalogue(known, rows.assign(predictor="macs-linear"), "leave-one-family-out")
    with pytest.raises(EdgejouleError, match="did you mean 'leave-one-family-out'"):
        predicted_catalogue(known, rows, "leave-family-out")
