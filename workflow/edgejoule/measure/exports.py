"""Networks as the files that runtimes load."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import RefusedError
from edgejoule.graphs.precision import convert
from edgejoule.graphs.runnable import export_with_weights
from edgejoule.graphs.tflite import export_tflite
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


#: Runtime: ending of its model files, and what writes them.
EXPORTS: dict[str, tuple[str, Callable]] = {
    "litert": (".tflite", export_tflite),
    "onnxruntime": (".onnx", export_onnx),
    "openvino": (".onnx", export_onnx),
}
#: Runtimes that build networks where they are measured, instead of reading files.
BUILT_THERE = ("pytorch",)


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


def built_there(row, precision: str, seed: int, pretrained: bool) -> Workload:
    """Return a network that the runtime builds where it is measured.

    Raises:
        RefusedError: the zoo has it in INT8, which is not built.
    """
    if row.precision == "int8":
        raise RefusedError("PyTorch's networks are run in FP32 or FP16")
    names = ("network", "architecture", "builder", "arguments", "input")
    configuration = {name: str(getattr(row, name)) for name in names} | {"seed": seed, "pretrained": pretrained}
    return Workload(row.network, "network", precision, configuration=configuration)


def export_all(
    networks: pd.DataFrame,
    runtime: str,
    folder: Path,
    seed: int = 0,
    progress: Progress | None = None,
    kind: str = "network",
    pretrained: bool = False,
    precision: str | None = None,
) -> tuple[list[Workload], pd.DataFrame]:
    """Export networks with weights for a runtime, unless they are there or it builds them itself.

    Args:
        networks: rows of the zoo.
        runtime: what will run them.
        folder: where the files are put, each with a note of what it was made from beside it.
        seed: seed of the random weights.
        progress: told before each network.
        kind: kind of workload that they are, ``network`` or ``application``.
        pretrained: published weights instead of random ones; a network without any is a problem.
        precision: what a runtime that builds them itself runs them in; unset, as the zoo has them.

    Returns:
        The networks as workloads, and one problem (table PROBLEMS) for each that the runtime's converter refuses.

    Raises:
        EdgejouleError: the runtime runs no files of networks, or what writes them is not installed.
    """
    if runtime not in (*EXPORTS, *BUILT_THERE):
        raise EdgejouleError(
            f"runtime '{runtime}' has no model files; {did_you_mean(runtime, (*EXPORTS, *BUILT_THERE))}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    workloads, problems = [], []
    for done, row in enumerate(networks.itertuples(index=False)):
        if progress:
            progress(done, len(networks), None, f"export {row.network}")
        try:
            if runtime in BUILT_THERE:
                made = built_there(row, precision or row.precision, seed, pretrained)
            else:
                suffix, export = exporter(runtime, row.precision)
                made = export_once(row, folder / f"{row.network}{suffix}", export, seed, pretrained)
            workloads.append(replace(made, kind=kind))
        except RefusedError as error:
            state = {"workload": row.network, "kind": kind, "precision": row.precision}
            problems.append({**state, "source": f"export for {runtime}", "reason": str(error)})
    return workloads, pd.DataFrame(problems, columns=PROBLEMS.names)
