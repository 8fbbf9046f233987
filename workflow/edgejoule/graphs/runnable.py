"""Exporting networks with weights, to run them, each compared with PyTorch."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx

from edgejoule.graphs.builders import RefusedError, build
from edgejoule.graphs.export import first_line, ort_errors, torch_export
from edgejoule.graphs.zoo import input_shape
from edgejoule.tables import atomic_path

if TYPE_CHECKING:
    import torch

#: How far a file's output may be from PyTorch's in FP32, over PyTorch's largest output.
TOLERANCE = 1e-3


def export_with_weights(row, path: Path | str, seed: int = 0, pretrained: bool = False) -> float:
    """Write a network of the zoo as a runnable ONNX file, weights included (FP32).

    The file is checked by ``onnx.checker``, and by running it in ONNX Runtime on one random input, against PyTorch. The
    input is ``input`` (batch of one, float32; int64 for tokens), the output ``output``.

    Args:
        row: a row of the zoo.
        path: the file; models above 2 GB are not supported.
        seed: seed of the random weights, and of the input that is compared.
        pretrained: published weights instead.

    Returns:
        The largest difference from PyTorch's output over its largest output.

    Raises:
        RefusedError: ONNX Runtime does not run the file, or computes something else.
        EdgejouleError: the network cannot be built or exported.
    """
    import torch

    where = f"network '{row.network}'"
    module = build(row, seed=seed, pretrained=pretrained)
    value = random_input(module, input_shape(row.input), torch.Generator().manual_seed(seed))
    model = torch_export(module, (torch.zeros_like(value),), ["input"], where)
    onnx.checker.check_model(model)
    with torch.no_grad():
        expected = outputs_of(module(value))
    with atomic_path(path) as temporary:
        onnx.save(model, temporary)
        difference = largest_difference(run(temporary, {"input": value.numpy()}, where), expected)
        if not difference <= TOLERANCE:
            share = f"{100 * difference:.2g} % of the largest output"
            raise RefusedError(f"{where}: what ONNX Runtime computes is up to {share} away from PyTorch")
    return difference


def random_input(module: "torch.nn.Module", shape: tuple[int, ...], generator: "torch.Generator") -> "torch.Tensor":
    """Return a random input: normal numbers, or token identifiers of 0 and 1 where the module says so."""
    import torch

    if getattr(module, "input_dtype", torch.float32) == torch.float32:
        return torch.randn(shape, generator=generator)
    return torch.randint(0, 2, shape, generator=generator)


def outputs_of(value) -> list[np.ndarray]:
    """Return what a network returns, one tensor or several, as arrays."""
    return [np.asarray(each) for each in (value if isinstance(value, (tuple, list)) else [value])]


def run(path: Path, inputs: dict[str, np.ndarray], where: str) -> list[np.ndarray]:
    """Return what ONNX Runtime computes with a file, on one thread.

    Raises:
        RefusedError: it does not run it.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, inputs)
    except ort_errors() as error:
        raise RefusedError(f"{where}: ONNX Runtime does not run it: {first_line(error)}") from error


def largest_difference(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Return the largest difference of any output, over the largest value expected of that output.

    Raises:
        ValueError: there are more or fewer outputs than expected.
    """
    if len(found) != len(expected):
        raise ValueError(f"{len(expected)} outputs became {len(found)}")
    return max(
        float(np.abs(ours - theirs).max() / np.abs(theirs).max()) for ours, theirs in zip(found, expected, strict=True)
    )
