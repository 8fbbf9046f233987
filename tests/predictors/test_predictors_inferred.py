"""Kernels' shares of networks' totals: what is stated of them, and what is not."""

import numpy as np
import pytest

from edgejoule.datasets.checks import check_kernels
from edgejoule.predictors import DevicePredictor, inferred, training_set
from synthetic_board import IDLE_W, WATTS, board


@pytest.fixture
def few_draws(monkeypatch):
    monkeypatch.setattr(inferred, "BOOTSTRAP", 2)


def kernels_of_a_board(change) -> tuple:
    """Return the networks of a board whose power varies, changed, and its inferred kernels."""
    networks, kernels = board()
    latency, watts = networks["latency_ms"], WATTS + np.linspace(-1, 1, len(networks))
    networks = networks.assign(
        power_w=watts, energy_mj=watts * latency, energy_above_idle_mj=(watts - IDLE_W) * latency
    )
    networks = change(networks)
    rows, features, costs = training_set(networks, kernels)
    predictor = DevicePredictor().fit(features, costs)
    return networks, inferred.inferred_kernels(rows, kernels, features, costs, predictor)


def test_possible_powers_are_stated_and_agree(few_draws):
    networks, table = kernels_of_a_board(lambda rows: rows)
    assert table["quality"].eq("ok").any()
    stated = table[table["quality"] == "ok"]
    assert stated["power_w"].between(IDLE_W, 1.5 * networks["power_w"].max()).all()
    above = stated["energy_mj"] - IDLE_W * stated["latency_ms"]
    assert stated["energy_above_idle_mj"].to_numpy() == pytest.approx(above.to_numpy())
    assert check_kernels(table, networks)["broken"].eq(0).all()


def test_shares_that_make_no_power_of_the_device_are_flagged_and_not_clamped(few_draws):
    def energy_by_network_only(rows):
        """All networks take the same energy: none of it follows latency."""
        power = 1000.0 / rows["latency_ms"]
        return rows.assign(power_w=power, energy_mj=1000.0, energy_above_idle_mj=1000.0 - IDLE_W * rows["latency_ms"])

    networks, table = kernels_of_a_board(energy_by_network_only)
    flagged = table[table["quality"] == "flagged"]
    assert len(flagged)
    assert flagged[["power_w", "energy_above_idle_mj"]].isna().all(axis=None)
    assert flagged["latency_ms"].notna().any()
    assert flagged["reason"].str.contains("no power of this device|no share of latency or energy").all()
    assert check_kernels(table, networks)["broken"].eq(0).all()


def test_powers_are_judged_by_idle_and_the_dearest_network():
    energy, latency = np.array([3.0, 1.0, 15.0, 15.1, np.nan]), np.array([1.0, 1.0, 1.0, 1.0, 1.0])
    judged = inferred.judged_powers(energy, latency, 1.0, 10.0)
    assert judged["quality"].tolist() == ["ok", "flagged", "ok", "flagged", "flagged"]
    assert judged["power_w"] == pytest.approx([3.0, np.nan, 15.0, np.nan, np.nan], nan_ok=True)
    assert judged["energy_above_idle_mj"] == pytest.approx([2.0, np.nan, 14.0, np.nan, np.nan], nan_ok=True)
    assert judged["reason"][3] == "its energy and latency make 15.1 W, no power of this device (1 to 15 W)"
    assert judged["reason"][4] == "the totals of networks give it no share of latency or energy"


def test_without_an_idle_power_nothing_is_said_above_it():
    judged = inferred.judged_powers(np.array([3.0]), np.array([1.0]), float("nan"), 10.0)
    assert judged["quality"].tolist() == ["ok"]
    assert np.isnan(judged["energy_above_idle_mj"]).all()
