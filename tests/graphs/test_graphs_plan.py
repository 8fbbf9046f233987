"""The kernel plan: two sources kept apart, spread over what networks use, the same every time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.plan import SECONDS_PER_KERNEL, coverage, make_plan
from edgejoule.graphs.sampler import ranges, sample, shares
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import CATALOGUE, PLAN


@pytest.fixture(scope="module")
def catalogue():
    """A catalogue as the zoo would have it, made of the sampler's own rows under another seed."""
    rows = pd.DataFrame(sample(600, seed=99))
    rows = rows.assign(runtime="onnxruntime", occurrences=1, networks=1, families="made")
    reshape = rows.iloc[:1].assign(kind="reshape", kernel="reshape_1", macs=0)
    odd = rows.iloc[:1].assign(kind="other:Odd", kernel="other:Odd_1", macs=0)
    table = pd.concat([rows, reshape, odd], ignore_index=True)
    to_arrow(table, CATALOGUE)
    return table


def test_plan_fits_the_budget_and_keeps_its_sources_apart(catalogue):
    plan = make_plan(catalogue, "onnxruntime", budget_minutes=0.9)
    to_arrow(plan, PLAN)
    assert len(plan) * SECONDS_PER_KERNEL <= 0.9 * 60
    assert len(plan) == pytest.approx(600, abs=10)
    zoo, synthetic = (set(plan[plan.source == source].kernel) for source in ("zoo", "synthetic"))
    assert zoo <= set(catalogue.kernel) and not synthetic & set(catalogue.kernel)
    assert len(zoo) == pytest.approx(300, abs=2)
    assert not plan.kind.isin(["reshape"]).any() and not plan.kind.str.startswith("other:").any()
    assert not plan.isna().any().any()


def test_equal_seeds_give_equal_plans_and_the_sample_ignores_the_zoo(catalogue):
    first = make_plan(catalogue, "onnxruntime", 0.5, seed=3)
    pd.testing.assert_frame_equal(first, make_plan(catalogue, "onnxruntime", 0.5, seed=3))
    other = make_plan(catalogue, "onnxruntime", 0.5, seed=4)
    assert set(first[first.source == "zoo"].kernel) == set(other[other.source == "zoo"].kernel)
    assert set(first[first.source == "synthetic"].kernel) != set(other[other.source == "synthetic"].kernel)
    half = make_plan(catalogue.iloc[:400], "onnxruntime", 0.5, seed=3)
    drawn = {row["kernel"] for row in sample(333, 3)}
    assert set(half[half.source == "synthetic"].kernel) <= drawn | set(first.kernel)


def test_a_plan_that_is_stopped_early_has_both_sources_and_all_large_kinds(catalogue):
    start = make_plan(catalogue, "onnxruntime", 0.9).head(120)
    assert start.source.value_counts().min() > 40
    assert {"conv+bn+relu", "dwconv+bn+relu", "fc"} <= set(start.kind)


def test_sharing_is_by_the_stated_weights():
    for count in (30, 200, 2000):
        assert sum(shares(count).values()) == count
    assert shares(2000)["pointwise"] == pytest.approx(2000 * 26 / 100, abs=2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["fp32", "fp16", "int8"]))
def test_every_drawn_kernel_is_valid(seed, precision):
    rows = pd.DataFrame(sample(60, seed, precision))
    assert not rows.kernel.duplicated().any()
    convolutions = rows[rows.operator == "Conv"]
    assert (convolutions.input_channels % convolutions.groups == 0).all()
    assert (convolutions.output_channels % convolutions.groups == 0).all()
    assert (rows.input_channels % ranges()["multiple"] == 0).all()
    assert (rows.output_height == np.ceil(rows.input_height / rows.stride)).all()
    assert rows.macs.max() <= ranges()["macs"][1]
    depthwise = rows[rows.kind == "dwconv+bn+relu"]
    assert (depthwise.groups == depthwise.input_channels).all()
    taps = convolutions.input_channels // convolutions.groups * convolutions.kernel_height**2
    outputs = convolutions.output_channels * convolutions.output_height**2
    assert (convolutions.macs == outputs * taps).all()


def test_the_sample_fills_the_space():
    """Every third of the log range of maps, channels in and channels out is drawn from, alone and in pairs."""
    rows = pd.DataFrame(sample(1000, 0))
    pointwise = rows[(rows.kind == "conv+bn+relu") & (rows.kernel_height == 1)]
    thirds = pd.DataFrame(
        {name: pd.cut(np.log(pointwise[name]), 3, labels=False) for name in ("input_channels", "output_channels")}
    )
    assert thirds.value_counts().reindex(pd.MultiIndex.from_product([range(3)] * 2)).min() >= 3


def test_coverage_shows_each_feature(catalogue):
    table = coverage(make_plan(catalogue, "onnxruntime", 0.5))
    assert set(table.source) == {"zoo", "synthetic"}
    assert (table.minimum <= table["median"]).all() and (table["median"] <= table.maximum).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runtime": "openvino"}, "no kernels for runtime 'openvino'; .*choose from onnxruntime"),
        ({"budget_minutes": 0}, "budget is 0 minutes"),
        ({"budget_minutes": float("nan")}, "budget is nan minutes"),
        ({"synthetic_share": 1.5}, "synthetic share is 1.5; give a number from 0 to 1"),
    ],
)
def test_wrong_requests_stop(catalogue, options, message):
    with pytest.raises(EdgejouleError, match=message):
        make_plan(catalogue, **{"runtime": "onnxruntime", "budget_minutes": 1.0, **options})
