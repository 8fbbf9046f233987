"""Converting networks to TensorFlow Lite files, which LiteRT runs.

The converter is Google's ``litert-torch``, in an extra of its own: it brings JAX and a compiler. Images enter with
their channels last, as LiteRT's kernels want them, so that nothing is transposed between them.
"""

import contextlib
import os
import re
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import RefusedError, build
from edgejoule.graphs.runnable import TOLERANCE, largest_difference, outputs_of, random_input
from edgejoule.graphs.zoo import input_shape

if TYPE_CHECKING:
    import torch

#: A file with less than this share of the network's weights is not that network: the converter dropped a part.
LEAST_WEIGHTS = 0.8
IMAGE_AXES = 4


def export_tflite(row, path: Path, seed: int = 0, pretrained: bool = False) -> float:
    """Write a network of the zoo as a TensorFlow Lite file (FP32), checked against PyTorch on one random input.

    The file has one signature with a batch of one; images are height x width x channels.

    Args:
        row: a row of the zoo.
        path: the file.
        seed: seed of the random weights, and of the input that is compared.
        pretrained: published weights instead.

    Returns:
        The largest difference from PyTorch's output over its largest output.

    Raises:
        RefusedError: the converter fails on the network, or what it makes is something else.
        EdgejouleError: the converter is not installed.
    """
    import torch

    where = f"network '{row.network}'"
    converter = _converter(where)
    module = build(row, seed=seed, pretrained=pretrained)
    shape = input_shape(row.input)
    generator = torch.Generator().manual_seed(seed)
    if not pretrained:
        _vary(module, generator)
    value = random_input(module, shape, generator)
    if len(shape) == IMAGE_AXES:
        module = converter.to_channel_last_io(module, args=[0]).eval()
        value = value.permute(0, 2, 3, 1).contiguous()
    # The converter prints its steps.
    with torch.no_grad(), Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        expected = module(value)
        try:
            converted = converter.convert(module, (value,))
            # LiteRT's whole numbers have 32 bits, unlike PyTorch's.
            found = outputs_of(converted(value if value.is_floating_point() else value.int()))
            difference = largest_difference(found, outputs_of(expected))
        except _errors() as error:
            raise RefusedError(f"{where}: litert-torch cannot convert it: {_first_line(error)}") from error
    if not difference <= TOLERANCE:
        share = f"{100 * difference:.2g} % of the largest output"
        raise RefusedError(f"{where}: what litert-torch makes of it is up to {share} away from PyTorch")
    content = converted.model_content()
    if pd.notna(row.parameters) and len(content) < LEAST_WEIGHTS * 4 * row.parameters:
        raise RefusedError(
            f"{where}: litert-torch leaves a part of it out: {len(content)} bytes for {row.parameters} parameters"
        )
    path.write_bytes(content)
    return difference


def _vary(module: "torch.nn.Module", generator: "torch.Generator") -> None:
    """Make parameters that begin as one repeated number random, so that no compiler folds what they multiply.

    Residual branches often begin with a scale of zero; a compiler then drops the whole branch.
    """
    import torch

    for name, values in module.named_parameters():
        first = values.detach().flatten()[0]
        if values.numel() == 1 or (values != first).any():
            continue
        # A whole new tensor: the old one may be a single number that is repeated in place.
        drawn = torch.rand(values.shape, generator=generator)
        is_scale = name.endswith("weight") and values.ndim == 1
        values.data = 0.2 * drawn - 0.1 if first == 0 and not is_scale else (0.5 + drawn) * (first if first else 1)


def _converter(where: str) -> ModuleType:
    try:
        import litert_torch
    except ImportError as error:
        raise EdgejouleError(
            f"{where}: converting it to TensorFlow Lite needs the package '{error.name}'; in the environment of "
            "envs/tflite.txt, run: edgejoule measure export --runtime litert"
        ) from error
    return litert_torch


def _errors() -> tuple[type[Exception], ...]:
    """Return what the steps of the converter raise; they have no common base but Exception."""
    import torch

    return (
        RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError, AssertionError,
        torch._dynamo.exc.TorchDynamoException,
    )  # fmt: skip


def _first_line(error: Exception) -> str:
    """Return what an exception says first, without the folders that the converter's files are in."""
    lines = [re.sub(r"/\S*/", "", line).strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
