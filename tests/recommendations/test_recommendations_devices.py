"""Across devices: the cheapest for a target, and the rates at which that changes."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_catalogue import catalogue
from test_recommendations_device import networks

from edgejoule.recommendations import build_devices
from edgejoule.recommendations.devices import break_even_table, cheapest, most_hz, power_at, with_board_idle
from edgejoule.tables import read_provenance, read_table, write_table
from edgejoule.tables.contracts import BREAK_EVENS, DEVICE_CHOICES, NETWORKS


def device(name: str, energy: float, latency: float, idle: float):
    """One network, so that every figure can be worked out by hand."""
    one = catalogue(1)
    arrays = {"energy_mj": energy, "latency_ms": latency, "latency_p90_ms": latency, "top1": 70.0}
    return replace(one, device=name, idle_w=idle, **{key: np.array([value]) for key, value in arrays.items()})


def test_break_even_is_where_both_powers_meet():
    frugal = device("frugal", energy=50.0, latency=10.0, idle=1.0)  # 40 mJ above idle
    eager = device("eager", energy=40.0, latency=10.0, idle=1.2)  # 28 mJ above idle
    assert power_at(frugal, 70.0)(10.0) == pytest.approx(1.4)
    table = break_even_table([frugal, eager], [70.0])
    assert table["rate_hz"].tolist() == pytest.approx([0.2 / 0.012], rel=1e-5)
    assert (table["below"][0], table["above"][0], table["cause"][0]) == ("frugal", "eager", "power")
    assert table["power_w"][0] == pytest.approx(1 + 0.04 * 0.2 / 0.012, rel=1e-4)


def test_a_device_serves_as_many_requests_as_the_mean_latency_lets_it():
    shared = replace(device("shared", energy=20.0, latency=20.0, idle=0.5), slowness=np.array([1.25]))
    assert most_hz(shared, 70.0) == 40.0 and power_at(shared, 70.0)(41.0) == np.inf


def test_a_device_that_can_serve_no_more_gives_way():
    slow = device("slow", energy=20.0, latency=20.0, idle=0.5)
    fast = device("fast", energy=80.0, latency=5.0, idle=5.0)
    assert most_hz(slow, 70.0) == 50.0 and power_at(slow, 70.0)(51.0) == np.inf
    table = break_even_table([slow, fast], [70.0])
    assert table["rate_hz"].tolist() == pytest.approx([50.0], rel=1e-5)
    assert (table["below"][0], table["above"][0], table["cause"][0]) == ("slow", "fast", "capacity")


def test_a_rate_beyond_the_cheapest_mix_moves_to_a_faster_one():
    known = replace(catalogue(30, 8), idle_w=0.001)
    known = replace(known, latency_ms=known.latency_ms[::-1].copy())
    target = float(np.quantile(known.top1, 0.6))
    power = power_at(known, target)
    above = known.energy_mj - known.idle_w * known.latency_ms
    keeps_up = 1e3 / cheapest(known, target, above).mean(known.latency_ms)
    assert most_hz(known, target) > keeps_up * 1.01
    rates = np.geomspace(keeps_up / 10, most_hz(known, target) * 0.999, 12)
    powers = np.array([power(rate) for rate in rates])
    assert np.isfinite(powers).all() and (np.diff(powers) > 0).all()


def test_one_board_has_one_idle_power():
    pair = [device("one", 50.0, 10.0, 1.0), device("two", 40.0, 10.0, 1.2), device("three", 40.0, 10.0, 9.0)]
    pooled = with_board_idle(pair, {"one": "a", "two": "a", "three": "b"})
    assert [c.idle_w for c in pooled] == [1.1, 1.1, 9.0]
    assert break_even_table(pooled[:2], [70.0]).empty


def test_only_measured_devices_of_one_scope_are_compared(tmp_path):
    tables = {
        "board-x": networks(),
        "board-y": networks(device="board-y", board="other", energy_mj=np.array([12.0, 15.0, 33.0, 25.0, 30.0])),
        "modelled": networks(device="modelled", board="pc", origin="estimated", power_scope="model"),
    }
    paths = []
    for name, table in tables.items():
        paths.append(tmp_path / name / "networks.parquet")
        write_table(table, paths[-1], NETWORKS)
    output, break_evens = tmp_path / "devices.parquet", tmp_path / "break_evens.parquet"
    build_devices(paths, output, break_evens)
    chosen = read_table(output, DEVICE_CHOICES)
    assert set(chosen["device"]) == {"board-x", "board-y"}
    assert sorted(set(chosen["target_top1"])) == [50, 55, 60, 65, 70, 75, 80]
    at_70 = chosen[chosen["target_top1"] == 70].set_index("device")
    assert at_70["energy_mj"].to_dict() == pytest.approx({"board-x": 20.0, "board-y": 15.0})
    assert at_70["rank"].to_dict() == {"board-x": 2, "board-y": 1}
    read_table(break_evens, BREAK_EVENS)
    assert read_provenance(output)["left_out"] == {"modelled": "modelled, 2 W x latency"}
    assert "`modelled` | modelled, 2 W x latency" in output.with_suffix(".md").read_text()
