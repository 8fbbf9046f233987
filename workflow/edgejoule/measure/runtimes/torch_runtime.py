"""PyTorch: on the processor by number of threads, or on an NVIDIA GPU, there as CUDA graphs.

Networks and kernels are built where they are measured, with random weights: nothing has to be exported or copied. On a
GPU, work of batch 1 is bound by the launches of its kernels unless it is captured as a CUDA graph, which runs them
without the host; that is how a deployed network runs, so it is what is measured. What is short is captured many times
over in one graph, so that the pauses between graphs do not count either.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from math import ceil
from pathlib import Path

import numpy as np
import torch
from torch import nn

from edgejoule.errors import EdgejouleError
from edgejoule.measure.runtimes.base import NodeTime, Session

try:
    from pynvml import NVMLError as NvmlError
except ModuleNotFoundError:
    # What is not installed is not raised.
    NvmlError = RuntimeError

#: Runs before a CUDA graph is captured, as its documentation asks for.
CAPTURE_WARM_UP = 3
#: Time that one replay of a CUDA graph aims at (ns): hundreds of times the pause between two replays.
GRAPH_NS = 2e6
#: Most repetitions in one graph.
MOST_REPEATS = 1000
#: Replays of the graph of one inference that tell how long it takes.
PROBES = 20
#: Packages that build the zoo's networks.
BUILD = ("torchvision", "timm")
DTYPES = {"fp32": torch.float32, "fp16": torch.float16}


def open(settings: Mapping) -> "Torch":
    """Return the runtime for a device file's ``runtime`` section."""
    return Torch(
        settings.get("backend", "cpu"),
        settings.get("threads") or 1,
        settings.get("precision") or "fp32",
        settings.get("batch", 1),
        bool(settings.get("channels_last")),
    )


