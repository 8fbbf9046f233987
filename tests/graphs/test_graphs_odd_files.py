"""Files of strangers: other operators, ranks and forms. Work is counted or refused by name, never left out."""

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.kernels import kernels_of_file, parse_shapes, summary
from edgejoule.graphs.macs import node_macs
from edgejoule.graphs.model import Graph, Node, read_graph
from edgejoule.graphs.runtimes import ask

IMAGE = (("x", (1, 8, 16, 16)),)


def constant(name, *shape, dtype=np.float32):
    return numpy_helper.from_array(np.ones(shape, dtype), name)


def node(operator, inputs, outputs, **attributes):
    given = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(operator, given, ["" if name == "-" else name for name in outputs.split()], **attributes)


def write(path, nodes, weights=(), inputs=IMAGE, opset=20, kind=TensorProto.FLOAT):
    graph = helper.make_graph(
        nodes,
        "odd",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs],
        [helper.make_tensor_value_info("y", kind, None)],
        list(weights),
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path / "odd.onnx")
    return path / "odd.onnx"


STEPS = (("x", (10, 1, 8)),)
SCALES = [constant("s"), constant("z", dtype=np.uint8), constant("zw", dtype=np.int8)]
FILTER = constant("w", 16, 8, 3, 3, dtype=np.int8)


@pytest.mark.parametrize(
    ("nodes", "weights", "inputs", "macs"),
    [
        ([node("LSTM", "x w r", "- y", hidden_size=16)], [("w", 1, 64, 8), ("r", 1, 64, 16)], STEPS, 10 * 64 * 24),
        ([node("GRU", "x w r", "y", hidden_size=16)], [("w", 1, 48, 8), ("r", 1, 48, 16)], STEPS, 10 * 48 * 24),
        ([node("Einsum", "x w", "y", equation="sbi,ij->sbj")], [("w", 8, 5)], STEPS, 10 * 8 * 5),
        ([node("Einsum", "x z", "y", equation="sbi,tbi->bst")], [], (*STEPS, ("z", (6, 1, 8))), 10 * 6 * 8),
        ([node("MatMul", "x w", "y")], [("w", 8)], STEPS, 10 * 8),
        ([node("MatMul", "x z", "y")], [], (("x", (8, 1, 16, 32)), ("z", (1, 4, 32, 10))), 8 * 4 * 16 * 32 * 10),
        ([node("MatMul", "x w", "y")], [("w", 6, 32, 64)], (("x", (1, 16, 32)),), 6 * 16 * 32 * 64),
        ([node("Attention", "x x x", "y")], [], (("x", (1, 4, 10, 32)),), 2 * 4 * 10 * 10 * 32),
        (
            [node("MultiHeadAttention", "x x x", "y", num_heads=4, domain="com.microsoft")],
            [],
            (("x", (1, 10, 32)),),
            2 * 10 * 10 * 32,
        ),
    ],
)
def test_work_outside_convolutions_is_counted(tmp_path, nodes, weights, inputs, macs):
    opset = 23 if nodes[0].op_type == "Attention" else 20
    path = write(tmp_path, nodes, [constant(*each) for each in weights], inputs, opset)
    for runtime in ("onnxruntime", "pytorch"):
        assert kernels_of_file(path, runtime)["macs"].tolist() == [macs]


@pytest.mark.parametrize(
    ("weights", "kind", "batch", "rows"),
    [((32, 64), "fc", 1, 6 * 16), ((1, 32, 64), "fc", 1, 6 * 16), ((6, 32, 64), "matmul", 6, 16)],
)
@pytest.mark.parametrize("runtime", ["pytorch", "tflite"])
def test_only_one_matrix_of_weights_makes_a_batch_more_rows(tmp_path, runtime, weights, kind, batch, rows):
    nodes = [node("MatMul", "x w", "m"), node("Add", "m b", "y")]
    path = write(tmp_path, nodes, [constant("w", *weights), constant("b", 64)], (("x", (6, 16, 32)),))
    kernel = kernels_of_file(path, runtime).iloc[0]
    assert (kernel["kind"], kernel["batch"], kernel["input_height"]) == (kind, batch, rows)
    assert (kernel["macs"], kernel["input_channels"], kernel["output_channels"]) == (6 * 16 * 32 * 64, 32, 64)


