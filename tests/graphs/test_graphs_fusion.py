"""Rules on hand-made graphs: what each runtime makes one kernel of, and what never is."""

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.describe import ambiguous, catalogue
from edgejoule.graphs.kernels import by_rules, kernels_of_file, parse_shapes
from edgejoule.graphs.model import read_graph
from edgejoule.graphs.rules import load_rules, patterns, runtimes
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import CATALOGUE


def constant(name, *shape, value=0.1, dtype=np.float32):
    return onnx.numpy_helper.from_array(np.full(shape, value, dtype), name)


def model(nodes, weights, inputs=(("x", (1, 8, 16, 16)),), outputs=("y",)):
    graph = helper.make_graph(
        nodes,
        "hand-made",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def rows(nodes, weights, runtime, precision="fp32", **options):
    graph = read_graph(model(nodes, weights, **options), "hand-made")
    return by_rules(graph, "hand-made", precision, runtime)


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs.split(), outputs.split(), name=f"{operator}-{outputs}", **attributes)


BN = [constant(f"bn{i}", 16, value=1.0) for i in range(4)]
CONV = [constant("w", 16, 8, 3, 3), *BN]
CONV_BN_RELU = [
    node("Conv", "x w", "a", pads=[1, 1, 1, 1]),
    node("BatchNormalization", "a bn0 bn1 bn2 bn3", "b"),
    node("Relu", "b", "y"),
]


@pytest.mark.parametrize("runtime", ["tflite", "armnn", "litert", "tensorrt", "onnxruntime", "openvino"])
def test_convolution_normalisation_and_activation_are_one_kernel(runtime):
    table, views = rows(CONV_BN_RELU, CONV, runtime)
    assert not views
    (kernel,) = table.to_dict("records")
    assert (kernel["kind"], kernel["tail"]) == ("conv+bn+relu", "relu")
    assert kernel["macs"] == 16 * 16 * 16 * 8 * 9
    assert kernel["bytes_in"] == 8 * 16 * 16 * 4 and kernel["bytes_out"] == 16 * 16 * 16 * 4
    # The filter, and the bias that folded normalisation leaves.
    assert kernel["bytes_weights"] == (16 * 8 * 9 + 16) * 4
    assert (kernel["input_channels"], kernel["output_channels"], kernel["kernel_height"]) == (8, 16, 3)


def test_pytorch_runs_operator_by_operator():
    table, _ = rows(CONV_BN_RELU, CONV, "pytorch")
    assert table["kind"].tolist() == ["conv+bn+relu", "bn", "relu"]


def test_int8_counts_bytes_and_keeps_wide_biases():
    (kernel,) = rows(CONV_BN_RELU, CONV, "tflite", "int8")[0].to_dict("records")
    assert kernel["bytes_in"] == 8 * 16 * 16
    assert kernel["bytes_weights"] == 16 * 8 * 9 + 16 * 4


def test_a_second_reader_prevents_fusion():
    nodes = [node("Conv", "x w", "a", pads=[1, 1, 1, 1]), node("Relu", "a", "b"), node("Add", "a b", "y")]
    table, _ = rows(nodes, CONV, "tflite")
    assert table["kind"].tolist() == ["conv+bn+relu", "relu", "add"]
    assert table["tail"].tolist() == ["", "", ""]


def test_an_output_of_the_network_is_not_fused_away():
    nodes = [node("Conv", "x w", "a", pads=[1, 1, 1, 1]), node("Relu", "a", "y")]
    table, _ = rows(nodes, CONV, "tflite", outputs=("y", "a"))
    assert len(table) == 2


RESIDUAL = [
    node("Conv", "x w8", "a", pads=[1, 1, 1, 1]),
    node("Relu", "a", "b"),
    node("Conv", "b w8", "c", pads=[1, 1, 1, 1]),
    node("Add", "c x", "d"),
    node("Relu", "d", "y"),
]


@pytest.mark.parametrize(("runtime", "kinds"), [("tflite", 3), ("armnn", 3), ("onnxruntime", 2), ("tensorrt", 2)])
def test_residual_sum_joins_the_later_convolution_where_the_runtime_can(runtime, kinds):
    table, _ = rows(RESIDUAL, [constant("w8", 8, 8, 3, 3)], runtime)
    assert len(table) == kinds
    if kinds == 2:
        assert table["tail"].tolist() == ["relu", "add+relu"] and table["inputs"].tolist() == [1, 2]
    else:
        assert table["kind"].tolist()[-1] == "add+relu"


