"""The kernel plan: two sources kept apart, spread over what networks use, the same every time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.alone import NOT_ALONE, executed, variant
from edgejoule.graphs.plan import SECONDS_PER_KERNEL, coverage, left_out, make_plan
from edgejoule.graphs.sampler import ranges, sample, shares
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import CATALOGUE, PLAN


@pytest.fixture(scope="module")
def catalogue():
    """A catalogue as the zoo would have it, made of the sampler's own rows under another seed."""
    rows = pd.DataFrame(sample(600, seed=99, executed=executed("onnxruntime", "")))
    rows = rows.assign(runtime="onnxruntime", occurrences=1, networks=1, families="made", configurations=1)
    reshape = rows.iloc[:1].assign(kind="reshape", kernel="reshape_1", macs=0)
    odd = rows.iloc[:1].assign(kind="other:Odd", kernel="other:Odd_1", macs=0)
    huge = rows.iloc[:1].assign(kernel="huge", bytes_weights=10**9)
    table = pd.concat([rows, reshape, odd, huge], ignore_index=True)
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
    assert not plan.kind.isin(NOT_ALONE).any() and not plan.kind.str.startswith("other:").any()
    assert not plan.isna().any().any()


def test_equal_seeds_give_equal_plans_and_the_sample_ignores_the_zoo(catalogue):
    first = make_plan(catalogue, "onnxruntime", 0.5, seed=3)
    pd.testing.assert_frame_equal(first, make_plan(catalogue, "onnxruntime", 0.5, seed=3))
    other = make_plan(catalogue, "onnxruntime", 0.5, seed=4)
    assert set(first[first.source == "zoo"].kernel) == set(other[other.source == "zoo"].kernel)
    assert set(first[first.source == "synthetic"].kernel) != set(other[other.source == "synthetic"].kernel)
    half = make_plan(catalogue.iloc[:400], "onnxruntime", 0.5, seed=3)
    drawn = {row["kernel"] for row in sample(333, 3, executed=executed("onnxruntime", ""))}
    assert set(half[half.source == "synthetic"].kernel) <= drawn | set(first.kernel)


@pytest.mark.parametrize("count", [150, 300, 450])
def test_a_plan_that_is_stopped_early_has_both_sources_every_variant_and_all_sizes(catalogue, count):
    plan = make_plan(catalogue, "onnxruntime", 0.9)
    start = plan.head(count)
    assert start.source.value_counts().min() > count / 3
    assert set(variant(start)) == set(variant(plan))
    pointwise, measured = (t[(t.kernel_height == 1) & (t.kind == "conv+bn+relu")].macs for t in (plan, start))
    assert measured.quantile([0.25, 0.75]).between(*pointwise.quantile([0.1, 0.9])).all()


def test_what_no_plan_has_is_counted(catalogue):
    told = {(item["kind"], item["reason"]): item["kernels"] for item in left_out(catalogue, "onnxruntime")}
    assert told[("reshape", "cannot be rebuilt alone")] == told[("other:Odd", "cannot be rebuilt alone")] == 1
    assert [reason for _, reason in told if reason.startswith("larger than 500 MB")]
    assert sum(told.values()) == 3


@pytest.mark.parametrize(
    ("changes", "operator", "layout"),
    [
        ({"input_channels": 3}, "Conv", "nchwc"),
        ({"input_channels": 20, "tail": "relu"}, "Conv", "nchwc"),
        ({"input_channels": 18}, "Conv", "nchw"),
        ({"input_channels": 18, "tail": "relu"}, "FusedConv", "nchw"),
        ({"input_channels": 20, "output_channels": 20, "groups": 20}, "Conv", "nchwc"),
        ({"input_channels": 18, "output_channels": 18, "groups": 18}, "Conv", "nchw"),
        ({"input_channels": 64, "output_channels": 64, "groups": 4}, "Conv", "nchwc"),
        ({"input_channels": 64, "output_channels": 64, "groups": 8}, "Conv", "nchw"),
        ({"operator": "MaxPool", "input_channels": 24}, "MaxPool", "nchw"),
        ({"operator": "BatchNormalization", "bytes_weights": 512}, "Conv", "nchwc"),
        ({"operator": "Gemm"}, "Gemm", "nchw"),
    ],
)
def test_onnxruntime_executes_a_configuration_in_its_own_way(changes, operator, layout):
    """As in the zoo: ONNX Runtime was asked for all of its 3,315 convolutions, and the rule meets every one."""
    row = {"operator": "Conv", "tail": "", "input_channels": 32, "output_channels": 32, "groups": 1} | changes
    told = executed("onnxruntime", "")(row)
    assert (told["operator"], told["layout"]) == (operator, layout)


def test_what_a_runtime_splits_is_not_drawn():
    assert executed("onnxruntime", "")({"operator": "HardSwish", "input_channels": 32}) is None
    assert executed("tflite", "nhwc")({"operator": "HardSwish"})["layout"] == "nhwc"
    drawn = pd.DataFrame(sample(400, 0, executed=executed("onnxruntime", "")))
    assert "hswish" not in set(drawn.kind) and {"nchw", "nchwc"} == set(drawn[drawn.operator != "Gemm"].layout)


def test_sharing_is_by_the_stated_weights():
    for count in (30, 200, 2000):
        assert sum(shares(count).values()) == count
    assert shares(2000)["pointwise"] == pytest.approx(2000 * 24 / sum(ranges()["share"].values()), abs=2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["fp32", "fp16", "int8"]))
def test_every_drawn_kernel_is_valid(seed, precision):
    rows = pd.DataFrame(sample(60, seed, precision))
    assert not rows.kernel.duplicated().any()
    convolutions = rows[rows.operator == "Conv"]
    assert (convolutions.input_channels % convolutions.groups == 0).all()
    assert (convolutions.output_channels % convolutions.groups == 0).all()
    assert (rows.input_channels % ranges()["multiple"] == 0).mean() > 0.9, "a few are unaligned on purpose"
    assert (rows[["kernel_height", "kernel_width"]].max(axis=1) <= rows.input_height).all()
    assert (rows.output_height == np.ceil(rows.input_height / rows.stride)).all()
    assert rows.macs.max() <= ranges()["macs"][1]
    depthwise = rows[rows.kind == "dwconv+bn+relu"]
    assert (depthwise.groups == depthwise.input_channels).all()
    taps = convolutions.input_channels // convolutions.groups
    taps *= convolutions.kernel_height * convolutions.kernel_width
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
        ({"budget_minutes": float("inf")}, "budget is inf minutes .*give more than 0, and at most 1440 minutes"),
        ({"synthetic_share": 1.5}, "synthetic share is 1.5; give a number from 0 to 1"),
    ],
)
def test_wrong_requests_stop(catalogue, options, message):
    with pytest.raises(EdgejouleError, match=message):
        make_plan(catalogue, **{"runtime": "onnxruntime", "budget_minutes": 1.0, **options})
