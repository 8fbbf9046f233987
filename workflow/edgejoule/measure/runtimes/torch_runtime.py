"""PyTorch: on the processor by number of threads, or on an NVIDIA GPU, there as one CUDA graph.

A model file is a program that ``torch.export`` saved (``.pt2``). On a GPU, batch 1 networks are bound by the launches
of their kernels unless they are captured as a CUDA graph, which runs them without the host; that is how a deployed
network runs, so it is what is measured.
"""

import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch

from edgejoule.errors import EdgejouleError
from edgejoule.measure.runtimes.base import NodeTime

#: Runs before a CUDA graph is captured, as its documentation asks for.
CAPTURE_WARM_UP = 3


def open(settings: Mapping) -> "Torch":
    """Return the runtime for a device file's ``runtime`` section."""
    return Torch(settings.get("backend", "cpu"), settings.get("threads") or 1)


class Torch:
    """PyTorch in single precision (no TF32) on one device."""

    def __init__(self, backend: str, threads: int) -> None:
        if backend not in ("cpu", "cuda"):
            raise EdgejouleError(f"PyTorch has no backend '{backend}' here; available: cpu, cuda")
        if backend == "cuda" and not torch.cuda.is_available():
            raise EdgejouleError("PyTorch sees no CUDA device here; install its CUDA build and a driver, or use 'cpu'")
        self.backend, self.threads = backend, threads
        torch.set_num_threads(threads)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

    def versions(self) -> dict[str, str]:
        """Return the versions of PyTorch and, on a GPU, of what it stands on."""
        versions = {"pytorch": torch.__version__}
        if self.backend == "cuda":
            versions |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
            versions |= {"gpu": torch.cuda.get_device_name()}
        return versions

    def settings(self) -> dict[str, str]:
        """Return the settings that decide speed."""
        if self.backend == "cuda":
            return {"backend": "cuda", "tf32": "off", "launch": "one CUDA graph"}
        return {"backend": "cpu", "threads": str(self.threads)}

    def prepare(self, model: Path) -> "TorchSession":
        """Load a saved program; on a GPU, capture it as a CUDA graph."""
        try:
            program = torch.export.load(model)
        except (RuntimeError, ValueError, OSError, BadZipFile) as error:
            text = " ".join(str(error).split()).replace(str(model), model.name)
            raise EdgejouleError(f"{model.name}: PyTorch does not load it: {text[:300]}") from error
        session = TorchSession(program, self.backend)
        return session.captured() if self.backend == "cuda" else session

    def nodes(self, model: Path, runs: int) -> list[NodeTime]:
        """Return nothing: eager operators are not the kernels that a deployed network runs."""
        return []


class TorchSession:
    """A loaded program with a pseudo-random input on its device."""

    def __init__(self, program: torch.export.ExportedProgram, backend: str) -> None:
        generator = torch.Generator().manual_seed(0)
        self.backend = backend
        self.module = program.module().to(backend)
        arguments, _ = program.example_inputs
        self.inputs = tuple(torch.randn(x.shape, generator=generator, dtype=x.dtype).to(backend) for x in arguments)
        self.call = self._forward

    @torch.no_grad()
    def _forward(self) -> None:
        self.module(*self.inputs)

    def captured(self) -> "TorchSession":
        """Capture the program as a CUDA graph and return this session."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(CAPTURE_WARM_UP):
                self._forward()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self._forward()
        self.call = self.graph.replay
        return self

    def run(self, times: int) -> np.ndarray:
        """Run back to back; return the duration of each inference (ns), shape (times,).

        On a GPU the runs are queued without waiting for each, and their times are those between events on the device.
        """
        if self.backend == "cuda":
            return self._run_queued(times)
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

    def close(self) -> None:
        """Free the model."""
        self.call = self.module = self.inputs = None