def test_depthwise_and_grouped_convolutions():
    nodes = [node("Conv", "x d", "a", group=8, pads=[1, 1, 1, 1]), node("Conv", "a g", "y", group=2)]
    table, _ = rows(nodes, [constant("d", 8, 1, 3, 3), constant("g", 16, 4, 1, 1)], "tflite")
    assert table["kind"].tolist() == ["dwconv+bn+relu", "conv+bn+relu"]
    assert table["groups"].tolist() == [8, 2]
    assert table["macs"].tolist() == [8 * 256 * 9, 16 * 256 * 4]


def test_padding_in_front_belongs_to_the_convolution():
    pads = onnx.numpy_helper.from_array(np.array([0, 0, 0, 0, 0, 0, 1, 1]), "pads")
    nodes = [node("Pad", "x pads", "p"), node("Conv", "p w", "y", strides=[2, 2])]
    table, _ = rows(nodes, [*CONV, pads], "tflite")
    (kernel,) = table.to_dict("records")
    assert kernel["kind"] == "conv+bn+relu" and kernel["stride"] == 2
    # The unpadded map is what is read.
    assert kernel["input_height"] == 16 and kernel["bytes_in"] == 8 * 16 * 16 * 4


SIX = [constant("three", value=3.0), constant("zero", value=0.0), constant("six", value=6.0)]
ONTO = {"pads": [1, 1, 1, 1]}
EDGES = [0, 0, 1, 1, 0, 0, 1, 1]
CONVOLVE = node("Conv", "p w", "y")
POOL = node("MaxPool", "p", "y", kernel_shape=[3, 3])


@pytest.mark.parametrize(
    ("mode", "pads", "value", "reader", "absorbed"),
    [
        ("constant", EDGES, 0, CONVOLVE, True),
        ("reflect", EDGES, 0, CONVOLVE, False),
        ("constant", EDGES, 1, CONVOLVE, False),
        ("constant", [0, 4, 0, 0, 0, 4, 0, 0], 0, CONVOLVE, False),
        ("constant", [1, 0, 0, 0, 0, 0, 0, 0], 0, CONVOLVE, False),
        ("constant", [0, 0, -1, 0, 0, 0, 0, 0], 0, CONVOLVE, False),
        ("constant", EDGES, -np.inf, POOL, True),
        ("constant", EDGES, 0, POOL, False),
    ],
)
def test_only_padding_that_a_window_can_do_belongs_to_it(mode, pads, value, reader, absorbed):
    channels = 8 + pads[1] + pads[5]
    weights = [
        onnx.numpy_helper.from_array(np.array(pads), "pads"),
        constant("value", value=value),
        constant("w", 16, channels, 3, 3),
    ]
    table, _ = rows([node("Pad", "x pads value", "p", mode=mode), reader], weights, "tflite")
    assert len(table) == 1 if absorbed else table["kind"].tolist()[0] == "pad"


@pytest.mark.parametrize(
    ("before", "absorbed"),
    [(node("Relu", "x", "r"), True), (node("Clip", "x zero six", "r"), True), (node("Tanh", "x", "r"), False)],
)
def test_zeros_are_as_good_as_the_least_number_where_none_is_less(before, absorbed):
    weights = [onnx.numpy_helper.from_array(np.array(EDGES), "pads"), *SIX]
    table, _ = rows([before, node("Pad", "r pads", "p"), POOL], weights, "tflite")
    assert ("pad" not in table["kind"].tolist()) == absorbed


@pytest.mark.parametrize("axes", [[2, 3], [-2, -1], [1, 2]])
def test_padding_of_named_axes(axes):
    weights = [
        onnx.numpy_helper.from_array(np.array([1, 1, 1, 1]), "pads"),
        onnx.numpy_helper.from_array(np.array(axes), "axes"),
        constant("w", 16, 10 if axes[0] == 1 else 8, 3, 3),
    ]
    pad = helper.make_node("Pad", ["x", "pads", "", "axes"], ["p"], name="pad")
    table, _ = rows([pad, CONVOLVE], weights, "tflite")
    assert table["kind"].tolist() == (["pad", "conv+bn+relu"] if axes[0] == 1 else ["conv+bn+relu"])


