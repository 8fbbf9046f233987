"""Kernels alone against kernels inside networks."""

import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.measure.inside import ALL, ratio_report, ratio_table, ratios


def events(*rows):
    columns = ["kind", "workload", "pass", "latency_ms", "isolated_ms"]
    table = pd.DataFrame([dict(zip(columns, ("kernel", *row), strict=True)) for row in rows])
    return table.assign(start_ns=0, end_ns=10**9, iterations=6)


KERNELS = pd.DataFrame(
    [
        ("conv-a", "conv", 1.0),
        ("conv-a", "conv", 1.2),
        ("conv-b", "conv", 4.0),
        ("add-a", "add", 0.5),
        ("add-b", "add", float("nan")),
        ("add-c", "add", 0.001),
    ],
    columns=["kernel", "kind", "duration_ms"],
)
EVENTS = events(
    ("conv-a", 0, 1.3, 0.6),
    ("conv-a", 1, 1.1, 0.55),
    ("conv-b", 0, 4.8, None),
    ("add-a", 0, 0.3, 0.25),
    ("add-b", 0, 1.0, 1.0),
    ("add-c", 0, 0.002, 0.001),
    ("of-no-network", 0, 1.0, 1.0),
)


def test_the_least_over_passes_is_compared_with_the_median_place():
    table = ratios(EVENTS, KERNELS, minimum_ms=0.01).set_index(["way", "kernel"])["ratio"]
    assert table["between neighbours"].to_dict() == pytest.approx({"conv-a": 1.0, "conv-b": 1.2, "add-a": 0.6})
    assert table["isolated"].to_dict() == pytest.approx({"conv-a": 0.5, "add-a": 0.5})


def test_shares_by_kind():
    table = ratio_table(ratios(EVENTS, KERNELS, 0.01)).set_index(["way", "kind"])
    assert table.loc[("between neighbours", "conv"), "median_ratio"] == pytest.approx(1.1)
    assert table.loc[("between neighbours", ALL), "within10_percent"] == pytest.approx(100 / 3)
    assert table.loc[("between neighbours", ALL), "within25_percent"] == pytest.approx(200 / 3)
    assert table.loc[("isolated", ALL), "kernels"] == 2


def test_a_recording_without_isolation_has_one_way():
    assert set(ratios(EVENTS.drop(columns="isolated_ms"), KERNELS)["way"]) == {"between neighbours"}


@pytest.mark.parametrize(
    ("measured", "kernels", "sentence"),
    [
        (EVENTS, KERNELS.assign(kernel="other"), "measured both alone and inside a network, in 0 ms or more"),
        (EVENTS.assign(kind="network"), KERNELS, "no kernel was measured alone; it takes 'source.protocol.kernels'"),
        (EVENTS, KERNELS.assign(duration_ms=float("nan")), "none of the nodes that the runtime's profiler told is one"),
    ],
)
def test_nothing_in_common_is_said_with_its_reason(measured, kernels, sentence):
    with pytest.raises(EdgejouleError, match=sentence):
        ratio_report(measured, kernels)
