"""TensorFlow Lite files: what is exported, and what files are made of, against rules."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import tflite
from edgejoule.graphs.tflite_operators import agreement, as_markdown, kinds_of_file

ROW = SimpleNamespace(
    network="n", architecture="n", builder="edgejoule", arguments="{}", input="3x8x8", parameters=4 * 3 * 9 + 4 + 8
)


@pytest.fixture
def files(tmp_path):
    """Return what writes a TensorFlow Lite file: a convolution, a sum with ReLU, a mean of the map and a view."""
    pytest.importorskip("ai_edge_litert", reason="the package 'ai-edge-litert' is an extra that is not installed")
    from ai_edge_litert import schema_py_generated as schema

    from edgejoule.measure.sandwich_tflite import Builder

    def write(name: str, sums: int = 1) -> Path:
        b, shape = Builder(), (1, 8, 8, 4)
        options = schema.Conv2DOptionsT(strideH=1, strideW=1)
        value = b.node("middle", "CONV_2D", [b.input(*shape), b.weight(4, 3, 3, 4), b.weight(4)], shape, options)
        relu = schema.AddOptionsT(fusedActivationFunction=schema.ActivationFunctionType.RELU)
        for _ in range(sums):
            value = b.node("middle", "ADD", [value, value], shape, relu)
        value = b.node("middle", "ADD", [value, value], shape, schema.AddOptionsT())
        axes = b.constant(np.array([1, 2], np.int32))
        value = b.node("middle", "MEAN", [value, axes], (1, 1, 1, 4), schema.ReducerOptionsT(keepDims=True))
        sizes = b.constant(np.array([1, 4], np.int32))
        value = b.node("middle", "RESHAPE", [value, sizes], (1, 4), schema.ReshapeOptionsT(newShape=[1, 4]))
        value = b.node("middle", "RSQRT", [value], (1, 4))
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(b.finish(value))
        return path

    return write


def test_counts_the_kernels_of_a_file_by_kind(files):
    assert kinds_of_file(files("net")) == Counter(
        {"conv+bn+relu": 1, "add+relu": 1, "add": 1, "global-avgpool": 1, "other:RSQRT": 1}
    )


def test_says_that_a_file_is_no_tensorflow_lite(files, tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"no such file at all")
    with pytest.raises(EdgejouleError, match=r"x\.tflite: not a TensorFlow Lite file"):
        kinds_of_file(tmp_path / "x.tflite")


def test_compares_files_with_rules_kind_by_kind(files, tmp_path):
    files("one"), files("two", sums=3), files("not-in-the-rules")
    kinds = ["conv+bn+relu", "add", "add+relu", "global-avgpool"]
    ruled = pd.DataFrame({"kind": kinds * 3, "network": np.repeat(["one", "two", "no-file"], 4)})
    ruled = ruled.assign(runtime="litert", precision="fp32")
    table = agreement(tmp_path, pd.concat([ruled, ruled.assign(precision="int8")]), "litert").set_index("kind")
    assert table.loc["add+relu"].to_list() == [2, 4, 2, 1]
    assert table.loc["conv+bn+relu"].to_list() == [2, 2, 2, 2]
    assert table.loc["other:RSQRT"].to_list() == [0, 2, 2, 0]
    assert as_markdown(table.reset_index()).splitlines()[2] == "| add+relu | 2 | 4 | 2 | 1 |"
    with pytest.raises(EdgejouleError, match="edgejoule measure export --runtime litert"):
        agreement(tmp_path, ruled, "tflite")


def converter(output, content: bytes = b"x" * 1000):
    """Return a stand-in for litert_torch that 'converts' a module to this output and content."""

    def convert(module, arguments):
        if isinstance(output, Exception):
            raise output
        with torch.no_grad():
            value = module(*arguments)
        return Converted(value.numpy() + output, content)

    return SimpleNamespace(to_channel_last_io=lambda module, args: Channels(module), convert=convert)


class Converted:
    def __init__(self, value, content):
        self.value, self.content = value, content

    def __call__(self, *_):
        return self.value

    def model_content(self):
        return self.content


class Channels(nn.Module):
    """Takes channels last, as the converter's own wrapper does."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.permute(0, 3, 1, 2))


@pytest.fixture
def network(monkeypatch):
    """A network whose last scale is zero, as residual branches begin."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    nn.init.zeros_(module[1].weight)
    module[1].bias = nn.Parameter(torch.zeros(1).expand(4))
    monkeypatch.setattr(tflite, "build", lambda row, seed, pretrained: module)
    return module


def test_writes_what_agrees_with_pytorch_and_makes_repeated_numbers_random(network, tmp_path, monkeypatch):
    monkeypatch.setattr(tflite, "_converter", lambda where: converter(0.0))
    assert tflite.export_tflite(ROW, tmp_path / "n.tflite") == 0
    assert (tmp_path / "n.tflite").read_bytes() == b"x" * 1000
    scale, shift = network[1].weight, network[1].bias
    assert scale.min() >= 0.5 and scale.unique().numel() == shift.unique().numel() == 4


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            converter(RuntimeError("\n no lowering for aten::odd\nmore")),
            "cannot convert it: no lowering for aten::odd$",
        ),
        (converter(1.0), "% of the largest output away from PyTorch"),
        (converter(float("nan")), "nan % of the largest output away"),
        (converter(0.0, b"x" * 300), "leaves a part of it out: 300 bytes for 120 parameters"),
    ],
)
def test_what_the_converter_does_not_take_is_refused(network, tmp_path, monkeypatch, made, sentence):
    monkeypatch.setattr(tflite, "_converter", lambda where: made)
    with pytest.raises(tflite.RefusedError, match=rf"network 'n': .*{sentence}"):
        tflite.export_tflite(ROW, tmp_path / "n.tflite")
    assert not list(tmp_path.iterdir())
