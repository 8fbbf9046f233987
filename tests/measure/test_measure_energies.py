"""How far a meter's energies repeat, and how kernels alone add up to networks, on a recording of known powers."""

import numpy as np
import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.measure.energies import costs_by_pass, energy_report, kind_table, repeat_table, sum_table
from edgejoule.traces import Recording

S = 1_000_000_000
IDLE_W = 20.0
#: Kind, workload, pass: power (W), and milliseconds per inference.
RUNS = {
    ("kernel", "k1", 0): (100.0, 1.0),
    ("kernel", "k2", 0): (50.0, 2.0),
    ("network", "net", 0): (75.0, 5.0),
    ("network", "other", 0): (60.0, 4.0),
    ("kernel", "k1", 1): (104.0, 1.0),
    ("kernel", "k2", 1): (50.0, 2.0),
    ("network", "net", 1): (75.0, 5.0),
    ("network", "other", 1): (60.0, 4.0),
}


def recording(meter="nvml"):
    events, power, start = [], [], 0
    for (kind, name, turn), (watts, ms) in RUNS.items():
        common = {"workload": name, "precision": "fp32", "pass": turn, "source": "test"}
        common |= dict.fromkeys(("latency_ms", "latency_p50_ms", "latency_p90_ms", "top1"), np.nan)
        for index, (what, drawn, count) in enumerate(
            [("idle", IDLE_W, 0), (kind, watts, 1000 / ms), ("idle", IDLE_W, 0)]
        ):
            about = {"event": f"{name}/{turn}/{index}", "kind": what, "iterations": int(count)}
            events.append(common | about | {"start_ns": start, "end_ns": start + S})
            power += [drawn] * 100
            start += S
    stamps = np.arange(1, len(power) + 1) * (S // 100)
    trace = pd.DataFrame({"t_ns": stamps, "power_w": power, "energy_j": np.nan, "rail": "gpu"})
    rail = {"name": "gpu", "quantity": "power", "sampling": "averaged", "period_ns": S // 100}
    meta = {"device": "d", "board": "b", "meter": {"kind": meter}, "clock": "test", "power_scope": "rail"}
    meta |= {"rails": [rail], "runtime": {"name": "pytorch"}}
    return Recording(meta=meta, events=pd.DataFrame(events), trace=trace)


def graph():
    rows = [("net", "k1", "conv", 900), ("net", "k2", "relu", 80), ("net", "k2", "relu", 0), ("net", "k3", "pad", 20)]
    rows += [("other", "k1", "conv", 100), ("other", "k4", "conv", 100)]
    return pd.DataFrame(rows, columns=["network", "kernel", "kind", "macs"])


def test_costs_are_those_of_the_windows():
    costs = costs_by_pass(recording())
    assert costs.loc[("kernel", "k1", 0)].to_dict() == pytest.approx(
        {"latency_ms": 1.0, "power_w": 100.0, "energy_mj": 100.0, "energy_above_idle_mj": 80.0}
    )


def test_two_passes_are_compared_by_kind_and_quantity():
    table = repeat_table(recording()).set_index(["kind", "quantity"])
    kernels = table.loc[("kernel", "energy_mj")]
    assert kernels["workloads"] == 2 and kernels["median_percent"] == pytest.approx(2)
    assert kernels["within2_percent"] == 50 and kernels["within5_percent"] == 100
    assert table.loc[("kernel", "latency_ms"), "median_percent"] == 0
    assert table.loc[("network", "energy_mj"), "within2_percent"] == 100


def test_kernels_alone_are_added_up_where_nearly_all_of_a_network_was_measured():
    table = sum_table(recording(), graph()).set_index("quantity")
    assert set(table["network"]) == {"net"}, "half of the other network's work was not measured"
    assert table.loc["latency_ms", "ratio"] == pytest.approx((1 + 2 * 2) / 5)
    assert table.loc["energy_mj", "alone"] == pytest.approx(102 + 2 * 100)
    assert table.loc["energy_mj", "ratio"] == pytest.approx(302 / 375)


def test_kinds_have_shares_of_what_all_networks_take():
    shares = kind_table(recording(), graph()).set_index("kind")
    assert shares.loc["conv", "energy_mj_percent"] == pytest.approx(100 * 204 / 404, abs=0.01)
    assert shares["latency_ms_percent"].sum() == pytest.approx(100, abs=0.02)


def test_the_report_has_all_three_or_says_why_not():
    text = energy_report(recording(), graph())
    assert "| kernel | energy_mj | 2 | 2.0 |" in text
    assert "| energy_mj | 1 | 0.81 |" in text and "| conv |" in text
    silent = recording()
    silent.trace, silent.meta = None, silent.meta | {"rails": [], "meter": {"kind": "none"}}
    with pytest.raises(EdgejouleError, match="no energies that a meter measured"):
        energy_report(silent)
    once = recording()
    once.events = once.events[once.events["pass"] == 0].reset_index(drop=True)
    with pytest.raises(EdgejouleError, match="this recording has one pass"):
        energy_report(once)
    assert repeat_table(once).empty
