"""Kernels in sandwiches, on ONNX Runtime."""

import json

import numpy as np
import onnx
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.alone import NOT_ALONE, executed
from edgejoule.graphs.costs import KINDS
from edgejoule.graphs.sampler import sample
from edgejoule.measure.cold import measure_kernel
from edgejoule.measure.runtimes import open_runtime
from edgejoule.measure.sandwich import BUILDERS, MIDDLE, sandwich

BASE = {
    "kernel": "k", "operator": "", "tail": "", "layout": "nchw", "batch": 1, "input_height": 14, "input_width": 14,
    "output_height": 14, "output_width": 14, "input_channels": 32, "output_channels": 32, "kernel_height": 0,
    "kernel_width": 0, "stride": 1, "dilation": 1, "groups": 1, "inputs": 1,
    "bytes_in": 4 * 32 * 14 * 14, "bytes_weights": 0, "source": "zoo",
}  # fmt: skip
MAP = BASE["bytes_in"]


def conv(**changes):
    shape = {"kind": "conv+bn+relu", "operator": "Conv", "layout": "nchwc", "kernel_height": 3, "kernel_width": 3}
    return BASE | shape | changes


TOKENS = {"input_height": 50, "input_width": 1, "output_height": 50, "output_width": 1}
ONE = {"output_height": 1, "output_width": 1}
KERNELS = {
    "conv": conv(tail="relu"),
    "conv with a residual": conv(tail="add+relu", inputs=2),
    "few channels with a residual": conv(tail="add", inputs=2, output_channels=8),
    "strided conv": conv(stride=2, output_height=7, output_width=7),
    "conv with an odd padding": conv(stride=2, input_height=15, input_width=15, output_height=7, output_width=7),
    "stem": conv(input_channels=3, input_height=28, input_width=28, stride=2),
    "depthwise": conv(kind="dwconv+bn+relu", groups=32, kernel_height=5, kernel_width=5),
    "plain layout": conv(layout="nchw", input_channels=20, output_channels=20, groups=5),
    "max pooling": BASE | {"kind": "maxpool", "operator": "MaxPool", "layout": "nchwc", "kernel_height": 3,
                           "kernel_width": 3, "stride": 2, "output_height": 7, "output_width": 7},
    "global pooling": BASE | ONE | {"kind": "global-avgpool", "operator": "GlobalAveragePool", "layout": "nchwc"},
    "mean of a map": BASE | ONE | {"kind": "global-avgpool", "operator": "ReduceMean"},
    "pooling of a whole map": BASE | ONE | {"kind": "global-avgpool", "operator": "AveragePool", "layout": "nchwc",
                                            "kernel_height": 14, "kernel_width": 14},
    "normalisation": BASE | {"kind": "bn+relu", "operator": "Conv", "layout": "nchwc", "tail": "relu"},
    "addition": BASE | {"kind": "add", "operator": "Add", "inputs": 2, "bytes_in": 2 * MAP},
    "scaled channels": BASE | {"kind": "mul", "operator": "Mul", "inputs": 2, "bytes_in": MAP + 4 * 32},
    "constant scale": BASE | {"kind": "mul", "operator": "Mul", "bytes_weights": 4 * 32},
    "one number": BASE | {"kind": "div", "operator": "Div"},
    "sigmoid": BASE | {"kind": "sigmoid", "operator": "Sigmoid"},
    "concatenation": BASE | {"kind": "concat", "operator": "Concat", "inputs": 3, "output_channels": 48},
    "classifier": BASE | {"kind": "fc", "operator": "Gemm", "input_height": 1, "output_channels": 100},
    "projection": BASE | TOKENS | {"kind": "fc", "operator": "MatMul", "output_channels": 96},
    "attention's keys": BASE | TOKENS | {"kind": "matmul", "operator": "FusedMatMul", "output_channels": 50},
    "skip layer norm": BASE | TOKENS | {"kind": "layernorm", "operator": "SkipLayerNormalization", "inputs": 2},
    "leaky relu": BASE | {"kind": "relu", "operator": "LeakyRelu"},
    "product": BASE | TOKENS | {"kind": "matmul", "operator": "MatMul", "batch": 3, "output_channels": 50},
    "softmax of maps": BASE | {"kind": "softmax", "operator": "Softmax", "input_channels": 3},
    "layer norm": BASE | TOKENS | {"kind": "layernorm", "operator": "LayerNormalization"},
    "gelu": BASE | TOKENS | {"kind": "gelu", "operator": "Gelu"},
    "channel shuffle": BASE | {"kind": "channel-shuffle", "operator": "Transpose"},
}  # fmt: skip


