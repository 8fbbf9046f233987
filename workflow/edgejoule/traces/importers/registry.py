"""The formats that can be imported, by the name that device files use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.traces.files import Files
from edgejoule.traces.importers import mlperf_inference, mlperf_tiny
from edgejoule.traces.importers.runs import RunFacts
from edgejoule.traces.recording import Recording

CANONICAL = "canonical"


@dataclass(frozen=True)
class RunFormat:
    """A format that comes as a folder of runs, each with its own logs of power and of work.

    Attributes:
        read: ``(files, meta, system, facts) -> Recording``; see ``mlperf_inference``.
        members: files of a run that it needs, relative to the run's folder.
    """

    read: Callable[[Files, Mapping, str | None, Mapping[str, RunFacts]], Recording]
    members: tuple[str, ...]


RUN_FORMATS = {
    "mlperf-inference": RunFormat(mlperf_inference.import_mlperf_inference, mlperf_inference.MEMBERS),
    "mlperf-tiny": RunFormat(mlperf_tiny.import_mlperf_tiny, mlperf_tiny.MEMBERS),
}


def members_of(name: str) -> tuple[str, ...]:
    """Return the files of a run that the importer of a format needs."""
    return run_format(name).members


def run_format(name: str) -> RunFormat:
    """Return the format of runs of that name.

    Raises:
        EdgejouleError: there is none.
    """
    if name not in RUN_FORMATS:
        raise EdgejouleError(f"format '{name}' is unknown; {did_you_mean(name, [CANONICAL, *RUN_FORMATS])}")
    return RUN_FORMATS[name]
