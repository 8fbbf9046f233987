import numpy as np
import pandas as pd
import pytest

from edgejoule.predictors import training_set
from edgejoule.predictors.kernelwise import FromKernels, timed
from edgejoule.predictors.matching import with_durations
from synthetic_kernels import profiled


def listed(runtime, *kernels):
    """Return kernels of one network from (name, kind, operator, input channels, groups, window, stride)."""
    columns = ["name", "kind", "operator", "input_channels", "groups", "kernel_height", "stride"]
    table = pd.DataFrame(kernels, columns=columns)
    table = table.assign(kernel_width=table["kernel_height"], index=range(len(table)))
    return table.assign(network="net", precision="fp32", runtime=runtime)


def timed_nodes(*nodes, **more):
    """Return nodes from (name, operator, ms)."""
    table = pd.DataFrame(nodes, columns=["node", "operator", "ms"])
    table["duration_ns"] = (table["ms"] * 1e6).astype(int)
    return table.assign(**({"network": "net", "precision": "fp32", "pass": 0, "index": range(len(table))} | more))


def test_xnnpack_runs_pointwise_as_products_and_wide_depthwise_as_convolutions():
    kernels = listed(
        "litert",
        ("/Conv", "conv+bn+relu", "Conv", 3, 1, 3, 2),
        ("/Conv_1", "dwconv+bn+relu", "Conv", 32, 32, 3, 1),
        ("/Conv_2", "conv+bn+relu", "Conv", 32, 1, 1, 1),
        ("/Conv_3", "dwconv+bn+relu", "Conv", 64, 64, 7, 1),
        ("/Conv_4", "conv+bn+relu", "Conv", 64, 1, 1, 2),
        ("/Add", "add", "Add", 64, 1, 0, 1),
        ("/Gemm", "fc", "Gemm", 64, 1, 0, 1),
    )
    nodes = timed_nodes(
        ("xnnpack/0", "Convolution (NHWC, F32) IGEMM", 1.0),
        ("xnnpack/1", "Convolution (NHWC, F32) DWConv", 2.0),
        ("xnnpack/2", "Fully Connected (NC, F32) GEMM", 3.0),
        ("xnnpack/3", "Convolution (NHWC, F32) IGEMM", 4.0),
        ("xnnpack/4", "Convolution (NHWC, F32) IGEMM", 5.0),
        ("xnnpack/5", "Add (ND)", 6.0),
        ("xnnpack/6", "Fully Connected (NC, F32) GEMM", 7.0),
    )
    times = with_durations(kernels, nodes)["duration_ms"]
    assert times.tolist() == pytest.approx([1, 2, 3, 4, 5, np.nan, 7], nan_ok=True)


def test_openvino_names_what_it_runs_after_its_last_part_and_adds_reorders():
    kernels = listed(
        "openvino",
        ("/Conv", "conv+bn+relu", "Conv", 3, 1, 3, 2),
        ("/Conv_1", "dwconv+bn+relu", "Conv", 32, 32, 3, 1),
        ("/Conv_2", "conv+bn+relu", "Conv", 32, 1, 1, 1),
        ("/Mul", "mul", "Mul", 32, 1, 0, 1),
        ("/Add", "fc", "FullyConnected", 64, 1, 0, 1),
    )
    nodes = timed_nodes(
        ("input_abcd_acdb_/stem/Conv/WithoutBiases", "reorder_brgemm_f32", 9.0),
        ("/stem/Conv/WithoutBiases", "brgconv_avx512_f32", 1.0),
        ("/a/dw/Conv/WithoutBiases", "brgconv_avx512_dw_f32", 2.0),
        ("/a/scale/Mul", "brgconv_avx512_1x1_f32", 3.0),
        ("/a/Mul_1", "jit_avx512_f32", 4.0),
        ("/head/fc1/MatMul", "brgconv_avx512_1x1_f32", 5.0),
    )
    assert with_durations(kernels, nodes)["duration_ms"].tolist() == pytest.approx([1, 2, 3, 4, 5])


@pytest.mark.parametrize("runtime", ["openvino", "litert"])
def test_branches_that_a_graph_lists_otherwise_are_told_apart_by_their_numbers(runtime):
    kernels = listed(
        runtime,
        ("/Conv_1", "conv+bn+relu", "Conv", 8, 1, 3, 2),
        ("/Conv", "conv+bn+relu", "Conv", 8, 1, 3, 1),
    )
    words = {"openvino": "brgconv_avx512_f32", "litert": "Convolution (NHWC, F32) IGEMM"}
    nodes = timed_nodes(("/first/Conv", words[runtime], 1.0), ("/second/Conv", words[runtime], 2.0))
    matched = with_durations(kernels, nodes).set_index("name")["duration_ms"]
    assert matched.to_dict() == pytest.approx({"/Conv": 1.0, "/Conv_1": 2.0})


def test_passes_that_count_otherwise_leave_a_sort_unknown():
    kernels = listed(
        "litert", ("/Conv", "conv+bn+relu", "Conv", 8, 1, 3, 1), ("/Softmax", "softmax", "Softmax", 8, 1, 0, 1)
    )
    both = [("xnnpack/0", "Convolution (NHWC, F32) IGEMM", 1.0), ("xnnpack/1", "Softmax (NC, F32)", 2.0)]
    nodes = pd.concat([timed_nodes(*both), timed_nodes(*both, both[0], **{"pass": 1})], ignore_index=True)
    times = with_durations(kernels, nodes)["duration_ms"]
    assert times.tolist() == pytest.approx([np.nan, 2.0], nan_ok=True)


def test_kinds_that_the_profiler_never_tells_get_what_networks_leave_for_them():
    networks, kernels, nodes = profiled(noise=0)
    nodes = nodes[nodes["operator"] != "Gemm"]
    _, features, costs = training_set(networks, kernels, nodes)
    out = costs.family == costs.family[0]
    latency = costs.metrics["latency_ms"]
    model = FromKernels().fit(features.take(~out), latency[~out], costs.family[~out])
    assert model.silent and all(law.startswith("fc") for law in model.silent)
    unseen = features.take(out)
    assert np.abs(model.predict(unseen) / latency[out] - 1).mean() < 0.1
    again = FromKernels.from_dict(model.to_dict())
    assert again.predict(unseen) == pytest.approx(model.predict(unseen), rel=1e-6)
    shares = model.per_kernel(unseen, unseen.rows.owner, unseen)
    assert np.bincount(unseen.rows.owner, shares) == pytest.approx(model.predict(unseen))


def test_times_of_small_kernels_alone_are_not_enough():
    networks, kernels, nodes = profiled(noise=0)
    _, features, _ = training_set(networks, kernels, nodes[nodes["operator"] == "Gemm"])
    assert features.rows is None
    assert not timed(features)
