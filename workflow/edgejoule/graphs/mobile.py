"""The mobile networks of MLPerf Inference's open division, as TensorFlow's checkpoints have them.

MobileNet v1, v2, v3 (with the minimalistic ones) and EfficientNet-lite are one kind of network: a stem, a list of
depthwise blocks, a head. What differs from PyTorch's own versions is TensorFlow's: SAME padding (more below and to the
right where the total is odd), 1001 classes, rounding of channels, expansion counted from the block's real input, a head
without batch normalisation, and a final softmax. Layer lists: Howard et al. 2017 (arXiv 1704.04861), Sandler et al.
2018 (1801.04381), Howard et al. 2019 (1905.02244), Tan and Le 2019 (1905.11946) with the "lite" changes of
tensorflow/tpu, models/official/efficientnet/lite; details as in the definitions that made the checkpoints
(tensorflow/models, research/slim/nets).
"""

import math
from dataclasses import dataclass

import torch
from torch import nn

from edgejoule.errors import EdgejouleError

LINES = ("mobilenet-v1", "mobilenet-v2", "mobilenet-v3-large", "mobilenet-v3-small", "efficientnet-lite")


@dataclass(frozen=True)
class Block:
    """One depthwise block. ``expansion`` is a factor of its real input; 1 means no expanding convolution."""

    output: int
    kernel: int = 3
    stride: int = 1
    expansion: float = 1
    squeeze: bool = False
    activation: str = "relu6"
    #: MobileNet v1 activates the pointwise convolution; the inverted bottleneck's stays linear and may have a residual.
    linear: bool = True


@dataclass(frozen=True)
class Layout:
    """A whole network: widths of stem and head, activations, blocks."""

    stem: int
    blocks: tuple[Block, ...]
    #: Widths of the convolutions behind the blocks: before the pooling, and after it (0 = none).
    before_pool: int
    after_pool: int
    classes: int
    activation: str


def divisible(channels: float, by: int = 8) -> int:
    """Round to a multiple of ``by``, never down by more than a tenth (TensorFlow's rule for these networks)."""
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


def _v1(width: float) -> Layout:
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    widths = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
    blocks = tuple(Block(max(8, int(c * width)), stride=s, linear=False) for c, s in zip(widths, strides, strict=True))
    return Layout(max(8, int(32 * width)), blocks, 0, 0, 1001, "relu6")


def _v2(width: float) -> Layout:
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    blocks = [
        Block(divisible(c * width), stride=s if i == 0 else 1, expansion=t)
        for t, c, repeats, s in stages
        for i in range(repeats)
    ]
    # Narrow networks keep the wide last layer.
    return Layout(divisible(32 * width), tuple(blocks), divisible(1280 * max(1.0, width)), 0, 1001, "relu6")


#: Factor of expansion, channels out, kernel, stride, squeeze and excite, hard swish instead of ReLU.
_V3 = {
    "large": (
        (1, 16, 3, 1, 0, 0),
        (4, 24, 3, 2, 0, 0),
        (3, 24, 3, 1, 0, 0),
        (3, 40, 5, 2, 1, 0),
        (3, 40, 5, 1, 1, 0),
        (3, 40, 5, 1, 1, 0),
        (6, 80, 3, 2, 0, 1),
        (2.5, 80, 3, 1, 0, 1),
        (184 / 80, 80, 3, 1, 0, 1),
        (184 / 80, 80, 3, 1, 0, 1),
        (6, 112, 3, 1, 1, 1),
        (6, 112, 3, 1, 1, 1),
        (6, 160, 5, 2, 1, 1),
        (6, 160, 5, 1, 1, 1),
        (6, 160, 5, 1, 1, 1),
    ),
    "small": (
        (1, 16, 3, 2, 1, 0),
        (72 / 16, 24, 3, 2, 0, 0),
        (88 / 24, 24, 3, 1, 0, 0),
        (4, 40, 5, 2, 1, 1),
        (6, 40, 5, 1, 1, 1),
        (6, 40, 5, 1, 1, 1),
        (3, 48, 5, 1, 1, 1),
        (3, 48, 5, 1, 1, 1),
        (6, 96, 5, 2, 1, 1),
        (6, 96, 5, 1, 1, 1),
        (6, 96, 5, 1, 1, 1),
    ),
}


def _v3(size: str, width: float, minimalistic: bool) -> Layout:
    def activation(hard_swish: int) -> str:
        return "hardswish" if hard_swish and not minimalistic else "relu"

    blocks = tuple(
        Block(
            divisible(channels * width),
            3 if minimalistic else kernel,
            stride,
            factor,
            bool(squeeze) and not minimalistic,
            activation(hard_swish),
        )
        for factor, channels, kernel, stride, squeeze, hard_swish in _V3[size]
    )
    before, after = (960, 1280) if size == "large" else (576, 1024)
    return Layout(divisible(16 * width), blocks, divisible(before * width), after, 1001, activation(1))


