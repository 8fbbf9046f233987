import numpy as np
import pandas as pd
import pytest

from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import NOISE_FLOOR, PAIRED, SUBSETS
from edgejoule.validation.noise import noise_floor
from edgejoule.validation.paired import compare, paired
from edgejoule.validation.subsets import OTHERS, OTHERS_SLOW, SERIES, SLOW, subset_accuracy

FAMILIES = [f"family-{i}" for i in range(8)]


def predictions(ours: float = 0.02, theirs: float = 0.10) -> pd.DataFrame:
    """Return predictions of 8 families of five networks by two predictors with these relative errors."""
    random = np.random.default_rng(0)
    rows = []
    for i, family in enumerate(FAMILIES):
        for j in range(5):
            measured = 0.5 + i + 0.1 * j
            for name, error in (("edgejoule", ours), ("macs-linear", theirs)):
                predicted = measured * (1 + error * (1 + 0.1 * random.normal()))
                rows.append(
                    {"family": family, "network": f"{family}-{j}", "measured": measured, "predictor": name}
                    | {"predicted": predicted, "lower": predicted * 0.9, "upper": predicted * 1.1}
                )
    about = {
        "device": "d",
        "board": "b",
        "origin": "estimated",
        "metric": "latency_ms",
        "flagged": False,
        "stated": False,
    }
    return pd.DataFrame(rows).assign(**about, protocol="leave-one-family-out")


def test_a_smaller_error_on_every_family_is_told_from_chance():
    table = paired(predictions())
    to_arrow(table, PAIRED)
    found = table[table["subset"] == "all"].iloc[0]
    assert (found["networks"], found["families"]) == (40, 8)
    assert found["difference_percent"] == pytest.approx(8, abs=0.5)
    assert 0 < found["lower_percent"] < found["difference_percent"] < found["upper_percent"]
    # Eight differences of one sign: 2 / 2^8, the exact test.
    assert found["p_families"] == pytest.approx(2 / 2**8)
    assert found["p_networks"] < found["p_families"]
    slow = table[table["subset"] == SLOW].iloc[0]
    assert slow["networks"] == 30


def test_equal_errors_have_no_difference_and_no_p():
    same = predictions()
    ours = same[same["predictor"] == "edgejoule"]
    both = pd.concat([ours, ours.assign(predictor="macs-linear")])
    found = paired(both).iloc[0]
    assert (found["difference_percent"], found["lower_percent"], found["upper_percent"]) == (0, 0, 0)
    assert np.isnan(found["p_families"])


def test_the_bootstrap_repeats_and_depends_on_the_seed():
    random = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([FAMILIES, range(5)], names=["family", "network"])
    errors = pd.DataFrame(random.uniform(0, 10, (40, 2)), index, ["ours", "theirs"])
    assert compare(errors) == compare(errors)
    assert compare(errors)["lower_percent"] != compare(errors, seed=1)["lower_percent"]


def test_a_baseline_alone_is_compared_with_nothing():
    alone = predictions()
    assert paired(alone[alone["predictor"] == "macs-linear"]).empty


def test_series_and_fast_networks_are_reported_apart():
    rows = predictions()
    series = set(rows.loc[rows["family"].isin(FAMILIES[:4]), "network"])
    table = subset_accuracy(rows, series)
    to_arrow(table, SUBSETS)
    ours = table[(table["predictor"] == "edgejoule") & table["flagged"]].set_index("subset")["networks"]
    assert ours.to_dict() == {SLOW: 30, SERIES: 20, OTHERS: 20, OTHERS_SLOW: 20}


def test_a_device_of_one_sort_has_no_subsets():
    rows = predictions()
    rows["measured"] += 10
    assert subset_accuracy(rows, set()).empty


def test_the_floor_of_a_recording_in_passes_is_its_own():
    rows = predictions()
    names = rows["network"].unique()
    passes = pd.DataFrame({"device": "d", "kind": "network", "precision": "fp32", "workload": np.repeat(names, 4)})
    passes["pass"] = np.tile(range(4), len(names))
    # Odd passes take 4 % longer; what the datasets took for drift of the machine does not count.
    passes["slowdown"] = np.where(passes["pass"] > 1, 1.5, np.nan)
    passes["latency_min_ms"] = 10 * np.where(passes["pass"] % 2, 1.04, 1) * passes["slowdown"].fillna(1)
    passes["latency_ms"] = passes["latency_min_ms"]
    found = noise_floor(passes, rows)
    to_arrow(found, NOISE_FLOOR)
    assert found["floor_median_percent"].tolist() == pytest.approx([4])
    assert found["error_median_percent"].tolist() == pytest.approx([2], abs=0.2)
    assert found["metric"].tolist() == ["latency_ms"]
