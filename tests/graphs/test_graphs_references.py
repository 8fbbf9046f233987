"""The twelve reference networks are those whose size was published."""

import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.describe import describe_zoo
from edgejoule.graphs.zoo import input_shape, read_zoo

torch = pytest.importorskip("torch", reason="networks need torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from edgejoule.graphs.builders import build  # noqa: E402
from edgejoule.graphs.references import NAMES, reference  # noqa: E402


@pytest.fixture(scope="module")
def references(root):
    return read_zoo(root / "config/references.tsv")


def test_twelve_networks_of_six_applications(references, root):
    published = pd.read_csv(root / "resources/published/sec23_networks.csv").set_index("network")
    ours = references.set_index("published_as")
    assert list(ours.index) == list(published.index)
    assert ours.application.nunique() == 6
    assert (ours.application == published.application).all()
    assert (ours.precision.str.upper() == published.precision).all()


def test_sizes_are_the_published_ones(references):
    """FP32: four bytes a parameter; the pyramid detector's file also holds its 51,150 anchors, four numbers each.

    The publication has the sizes of its DNN7 and DNN8 exchanged (an INT8 file four times as large as the FP32 one).
    """
    for row in references[references.precision == "fp32"].itertuples():
        anchors = 51150 * 4 if "fpnlite" in row.network else 0
        assert (row.parameters + anchors) * 4 / 1e6 == pytest.approx(row.published_megabytes, rel=0.06), row.network


def test_networks_are_described_whole(references):
    found = describe_zoo(references, ["tflite", "onnxruntime"])
    kernels, coverage = found.kernels, found.coverage
    assert set(kernels[kernels.runtime == "tflite"].network) == set(references.network)
    assert (coverage.parameters == coverage.zoo_parameters).all()
    assert (coverage.known_macs_percent == 100).all()
    for row in references[references.precision == "fp32"].itertuples():
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            network = build(row)
            network(torch.zeros(input_shape(row.input), dtype=getattr(network, "input_dtype", torch.float32)))
        macs = coverage[coverage.network == row.network].macs
        assert macs.tolist() == pytest.approx([counter.get_total_flops() / 2] * len(macs), rel=0.005), row.network


def test_unknown_reference_stops():
    assert len(NAMES) == 6
    with pytest.raises(EdgejouleError, match="no network 'esrgan'; did you mean 'esrgan-50'"):
        reference("esrgan")
