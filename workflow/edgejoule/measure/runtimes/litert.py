"""LiteRT (TensorFlow Lite) on the processor, with XNNPACK, by number of threads."""

import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.measure.runtimes.base import NodeTime, Session
from edgejoule.measure.runtimes.inputs import random_input
from edgejoule.measure.runtimes.litert_library import Library, Model, Operator

#: Runs under the profiler that do not count.
WARM = 2
NS_PER_US = 1000
#: What the profile calls the producers and consumers of a sandwich.
NEIGHBOUR = "Abs"


def open(settings: Mapping) -> "LiteRt":
    """Return the runtime for a device file's ``runtime`` section."""
    backend = settings.get("backend", "cpu")
    if backend != "cpu":
        raise EdgejouleError(f"LiteRT has no backend '{backend}' here; available: cpu")
    return LiteRt(settings.get("threads") or 1)


class LiteRt:
    """LiteRT on the processor; what XNNPACK does not take runs in LiteRT's own kernels."""

    def __init__(self, threads: int) -> None:
        self.threads, self.library = threads, Library()

    def versions(self) -> dict[str, str]:
        """Return the version of LiteRT's package, which brings XNNPACK."""
        return {"litert": version("ai-edge-litert")}

    def settings(self) -> dict[str, str]:
        """Return accelerator and threads."""
        return {"accelerator": "cpu", "delegate": "XNNPACK", "threads": str(self.threads)}

    def _load(self, model: Path | bytes, profile: bool = False) -> Model:
        name = model.name if isinstance(model, Path) else "model"
        try:
            loaded = Model(self.library, model, self.threads, profile)
            for index, kind in enumerate(loaded.input_types):
                loaded.write(index, random_input(str(index), kind.shape, kind.dtype))
        except EdgejouleError as error:
            raise EdgejouleError(f"{name}: LiteRT does not load it: {error}") from error
        return loaded

    def prepare(self, model: Path) -> "LiteRtSession":
        """Load a model and fill its inputs with pseudo-random numbers."""
        return LiteRtSession(self._load(model))

    def nodes(self, model: Path, runs: int) -> list[NodeTime]:
        """Time the operators with LiteRT's own profiler: the fastest of ``runs`` runs of each, in whole microseconds.

        Operators inside XNNPACK have the names of its implementation, such as 'Convolution (NHWC, F32) IGEMM'; nodes
        are named by their place, since XNNPACK keeps no names.
        """
        profiles = self._profile(model, WARM + runs, lambda: None)[WARM:]
        return [
            NodeTime(index, name_of(index, once[0]), once[0].name, min(each.duration_us for each in once) * NS_PER_US)
            for index, once in enumerate(zip(*profiles, strict=True))
        ]

    def middle(
        self, model: bytes, marker: str, runs: int, between: Callable[[], None]
    ) -> tuple[np.ndarray, list[tuple[str, str]]]:
        """Time what stands between the neighbours in a sandwich, with ``between`` called before each run.

        Names do not reach XNNPACK, so operators are told by what neighbours are (absolute values), not
        by ``marker``.

        Returns:
            The operators' summed duration in each run (ns), shape (runs,), and each one's name and operator.
        """
        profiles = [
            [(place, operator) for place, operator in enumerate(profile) if not operator.name.startswith(NEIGHBOUR)]
            for profile in self._profile(model, 1 + runs, between)[1:]
        ]
        total = np.array([sum(one.duration_us for _, one in profile) for profile in profiles], np.int64) * NS_PER_US
        return total, [(name_of(place, operator), operator.name) for place, operator in profiles[0]]

    def _profile(self, model: Path | bytes, runs: int, between: Callable[[], None]) -> list[list[Operator]]:
        """Run a model under the profiler and return the operators of each run."""
        loaded = self._load(model, profile=True)
        profiles = []
        try:
            for _ in range(runs):
                between()
                profiles.append(loaded.profile())
        finally:
            loaded.close()
        return profiles


def name_of(index: int, operator: Operator) -> str:
    """Return a name for the operator at this place: who executes it, and where."""
    return f"{'xnnpack' if operator.delegated else 'litert'}/{index}"


class LiteRtSession(Session):
    """A loaded model with its inputs filled."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def run(self, times: int) -> np.ndarray:
        """Run back to back; return the duration of each inference (ns), shape (times,)."""
        durations = np.empty(times, np.int64)
        run, clock, failed = self.model.run, time.perf_counter_ns, 0
        for index in range(times):
            start = clock()
            failed |= run()
            durations[index] = clock() - start
        if failed:
            raise EdgejouleError(f"{self.model.name}: LiteRT failed to run it")
        return durations

    def close(self) -> None:
        """Free the model."""
        self.model.close()