def test_padding_that_two_read_stays_a_kernel():
    pads = onnx.numpy_helper.from_array(np.array([0, 0, 0, 0, 0, 0, 1, 1]), "pads")
    nodes = [node("Pad", "x pads", "p"), node("Conv", "p w", "y"), node("Relu", "p", "z")]
    table, _ = rows(nodes, [*CONV, pads], "tflite", outputs=("y", "z"))
    assert table["kind"].tolist() == ["pad", "conv+bn+relu", "relu"]


@pytest.mark.parametrize(
    "nodes",
    [
        [node("HardSigmoid", "x", "s"), node("Mul", "s x", "y")],
        [
            node("Add", "x three", "a"),
            node("Clip", "a zero six", "c"),
            node("Mul", "x c", "m"),
            node("Div", "m six", "y"),
        ],
        [
            node("Add", "three x", "a"),
            node("Clip", "a zero six", "c"),
            node("Div", "c six", "d"),
            node("Mul", "d x", "y"),
        ],
    ],
)
def test_hard_swish_is_found_however_it_is_written(nodes):
    table, _ = rows(nodes, SIX, "tflite")
    assert table["kind"].tolist() == ["hswish"]
    assert table["bytes_in"].tolist() == [8 * 16 * 16 * 4]


def test_a_product_with_another_tensor_is_no_hard_swish():
    nodes = [node("HardSigmoid", "x", "s"), node("Mul", "s z", "y")]
    table, _ = rows(nodes, [], "tflite", inputs=(("x", (1, 8, 16, 16)), ("z", (1, 8, 16, 16))))
    assert table["kind"].tolist() == ["hsigmoid", "mul"]


def test_clip_to_six_is_relu6_and_to_anything_else_is_not():
    for bound, word in (("six", "relu6"), ("three", "clip")):
        nodes = [node("Conv", "x w", "a"), node("Clip", f"a zero {bound}", "y")]
        assert rows(nodes, [*CONV, *SIX], "tflite")[0]["tail"].tolist() == [word]


def test_views_cost_nothing_and_are_counted():
    shape = onnx.numpy_helper.from_array(np.array([1, 8, 256]), "shape")
    table, views = rows([node("Reshape", "x shape", "r"), node("Relu", "r", "y")], [shape], "tflite")
    assert table["kind"].tolist() == ["relu"] and [view.operator for view in views] == ["Reshape"]


def test_what_depends_on_weights_only_is_no_kernel():
    nodes = [node("Transpose", "w", "t", perm=[1, 0, 2, 3]), node("Mul", "t two", "m"), node("Conv", "x m", "y")]
    table, _ = rows(nodes, [constant("w", 8, 16, 1, 1), constant("two", value=2.0)], "tflite")
    assert table["operator"].tolist() == ["Conv"] and table["output_channels"].tolist() == [16]


def test_matrix_products_with_weights_and_without():
    nodes = [node("MatMul", "x w", "q"), node("Add", "q b", "s"), node("MatMul", "s k", "y")]
    weights = [constant("w", 16, 32), constant("b", 32)]
    table, _ = rows(nodes, weights, "tflite", inputs=(("x", (1, 4, 10, 16)), ("k", (1, 4, 32, 5))))
    assert table["kind"].tolist() == ["fc", "matmul"]
    assert table["macs"].tolist() == [40 * 16 * 32, 4 * 10 * 32 * 5]
    assert table["bytes_weights"].tolist() == [(16 * 32 + 32) * 4, 0]


def test_attention_is_one_kernel_where_the_runtime_has_it():
    nodes = [
        node("MatMul", "q k", "m"),
        node("Mul", "m scale", "s"),
        node("Softmax", "s", "p", axis=-1),
        node("MatMul", "p v", "y"),
    ]
    inputs = (("q", (1, 2, 10, 8)), ("k", (1, 2, 8, 10)), ("v", (1, 2, 10, 8)))
    one, _ = rows(nodes, [constant("scale", value=0.3)], "openvino", inputs=inputs)
    many, _ = rows(nodes, [constant("scale", value=0.3)], "tflite", inputs=inputs)
    assert one["kind"].tolist() == ["attention"] and one["inputs"].tolist() == [3]
    assert many["kind"].tolist() == ["matmul", "mul", "softmax", "matmul"]
    assert one["macs"].sum() == many["macs"].sum() == 2 * 2 * 10 * 8 * 10


def test_pooling_over_the_whole_map_is_global():
    nodes = [node("AveragePool", "x", "p", kernel_shape=[16, 16]), node("AveragePool", "x", "q", kernel_shape=[2, 2])]
    table, _ = rows(nodes, [], "tflite", outputs=("p", "q"))
    assert table["kind"].tolist() == ["global-avgpool", "avgpool"]


