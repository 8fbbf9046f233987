"""The reference networks of the six applications (Tu et al., SEC 2023), as far as the zoo has not got them.

Each is rebuilt from its paper and checked against the published size of the file that was measured (FP32: four bytes a
parameter): detectors on MobileNetV2 (Liu et al. 2016; Lin et al. 2017 in the "lite" form of TensorFlow's detection
zoo), an ESRGAN generator (Wang et al. 2018), DeepLabv3 (Chen et al. 2017), MobileBERT (Sun et al. 2020), and the
keyword-spotting network of TensorFlow's speech commands (Sainath and Parada 2015).
"""

from collections.abc import Callable

import torch
from torch import nn

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.mobile import divisible
from edgejoule.names import did_you_mean

_CLASSES = 91


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1, act: bool = True
):
    padding = dilation * (kernel // 2)
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(outputs),
        *([nn.ReLU6()] if act else []),
    ]
    return nn.Sequential(*layers)


def _separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_conv(inputs, inputs, 3, stride, groups=inputs, act=False), _conv(inputs, outputs, 1))


class _Bottleneck(nn.Module):
    """MobileNetV2's block; ``expanded`` is what a detector taps before the stride."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, dilation: int = 1) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = _conv(inputs, inner, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _conv(inner, inner, 3, stride, dilation, inner)
        self.project = _conv(inner, outputs, 1, act=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


def _backbone(width: float, dilate_last: bool = False) -> tuple[nn.Conv2d, list[_Bottleneck]]:
    """Return MobileNetV2's stem and its seventeen blocks; dilated, it keeps an output stride of 16."""
    channels = divisible(32 * width)
    stem, blocks = _conv(3, channels, 3, 2), []
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expansion, original, repeats, stride in stages:
        dilated = dilate_last and original >= 160
        for repeat in range(repeats):
            step = 1 if dilated or repeat else stride
            dilation = 2 if dilated and (repeat or original > 160) else 1
            blocks.append(_Bottleneck(channels, divisible(original * width), expansion, step, dilation))
            channels = divisible(original * width)
    return stem, blocks


def _flat(outputs: torch.Tensor, size: int) -> torch.Tensor:
    return outputs.permute(0, 2, 3, 1).reshape(1, -1, size)


class SingleShot(nn.Module):
    """SSD on MobileNetV2: six maps, 1x1 predictors."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, blocks = _backbone(1.0)
        self.blocks, self.last = nn.ModuleList(blocks), _conv(320, 1280, 1)
        channels, extras = 1280, []
        for outputs in (512, 256, 256, 128):
            extras.append(nn.Sequential(_conv(channels, outputs // 2, 1), _conv(outputs // 2, outputs, 3, 2)))
            channels = outputs
        self.extras = nn.ModuleList(extras)
        maps = ((576, 3), (1280, 6), (512, 6), (256, 6), (256, 6), (128, 6))
        self.boxes = nn.ModuleList(nn.Conv2d(channels, anchors * 4, 1) for channels, anchors in maps)
        self.scores = nn.ModuleList(nn.Conv2d(channels, anchors * _CLASSES, 1) for channels, anchors in maps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return boxes and scores of all anchors, 1 x anchors x 95."""
        x, maps = self.stem(x), []
        for position, block in enumerate(self.blocks):
            if position == 13:
                tapped = block.expand(x)
                maps.append(tapped)
                x = block.project(block.depthwise(tapped))
            else:
                x = block(x)
        maps.append(self.last(x))
        for extra in self.extras:
            maps.append(extra(maps[-1]))
        boxes = torch.cat([_flat(head(m), 4) for head, m in zip(self.boxes, maps, strict=True)], 1)
        scores = torch.cat([_flat(head(m), _CLASSES) for head, m in zip(self.scores, maps, strict=True)], 1)
        return torch.cat([boxes, torch.sigmoid(scores)], 2)


