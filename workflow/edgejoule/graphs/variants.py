"""Variants of known networks: output channels and kernel sizes drawn anew, layer by layer, seeded.

This is how nn-Meter (Zhang et al., MobiSys 2021) and DeepEn2023 (Tu et al., SEC 2023) made the networks that they
measured; neither published the generator. Each layer's output channels become 20 to 180 % of the original's and its
kernel 1, 3, 5, 7 or 9 wide. What an architecture ties together is drawn once: the channels of a residual stream, the
halves of a channel split. Strides and depth stay. Sources of the originals: Krizhevsky 2014 (one tower), Huang et al.
2017, Szegedy et al. 2015, Howard et al. 2017, Sandler et al. 2018, Cai et al. 2019, He et al. 2016, Ma et al. 2018,
Iandola et al. 2016.
"""

import json
import random
from collections.abc import Callable, Sequence

import pandas as pd
import torch
from torch import nn

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.zoo import BUILDERS
from edgejoule.names import did_you_mean

KERNELS = (1, 3, 5, 7, 9)
SHARE = (0.2, 1.8)
SIDE = 224
_CLASSES = 1000


class Draw:
    """The seeded choices of one variant."""

    def __init__(self, family: str, seed: int) -> None:
        self._random = random.Random(f"{family}/{seed}")

    def channels(self, original: int, multiple: int = 1) -> int:
        """Return 20 to 180 % of the original's channels, a multiple of ``multiple``."""
        drawn = original * self._random.uniform(*SHARE)
        return max(multiple, round(drawn / multiple) * multiple)

    def kernel(self) -> int:
        """Return a kernel size."""
        return self._random.choice(KERNELS)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True) -> nn.Sequential:
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        *([nn.ReLU()] if act else []),
    ]
    return nn.Sequential(*layers)


def _pool(stride: int = 2) -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride, 1)


def _head(channels: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, _CLASSES)]


class _Sum(nn.Module):
    """A residual block: its two paths, added, and perhaps an activation."""

    def __init__(self, inner: nn.Module, shortcut: nn.Module | None = None, act: bool = False) -> None:
        super().__init__()
        self.inner, self.shortcut = inner, shortcut or nn.Identity()
        self.act = nn.ReLU() if act else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.inner(x) + self.shortcut(x))


class _Branches(nn.Module):
    """Parallel paths, concatenated."""

    def __init__(self, *paths: nn.Module) -> None:
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([path(x) for path in self.paths], 1)