@pytest.mark.parametrize(
    "nodes",
    [
        [
            node("QuantizeLinear", "x s z", "q"),
            node("QLinearConv", "q s z w s zw s z", "p"),
            node("DequantizeLinear", "p s z", "y"),
        ],
        [node("DynamicQuantizeLinear", "x", "q a b"), node("ConvInteger", "q w b", "i"), node("Cast", "i", "y", to=1)],
    ],
)
def test_integer_operators_are_what_they_replace(tmp_path, nodes):
    table = kernels_of_file(write(tmp_path, nodes, [*SCALES, FILTER]), "tflite")
    (kernel,) = table[table["kind"] == "conv+bn+relu"].to_dict("records")
    assert (kernel["macs"], kernel["precision"]) == (16 * 14 * 14 * 8 * 9, "int8")
    assert kernel["bytes_weights"] == 16 * 8 * 9


@pytest.mark.parametrize(
    ("shape", "window", "sizes"),
    [((100,), (3,), (8, 100, 1, 3, 1)), ((10, 12, 14), (3, 3, 3), (8, 120, 14, 9, 3))],
)
def test_one_and_three_axes_keep_channels_apart(tmp_path, shape, window, sizes):
    path = write(tmp_path, [node("Conv", "x w", "y")], [constant("w", 16, 8, *window)], (("x", (1, 8, *shape)),))
    (kernel,) = kernels_of_file(path, "tflite").to_dict("records")
    names = ("input_channels", "input_height", "input_width", "kernel_height", "kernel_width")
    assert tuple(kernel[name] for name in names) == sizes
    out = np.prod([size - 2 for size in shape])
    assert kernel["macs"] == out * 16 * 8 * np.prod(window)


def test_small_numbers_outside_the_file_are_read_and_weights_are_not(tmp_path):
    nodes = [node("Conv", "x w", "c"), node("Clip", "c lo hi", "y")]
    weights = [constant("w", 16, 8, 3, 3), numpy_helper.from_array(np.float32(0), "lo")]
    path = write(tmp_path, nodes, [*weights, numpy_helper.from_array(np.float32(6), "hi")])
    inside = kernels_of_file(path, "tflite")
    assert inside["tail"].tolist() == ["relu6"]
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="odd.bin", size_threshold=0)
    pd.testing.assert_frame_equal(kernels_of_file(path, "tflite"), inside)
    (tmp_path / "odd.bin").write_bytes(b"")
    with pytest.raises(EdgejouleError, match=r"odd.onnx: tensor 'lo' in 'odd.bin': "):
        kernels_of_file(path, "tflite")
    (tmp_path / "odd.bin").unlink()
    with pytest.raises(
        EdgejouleError, match=r"odd.onnx: needs 'odd.bin' beside it, where its tensor 'lo' of 1 numbers"
    ):
        kernels_of_file(path, "tflite")


def test_weights_outside_the_file_are_not_needed(tmp_path):
    path = write(tmp_path, [node("Conv", "x w", "y")], [constant("w", 16, 8, 3, 3)])
    inside = kernels_of_file(path, "onnxruntime")
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="odd.bin", size_threshold=0)
    (tmp_path / "odd.bin").unlink()
    pd.testing.assert_frame_equal(kernels_of_file(path, "onnxruntime"), inside)


def test_an_input_of_a_single_number_is_no_dynamic_one(tmp_path):
    path = write(tmp_path, [node("Mul", "x s", "y")], inputs=(*IMAGE, ("s", ())))
    for runtime in ("onnxruntime", "tflite"):
        table = kernels_of_file(path, runtime)
        assert (table["kind"].tolist(), table["bytes_in"].tolist()) == (["mul"], [8 * 16 * 16 * 4 + 4])
    with pytest.raises(EdgejouleError, match="the shape given for input 's' has 1 axes, the input 0"):
        kernels_of_file(path, shapes={"s": (3,)})


