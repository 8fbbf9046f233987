"""The noise table, on recordings whose disagreement is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgejoule.errors import EdgejouleError
from edgejoule.measure.noise import agreement, noise_table, pairs_of, slowdown


def tables(durations_ms):
    """Return events and samples of one sample list per (workload, pass)."""
    events = [
        {"event": f"{name}/{turn}", "workload": name, "pass": turn, "kind": "network", "start_ns": place}
        for place, (name, turn) in enumerate(durations_ms)
    ]
    samples = [
        {"event": f"{name}/{turn}", "iteration": index, "duration_ns": int(value * 1e6)}
        for (name, turn), values in durations_ms.items()
        for index, value in enumerate(values)
    ]
    return pd.DataFrame(events), pd.DataFrame(samples)


def test_the_lower_envelope_of_halves_sees_through_load_that_a_median_does_not():
    clean, loaded = [10.0, 10.1, 10.2], [10.05, 14.0, 15.0]
    events, samples = tables({("a", 0): clean, ("a", 1): loaded, ("a", 2): loaded, ("a", 3): clean})
    table = noise_table(events, samples).set_index(["compared", "estimator", "drift"])
    assert table.loc[("two passes", "median", "kept"), "within10_percent"] == 0
    assert table.loc[("two passes", "minimum", "kept"), "within2_percent"] == 100
    assert table.loc[("halves, least", "minimum", "kept"), "median_percent"] == pytest.approx(0, abs=1e-9)


def test_fast_workloads_can_be_left_out():
    events, samples = tables({("a", 0): [1.0], ("a", 1): [2.0], ("b", 0): [5.0], ("b", 1): [5.1]})
    everything, slow = (
        table[table["drift"] == "kept"]
        for table in (noise_table(events, samples), noise_table(events, samples, minimum_ms=2))
    )
    assert set(everything["workloads"]) == {2} and set(slow["workloads"]) == {1}
    assert set(slow["within2_percent"]) == {100} and set(everything["within2_percent"]) == {50}


@given(st.lists(st.floats(0.1, 1e3), min_size=4, max_size=4))
def test_halves_are_made_of_even_and_of_odd_passes(values):
    index = pd.MultiIndex.from_product([["a"], range(4)], names=["workload", "pass"])
    pairs = pairs_of(pd.Series(values, index=index))
    assert [float(half["a"]) for half in pairs["halves, least"]] == [min(values[0::2]), min(values[1::2])]
    assert [float(half["a"]) for half in pairs["halves, means"]] == pytest.approx(
        [sum(values[0::2]) / 2, sum(values[1::2]) / 2]
    )


def drifting(workloads, passes, machine, seed=0):
    """Return latencies of workloads in shuffled passes on a machine that is slower by ``machine(place)``."""
    generator = np.random.default_rng(seed)
    cost = generator.lognormal(2, 1, workloads)
    rows = [(w, turn) for turn in range(passes) for w in generator.permutation(workloads)]
    index = pd.MultiIndex.from_tuples([(f"w{w}", turn) for w, turn in rows], names=["workload", "pass"])
    slow = np.array([machine(place / len(rows)) for place in range(len(rows))])
    noise = generator.lognormal(0, 0.003, len(rows))
    values = pd.Series(np.array([cost[w] for w, _ in rows]) * slow * noise, index=index)
    return values, pd.Series(range(len(rows)), index=index), pd.Series(slow, index=index)


def test_slow_drift_of_the_machine_is_found_and_removed():
    values, start, slow = drifting(60, 4, lambda x: 1 + 0.1 * np.sin(7 * x))
    found = slowdown(values, start)
    assert np.corrcoef(np.log(found), np.log(slow))[0, 1] > 0.97
    before, after = (agreement(*pairs_of(series)["two passes"]) for series in (values, values / found))
    assert before["within5_percent"] < 70 and after["within5_percent"] == 100


def test_without_drift_nothing_is_removed():
    values, start, _ = drifting(60, 4, lambda x: 1.0)
    assert np.abs(np.log(slowdown(values, start))).max() < 0.01


def test_a_workloads_own_noise_is_not_taken_for_drift():
    values, start, _ = drifting(60, 4, lambda x: 1.0)
    values.loc["w7", 2] *= 1.3
    assert slowdown(values, start).loc["w7", 2] == pytest.approx(1, abs=0.01)


def test_agreement_does_not_depend_on_the_order():
    first, second = pd.Series([1.0, 2.0, 4.0]), pd.Series([1.01, 2.08, 4.5])
    assert agreement(first, second) == agreement(second, first)
    assert agreement(first, second)["within5_percent"] == pytest.approx(200 / 3)


def test_a_single_pass_says_nothing_of_noise():
    events, samples = tables({("a", 0): [1.0]})
    with pytest.raises(EdgejouleError, match="at least two passes"):
        noise_table(events, samples)


def test_no_workload_of_the_kind_gives_an_empty_table():
    events, samples = tables({("a", 0): [1.0], ("a", 1): [1.0]})
    assert noise_table(events, samples, kind="kernel").empty
    assert np.isclose(noise_table(events, samples)["median_percent"], 0).all()
