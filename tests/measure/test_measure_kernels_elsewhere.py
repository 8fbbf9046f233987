"""Kernels in sandwiches on OpenVINO and LiteRT, whose kernels are told by rules: one may be several of their nodes."""

import numpy as np
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.measure.cold import MIDDLE, measure_kernel
from edgejoule.measure.runtimes import open_runtime

MAP = {
    "kernel": "k", "tail": "", "layout": "nhwc", "batch": 1, "input_height": 56, "input_width": 56, "output_height": 56,
    "output_width": 56, "input_channels": 64, "output_channels": 64, "kernel_height": 0, "kernel_width": 0, "stride": 1,
    "dilation": 1, "groups": 1, "inputs": 1, "bytes_in": 4 * 64 * 56 * 56, "bytes_weights": 0, "source": "zoo",
}  # fmt: skip
WINDOW = {"kernel_height": 3, "kernel_width": 3}
HALVED = {"stride": 2, "output_height": 28, "output_width": 28}
TOKENS = MAP | {"input_height": 196, "input_width": 1, "output_height": 196, "output_width": 1, "input_channels": 384}
CONV = MAP | WINDOW | {"kind": "conv+bn+relu", "operator": "Conv"}
KERNELS = {
    "conv": CONV | {"tail": "relu"},
    "pointwise": CONV | {"kernel_height": 1, "kernel_width": 1},
    "strided conv": CONV | HALVED,
    "conv without padding": CONV | {"output_height": 54, "output_width": 54},
    "conv with more padding": CONV | {"output_height": 58, "output_width": 58},
    "grouped conv": CONV | {"groups": 4},
    "depthwise": CONV | {"kind": "dwconv+bn+relu", "groups": 64, "tail": "relu6"},
    "max pooling": MAP | WINDOW | HALVED | {"kind": "maxpool", "operator": "MaxPool"},
    "mean of a map": MAP | {"kind": "global-avgpool", "operator": "GlobalAveragePool", "input_channels": 2048,
                            "output_channels": 2048, "output_height": 1, "output_width": 1},
    "normalisation": MAP | {"kind": "bn+relu", "operator": "BatchNormalization", "tail": "relu"},
    "addition": MAP | {"kind": "add+relu", "operator": "Add", "inputs": 2, "tail": "relu",
                       "bytes_in": 2 * MAP["bytes_in"]},
    "scaled channels": MAP | {"kind": "mul", "operator": "Mul", "inputs": 2, "bytes_in": MAP["bytes_in"] + 4 * 64},
    "sigmoid": MAP | {"kind": "sigmoid", "operator": "Sigmoid"},
    "hard swish": MAP | {"kind": "hswish", "operator": "HardSwish"},
    "classifier": MAP | {"kind": "fc", "operator": "Gemm", "input_height": 1, "input_channels": 1280,
                         "output_channels": 1000},
    "product": TOKENS | {"kind": "matmul", "operator": "MatMul", "batch": 3, "output_channels": 196},
    "softmax": TOKENS | {"kind": "softmax", "operator": "Softmax"},
}  # fmt: skip


@pytest.fixture(scope="module", params=["openvino", "litert"])
def runtime(request):
    package = {"openvino": "openvino", "litert": "ai_edge_litert"}[request.param]
    pytest.importorskip(package, reason=f"the package '{package}' is an extra that is not installed")
    return open_runtime({"name": request.param, "threads": 1})


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_between_its_neighbours_has_a_time(runtime, name):
    durations = measure_kernel(KERNELS[name], runtime, runs=2)
    assert durations.shape == (2,) and (durations > 0).all()
    assert measure_kernel(KERNELS[name], runtime, runs=2, isolated=True).shape == (2,)


def test_a_larger_kernel_takes_longer(runtime):
    small = measure_kernel(CONV, runtime)
    large = measure_kernel(CONV | {"input_channels": 256, "output_channels": 256}, runtime)
    assert large.min() > 8 * small.min()


def test_a_kernel_too_small_for_the_profiler_is_named():
    class Coarse:
        """A runtime whose profiler tells no time of the kernel."""

        def versions(self):
            return {"openvino": "1"}

        def middle(self, model, marker, runs, between):
            return np.zeros(runs, np.int64), [("a", "Eltwise"), ("b", "Math")]

    with pytest.raises(EdgejouleError, match=r"kernel 'k': the runtime executes Eltwise\+Math, for no time that"):
        measure_kernel(CONV, Coarse())


def test_openvino_says_that_it_fused_a_kernel_with_its_neighbour():
    pytest.importorskip("openvino", reason="the package 'openvino' is an extra that is not installed")
    from edgejoule.measure.sandwich import sandwich

    with pytest.raises(EdgejouleError, match="OpenVINO fuses the kernel with a neighbour"):
        open_runtime({"name": "openvino"}).middle(sandwich(CONV), MIDDLE, 1, lambda: None)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "layernorm", "operator": "LayerNormalization"}, "a kernel of kind 'layernorm' cannot be rebuilt"),
        ({"tail": "sigmoid"}, "LiteRT fuses no 'sigmoid' into a kernel"),
        ({"kind": "mul", "operator": "Mul", "bytes_weights": 4 * 77}, "77 elements, which no broadcast"),
    ],
)
def test_says_what_cannot_be_rebuilt_for_litert(changes, sentence):
    pytest.importorskip("ai_edge_litert", reason="the package 'ai-edge-litert' is an extra that is not installed")
    with pytest.raises(EdgejouleError, match=sentence):
        measure_kernel(CONV | changes, open_runtime({"name": "litert"}))
