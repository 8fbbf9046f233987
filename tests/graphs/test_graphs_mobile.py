"""The MLPerf networks are those of the published checkpoints."""

import pytest

from edgejoule.errors import EdgejouleError

torch = pytest.importorskip("torch", reason="networks need torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from edgejoule.graphs.mobile import divisible, layout, mobile  # noqa: E402

#: Line, width, side, minimalistic: millions of multiply-accumulates and of parameters, as published with the
#: checkpoints (tensorflow/models, research/slim/nets: mobilenet_v1.md, mobilenet/README.md). Rounded figures.
#: MobileNet v3 small at width 1 is published there with 66 and 2.9, which its own layer list contradicts: 56.5 and
#: 2.54, as torchvision counts too.
PUBLISHED = [
    ("mobilenet-v1", 1.0, 224, False, 569, 4.24),
    ("mobilenet-v1", 1.0, 128, False, 186, 4.24),
    ("mobilenet-v1", 0.5, 224, False, 150, 1.34),
    ("mobilenet-v1", 0.5, 160, False, 77, 1.34),
    ("mobilenet-v1", 0.25, 224, False, 41, 0.47),
    ("mobilenet-v1", 0.25, 128, False, 14, 0.47),
    ("mobilenet-v2", 1.4, 224, False, 582, 6.06),
    ("mobilenet-v2", 1.3, 224, False, 509, 5.34),
    ("mobilenet-v2", 1.0, 224, False, 300, 3.47),
    ("mobilenet-v2", 1.0, 96, False, 56, 3.47),
    ("mobilenet-v2", 0.75, 160, False, 107, 2.61),
    ("mobilenet-v2", 0.35, 224, False, 59, 1.66),
    ("mobilenet-v3-large", 1.0, 224, False, 217, 5.4),
    ("mobilenet-v3-large", 0.75, 224, False, 155, 4.0),
    ("mobilenet-v3-large", 1.0, 224, True, 209, 3.9),
    ("mobilenet-v3-small", 0.75, 224, False, 44, 2.04),
]


@pytest.mark.parametrize(("line", "width", "side", "minimalistic", "macs", "parameters"), PUBLISHED)
def test_costs_are_the_published_ones(line, width, side, minimalistic, macs, parameters):
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        network = mobile(line, side, width, minimalistic=minimalistic).eval()
        assert network(torch.zeros(1, 3, side, side)).shape == (1, 1001)
    assert counter.get_total_flops() / 2e6 == pytest.approx(macs, rel=0.015, abs=0.7)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(parameters, rel=0.016)


@pytest.mark.parametrize(
    ("side", "width", "depth", "parameters"),
    [(224, 1.0, 1.0, 4.7), (240, 1.0, 1.1, 5.4), (260, 1.1, 1.2, 6.1), (280, 1.2, 1.4, 8.2), (300, 1.4, 1.8, 13.0)],
)
def test_efficientnet_lite_has_the_published_parameters(side, width, depth, parameters):
    with torch.device("meta"):
        network = mobile("efficientnet-lite", side, width, depth).eval()
        assert network(torch.zeros(1, 3, side, side)).shape == (1, 1000)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(parameters, abs=0.05)


def test_odd_totals_are_padded_below_and_to_the_right():
    """TensorFlow's SAME: a stride-2 convolution of an even map starts at the first pixel."""
    network = mobile("mobilenet-v1", 128, 0.25)
    padding, convolution = network[0], network[1]
    assert padding.padding == (0, 1, 0, 1) and convolution.padding == (0, 0)


def test_channels_never_shrink_by_more_than_a_tenth():
    assert [divisible(c) for c in (3, 11.2, 12, 18, 147.2)] == [8, 16, 16, 24, 144]
    assert all(divisible(c) >= 0.9 * c and divisible(c) % 8 == 0 for c in range(1, 2000))


def test_unknown_line_stops():
    with pytest.raises(EdgejouleError, match="unknown line 'mobilenet-v9'"):
        layout("mobilenet-v9")