def test_an_input_of_unknown_rank_needs_a_shape(tmp_path):
    path = write(tmp_path, [node("Relu", "x", "y")], inputs=(("x", None),))
    with pytest.raises(
        EdgejouleError, match="input 'x' says nothing of its shape; give its shape, such as --shape x=1x3"
    ):
        kernels_of_file(path)
    assert kernels_of_file(path, shapes={"x": (2, 8)})["bytes_in"].tolist() == [64]


@pytest.mark.parametrize(
    ("axes", "example"),
    [(("n", 77), "x=1x77"), (("n", "t"), "x=1x128"), (("n", 8, "h", "w"), "x=1x8x224x224"), (("t",), "x=1")],
)
def test_the_shape_that_is_proposed_has_the_axes_of_the_input(tmp_path, axes, example):
    path = write(tmp_path, [node("Relu", "x", "y")], inputs=(("x", axes),))
    with pytest.raises(EdgejouleError, match=f"--shape {example} ") as stop:
        kernels_of_file(path)
    proposed = parse_shapes([example])
    assert f"in Python shapes={proposed}" in str(stop.value)
    assert len(kernels_of_file(path, shapes=proposed)) == 1


@pytest.mark.parametrize("shape", ["1x8x16x16", (1, 8, 16.0, 16), (1, 8, 0, 16), 16])
def test_a_shape_that_is_no_whole_numbers_stops(tmp_path, shape):
    path = write(tmp_path, [node("Relu", "x", "y")])
    with pytest.raises(EdgejouleError, match=r"the shape of input 'x' is .*; give whole numbers above zero, such as"):
        kernels_of_file(path, shapes={"x": shape})


@pytest.mark.parametrize(("most", "word"), [(6.0, "relu6"), (3.0, "clip")])
def test_bounds_that_are_attributes_are_bounds_too(tmp_path, most, word):
    nodes = [node("Conv", "x w", "c"), node("Clip", "c", "y", min=0.0, max=most)]
    path = write(tmp_path, nodes, [constant("w", 16, 8, 3, 3)], opset=9)
    for runtime in ("onnxruntime", "tflite"):
        assert kernels_of_file(path, runtime)["tail"].tolist()[0] == word


@pytest.mark.parametrize(("rows", "read"), [(30000, 8 * 128 * 4), (2, 2 * 128 * 4)])
def test_of_embeddings_only_what_is_looked_up_is_read(tmp_path, rows, read):
    nodes = [node("Cast", "x", "i", to=7), node("Gather", "w i", "y")]
    path = write(tmp_path, nodes, [constant("w", rows, 128)], inputs=(("x", (1, 8)),))
    for runtime in ("onnxruntime", "tflite"):
        table = kernels_of_file(path, runtime).set_index("kind")
        assert table.loc["gather", ["bytes_in", "bytes_out", "bytes_weights"]].tolist() == [32, 4096, read]


def test_an_operator_that_is_taken_apart_has_shapes(tmp_path):
    path = write(
        tmp_path,
        [node("GroupNormalization", "x s b", "y", num_groups=2)],
        [constant("s", 8), constant("b", 8)],
        opset=21,
    )
    assert len(kernels_of_file(path, "onnxruntime")) > 5


def value(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 8, 16, 16))


def branch(name):
    return helper.make_graph([node("Conv", "x w", name, pads=[1, 1, 1, 1])], name, [], [value(name)])


def body(nested):
    """Return the body of a loop whose own inputs are constant: only the tensors that it captures are not."""
    inner = [node("If", "go", "t", then_branch=branch("t1"), else_branch=branch("t2"))] if nested else branch("t").node
    inputs = [
        helper.make_tensor_value_info("i", TensorProto.INT64, ()),
        helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
    ]
    outputs = [
        helper.make_tensor_value_info("on", TensorProto.BOOL, ()),
        value("t"),
    ]
    return helper.make_graph([*inner, node("Identity", "go", "on")], "body", inputs, outputs)