class PyramidDetector(nn.Module):
    """SSD on MobileNetV2 with a feature pyramid, separable throughout; predictors shared by five levels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, blocks = _backbone(1.0)
        self.blocks, self.last = nn.ModuleList(blocks), _conv(320, 1280, 1)
        self.lateral = nn.ModuleList(nn.Conv2d(channels, 128, 1) for channels in (32, 96, 1280))
        self.smooth = nn.ModuleList(_separable(128, 128) for _ in range(2))
        self.coarse = nn.ModuleList(_separable(128, 128, 2) for _ in range(2))
        self.box_tower = nn.Sequential(*(_separable(128, 128) for _ in range(4)))
        self.score_tower = nn.Sequential(*(_separable(128, 128) for _ in range(4)))
        self.box = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1, groups=128), nn.Conv2d(128, 24, 1))
        self.score = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1, groups=128), nn.Conv2d(128, 6 * _CLASSES, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return boxes and scores of all anchors, 1 x anchors x 95."""
        x, taps = self.stem(x), []
        for position, block in enumerate(self.blocks):
            x = block(x)
            if position in (5, 12):
                taps.append(x)
        fine, middle = (lateral(tap) for lateral, tap in zip(self.lateral, taps, strict=False))
        top = self.lateral[2](self.last(x))
        middle = middle + nn.functional.interpolate(top, scale_factor=2)
        fine = fine + nn.functional.interpolate(middle, scale_factor=2)
        sixth = self.coarse[0](top)
        levels = [self.smooth[0](fine), self.smooth[1](middle), top, sixth, self.coarse[1](sixth)]
        boxes = torch.cat([_flat(self.box(self.box_tower(level)), 4) for level in levels], 1)
        scores = torch.cat([_flat(self.score(self.score_tower(level)), _CLASSES) for level in levels], 1)
        return torch.cat([boxes, torch.sigmoid(scores)], 2)


class _Dense(nn.Module):
    """ESRGAN's dense block: each convolution sees all before it; the sum is scaled by 0.2."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        widths = [growth] * 4 + [channels]
        self.convs = nn.ModuleList(nn.Conv2d(channels + i * growth, w, 3, padding=1) for i, w in enumerate(widths))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = [x]
        for conv in self.convs[:-1]:
            seen.append(nn.functional.leaky_relu(conv(torch.cat(seen, 1)), 0.2))
        return x + 0.2 * self.convs[-1](torch.cat(seen, 1))


class _Upsample(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(x, scale_factor=2)


class SuperResolution(nn.Module):
    """ESRGAN's generator, four times larger; narrow enough for a phone."""

    def __init__(self, channels: int = 32, growth: int = 32, blocks: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(_Dense(channels, growth) for _ in range(3 * blocks)))
        self.trunk = nn.Conv2d(channels, channels, 3, padding=1)
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [_Upsample(), nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2)]
        layers += [nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(channels, 3, 3, padding=1)]
        self.tail = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the image four times as large."""
        x = self.first(x)
        return self.tail(x + self.trunk(self.blocks(x)))


class Segmentation(nn.Module):
    """DeepLabv3 on MobileNetV2 of half width, output stride 16, image pooling beside a 1x1 convolution, 21 classes."""

    def __init__(self, side: int) -> None:
        super().__init__()
        stem, blocks = _backbone(0.5, dilate_last=True)
        self.backbone = nn.Sequential(stem, *blocks)
        channels = divisible(320 * 0.5)
        self.map, self.side = -(-side // 16), side
        self.image, self.local = _conv(channels, 256, 1), _conv(channels, 256, 1)
        self.join, self.classes = _conv(512, 256, 1), nn.Conv2d(256, 21, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the scores of 21 classes for each pixel."""
        x = self.backbone(x)
        pooled = self.image(nn.functional.adaptive_avg_pool2d(x, 1))
        pooled = nn.functional.interpolate(pooled, size=(self.map, self.map), mode="bilinear", align_corners=True)
        x = self.classes(self.join(torch.cat([pooled, self.local(x)], 1)))
        return nn.functional.interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=True)


