"""FP16 and INT8 files run, are smaller, and compute nearly the same."""

from functools import partial

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import helper

from edgejoule.cli.main import main
from edgejoule.errors import EdgejouleError
from edgejoule.graphs import precision, read_zoo, runnable, select
from edgejoule.graphs.conversions import check_conversions
from edgejoule.graphs.describe import catalogue, describe_zoo
from edgejoule.graphs.integers import as_qdq
from edgejoule.graphs.kernels import kernels_of_file
from edgejoule.graphs.precision import CALIBRATION, DIFFERENCE, convert
from edgejoule.graphs.runnable import RefusedError, export_with_weights
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import CONVERSIONS

pytest.importorskip("torch", reason="networks need torch")


@pytest.fixture(scope="module")
def network(root, tmp_path_factory):
    path = tmp_path_factory.mktemp("precision") / "net.onnx"
    row = next(select(read_zoo(root / "config/networks.tsv"), ["squeezenet1_1"]).itertuples())
    export_with_weights(row, path)
    return path


@pytest.mark.parametrize(("precision", "smaller", "error"), [("fp16", 1.9, 0.01), ("int8", 3.0, 0.2)])
def test_conversion(network, tmp_path, precision, smaller, error):
    target = tmp_path / f"{precision}.onnx"
    difference = convert(network, target, precision)
    assert 0 < difference < error
    assert network.stat().st_size / target.stat().st_size > smaller
    operators = {node.op_type for node in onnx.load(target).graph.node}
    assert ("QuantizeLinear" in operators) == (precision == "int8")
    marked = {entry.key: entry.value for entry in onnx.load(target).metadata_props}
    assert marked[DIFFERENCE].startswith(f"{difference:.3g} of the largest output")
    assert ("random" in marked.get(CALIBRATION, "")) == (precision == "int8")


def test_a_quantised_file_has_the_kernels_of_the_original(network, tmp_path):
    convert(network, tmp_path / "int8.onnx", "int8")
    for runtime in ("tflite", "onnxruntime"):
        quantised = kernels_of_file(tmp_path / "int8.onnx", runtime)
        original = kernels_of_file(network, runtime, "int8", asked=False)
        assert set(quantised["precision"]) == {"int8"}
        # Quantisation clips at zero, so it takes the activations in; all else stays.
        columns = ["kind", "macs", "bytes_in", "bytes_out", "bytes_weights"]
        first, second = (sorted(t[columns].itertuples(index=False, name=None)) for t in (quantised, original))
        assert first == second