class Torch:
    """PyTorch on one device, in one precision (no TF32) and layout, with so many inputs in one run."""

    def __init__(self, backend: str, threads: int, precision: str, batch: int, channels_last: bool) -> None:
        if backend not in ("cpu", "cuda"):
            raise EdgejouleError(f"PyTorch has no backend '{backend}' here; available: cpu, cuda")
        if backend == "cuda" and not torch.cuda.is_available():
            raise EdgejouleError("PyTorch sees no CUDA device here; install its CUDA build and a driver, or use 'cpu'")
        self.backend, self.threads, self.precision, self.batch = backend, threads, precision, batch
        self.channels_last = channels_last
        if backend == "cpu":
            # On a GPU, the processor's threads only build: all of them may.
            torch.set_num_threads(threads)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

    def versions(self) -> dict[str, str]:
        """Return the versions of PyTorch and, on a GPU, of what it stands on."""
        versions = {"pytorch": torch.__version__} | {name: version(name) for name in BUILD if find_spec(name)}
        if self.backend == "cuda":
            versions |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
            versions |= {"gpu": torch.cuda.get_device_name(), "driver": driver_version()}
        return versions

    def settings(self) -> dict[str, str]:
        """Return the settings that decide speed."""
        common = {
            "backend": self.backend,
            "precision": self.precision,
            "batch": str(self.batch),
            "layout": "channels last" if self.channels_last else "channels first",
        }
        if self.backend == "cpu":
            return common | {"threads": str(self.threads), "denormals": "flushed to zero"}
        return common | {"tf32": "off", "launch": f"CUDA graphs of {GRAPH_NS / 1e6:g} ms", "cudnn.benchmark": "off"}

    def prepare(self, model: Path) -> Session:
        """Refuse a model file: PyTorch builds what it runs.

        Raises:
            EdgejouleError: always.
        """
        raise EdgejouleError(f"{model.name}: PyTorch runs no model files here; make the plan again")

    def build(self, kind: str, configuration: Mapping) -> "TorchSession":
        """Return a kernel or network with random weights and inputs, ready to run.

        Args:
            kind: kind of workload.
            configuration: of a kernel, its row of the plan; else the network's row of the zoo, and ``seed``.

        Raises:
            EdgejouleError: it cannot be built, or PyTorch fails to run it.
        """
        from edgejoule.measure.torch_kernels import build_kernel, build_network

        torch.manual_seed(0)
        name = configuration["kernel" if kind == "kernel" else "network"]
        with told(name):
            build = build_kernel if kind == "kernel" else build_network
            # Random weights are drawn where they are used: of large networks, that takes seconds on the processor.
            with torch.device(self.backend):
                module, shapes = build(configuration, self.batch)
            layout = {"memory_format": torch.channels_last} if self.channels_last else {}
            module = module.to(self.backend, DTYPES[self.precision], **layout).requires_grad_(False)
            inputs = [self._input(shape, getattr(module, "input_dtype", torch.float32)) for shape in shapes]
            session = TorchSession(module, inputs, self.batch, name)
            return session.captured() if self.backend == "cuda" else session

    def _input(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        if not dtype.is_floating_point:
            return torch.randint(0, 2, shape, dtype=dtype, device=self.backend)
        value = torch.randn(shape, dtype=torch.float32).to(self.backend, DTYPES[self.precision])
        if self.channels_last and value.ndim == 4:
            value = value.to(memory_format=torch.channels_last)
        return value

    def nodes(self, model: Path, runs: int) -> list[NodeTime]:
        """Return nothing: no profiler is asked."""
        return []


class TorchSession(Session):
    """A module with its inputs on its device; one inference is one input of a run's batch."""

    def __init__(self, module: nn.Module, inputs: list[torch.Tensor], batch: int, name: str) -> None:
        self.module, self.inputs, self.name = module, inputs, name
        self.repeats = batch
        self.cuda = inputs[0].is_cuda
        self.call: Callable[[], object] = self._forward
        self.graph = None

    def _forward(self) -> None:
        with torch.inference_mode():
            self.module(*self.inputs)

    def captured(self) -> "TorchSession":
        """Capture the module as a CUDA graph, as often over as fills ``GRAPH_NS``, and return this session."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(CAPTURE_WARM_UP):
                self._forward()
        torch.cuda.current_stream().wait_stream(stream)
        self._capture(1)
        # The first replays upload the graph.
        single = float(self._run_queued(PROBES)[PROBES // 2 :].min())
        times = min(MOST_REPEATS, ceil(GRAPH_NS / max(single, 1.0)))
        if times > 1:
            self._capture(times)
            self.repeats *= times
        return self

    def _capture(self, times: int) -> None:
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            for _ in range(times):
                self._forward()
        self.call = self.graph.replay

    def run(self, times: int) -> np.ndarray:
        """Run back to back; return the duration of each run (ns), shape (times,).

        On a GPU the runs are queued without waiting for each, and their times are those between events on the device.
        """
        with told(self.name):
            if self.cuda:
                return self._run_queued(times)
            # Random weights can make activations vanish; arithmetic on denormals costs what no trained network costs.
            torch.set_flush_denormal(True)
            try:
                return self._run_one_by_one(times)
            finally:
                torch.set_flush_denormal(False)

    def _run_one_by_one(self, times: int) -> np.ndarray:
        durations = np.empty(times, np.int64)
        clock = time.perf_counter_ns
        for index in range(times):
            start = clock()
            self.call()
            durations[index] = clock() - start
        return durations

    def _run_queued(self, times: int) -> np.ndarray:
        events = [torch.cuda.Event(enable_timing=True) for _ in range(times + 1)]
        events[0].record()
        for event in events[1:]:
            self.call()
            event.record()
        torch.cuda.synchronize()
        milliseconds = [first.elapsed_time(second) for first, second in pairwise(events)]
        return (np.array(milliseconds) * 1e6).astype(np.int64)

    def condition(self) -> dict:
        """Return clock and temperature of the GPU, where NVIDIA's management library tells."""
        if not self.cuda:
            return {}
        try:
            return {"frequency_hz": torch.cuda.clock_rate() * 1e6, "temperature_c": float(torch.cuda.temperature())}
        except (ModuleNotFoundError, RuntimeError, NvmlError):
            return {"frequency_hz": None, "temperature_c": None}

    def close(self) -> None:
        """Free the module, its graph, and the memory that PyTorch keeps for the next one."""
        self.call = self.graph = self.module = self.inputs = None
        if self.cuda:
            torch.cuda.empty_cache()


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn PyTorch's failures into sentences that name the workload.

    A GPU that failed for good fails in every later call too: then the failure stays what it is and ends the process, so
    that it does not become a problem of every workload that was still to come.
    """
    try:
        yield
    except RuntimeError as error:
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
            torch.cuda.empty_cache()
        if isinstance(error, torch.OutOfMemoryError):
            raise EdgejouleError(f"'{name}': out of the GPU's memory") from error
        text = " ".join(str(error).split())[:300]
        raise EdgejouleError(f"'{name}': PyTorch cannot run it: {text}") from error


def driver_version() -> str | None:
    """Return what the NVIDIA kernel driver says of its version, or None where it says nothing."""
    try:
        return Path("/proc/driver/nvidia/version").read_text(encoding="utf-8").splitlines()[0].strip()
    except (OSError, IndexError):
        return None