class _Affine(nn.Module):
    """MobileBERT's replacement of layer normalisation: a scale and a shift."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(size)), nn.Parameter(torch.zeros(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.shift


class _BertLayer(nn.Module):
    """One layer of MobileBERT: a bottleneck of 128, four heads, four stacked feed-forward networks."""

    def __init__(self, hidden: int = 512, inner: int = 128, heads: int = 4, stacked: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.enter, self.enter_norm = nn.Linear(hidden, inner), _Affine(inner)
        self.share, self.share_norm = nn.Linear(hidden, inner), _Affine(inner)
        self.query, self.key, self.value = nn.Linear(inner, inner), nn.Linear(inner, inner), nn.Linear(hidden, inner)
        self.attended, self.attended_norm = nn.Linear(inner, inner), _Affine(inner)
        self.wide = nn.ModuleList(nn.Linear(inner, hidden) for _ in range(stacked))
        self.narrow = nn.ModuleList(nn.Linear(hidden, inner) for _ in range(stacked))
        self.norms = nn.ModuleList(_Affine(inner) for _ in range(stacked))
        self.leave, self.leave_norm = nn.Linear(inner, hidden), _Affine(hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, shared = self.enter_norm(self.enter(x)), self.share_norm(self.share(x))

        def split(part: torch.Tensor) -> torch.Tensor:
            return part.view(1, part.shape[1], self.heads, -1).transpose(1, 2)

        query, key, value = split(self.query(shared)), split(self.key(shared)), split(self.value(x))
        weights = torch.softmax(query @ key.transpose(2, 3) * (query.shape[-1] ** -0.5), -1)
        joined = (weights @ value).transpose(1, 2).reshape(y.shape)
        y = self.attended_norm(y + self.attended(joined))
        for wide, narrow, norm in zip(self.wide, self.narrow, self.norms, strict=True):
            y = norm(y + narrow(torch.relu(wide(y))))
        return self.leave_norm(x + self.leave(y))


class MobileBert(nn.Module):
    """MobileBERT for question answering: token identifiers, 1 x length, to start and end scores, 1 x length x 2."""

    input_dtype = torch.int64

    def __init__(self, length: int, words: int = 30522, layers: int = 24) -> None:
        super().__init__()
        self.words, self.project = nn.Embedding(words, 128), nn.Linear(3 * 128, 512)
        self.positions = nn.Parameter(torch.zeros(1, length, 512))
        self.norm = _Affine(512)
        self.layers, self.span = nn.Sequential(*(_BertLayer() for _ in range(layers))), nn.Linear(512, 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return start and end scores of each token."""
        words = self.words(tokens)
        before = nn.functional.pad(words[:, 1:], (0, 0, 0, 1))
        after = nn.functional.pad(words[:, :-1], (0, 0, 1, 0))
        x = self.project(torch.cat([before, words, after], 2)) + self.positions
        return self.span(self.layers(self.norm(x)))


def _keyword_spotting() -> nn.Module:
    """Return the convolutional network of TensorFlow's speech commands, on 98 frames of 40 coefficients."""
    return nn.Sequential(
        nn.ZeroPad2d((3, 4, 9, 10)),
        nn.Conv2d(1, 64, (20, 8)),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.ZeroPad2d((1, 2, 4, 5)),
        nn.Conv2d(64, 64, (10, 4)),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * 49 * 20, 12),
        nn.Softmax(1),
    )


_MAKERS: dict[str, Callable[[], nn.Module]] = {
    "ssd-mobilenet-v2-300": SingleShot,
    "ssd-mobilenet-v2-fpnlite-640": PyramidDetector,
    "esrgan-50": SuperResolution,
    "deeplabv3-mobilenet-v2-257": lambda: Segmentation(257),
    "mobilebert-384": lambda: MobileBert(384),
    "conv-actions": _keyword_spotting,
}
NAMES = tuple(_MAKERS)


def reference(name: str) -> nn.Module:
    """Build one reference network.

    Raises:
        EdgejouleError: there is none of this name.
    """
    if name not in _MAKERS:
        raise EdgejouleError(f"references: no network '{name}'; {did_you_mean(name, NAMES)}")
    return _MAKERS[name]()