@pytest.fixture(scope="module")
def branched(tmp_path_factory):
    """Return a network of the operators that ONNX Runtime has in integers, with biases."""
    random = np.random.default_rng(0)
    shapes = {"w": (16, 8, 3, 3), "b": (16,), "v": (16, 16, 1, 1), "m": (48, 10), "c": (10,)}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["c1", "v"], ["c2"]),
        helper.make_node("Add", ["c1", "c2"], ["a"]),
        helper.make_node("Mul", ["a", "c2"], ["p"]),
        helper.make_node("LeakyRelu", ["p"], ["l"]),
        helper.make_node("Sigmoid", ["l"], ["s"]),
        helper.make_node("Concat", ["a", "l", "s"], ["j"], axis=1),
        helper.make_node("AveragePool", ["j"], ["q"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["q"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "m", "c"], ["o"]),
        helper.make_node("Softmax", ["o"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "branched",
        [helper.make_tensor_value_info("x", 1, (1, 8, 16, 16))],
        [helper.make_tensor_value_info("y", 1, (1, 10))],
        [
            onnx.numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)
            for name, shape in shapes.items()
        ],
    )
    path = tmp_path_factory.mktemp("integers") / "branched.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def quantise(path, target, form):
    """Quantise as ONNX Runtime's users do."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static

    class Zeros(CalibrationDataReader):
        def __init__(self):
            self._left = iter([{"x": np.ones((1, 8, 16, 16), np.float32)}])

        def get_next(self):
            return next(self._left, None)

    if form == "dynamic":
        quantize_dynamic(path, target)
    else:
        quantize_static(path, target, Zeros(), quant_format=QuantFormat[form])


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
@pytest.mark.parametrize("runtime", ["tflite", "onnxruntime"])
def test_a_network_has_the_same_kernels_in_either_form_of_quantisation(branched, tmp_path, runtime, form):
    quantise(branched, tmp_path / "branched.onnx", form)
    original = kernels_of_file(branched, runtime, "int8", asked=False)
    columns = ["kernel", "macs", "bytes_in", "bytes_out", "bytes_weights"]
    quantised = kernels_of_file(tmp_path / "branched.onnx", runtime)
    pd.testing.assert_frame_equal(quantised[columns], original[columns])


def test_a_network_that_is_quantised_while_it_runs_keeps_its_kernels(branched, tmp_path):
    quantise(branched, tmp_path / "branched.onnx", "dynamic")
    original = kernels_of_file(branched, "tflite", "int8")
    quantised = kernels_of_file(tmp_path / "branched.onnx", "tflite")
    # The bias of a convolution is added to the scaled result; that of a product with weights is part of one operator.
    biases = quantised["kind"].eq("add") & quantised["inputs"].eq(1)
    assert quantised["kind"][biases].size == 1
    columns = ["kernel", "macs", "bytes_in", "bytes_out"]
    left = quantised.loc[~biases, columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(left, original[columns])


@pytest.mark.parametrize("operator", ["QLinearWhere", "QLinearGlobalAveragePool"])
def test_an_integer_operator_of_an_unknown_form_is_to_be_exported_otherwise(branched, tmp_path, operator):
    """One that is not known at all, and one in another layout."""
    quantise(branched, tmp_path / "odd.onnx", "QOperator")
    model = onnx.load(tmp_path / "odd.onnx")
    (node,) = (node for node in model.graph.node if node.op_type == "QLinearGlobalAveragePool")
    node.op_type = operator
    node.attribute.append(helper.make_attribute("channels_last", 1))
    with pytest.raises(EdgejouleError, match=f"odd.onnx: integer operator '{operator}' .*; export the network in QDQ"):
        as_qdq(model, "odd.onnx")


@pytest.mark.parametrize("runtime", ["tensorrt", "onnxruntime"])
def test_a_file_in_fp16_has_the_kernels_of_the_original(network, tmp_path, runtime):
    """FP32 at its ends, FP16 inside: no processor here runs that, so ONNX Runtime would add casts."""
    convert(network, tmp_path / "net.onnx", "fp16")
    original = kernels_of_file(network, runtime, "fp16", asked=False)
    halved = kernels_of_file(tmp_path / "net.onnx", runtime)
    columns = ["kernel", "macs", "bytes_in", "bytes_out", "bytes_weights"]
    pd.testing.assert_frame_equal(halved[columns], original[columns])
    assert set(halved["precision"]) == {"fp16"}


def test_a_file_of_nothing_but_fp16_has_no_casts(tmp_path):
    value = partial(helper.make_tensor_value_info, elem_type=onnx.TensorProto.FLOAT16)
    weights = {"w": np.ones((16, 8, 3, 3)), "two": np.float64(2)}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["c"]),
            helper.make_node("Mul", ["c", "two"], ["d"]),
            helper.make_node("Cast", ["d"], ["e"], to=onnx.TensorProto.FLOAT16),
            helper.make_node("Softmax", ["e"], ["y"]),
        ],
        "half",
        [value(name="x", shape=(1, 8, 16, 16))],
        [value(name="y", shape=(1, 16, 14, 14))],
        [onnx.numpy_helper.from_array(np.asarray(array, np.float16), name) for name, array in weights.items()],
    )
    path = tmp_path / "half.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)
    for given in (None, "fp16"):
        table = kernels_of_file(path, "tensorrt", given)
        assert table["kind"].tolist() == ["conv+bn+relu", "mul", "softmax"]
        assert table["bytes_in"].tolist() == [2 * 8 * 16 * 16, *[2 * 16 * 14 * 14] * 2]
        assert set(table["precision"]) == {"fp16"}


@pytest.mark.parametrize(("own", "other"), [("fp16", "fp32"), ("int8", "fp16")])
def test_a_file_is_counted_in_no_precision_but_its_own(network, tmp_path, own, other):
    convert(network, tmp_path / "net.onnx", own)
    with pytest.raises(EdgejouleError, match=f"net.onnx: precision is '{other}', but the file is in {own}; leave it"):
        kernels_of_file(tmp_path / "net.onnx", precision=other)
    with pytest.raises(EdgejouleError, match=f"net.onnx: a file in {own} is described by rules only; leave --ask out"):
        kernels_of_file(tmp_path / "net.onnx", asked=True)


def test_wrong_requests_stop(network, tmp_path):
    with pytest.raises(EdgejouleError, match="cannot convert to 'int9'; did you mean 'int8'"):
        convert(network, tmp_path / "x.onnx", "int9")
    assert not list(tmp_path.iterdir())


def test_every_precision_of_a_network_is_run_and_compared(root):
    zoo = select(read_zoo(root / "config/networks.tsv"), ["mobilenet-v1-0.25-128"])
    table = check_conversions(zoo, seed=1)
    to_arrow(table, CONVERSIONS)
    assert table[["network", "precision", "compared_with", "state"]].to_numpy().tolist() == [
        ["mobilenet-v1-0.25-128", "fp32", "pytorch", "runs"],
        ["mobilenet-v1-0.25-128", "fp16", "fp32", "runs"],
        ["mobilenet-v1-0.25-128", "int8", "fp32", "runs"],
    ]
    exact, half, quantised = table["difference_percent"]
    assert 0 <= exact < 0.1 and exact < half < 2 and half < quantised
    assert table["file_bytes"].is_monotonic_decreasing
    pd.testing.assert_frame_equal(table, check_conversions(zoo, seed=1))


def test_what_is_refused_is_a_state_with_its_reason(root, monkeypatch):
    zoo = select(read_zoo(root / "config/networks.tsv"), ["mobilenet-v1-0.25-128"])
    monkeypatch.setattr(precision, "_to_int8", raising(ValueError("/a/b.cc:12 f() No such scale")))
    table = check_conversions(zoo, ["fp16", "int8"])
    to_arrow(table, CONVERSIONS)
    assert table["state"].tolist() == ["runs", "refused"]
    assert table["reason"][1] == "network 'mobilenet-v1-0.25-128': cannot be converted to int8: No such scale"
    monkeypatch.setattr(runnable, "run", lambda path, inputs, where: [np.zeros((1, 1001), np.float32)])
    table = check_conversions(zoo, ["fp32", "fp16"])
    assert table["state"].tolist() == ["refused", "refused"] and table["difference_percent"].isna().all()
    assert table["reason"].str.contains("what ONNX Runtime computes is up to 1e.02 % of the largest output away").all()
    with pytest.raises(EdgejouleError, match="precision is 'fp8'; did you mean 'fp"):
        check_conversions(zoo, ["fp8"])


def raising(error):
    def fail(*_):
        raise error

    return fail


def test_a_network_with_several_inputs_is_refused(tmp_path):
    values = [helper.make_tensor_value_info(name, 1, (1, 4)) for name in "abc"]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "g", values[:2], values[2:])
    onnx.save(helper.make_model(graph, ir_version=10), tmp_path / "two.onnx")
    with pytest.raises(RefusedError, match=r"two.onnx: conversion needs one input, .*it has float and float"):
        convert(tmp_path / "two.onnx", tmp_path / "x.onnx", "fp16")


def test_every_network_is_described_in_each_precision_that_is_asked_for(root):
    zoo = select(read_zoo(root / "config/networks.tsv"), ["mobilenet-v1-0.25-128", "squeezenet1_1"])
    found = describe_zoo(zoo, ["onnxruntime", "tensorrt"], precisions=["fp16", "int8"])
    assert len(found.coverage) == 2 * 2 * 2 and set(found.coverage["told_by"]) == {"rules"}
    sizes = found.kernels.groupby(["network", "runtime", "precision"])[["bytes_in", "macs"]].sum()
    half, quarter = sizes.xs("fp16", level="precision"), sizes.xs("int8", level="precision")
    assert (half["bytes_in"] == 2 * quarter["bytes_in"]).all() and (half["macs"] == quarter["macs"]).all()
    assert catalogue(found.kernels, zoo)["families"].str.contains("mobilenet-v1|squeezenet").all()
    with pytest.raises(EdgejouleError, match="leave --precision or --ask out"):
        describe_zoo(zoo, ["onnxruntime"], asked=["onnxruntime"], precisions=["int8"])
    with pytest.raises(EdgejouleError, match="precision is 'fp8'"):
        describe_zoo(zoo, ["onnxruntime"], precisions=["fp8"])


def test_a_precision_is_of_weights(root, tmp_path, capsys):
    output = tmp_path / "x.onnx"
    with pytest.raises(SystemExit) as stopped:
        zoo = ["--zoo", str(root / "config/networks.tsv")]
        main(["graphs", "export", "squeezenet1_1", *zoo, "--precision", "int8", "--output", str(output)])
    assert stopped.value.code == 2 and not output.exists()
    assert "x.onnx: a file without weights has no precision 'int8'; give --weights too" in capsys.readouterr().err


def test_only_described_runtimes_that_can_tell_are_asked(root):
    zoo = select(read_zoo(root / "config/networks.tsv"), ["squeezenet1_1"])
    with pytest.raises(EdgejouleError, match="runtime 'pytorch' cannot be asked; ask onnxruntime, openvino"):
        describe_zoo(zoo, ["pytorch"], asked=["pytorch"])
    with pytest.raises(EdgejouleError, match="'openvino' is to be asked, but not to be described; give --runtime"):
        describe_zoo(zoo, ["onnxruntime"], asked=["openvino"])
