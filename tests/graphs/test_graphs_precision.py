"""FP16 and INT8 files run, are smaller, and compute nearly the same."""

import onnx
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.export import export_with_weights
from edgejoule.graphs.precision import CALIBRATION, convert

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
    assert 0 < convert(network, target, precision) < error
    assert network.stat().st_size / target.stat().st_size > smaller
    operators = {node.op_type for node in onnx.load(target).graph.node}
    assert ("QuantizeLinear" in operators) == (precision == "int8")
    marked = {entry.key: entry.value for entry in onnx.load(target).metadata_props}
    assert ("random" in marked.get(CALIBRATION, "")) == (precision == "int8")


def test_wrong_requests_stop(network, tmp_path):
    with pytest.raises(EdgejouleError, match="cannot convert to 'int9'; did you mean 'int8'"):
        convert(network, tmp_path / "x.onnx", "int9")
    assert not list(tmp_path.iterdir())