def test_an_unknown_operator_is_kept_and_named():
    table, _ = rows([node("Erf", "x", "e"), node("Relu", "e", "y")], [], "tflite")
    assert table["kind"].tolist() == ["other:Erf", "relu"]


def test_equal_configurations_have_equal_names_and_others_do_not():
    nodes = [*RESIDUAL[:3], node("Conv", "c w8", "y", pads=[1, 1, 1, 1], strides=[2, 2])]
    table, _ = rows(nodes, [constant("w8", 8, 8, 3, 3)], "pytorch")
    convs = table[table.kind == "conv+bn+relu"]
    assert convs["kernel"].nunique() == 2
    assert convs["kernel"].iloc[0] == "conv+bn+relu_b1_i8x16x16_o8x16x16_k3x3_s1_d1_g1_n1_nchw_fp32"


def test_the_catalogue_says_where_a_name_stands_for_several_kernels():
    weights = [constant("w", 8, 8, 3, 3), constant("b", 8), constant("zero", value=0.0), constant("six", value=6.0)]
    nodes = [
        node("Conv", "x w", "c", **ONTO),
        node("Conv", "c w b", "d", **ONTO),
        node("Relu", "d", "r"),
        node("Clip", "r zero six", "s"),
        node("Conv", "s w", "e", **ONTO),
        node("Tanh", "e", "y"),
    ]
    table, _ = rows(nodes, weights, "pytorch")
    zoo = pd.DataFrame({"network": ["hand-made"], "architecture": ["hand-made"], "family": ["odd"]})
    found = catalogue(table, zoo)
    to_arrow(found, CATALOGUE)
    assert found.set_index("kind")[["occurrences", "configurations"]].to_dict("index") == {
        "conv+bn+relu": {"occurrences": 3, "configurations": 2},
        "relu": {"occurrences": 2, "configurations": 2},
        "other:Tanh": {"occurrences": 1, "configurations": 1},
    }
    # What is described, and so measured, is the first.
    first = found.set_index("kind").loc[["conv+bn+relu", "relu"]]
    assert first["operator"].tolist() == ["Conv", "Relu"] and first["bytes_weights"].tolist() == [8 * 8 * 9 * 4, 0]
    assert ambiguous(found) == "2 of 3 kernels' names stand for several kernels, of which the first is described"


# -- what the documentation of runtimes that do not run here says ------------------------------------------------------

BOUNDS = [
    constant("zero", value=0.0),
    constant("one", value=1.0),
    constant("w8", 8, 8, 3, 3),
    constant("two", value=2.0),
]


