"""Networks as the files that runtimes load."""

import io
from collections.abc import Callable
from pathlib import Path

from edgejoule.graphs.builders import build
from edgejoule.graphs.export import export_with_weights
from edgejoule.graphs.zoo import input_shape


def export_onnx(row, path: Path, seed: int) -> None:
    """Write a network of the zoo as ONNX with random weights."""
    export_with_weights(row, path, seed)


def export_program(row, path: Path, seed: int) -> None:
    """Write a network of the zoo as a program of ``torch.export`` with random weights."""
    import torch

    example = (torch.zeros(*input_shape(row.input)),)
    buffer = io.BytesIO()
    with torch.no_grad():
        torch.export.save(torch.export.export(build(row, seed=seed), example), buffer)
    path.write_bytes(buffer.getvalue())


#: Runtime: ending of its model files, and what writes them.
EXPORTS: dict[str, tuple[str, Callable]] = {
    "onnxruntime": (".onnx", export_onnx),
    "openvino": (".onnx", export_onnx),
    "pytorch": (".pt2", export_program),
}