@pytest.fixture(scope="module")
def runtime():
    return open_runtime({"name": "onnxruntime", "threads": 1})


@pytest.mark.parametrize("name", KERNELS)
def test_runs_as_the_one_node_that_is_asked_for(runtime, name):
    durations = measure_kernel(KERNELS[name], runtime, runs=2)
    assert durations.shape == (2,) and (durations >= 0).all()


@pytest.mark.parametrize("name", ["conv", "product", "attention's keys", "concatenation"])
def test_isolated_has_no_neighbours(runtime, name):
    assert {node.name.split("/")[0] for node in onnx.load_from_string(sandwich(KERNELS[name], True)).graph.node} == {
        MIDDLE
    }
    assert measure_kernel(KERNELS[name], runtime, runs=2, isolated=True).shape == (2,)


def test_the_middle_has_the_shapes_of_the_configuration():
    model = onnx.load_from_string(sandwich(KERNELS["strided conv"]))
    values = onnx.shape_inference.infer_shapes(model).graph.value_info
    shapes = {value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in values}
    middle = next(node for node in model.graph.node if node.name.startswith(MIDDLE))
    assert shapes[middle.input[0]] == [1, 32, 14, 14]
    assert shapes[middle.output[0]] == [1, 32, 7, 7]


def test_a_larger_kernel_takes_longer(runtime):
    small = measure_kernel(conv(), runtime)
    large = measure_kernel(conv(input_channels=128, output_channels=128, input_height=28, input_width=28,
                                output_height=28, output_width=28), runtime)  # fmt: skip
    assert large.min() > 10 * small.min()


def test_isolation_finds_weights_in_the_cache(runtime):
    classifier = BASE | {"kind": "fc", "operator": "Gemm", "input_height": 1, "input_channels": 1024,
                         "output_channels": 1000}  # fmt: skip
    naive = measure_kernel(classifier, runtime, isolated=True)
    cold = measure_kernel(classifier, runtime)
    assert np.median(cold) > 1.3 * np.median(naive), "a product with one row reads each weight once, from memory"


def test_a_kernel_that_the_runtime_executes_as_something_else_is_refused(runtime):
    with pytest.raises(EdgejouleError, match="executes it as Conv between these neighbours, not as FusedConv"):
        measure_kernel(conv(operator="FusedConv"), runtime)


def test_a_kernel_that_the_runtime_executes_in_another_layout_is_refused(runtime):
    with pytest.raises(EdgejouleError, match="executes it in its blocked layout between these neighbours"):
        measure_kernel(conv(layout="nchw"), runtime)


def test_synthetic_kernels_are_executed_as_what_the_plan_says(runtime):
    drawn = sample(60, 0, executed=executed("onnxruntime", ""))
    small = [row | {"source": "synthetic"} for row in drawn if row["macs"] < 1e8]
    assert len(small) > 40
    for row in small:
        measure_kernel(row, runtime, runs=1)


def test_a_kernel_that_the_runtime_splits_is_refused(runtime):
    with pytest.raises(EdgejouleError, match=r"executes it as 2 nodes \(Conv\+Sigmoid\), not as one"):
        measure_kernel(conv(tail="relu+sigmoid"), runtime)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "transpose"}, "kind 'transpose' cannot be rebuilt from its configuration"),
        ({"kind": "other:Einsum"}, "kind 'other:Einsum' cannot be rebuilt"),
        ({"kind": "add", "inputs": 2, "bytes_in": MAP + 12}, "has 3 elements, which no broadcast to"),
    ],
)
def test_says_what_cannot_be_rebuilt(changes, sentence):
    with pytest.raises(EdgejouleError, match=sentence):
        sandwich(BASE | changes)


def test_every_kind_is_either_built_or_planned_by_nobody():
    assert set(BUILDERS) <= set(KINDS)
    assert not set(BUILDERS) & set(NOT_ALONE)
    assert set(KINDS) == set(BUILDERS) | set(NOT_ALONE)


def test_sandwiches_are_the_same_each_time():
    assert sandwich(KERNELS["conv"]) == sandwich(json.loads(json.dumps(KERNELS["conv"])))
