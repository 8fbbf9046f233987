"""OpenVINO on the processor, by number of threads."""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import openvino

from edgejoule.errors import EdgejouleError
from edgejoule.measure.runtimes.base import NodeTime, Session
from edgejoule.measure.runtimes.inputs import random_input

#: Runs under the profiler that do not count.
WARM = 2
#: What ``ov::exec_model_info`` calls the original nodes of an executed one, and its type.
MADE_OF, LAYER = "originalLayersNames", "layerType"
#: OpenVINO numbers the nodes that it makes of others: ``Multiply_8904``.
OWN_NAME = re.compile(r"^[A-Za-z]+_\d+$")
#: Types of nodes that are no part of a kernel: ends, constants, and changes of layout between two kernels.
NO_WORK = ("Input", "Output", "Const", "Reorder")


def open(settings: Mapping) -> "OpenVino":
    """Return the runtime for a device file's ``runtime`` section."""
    backend = settings.get("backend", "cpu").upper()
    devices = openvino.Core().available_devices
    if backend not in devices:
        raise EdgejouleError(
            f"OpenVINO has no backend '{backend.lower()}' here; available: {', '.join(devices).lower()}"
        )
    return OpenVino(backend, settings.get("threads") or 1)


class OpenVino:
    """OpenVINO on one device, set for latency: one stream, one request at a time, in single precision."""

    def __init__(self, device: str, threads: int) -> None:
        self.device, self.threads = device, threads
        self.core = openvino.Core()

    def versions(self) -> dict[str, str]:
        """Return version and build of OpenVINO."""
        build = openvino.get_version()
        return {"openvino": build.split("-")[0], "build": build}

    def settings(self) -> dict[str, str]:
        """Return what a model is compiled with."""
        own = {"INFERENCE_NUM_THREADS": str(self.threads)} if self.device == "CPU" else {}
        return own | {"NUM_STREAMS": "1", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}

    def _compile(self, model: Path, **more: str) -> "OpenVinoSession":
        try:
            compiled = self.core.compile_model(str(model), self.device, self.settings() | more)
        except RuntimeError as error:
            text = " ".join(str(error).split()).replace(str(model), model.name)
            raise EdgejouleError(f"{model.name}: OpenVINO does not load it: {text[:300]}") from error
        return OpenVinoSession(compiled, model.name)

    def prepare(self, model: Path) -> "OpenVinoSession":
        """Compile a model and give it a pseudo-random input."""
        return self._compile(model)

    def nodes(self, model: Path, runs: int) -> list[NodeTime]:
        """Return each executed node's fastest time, from OpenVINO's own counters."""
        session = self._compile(model, PERF_COUNT="YES")
        best: dict[str, NodeTime] = {}
        for run in range(WARM + runs):
            session.run(1)
            if run < WARM:
                continue
            executed = [item for item in session.request.profiling_info if item.status.name == "EXECUTED"]
            for index, item in enumerate(executed):
                duration = int(item.real_time.total_seconds() * 1e9)
                known = best.get(item.node_name)
                if known is None or duration < known.duration_ns:
                    best[item.node_name] = NodeTime(index, item.node_name, item.exec_type, duration)
        session.close()
        return sorted(best.values(), key=lambda node: node.index)

    def middle(
        self, model: bytes, marker: str, runs: int, between: Callable[[], None]
    ) -> tuple[np.ndarray, list[tuple[str, str]]]:
        """Time the nodes made of operators whose name holds ``marker``, with ``between`` called before each run.

        Nodes that OpenVINO made of parts of an operator belong to it; changes of layout do not.

        Returns:
            The nodes' summed duration in each run (ns), shape (runs,), and each node's name and operator.

        Raises:
            EdgejouleError: OpenVINO does not load the model, or fuses such an operator with another one.
        """
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(model)
            session = self._compile(path, PERF_COUNT="YES")
        chosen = {}
        for node in session.compiled.get_runtime_model().get_ops():
            about = {key: value.astype(str) for key, value in node.get_rt_info().items() if key in (MADE_OF, LAYER)}
            parts = [part for part in about[MADE_OF].split(",") if part and not OWN_NAME.match(part)]
            strangers = [part for part in parts if marker not in part]
            if about[LAYER] in NO_WORK or parts == strangers != []:
                continue
            if strangers:
                raise EdgejouleError(f"OpenVINO fuses the kernel with a neighbour ({about[MADE_OF]})")
            chosen[node.get_friendly_name()] = about[LAYER]
        total, executed = np.zeros(runs, np.int64), {}
        for run in range(1 + runs):
            between()
            session.run(1)
            for item in session.request.profiling_info:
                if item.node_name in chosen and item.status.name == "EXECUTED" and run:
                    total[run - 1] += int(item.real_time.total_seconds() * 1e9)
                    executed[item.node_name] = chosen[item.node_name]
        session.close()
        return total, list(executed.items())


class OpenVinoSession(Session):
    """A compiled model with its inputs set."""

    def __init__(self, compiled: openvino.CompiledModel, name: str) -> None:
        self.compiled, self.request = compiled, compiled.create_infer_request()
        for item in compiled.inputs:
            if item.partial_shape.is_dynamic:
                raise EdgejouleError(f"{name}: input '{item.any_name}' has no fixed shape; export with a batch size")
            dtype = item.element_type.to_dtype()
            tensor = openvino.Tensor(random_input(item.any_name, list(item.shape), dtype))
            self.request.set_tensor(item, tensor)

    def run(self, times: int) -> np.ndarray:
        """Run back to back; return the duration of each inference (ns), shape (times,)."""
        durations = np.empty(times, np.int64)
        infer, clock = self.request.infer, time.perf_counter_ns
        for index in range(times):
            start = clock()
            infer()
            durations[index] = clock() - start
        return durations

    def close(self) -> None:
        """Free the model."""
        self.compiled = self.request = None
