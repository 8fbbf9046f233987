"""ONNX Runtime, by execution provider and number of threads."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state

from edgejoule.errors import EdgejouleError
from edgejoule.measure.runtimes.base import NodeTime, Session
from edgejoule.measure.runtimes.inputs import random_input

#: The ``backend`` of a device file, and ONNX Runtime's name of the execution provider.
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "acl": "ACLExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
    "qnn": "QNNExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}

TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}

#: Runs under the profiler that do not count.
WARM = 2
NS_PER_US = 1000

#: Everything that ONNX Runtime raises; it has no common base class.
ERRORS = tuple(
    kind for kind in vars(onnxruntime_pybind11_state).values() if isinstance(kind, type) and issubclass(kind, Exception)
)


def open(settings: Mapping) -> "OnnxRuntime":
    """Return the runtime for a device file's ``runtime`` section."""
    return OnnxRuntime(settings.get("backend", "cpu"), settings.get("threads") or 1)


class OnnxRuntime:
    """ONNX Runtime on one execution provider.

    Denormal numbers are flushed to zero: random weights can make activations vanish, and arithmetic on denormals would
    then cost what no trained network costs.
    """

    def __init__(self, backend: str, threads: int) -> None:
        provider = PROVIDERS.get(backend, backend)
        if provider not in ort.get_available_providers():
            names = {name: key for key, name in PROVIDERS.items()}
            available = ", ".join(names.get(name, name) for name in ort.get_available_providers())
            raise EdgejouleError(f"ONNX Runtime has no backend '{backend}' here; available: {available}")
        self.provider, self.threads = provider, threads

    def versions(self) -> dict[str, str]:
        """Return the version and the build of ONNX Runtime."""
        return {"onnxruntime": ort.__version__, "build": ort.get_build_info()}

    def settings(self) -> dict[str, str]:
        """Return provider, threads and graph optimisation."""
        return {
            "provider": self.provider,
            "intra_op_threads": str(self.threads),
            "inter_op_threads": "1",
            "execution": "sequential",
            "graph_optimization": "all",
            "denormals": "flushed to zero",
        }

    def _open(self, model: Path | bytes, **profiling: object) -> ort.InferenceSession:
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        options.log_severity_level = 3
        for name, value in profiling.items():
            setattr(options, name, value)
        name = model.name if isinstance(model, Path) else "model"
        try:
            source = str(model) if isinstance(model, Path) else model
            session = ort.InferenceSession(source, options, providers=[self.provider])
        except ERRORS as error:
            raise EdgejouleError(f"{name}: ONNX Runtime does not load it: {one_line(error, model)}") from error
        if session.get_providers()[0] != self.provider:
            raise EdgejouleError(f"{name}: {self.provider} did not start; ONNX Runtime fell back to another provider")
        return session

    def prepare(self, model: Path) -> "OnnxSession":
        """Load a model and bind a pseudo-random input."""
        return OnnxSession(self._open(model), model.name)

    def nodes(self, model: Path, runs: int) -> list[NodeTime]:
        """Time the nodes of a model with ONNX Runtime's profiler: the fastest of ``runs`` runs of each.

        The profiler counts in whole microseconds and slows the network by some per cent, so nothing else is timed
        in the same session.
        """
        events = self._profile(model, WARM + runs, lambda: None)
        return read_profile(events, skip=WARM)

    def middle(
        self, model: bytes, marker: str, runs: int, between: Callable[[], None]
    ) -> tuple[np.ndarray, list[tuple[str, str]]]:
        """Time the nodes whose name holds ``marker``, with ``between`` called before each run.

        Returns:
            The nodes' summed duration in each run (ns), shape (runs,), and each node's name and operator.
        """
        times, about = group_profile(self._profile(model, 1 + runs, between))
        chosen = [node for node in times if marker in node[0]]
        total = np.sum([times[node][1:] for node in chosen], axis=0, dtype=np.int64) * NS_PER_US
        return total, [(node[0], about[node]["op_name"]) for node in chosen]

    def _profile(self, model: Path | bytes, runs: int, between: Callable[[], None]) -> list[dict]:
        """Run a model under the profiler and return its events."""
        with TemporaryDirectory() as folder:
            session = self._open(model, enable_profiling=True, profile_file_prefix=str(Path(folder) / "profile"))
            loaded = OnnxSession(session, model.name if isinstance(model, Path) else "model")
            for _ in range(runs):
                between()
                loaded.run(1)
            profile = Path(session.end_profiling())
            loaded.close()
            return json.loads(profile.read_text())


class OnnxSession(Session):
    """A loaded model with its inputs bound, so that a run copies nothing in."""

    def __init__(self, session: ort.InferenceSession, name: str) -> None:
        self.session, self.name = session, name
        self.binding = session.io_binding()
        for item in session.get_inputs():
            if item.type not in TYPES:
                raise EdgejouleError(f"{name}: input '{item.name}' is a {item.type}, which has no generator")
            self.binding.bind_cpu_input(item.name, random_input(item.name, item.shape, TYPES[item.type]))
        for item in session.get_outputs():
            self.binding.bind_output(item.name)

    def run(self, times: int) -> np.ndarray:
        """Run back to back; return the duration of each inference (ns), shape (times,)."""
        durations = np.empty(times, np.int64)
        run, binding, clock = self.session.run_with_iobinding, self.binding, time.perf_counter_ns
        try:
            for index in range(times):
                start = clock()
                run(binding)
                durations[index] = clock() - start
        except ERRORS as error:
            raise EdgejouleError(f"{self.name}: ONNX Runtime failed: {one_line(error)}") from error
        return durations

    def close(self) -> None:
        """Free the model."""
        self.binding = self.session = None


def one_line(error: BaseException, model: Path | bytes | None = None) -> str:
    """Return an exception's message without line breaks, and without the folder that the model is in."""
    text = " ".join(str(error).split())
    return text.replace(str(model), model.name) if isinstance(model, Path) else text


Node = tuple[str, str]


def group_profile(events: list[dict]) -> tuple[dict[Node, list[int]], dict[Node, dict]]:
    """Return each node's times (us) in order of the runs, and what the profiler says of it, in order of execution."""
    times: dict[Node, list[int]] = {}
    about: dict[Node, dict] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            node = event["name"].removesuffix("_kernel_time"), event["args"]["node_index"]
            times.setdefault(node, []).append(event["dur"])
            about.setdefault(node, event["args"])
    return times, about


def read_profile(events: list[dict], skip: int) -> list[NodeTime]:
    """Return each node's fastest time from the events of an ONNX Runtime profile, in order of execution.

    Args:
        events: the profile, a list of trace events with times in microseconds.
        skip: runs at the beginning that do not count.
    """
    times, about = group_profile(events)
    return [
        NodeTime(
            index,
            node[0],
            about[node]["op_name"],
            min(times[node][skip:]) * NS_PER_US,
            json.dumps(about[node].get("input_type_shape", [])),
            json.dumps(about[node].get("output_type_shape", [])),
        )
        for index, node in enumerate(times)
    ]
