"""Networks as the files that runtimes load."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import RefusedError, build
from edgejoule.graphs.export import zeros_for
from edgejoule.graphs.precision import convert
from edgejoule.graphs.runnable import export_with_weights
from edgejoule.graphs.tflite import export_tflite
from edgejoule.graphs.zoo import input_shape
from edgejoule.measure.plan import Workload
from edgejoule.measure.prepare import export_once
from edgejoule.measure.recorder import Progress
from edgejoule.names import did_you_mean
from edgejoule.tables.contracts import PROBLEMS


def export_onnx(row, path: Path, seed: int, pretrained: bool) -> None:
    """Write a network of the zoo as ONNX."""
    export_with_weights(row, path, seed, pretrained)


def export_int8(row, path: Path, seed: int, pretrained: bool) -> None:
    """Write a network as ONNX in INT8: static quantisation, QDQ form, calibrated with random inputs; for cost only.

    Raises:
        RefusedError: the network cannot be quantised.
    """
    with TemporaryDirectory() as folder:
        single = Path(folder) / "fp32.onnx"
        export_with_weights(row, single, seed, pretrained)
        convert(single, path, "int8", seed, f"network '{row.network}'")


def export_program(row, path: Path, seed: int, pretrained: bool) -> None:
    """Write a network of the zoo as a program of ``torch.export``."""
    import torch

    module, buffer = build(row, seed=seed, pretrained=pretrained), io.BytesIO()
    with torch.no_grad():
        example = zeros_for(module, input_shape(row.input))
        torch.export.save(torch.export.export(module, (example,)), buffer)
    path.write_bytes(buffer.getvalue())


#: Runtime: ending of its model files, and what writes them.
EXPORTS: dict[str, tuple[str, Callable]] = {
    "litert": (".tflite", export_tflite),
    "onnxruntime": (".onnx", export_onnx),
    "openvino": (".onnx", export_onnx),
    "pytorch": (".pt2", export_program),
}


def exporter(runtime: str, precision: str) -> tuple[str, Callable]:
    """Return the ending of a runtime's model files, and what writes them in a precision.

    Raises:
        RefusedError: networks for this runtime are not exported in that precision.
    """
    suffix, export = EXPORTS[runtime]
    if precision == "fp32":
        return suffix, export
    if precision == "int8" and suffix == ".onnx":
        return suffix, export_int8
    raise RefusedError(f"networks for the runtime '{runtime}' are not exported in {precision.upper()}")


def export_all(
    networks: pd.DataFrame,
    runtime: str,
    folder: Path,
    seed: int = 0,
    progress: Progress | None = None,
    kind: str = "network",
    pretrained: bool = False,
) -> tuple[list[Workload], pd.DataFrame]:
    """Export networks with weights for a runtime, unless they are there.

    Args:
        networks: rows of the zoo.
        runtime: what will run them.
        folder: where the files are put, each with a note of what it was made from beside it.
        seed: seed of the random weights.
        progress: told before each network.
        kind: kind of workload that they are, ``network`` or ``application``.
        pretrained: published weights instead of random ones; a network without any is a problem.

    Returns:
        The networks as workloads, and one problem (table PROBLEMS) for each that the runtime's converter refuses.

    Raises:
        EdgejouleError: the runtime runs no files of networks, or what writes them is not installed.
    """
    if runtime not in EXPORTS:
        raise EdgejouleError(f"runtime '{runtime}' has no model files; {did_you_mean(runtime, EXPORTS)}")
    folder.mkdir(parents=True, exist_ok=True)
    workloads, problems = [], []
    for done, row in enumerate(networks.itertuples(index=False)):
        if progress:
            progress(done, len(networks), None, f"export {row.network}")
        try:
            suffix, export = exporter(runtime, row.precision)
            made = export_once(row, folder / f"{row.network}{suffix}", export, seed, pretrained)
            workloads.append(replace(made, kind=kind))
        except RefusedError as error:
            state = {"workload": row.network, "kind": kind, "precision": row.precision}
            problems.append({**state, "source": f"export for {runtime}", "reason": str(error)})
    return workloads, pd.DataFrame(problems, columns=PROBLEMS.names)
