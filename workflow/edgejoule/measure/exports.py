"""Networks as the files that runtimes load."""

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import build
from edgejoule.graphs.export import export_with_weights
from edgejoule.graphs.tflite import RefusedError, export_tflite
from edgejoule.graphs.zoo import input_shape
from edgejoule.measure.plan import Workload
from edgejoule.measure.prepare import export_once
from edgejoule.measure.recorder import Progress
from edgejoule.names import did_you_mean
from edgejoule.tables.contracts import PROBLEMS


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
    "litert": (".tflite", export_tflite),
    "onnxruntime": (".onnx", export_onnx),
    "openvino": (".onnx", export_onnx),
    "pytorch": (".pt2", export_program),
}


def export_all(
    networks: pd.DataFrame, runtime: str, folder: Path, seed: int = 0, progress: Progress | None = None
) -> tuple[list[Workload], pd.DataFrame]:
    """Export networks with random weights for a runtime, unless they are there.

    Args:
        networks: rows of the zoo.
        runtime: what will run them.
        folder: where the files are put, each with a note of what it was made from beside it.
        seed: seed of the random weights.
        progress: told before each network.

    Returns:
        The networks as workloads, and one problem (table PROBLEMS) for each that the runtime's converter refuses.

    Raises:
        EdgejouleError: the runtime runs no files of networks, or what writes them is not installed.
    """
    if runtime not in EXPORTS:
        raise EdgejouleError(f"runtime '{runtime}' has no model files; {did_you_mean(runtime, EXPORTS)}")
    folder.mkdir(parents=True, exist_ok=True)
    suffix, export = EXPORTS[runtime]
    workloads, problems = [], []
    for done, row in enumerate(networks.itertuples(index=False)):
        if progress:
            progress(done, len(networks), None, f"export {row.network}")
        model = folder / f"{row.network}{suffix}"
        try:
            workloads.append(export_once(row, model, export, seed))
        except RefusedError as error:
            state = {"workload": row.network, "kind": "network", "precision": row.precision}
            problems.append({**state, "source": model.name, "reason": str(error)})
    return workloads, pd.DataFrame(problems, columns=PROBLEMS.names)