class _Shuffle(nn.Module):
    """ShuffleNet v2's unit: half of the channels passes by, or both halves are reduced; then channels are shuffled."""

    def __init__(self, main: nn.Module, side: nn.Module | None, half: int) -> None:
        super().__init__()
        self.main, self.side, self.half = main, side, half

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        passing, working = (x, x) if self.side is not None else torch.split(x, self.half, 1)
        joined = torch.cat([passing if self.side is None else self.side(passing), self.main(working)], 1)
        batch, channels, height, width = joined.shape
        return joined.view(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(joined.shape)


def _alexnet(draw: Draw) -> list[nn.Module]:
    layers, channels = [], 3
    for original, stride, pooled in ((64, 4, True), (192, 1, True), (384, 1, False), (256, 1, False), (256, 1, True)):
        outputs = draw.channels(original)
        layers += [nn.Conv2d(channels, outputs, kernel := draw.kernel(), stride, kernel // 2), nn.ReLU()]
        layers += [_pool()] if pooled else []
        channels = outputs
    # Three poolings leave 7 x 7.
    layers.append(nn.Flatten())
    first, second = draw.channels(4096), draw.channels(4096)
    layers += [nn.Linear(channels * 49, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU()]
    return [*layers, nn.Linear(second, _CLASSES)]


def _densenet(draw: Draw) -> list[nn.Module]:
    channels = draw.channels(64)
    layers: list[nn.Module] = [_conv(3, channels, draw.kernel(), 2), _pool()]
    for stage, repeats in enumerate((6, 12, 24, 16)):
        for _ in range(repeats):
            narrow, growth = draw.channels(128), draw.channels(32)
            path = nn.Sequential(
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                _conv(channels, narrow, 1),
                nn.Conv2d(narrow, growth, kernel := draw.kernel(), padding=kernel // 2, bias=False),
            )
            layers.append(_Branches(nn.Identity(), path))
            channels += growth
        if stage < 3:
            halved = draw.channels(channels // 2)
            layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, halved, 1, bias=False), nn.AvgPool2d(2)]
            channels = halved
    return [*layers, nn.BatchNorm2d(channels), nn.ReLU(), *_head(channels)]


def _googlenet(draw: Draw) -> list[nn.Module]:
    def inception(inputs: int, widths: Sequence[int]) -> tuple[nn.Module, int]:
        one, reduce3, three, reduce5, five, pooled = (draw.channels(width) for width in widths)
        block = _Branches(
            _conv(inputs, one, 1),
            nn.Sequential(_conv(inputs, reduce3, 1), _conv(reduce3, three, draw.kernel())),
            nn.Sequential(_conv(inputs, reduce5, 1), _conv(reduce5, five, draw.kernel())),
            nn.Sequential(_pool(1), _conv(inputs, pooled, 1)),
        )
        return block, one + three + five + pooled

    stem, narrow, wide = draw.channels(64), draw.channels(64), draw.channels(192)
    layers = [
        _conv(3, stem, draw.kernel(), 2),
        _pool(),
        _conv(stem, narrow, 1),
        _conv(narrow, wide, draw.kernel()),
        _pool(),
    ]
    channels = wide
    for widths in (
        (64, 96, 128, 16, 32, 32),
        (128, 128, 192, 32, 96, 64),
        (),
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
        (),
        (256, 160, 320, 32, 128, 128),
        (384, 192, 384, 48, 128, 128),
    ):
        if widths:
            block, channels = inception(channels, widths)
            layers.append(block)
        else:
            layers.append(_pool())
    return [*layers, *_head(channels)]


def _mobilenet_v1(draw: Draw) -> list[nn.Module]:
    channels = draw.channels(32)
    layers: list[nn.Module] = [_conv(3, channels, draw.kernel(), 2)]
    for original, stride in (
        *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
        *((512, 1),) * 5,
        *((1024, 2), (1024, 1)),
    ):
        outputs = draw.channels(original)
        layers += [_conv(channels, channels, draw.kernel(), stride, channels), _conv(channels, outputs, 1)]
        channels = outputs
    return [*layers, *_head(channels)]


def _bottlenecks(draw: Draw, channels: int, stages: Sequence[tuple[int, int, int, int]]) -> tuple[list[nn.Module], int]:
    """Return inverted bottlenecks (expansion, channels, repeats, stride) and the channels that they end with."""
    layers: list[nn.Module] = []
    for expansion, original, repeats, first_stride in stages:
        stream = draw.channels(original)
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            inner = channels if expansion == 1 else draw.channels(original * expansion)
            path = [] if expansion == 1 else [_conv(channels, inner, 1)]
            path += [_conv(inner, inner, draw.kernel(), stride, inner), _conv(inner, stream, 1, act=False)]
            block = nn.Sequential(*path)
            layers.append(_Sum(block) if stride == 1 and channels == stream else block)
            channels = stream
    return layers, channels


def _mobilenet_v2(draw: Draw) -> list[nn.Module]:
    stem = draw.channels(32)
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    blocks, channels = _bottlenecks(draw, stem, stages)
    last = draw.channels(1280)
    return [_conv(3, stem, draw.kernel(), 2), *blocks, _conv(channels, last, 1), *_head(last)]


def _proxylessnas(draw: Draw) -> list[nn.Module]:
    stem = draw.channels(32)
    stages = ((1, 16, 1, 1), (3, 32, 2, 2), (3, 40, 4, 2), (6, 80, 4, 2), (3, 96, 4, 1), (6, 192, 4, 2), (6, 320, 1, 1))
    blocks, channels = _bottlenecks(draw, stem, stages)
    last = draw.channels(1280)
    return [_conv(3, stem, draw.kernel(), 2), *blocks, _conv(channels, last, 1), *_head(last)]


def _resnet18(draw: Draw) -> list[nn.Module]:
    channels = draw.channels(64)
    layers: list[nn.Module] = [_conv(3, channels, draw.kernel(), 2), _pool()]
    for original, first_stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        stream = draw.channels(original)
        for stride in (first_stride, 1):
            inner = draw.channels(original)
            path = nn.Sequential(
                _conv(channels, inner, draw.kernel(), stride), _conv(inner, stream, draw.kernel(), act=False)
            )
            same = stride == 1 and channels == stream
            layers.append(_Sum(path, None if same else _conv(channels, stream, 1, stride, act=False), act=True))
            channels = stream
    return [*layers, *_head(channels)]


def _shufflenet_v2(draw: Draw) -> list[nn.Module]:
    channels = draw.channels(24)
    layers: list[nn.Module] = [_conv(3, channels, draw.kernel(), 2), _pool()]
    for original, repeats in ((116, 4), (232, 8), (464, 4)):
        half = draw.channels(original // 2)
        for repeat in range(repeats):
            inputs, stride = (channels, 2) if repeat == 0 else (half, 1)
            inner = draw.channels(original // 2)
            main = nn.Sequential(
                _conv(inputs, inner, 1),
                _conv(inner, inner, draw.kernel(), stride, inner, act=False),
                _conv(inner, half, 1),
            )
            side = None
            if repeat == 0:
                depthwise = _conv(inputs, inputs, draw.kernel(), stride, inputs, act=False)
                side = nn.Sequential(depthwise, _conv(inputs, half, 1))
            layers.append(_Shuffle(main, side, half))
            channels = 2 * half
    last = draw.channels(1024)
    return [*layers, _conv(channels, last, 1), *_head(last)]


def _squeezenet(draw: Draw) -> list[nn.Module]:
    channels = draw.channels(64)
    layers: list[nn.Module] = [nn.Conv2d(3, channels, kernel := draw.kernel(), 2, kernel // 2), nn.ReLU(), _pool()]
    for position, (squeeze, expand) in enumerate(
        ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
    ):
        narrow, one, wide = draw.channels(squeeze), draw.channels(expand), draw.channels(expand)
        three = nn.Conv2d(narrow, wide, kernel := draw.kernel(), padding=kernel // 2)
        layers += [nn.Conv2d(channels, narrow, 1), nn.ReLU(), _Branches(nn.Conv2d(narrow, one, 1), three), nn.ReLU()]
        channels = one + wide
        layers += [_pool()] if position in (1, 3) else []
    return [*layers, nn.Conv2d(channels, _CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]


_FAMILIES: dict[str, Callable[[Draw], list[nn.Module]]] = {
    "alexnet": _alexnet,
    "densenet": _densenet,
    "googlenet": _googlenet,
    "mobilenet-v1": _mobilenet_v1,
    "mobilenet-v2": _mobilenet_v2,
    "proxylessnas": _proxylessnas,
    "resnet": _resnet18,
    "shufflenet-v2": _shufflenet_v2,
    "squeezenet": _squeezenet,
}
FAMILIES = tuple(_FAMILIES)


def variant(family: str, seed: int) -> nn.Module:
    """Build one variant for images of 224 x 224; equal seeds give equal networks.

    Raises:
        EdgejouleError: the family has no generator.
    """
    if family not in _FAMILIES:
        raise EdgejouleError(f"variants: no generator for family '{family}'; {did_you_mean(family, FAMILIES)}")
    return nn.Sequential(*_FAMILIES[family](Draw(family, seed)))


def variants(families: Sequence[str], count: int, seed: int = 0) -> pd.DataFrame:
    """Return ``count`` variants of each family as rows of the zoo; their accuracy is unknown.

    Raises:
        EdgejouleError: the count is not positive, or a family has no generator.
    """
    if count < 1:
        raise EdgejouleError(f"variants: {count} per family asked for; give 1 or more")
    rows = []
    for family in families:
        for number in range(seed, seed + count):
            with torch.device("meta"):
                network = variant(family, number)
            name = f"{family}-variant-{number}"
            rows.append(
                {
                    "network": name,
                    "architecture": name,
                    "family": family,
                    "precision": "fp32",
                    "builder": BUILDERS[-1],
                    "arguments": json.dumps({"family": family, "seed": number}),
                    "input": f"3x{SIDE}x{SIDE}",
                    "parameters": sum(parameter.numel() for parameter in network.parameters()),
                    "top1": None,
                    "top1_source": None,
                }
            )
    return pd.DataFrame(rows)
