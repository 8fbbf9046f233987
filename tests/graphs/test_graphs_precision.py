"""FP16 and INT8 files run, are smaller, and compute nearly the same."""

import onnx
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.export import export_with_weights
from edgejoule.graphs.kernels import kernels_of_file
from edgejoule.graphs.precision import CALIBRATION, DIFFERENCE, convert

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


def test_wrong_requests_stop(network, tmp_path):
    with pytest.raises(EdgejouleError, match="cannot convert to 'int9'; did you mean 'int8'"):
        convert(network, tmp_path / "x.onnx", "int9")
    assert not list(tmp_path.iterdir())