@pytest.mark.parametrize(
    ("nodes", "operator"),
    [
        (
            [
                node("ReduceSum", "x", "s", keepdims=0),
                node("Cast", "s", "c", to=9),
                node("If", "c", "y", then_branch=branch("t"), else_branch=branch("e")),
            ],
            "If",
        ),
        ([node("Loop", "three yes", "l", body=body(nested=False)), node("Relu", "x", "y")], "Loop"),
        ([node("Loop", "three yes", "l", body=body(nested=True)), node("Relu", "x", "y")], "Loop"),
        ([node("Einsum", "x x x", "y", equation="abcd,abcd,abcd->a")], "Einsum"),
        (
            [node("MatMulNBits", "x q s", "y", K=16, N=32, bits=4, block_size=16, domain="com.microsoft")],
            "MatMulNBits",
        ),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(tmp_path, nodes, operator):
    weights = [constant("w", 8, 8, 3, 3), constant("q", 32, 1, 8, dtype=np.uint8)]
    weights += [constant("three", dtype=np.int64), constant("yes", dtype=np.bool_)]
    if operator == "MatMulNBits":
        weights.append(constant("s", 32))
    # ONNX infers no shape for what a loop makes.
    reason = "the shape of its output is unknown" if operator == "Loop" else "it does not say how many"
    with pytest.raises(EdgejouleError, match=rf"odd.onnx: operator '{operator}' .*cannot be costed, because {reason}"):
        kernels_of_file(write(tmp_path, nodes, weights), "onnxruntime")


@pytest.mark.parametrize(
    "draw",
    [node("RandomNormal", "", "r", shape=[1, 8, 16, 16]), node("RandomUniformLike", "w", "r")],
)
@pytest.mark.parametrize("runtime", ["onnxruntime", "tflite"])
def test_what_is_drawn_anew_in_every_run_is_no_constant(tmp_path, runtime, draw):
    draw.input[:] = [name for name in draw.input if name != "-"]
    nodes = [draw, node("Relu", "r", "s"), node("Add", "x s", "y")]
    table = kernels_of_file(write(tmp_path, nodes, [constant("w", 1, 8, 16, 16)]), runtime)
    assert table["kind"].tolist() == [f"other:{draw.op_type}", "relu", "add"]
    assert table["bytes_in"].tolist() == [0, 8192, 2 * 8192]


def test_a_tensor_that_a_branch_reads_too_is_not_fused_away(tmp_path):
    then, otherwise = (helper.make_graph([node("Abs", "c", n)], n, [], [value(n)]) for n in ("t", "e"))
    nodes = [
        node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
        node("Relu", "c", "z"),
        node("ReduceSum", "x", "s", keepdims=0),
        node("Cast", "s", "b", to=9),
        node("If", "b", "y", then_branch=then, else_branch=otherwise),
    ]
    model = onnx.load(write(tmp_path, nodes, [constant("w", 8, 8, 3, 3)]))
    graph = read_graph(model, "odd")
    assert [reader.operator for reader in graph.consumers["c"]] == ["Relu", "If"]


def test_a_file_that_computes_nothing_from_its_inputs_stops(tmp_path):
    with pytest.raises(EdgejouleError, match="nothing in it depends on an input"):
        kernels_of_file(write(tmp_path, [node("Relu", "w", "y")], [constant("w", 20, 20)]), "tflite")


def test_a_network_of_views_alone_has_no_kernels(tmp_path):
    kernels = kernels_of_file(write(tmp_path, [node("Identity", "x", "y")]), "tflite")
    assert summary(kernels) == "no kernels: nothing in it costs anything"


def test_a_runtime_that_hides_work_is_not_believed(monkeypatch):
    from edgejoule.graphs import runtimes

    shapes = {"x": (10, 8), "w": (8, 5), "y": (10, 5)}
    whole = Graph([Node("n", "MatMul", ("x", "w"), ("y",))], shapes, {"w"}, {}, ["x"], ["y"], 40)
    nothing = Graph([], shapes, {"w"}, {}, ["x"], ["y"], 40)
    monkeypatch.setitem(runtimes._ASK, "onnxruntime", lambda *_: (nothing, []))
    with pytest.raises(EdgejouleError, match="of 400 multiply-accumulates, onnxruntime shows 0 in what it executes"):
        ask("onnxruntime", onnx.ModelProto(), whole, "x")


def restate(path, ir_version, opset):
    model = onnx.load(path)
    model.ir_version, model.opset_import[0].version = ir_version, opset
    onnx.save(model, path)


def test_a_file_of_newer_versions_that_change_none_of_its_operators_is_read(tmp_path):
    path = write(tmp_path, [node("Conv", "x w", "y")], [constant("w", 4, 8, 3, 3)])
    older = kernels_of_file(path)
    restate(path, 14, 28)
    pd.testing.assert_frame_equal(kernels_of_file(path), older)


@pytest.mark.parametrize(
    ("ir_version", "opset", "sentence"),
    [
        (99, 20, "is an ONNX file of version 99, and ONNX Runtime reads none above 13; export it with ir_version=13"),
        (13, 99, "has operators of set 99, and ONNX Runtime reads none above 26; export it with opset 26"),
        (14, 28, "has operator 'DepthToSpace' of operator set 28, and ONNX Runtime reads none above 26"),
    ],
)
def test_a_file_newer_than_the_runtime_is_refused_by_its_version(tmp_path, ir_version, opset, sentence):
    path = write(tmp_path, [node("DepthToSpace", "x", "y", blocksize=2)])
    restate(path, ir_version, opset)
    with pytest.raises(EdgejouleError, match=f"odd.onnx: {sentence}"):
        kernels_of_file(path, "tflite")


def test_an_operator_that_changed_is_found_inside_a_branch(tmp_path):
    output = helper.make_tensor_value_info("t", TensorProto.FLOAT, (1, 2, 32, 32))
    inner = helper.make_graph([node("DepthToSpace", "x", "t", blocksize=2)], "inner", [], [output])
    path = write(tmp_path, [node("If", "c", "y", then_branch=inner, else_branch=inner)])
    restate(path, 14, 28)
    with pytest.raises(EdgejouleError, match="has operator 'DepthToSpace' of operator set 28"):
        kernels_of_file(path, "tflite")


def test_shapes_beyond_reason_stop(tmp_path):
    path = write(tmp_path, [node("Relu", "x", "y")], inputs=(("x", (1, 3, 2**31, 2**31)),))
    with pytest.raises(EdgejouleError, match=r"'odd': kernel 'relu_.*has 55340232221128654848 bytes_in, more than any"):
        kernels_of_file(path, "tflite")
    with pytest.raises(EdgejouleError, match="--shape is 'x=1x9223372036854775808'; write it as"):
        parse_shapes(["x=1x9223372036854775808"])


def test_work_beyond_a_machine_word_is_counted_whole():
    """64 bits hold 9.2 billion billion; what is counted wraps around in none of them."""
    side = 10**6
    shapes = {"x": (1, 64, side, side), "w": (64, 64, 9, 9), "y": (1, 64, side, side)}
    conv = Node("n", "Conv", ("x", "w"), ("y",), {"pads": [4] * 4})
    graph = Graph([conv], shapes, {"w"}, {}, ["x"], ["y"], 64 * 64 * 81)
    assert node_macs(graph, conv) == 64 * side * side * 64 * 81
    shapes = {"x": (2**31, 2**31), "w": (2**31, 4), "y": (2**31, 4)}
    gemm = Node("n", "MatMul", ("x", "w"), ("y",))
    graph = Graph([gemm], shapes, {"w"}, {}, ["x"], ["y"], 0)
    assert (node_macs(graph, gemm), graph.elements("x")) == (2**64, 2**62)


def test_a_convolution_of_other_channels_than_its_weights_stops(tmp_path):
    path = write(tmp_path, [node("Conv", "x w", "y")], [constant("w", 16, 3, 3, 3)])
    with pytest.raises(EdgejouleError, match="is given 8 channels, but its weights are for 3"):
        kernels_of_file(path, "tflite")
