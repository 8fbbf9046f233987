"""What every runtime can do: prepare a model, run it n times, say its versions and settings, time its own nodes."""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.measure.plan import sha256_of
from edgejoule.names import did_you_mean

#: Runtime: the module that drives it, what installs it, and the package that it is.
RUNTIMES = {
    "onnxruntime": ("edgejoule.measure.runtimes.onnx_runtime", "edgejoule", "onnxruntime"),
    "litert": ("edgejoule.measure.runtimes.litert", "edgejoule[litert]", "ai_edge_litert"),
    "openvino": ("edgejoule.measure.runtimes.openvino_runtime", "edgejoule[openvino]", "openvino"),
    "pytorch": ("edgejoule.measure.runtimes.torch_runtime", "edgejoule[zoo]", "torch"),
}


@dataclass(frozen=True)
class NodeTime:
    """One node of a network as the runtime executed it, and the lower envelope of its time over several runs."""

    index: int
    node: str
    operator: str
    duration_ns: int
    input_shapes: str = ""
    output_shapes: str = ""


class Session(Protocol):
    """A model that is loaded and has its input.

    Attributes:
        repeats: inferences in one run; its duration is theirs together.
    """

    repeats: int = 1

    def run(self, times: int) -> np.ndarray:
        """Run back to back; return the duration of each inference (ns), shape (times,)."""

    def condition(self) -> dict:
        """Return clock (``frequency_hz``) and temperature (``temperature_c``) of an accelerator; empty without one."""
        return {}

    def close(self) -> None:
        """Free what it holds."""


class Runtime(Protocol):
    """An inference runtime with its settings."""

    def versions(self) -> dict[str, str]:
        """Return what is installed: package, version, build."""

    def settings(self) -> dict[str, str]:
        """Return the settings that decide speed."""

    def prepare(self, model: Path) -> Session:
        """Load a model."""

    def nodes(self, model: Path, runs: int) -> list[NodeTime]:
        """Time the nodes of a model with the runtime's own profiler; empty where it has none."""

    def middle(
        self, model: bytes, marker: str, runs: int, between: Callable[[], None]
    ) -> tuple[np.ndarray, list[tuple[str, str]]]:
        """Time the nodes whose name holds ``marker``, with ``between`` called before each run.

        Returns:
            The nodes' summed duration in each run (ns), shape (runs,), and each node's name and operator.
        """


def open_runtime(settings: Mapping) -> Runtime:
    """Return the runtime that a device file's ``runtime`` section describes.

    Raises:
        EdgejouleError: no such runtime, its package is not installed, it is not the version that is asked for, or it is
            to run more threads than this machine has processors for it.
    """
    name = settings["name"]
    if name not in RUNTIMES:
        raise EdgejouleError(f"runtime '{name}' cannot be measured live; {did_you_mean(name, RUNTIMES)}")
    threads, processors = settings.get("threads") or 1, len(os.sched_getaffinity(0))
    if threads > processors:
        raise EdgejouleError(
            f"runtime '{name}': 'threads' is {threads}, but this process may use {processors} of the machine's "
            "processors; threads that wait for each other's processor measure nothing of use"
        )
    module, requirement, _ = RUNTIMES[name]
    try:
        driver = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise EdgejouleError(
            f"runtime '{name}' needs the package '{error.name}'; run: pip install '{requirement}'"
        ) from error
    runtime = driver.open(settings)
    installed, wanted = runtime.versions()[name], settings.get("version")
    if wanted and installed != wanted:
        raise EdgejouleError(
            f"runtime '{name}' is installed in version {installed}, but the device file says {wanted}; install that "
            "one, or give the other version a device of its own"
        )
    return runtime


def binaries(name: str) -> dict[str, str]:
    """Return the SHA-256 of each shared library of a runtime that this process has loaded, by the library's name.

    A version does not tell one build from another; these do. Empty before the runtime is opened.
    """
    package = sys.modules.get(RUNTIMES[name][2])
    if package is None:
        return {}
    folder = Path(package.__file__).parent
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    mapped = {Path(parts[5]) for parts in (line.split(maxsplit=5) for line in lines) if len(parts) == 6}
    libraries = sorted(path for path in mapped if ".so" in path.name and path.is_relative_to(folder))
    return {path.name: sha256_of(path) for path in libraries}