@pytest.mark.parametrize(
    ("runtime", "nodes", "expected"),
    [
        # TensorRT, "Layer fusion": element-wise chains are one kernel ("PointWise fusion").
        ("tensorrt", [node("Add", "x two", "a"), node("Mul", "a two", "b"), node("Sigmoid", "b", "y")], [("add", 3)]),
        # Convolution, sum and activation; the sum joins the later convolution.
        (
            "tensorrt",
            [node("Conv", "x w8", "a", **ONTO), node("Add", "a x", "b"), node("Relu", "b", "y")],
            [("conv+bn+relu", 3)],
        ),
        # GELU written as five operators behind a product ("GELU reduction").
        ("tensorrt", [node("Conv", "x w8", "a", **ONTO), node("Gelu", "a", "y")], [("conv+bn+relu", 2)]),
        # Two activations: the second is a kernel of its own.
        (
            "tensorrt",
            [node("Conv", "x w8", "a", **ONTO), node("Relu", "a", "b"), node("Sigmoid", "b", "y")],
            [("conv+bn+relu", 2), ("sigmoid", 1)],
        ),
        # ArmNN, NeonBackend and ClBackend: convolutions take ReLU, bounded ReLU, sigmoid and TanH ...
        ("armnn", [node("Conv", "x w8", "a", **ONTO), node("Clip", "a zero one", "y")], [("conv+bn+relu", 2)]),
        ("armnn", [node("Conv", "x w8", "a", **ONTO), node("Tanh", "a", "y")], [("conv+bn+relu", 2)]),
        # ... and no HardSwish; a residual sum is a kernel of its own, which takes the ReLU.
        (
            "armnn",
            [node("Conv", "x w8", "a", **ONTO), node("HardSwish", "a", "y")],
            [("conv+bn+relu", 1), ("hswish", 1)],
        ),
        (
            "armnn",
            [node("Conv", "x w8", "a", **ONTO), node("Add", "a x", "b"), node("Relu", "b", "y")],
            [("conv+bn+relu", 1), ("add+relu", 2)],
        ),
        # Each fuses one activation, not two.
        (
            "armnn",
            [node("Mul", "x two", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")],
            [("mul", 2), ("relu", 1)],
        ),
    ],
)
def test_documented_fusions(runtime, nodes, expected):
    table, _ = rows(nodes, BOUNDS, runtime)
    members = [1 + (kernel.tail.count("+") + 1 if kernel.tail else 0) for kernel in table.itertuples()]
    assert list(zip(table["kind"], members, strict=True)) == expected


# -- files -----------------------------------------------------------------------------------------------------------


def test_every_rules_file_is_whole():
    assert {"tflite", "armnn", "litert", "pytorch", "tensorrt", "onnxruntime", "openvino"} == set(runtimes())
    for runtime in runtimes():
        assert load_rules(runtime).source
    assert all(steps for ways in patterns().values() for steps in ways)


def test_dynamic_axes_need_a_shape(tmp_path):
    dynamic = model(CONV_BN_RELU, CONV, inputs=(("x", ("batch", 8, 16, 16)),))
    onnx.save(dynamic, tmp_path / "net.onnx")
    with pytest.raises(EdgejouleError, match=r"net.onnx: input 'x' has the dynamic axes batch; give its shape"):
        kernels_of_file(tmp_path / "net.onnx")
    table = kernels_of_file(tmp_path / "net.onnx", "tflite", shapes=parse_shapes(["x=1x8x32x32"]))
    assert table["network"].tolist() == ["net"] and table["output_height"].tolist() == [32]
    asked = kernels_of_file(tmp_path / "net.onnx", "onnxruntime", shapes={"x": (1, 8, 32, 32)})
    ruled = kernels_of_file(tmp_path / "net.onnx", "onnxruntime", shapes={"x": (1, 8, 32, 32)}, asked=False)
    assert asked["macs"].sum() == ruled["macs"].sum() == table["macs"].sum() and len(ruled) == 1
    with pytest.raises(EdgejouleError, match="a shape is given for 'z', which is no input; inputs: x"):
        kernels_of_file(tmp_path / "net.onnx", shapes={"z": (1, 8, 16, 16)})
    with pytest.raises(EdgejouleError, match="the shape given for input 'x' has 2 axes, the input 4"):
        kernels_of_file(tmp_path / "net.onnx", shapes={"x": (1, 8)})


@pytest.mark.parametrize("text", ["x", "x=", "x=1x0x3", "=1x2", "x=1,2"])
def test_a_wrong_shape_stops(text):
    with pytest.raises(EdgejouleError, match=r"--shape is .*write it as input=1x3x224x224"):
        parse_shapes([text])


def test_an_operator_without_a_shape_cannot_be_costed(tmp_path):
    strange = model(
        [helper.make_node("Mystery", ["x"], ["m"], name="odd", domain="com.example"), node("Relu", "m", "y")], []
    )
    strange.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(EdgejouleError, match=r"operator 'com.example:Mystery' .node 'odd'. cannot be costed"):
        read_graph(strange, "strange.onnx")
    onnx.save(strange, tmp_path / "strange.onnx")
    with pytest.raises(EdgejouleError, match=r"strange.onnx: .*Mystery"):
        kernels_of_file(tmp_path / "strange.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x00" * 100])
def test_a_file_that_is_no_model_stops(tmp_path, content):
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(EdgejouleError, match=r"bad.onnx: not an ONNX model"):
        kernels_of_file(tmp_path / "bad.onnx")


def test_other_mistakes_stop(tmp_path):
    with pytest.raises(EdgejouleError, match="no such file"):
        kernels_of_file(tmp_path / "none.onnx")
    with pytest.raises(EdgejouleError, match="is a folder; give an ONNX model"):
        kernels_of_file(tmp_path)
    onnx.save(model(CONV_BN_RELU, CONV), tmp_path / "net.onnx")
    with pytest.raises(EdgejouleError, match="runtime is 'tflight', which has no rules; did you mean 'tflite'"):
        kernels_of_file(tmp_path / "net.onnx", runtime="tflight")
    with pytest.raises(EdgejouleError, match="precision is 'int9'; did you mean 'int8'"):
        kernels_of_file(tmp_path / "net.onnx", precision="int9")
