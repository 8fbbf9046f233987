"""OpenVINO is asked: what it says that it executes becomes kernels, whatever it merged, split or renamed."""

import sys
from collections import Counter
from importlib.util import find_spec

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.describe import describe_zoo
from edgejoule.graphs.export import fill, tidy, trace
from edgejoule.graphs.fusion_check import by_kind
from edgejoule.graphs.kernels import by_rules, describe_file, kernels_of_file, table_of
from edgejoule.graphs.model import read_graph
from edgejoule.graphs.openvino_graph import execution_graph
from edgejoule.graphs.runtimes import ask
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import FUSION_CHECK, FUSION_KINDS

pytest.importorskip("openvino", reason="the package 'openvino' is an extra that is not installed")


def weight(name, *shape, seed=0):
    array = np.random.default_rng(seed).uniform(0.5, 1.5, shape).astype(np.float32)
    return onnx.numpy_helper.from_array(array, name)


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def told(path, nodes, weights, shape=(1, 8, 16, 16)):
    graph = helper.make_graph(
        nodes,
        "hand-made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path / "net.onnx")
    table = kernels_of_file(path / "net.onnx", "openvino", asked=True)
    return table[table["kind"] != "reorder"].reset_index(drop=True)


NORM = [weight(f"n{i}", 16, seed=i) for i in range(4)]
SAME = {"pads": [1, 1, 1, 1]}


def test_fused_convolution(tmp_path):
    nodes = [
        node("Conv", "x w", "a", strides=[2, 2], **SAME),
        node("BatchNormalization", "a n0 n1 n2 n3", "b"),
        node("Sigmoid", "b", "s"),
        node("Mul", "b s", "y"),
    ]
    (kernel,) = told(tmp_path, nodes, [weight("w", 16, 8, 3, 3), *NORM]).to_dict("records")
    assert (kernel["kind"], kernel["tail"], kernel["stride"], kernel["inputs"]) == ("conv+bn+relu", "swish", 2, 1)
    assert kernel["macs"] == 16 * 8 * 8 * 8 * 9
    assert kernel["bytes_weights"] == (16 * 8 * 9 + 16) * 4
    assert kernel["implementation"].endswith("_f32") and kernel["layout"] in ("nhwc", "nchwc", "nchw")


def test_residual_sum_depthwise_and_grouped(tmp_path):
    nodes = [
        node("Conv", "x d", "a", group=8, **SAME),
        node("Relu", "a", "b"),
        node("Conv", "b g", "c", group=2, **SAME),
        node("Add", "c x", "y"),
    ]
    table = told(tmp_path, nodes, [weight("d", 8, 1, 3, 3), weight("g", 8, 4, 3, 3)])
    assert table["kind"].tolist() == ["dwconv+bn+relu", "conv+bn+relu"]
    assert table["tail"].tolist() == ["relu", "add"]
    assert table["groups"].tolist() == [8, 2] and table["inputs"].tolist() == [1, 2]
    assert table["macs"].tolist() == [8 * 256 * 9, 8 * 256 * 4 * 9]


def test_equal_branches_stay_apart_and_dilations_are_told_apart(tmp_path):
    nodes = [
        node("Conv", "x w1", "a", dilations=[2, 2], pads=[2, 2, 2, 2]),
        node("Conv", "x w2", "b", dilations=[3, 3], pads=[3, 3, 3, 3]),
        node("Concat", "a b", "y", axis=1),
    ]
    table = told(tmp_path, nodes, [weight("w1", 16, 8, 3, 3), weight("w2", 16, 8, 3, 3, seed=1)])
    assert sorted(table[table["kind"] == "conv+bn+relu"]["dilation"]) == [2, 3]


def test_branches_that_it_merges_into_groups_keep_their_stride(tmp_path):
    """Split, two convolutions, concatenation: one grouped convolution, named after the normalisation behind."""
    nodes = [
        node("Split", "x", "p q", axis=1, num_outputs=2),
        node("Conv", "p w1", "a", strides=[2, 2]),
        node("Conv", "q w2", "b", strides=[2, 2]),
        node("Concat", "a b", "c", axis=1),
        node("BatchNormalization", "c n0 n1 n2 n3", "d"),
        node("Relu", "d", "y"),
    ]
    table = told(tmp_path, nodes, [weight("w1", 8, 4, 1, 1), weight("w2", 8, 4, 1, 1, seed=1), *NORM])
    convolutions = table[table["kind"] == "conv+bn+relu"]
    assert set(convolutions["stride"]) == {2} and convolutions["macs"].sum() == 2 * 8 * 64 * 4


SAMPLE = ["mobilenet-v3-small_224_0.75", "shufflenet_v2_x0_5", "mixnet_s"]


@pytest.fixture(scope="module")
def zoo(root):
    if find_spec("timm") is None:
        pytest.skip("networks need timm")
    return read_zoo(root / "config/networks.tsv")


@pytest.mark.parametrize("name", SAMPLE)
def test_real_networks_keep_their_work_and_their_weights(zoo, name):
    exported = trace(next(select(zoo, [name]).itertuples()))
    model = tidy(exported, name)
    graph = read_graph(model, name)
    tables = [table_of(*ask("openvino", model, graph, name, exported), name, "fp32", "openvino", "nchw") for _ in "12"]
    pd.testing.assert_frame_equal(*tables)
    ruled, _ = by_rules(graph, name, "fp32", "openvino")
    table = tables[0]
    assert table["macs"].sum() == ruled["macs"].sum()
    assert table["bytes_weights"].sum() / 4 == pytest.approx(graph.parameters, rel=0.01)
    assert not table["kind"].str.startswith("other:").any()
    heavy = ["kind", "input_channels", "output_channels", "kernel_height", "stride", "macs"]
    first, second = (
        Counter(t[t["kind"].isin(["conv+bn+relu", "dwconv+bn+relu"])][heavy].itertuples(index=False, name=None))
        for t in (table, ruled)
    )
    # It merges mixnet's parallel convolutions into grouped ones.
    assert first == second or name == "mixnet_s"


def test_weights_without_meaning_give_the_graph_of_real_ones(tmp_path):
    """Zeros, ones and equal weights would not: sums are dropped, scales left out, equal branches merged."""
    nodes = [
        node("Conv", "x w1 b1", "a", **SAME),
        node("Conv", "x w2 b2", "b", **SAME),
        node("Add", "a b", "c"),
        node("Sigmoid", "c", "d"),
        node("Mul", "c d", "e"),
        node("Reshape", "e tokens", "f"),
        node("MatMul", "f m", "g"),
        node("Add", "g places", "h"),
        node("LayerNormalization", "h scale shift", "y", axis=-1),
    ]
    weights = [
        *(weight(f"w{i}", 256, 64, 3, 3, seed=i) for i in (1, 2)),
        *(weight(f"b{i}", 256, seed=i) for i in (1, 2)),
        weight("m", 256, 384, seed=3),
        weight("places", 1, 256, 384, seed=4),
        weight("scale", 384, seed=5),
        weight("shift", 384, seed=6),
        onnx.numpy_helper.from_array(np.array([1, 256, 256]), "tokens"),
    ]
    table = told(tmp_path, nodes, weights, (1, 64, 16, 16))
    assert (table["kind"] == "conv+bn+relu").sum() == 2 and (table["kind"] == "fc").sum() == 1
    real, real_shapes, _ = execution_graph(tmp_path / "net.onnx", "real")
    made, made_shapes, _ = execution_graph(fill(onnx.load(tmp_path / "net.onnx"), tmp_path), "made")
    first, second = (
        Counter(
            (layer.type, layer.implementation, layer.layout, tuple(shapes[name] for name in layer.outputs))
            for layer in layers
        )
        for layers, shapes in ((real, real_shapes), (made, made_shapes))
    )
    assert first == second
    assert (tmp_path / "zeros.bin").stat().st_size > 2 * 256 * 64 * 9 * 4


def test_the_zoo_is_compared_with_the_rules(zoo):
    rows = select(zoo, ["mobilenet-v3-small_224_0.75"])
    found = describe_zoo(rows, ["openvino", "onnxruntime"], asked=["openvino", "onnxruntime"])
    to_arrow(found.fusion_check, FUSION_CHECK)
    kinds = by_kind(found.fusion_check)
    to_arrow(kinds, FUSION_KINDS)
    assert set(kinds["runtime"]) == {"openvino", "onnxruntime"}
    assert (kinds["agreed"] <= kinds[["told", "ruled"]].min(axis=1)).all()
    for row in found.coverage.itertuples():
        own = kinds[kinds["runtime"] == row.runtime]
        assert row.told_by == "runtime" and row.kernels == own["told"].sum()
        assert row.rules_disagree == (own["only_runtime"] + own["only_rules"]).sum()
    # By default only those that every installation has are asked.
    assert set(describe_zoo(rows, ["openvino"]).coverage["told_by"]) == {"rules"}


def test_who_told_is_told(tmp_path):
    told(tmp_path, [node("Relu", "x", "y")], [])
    assert describe_file(tmp_path / "net.onnx", "openvino")[1] == "rules"
    assert describe_file(tmp_path / "net.onnx", "openvino", asked=True)[1] == "runtime"
    with pytest.raises(EdgejouleError, match="'tflite' cannot be asked"):
        describe_file(tmp_path / "net.onnx", "tflite", asked=True)


def test_its_absence_and_its_refusal_are_named(tmp_path, monkeypatch):
    with pytest.raises(EdgejouleError, match=r"odd: OpenVINO cannot load the graph: "):
        (tmp_path / "odd.onnx").write_bytes(b"odd")
        execution_graph(tmp_path / "odd.onnx", "odd")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EdgejouleError, match=r"OpenVINO is not installed.*edgejoule\[openvino\]"):
        told(tmp_path, [node("Relu", "x", "y")], [])