def _lite(width: float, depth: float) -> Layout:
    stages = (
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 40, 2, 2, 5),
        (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5),
        (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    )
    blocks: list[Block] = []
    for index, (factor, channels, repeats, stride, kernel) in enumerate(stages):
        # Stem and head keep their width, the first and the last stage their depth, however large the network.
        ends = index in (0, len(stages) - 1)
        for i in range(repeats if ends else math.ceil(repeats * depth)):
            blocks.append(Block(divisible(channels * width), kernel, stride if i == 0 else 1, factor))
    return Layout(32, tuple(blocks), 1280, 0, 1000, "relu6")


def layout(line: str, width: float = 1.0, depth: float = 1.0, minimalistic: bool = False) -> Layout:
    """Return the layers of one network of a line.

    Args:
        line: one of ``LINES``.
        width: factor of all channels.
        depth: factor of repeated blocks (EfficientNet-lite only).
        minimalistic: no squeeze and excite, no hard swish, no 5x5 filters (MobileNet v3 only).

    Raises:
        EdgejouleError: there is no such line.
    """
    if line == "mobilenet-v1":
        return _v1(width)
    if line == "mobilenet-v2":
        return _v2(width)
    if line in ("mobilenet-v3-large", "mobilenet-v3-small"):
        return _v3(line.rsplit("-", 1)[1], width, minimalistic)
    if line == "efficientnet-lite":
        return _lite(width, depth)
    raise EdgejouleError(f"zoo: unknown line '{line}' in the arguments; valid: {', '.join(LINES)}")


# -- the module ------------------------------------------------------------------------------------------------------


class _HardGate(nn.Module):
    """min(max(x + 3, 0), 6) / 6, in the two operators that TensorFlow Lite has for it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.relu6(x + 3.0) * (1.0 / 6.0)


def _activation(name: str) -> nn.Module:
    return {"relu": nn.ReLU, "relu6": nn.ReLU6, "hardswish": nn.Hardswish}[name]()


class _Squeeze(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = divisible(channels / 4)
        self.reduce, self.relu = nn.Conv2d(channels, inner, 1), nn.ReLU()
        self.expand, self.gate = nn.Conv2d(inner, channels, 1), _HardGate()
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(self.expand(self.relu(self.reduce(self.pool(x)))))


class _Bottleneck(nn.Module):
    def __init__(self, inner: list[nn.Module], residual: bool) -> None:
        super().__init__()
        self.inner, self.residual = nn.Sequential(*inner), residual

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.inner(x) if self.residual else self.inner(x)


class _Maker:
    """Keeps track of channels and of the map's side while layers are added: SAME padding depends on both."""

    def __init__(self, channels: int, side: int) -> None:
        self.channels, self.side = channels, side

    def conv(
        self, output: int, kernel: int, stride: int, activation: str | None, depthwise: bool = False
    ) -> list[nn.Module]:
        out_side = math.ceil(self.side / stride)
        total = max((out_side - 1) * stride + kernel - self.side, 0)
        before, after = total // 2, total - total // 2
        layers: list[nn.Module] = [] if before == after else [nn.ZeroPad2d((before, after, before, after))]
        groups = self.channels if depthwise else 1
        padding = before if before == after else 0
        layers.append(nn.Conv2d(self.channels, output, kernel, stride, padding, groups=groups, bias=False))
        layers.append(nn.BatchNorm2d(output))
        if activation:
            layers.append(_activation(activation))
        self.channels, self.side = output, out_side
        return layers

    def block(self, block: Block) -> nn.Module:
        before, expanded = self.channels, divisible(self.channels * block.expansion)
        layers: list[nn.Module] = []
        if expanded > before and block.expansion > 1:
            layers += self.conv(expanded, 1, 1, block.activation)
        layers += self.conv(self.channels, block.kernel, block.stride, block.activation, depthwise=True)
        if block.squeeze:
            layers.append(_Squeeze(self.channels))
        layers += self.conv(block.output, 1, 1, None if block.linear else block.activation)
        return _Bottleneck(layers, block.linear and block.stride == 1 and block.output == before)


def mobile(line: str, side: int, width: float = 1.0, depth: float = 1.0, minimalistic: bool = False) -> nn.Module:
    """Build a network for square images of ``side`` pixels; it returns class probabilities, 1 x classes.

    Weights are random, drawn from torch's global generator. See ``layout`` for the arguments.
    """
    plan = layout(line, width, depth, minimalistic)
    maker = _Maker(3, side)
    layers = maker.conv(plan.stem, 3, 2, plan.activation)
    layers += [maker.block(block) for block in plan.blocks]
    if plan.before_pool:
        layers += maker.conv(plan.before_pool, 1, 1, plan.activation)
    layers.append(nn.AvgPool2d(maker.side))
    if plan.after_pool:
        layers += [nn.Conv2d(maker.channels, plan.after_pool, 1), _activation(plan.activation)]
        maker.channels = plan.after_pool
    # The classifier is a 1x1 convolution in the slim checkpoints and a matrix product in EfficientNet-lite.
    if line == "efficientnet-lite":
        layers += [nn.Flatten(), nn.Linear(maker.channels, plan.classes)]
    else:
        layers += [nn.Conv2d(maker.channels, plan.classes, 1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Softmax(dim=1))
