"""From a device's source to its canonical recording."""

from collections.abc import Sequence
from pathlib import Path

from edgejoule.config import Device
from edgejoule.errors import EdgejouleError
from edgejoule.tables.vocabulary import PRECISIONS
from edgejoule.traces.files import Files
from edgejoule.traces.importers.registry import CANONICAL, run_format
from edgejoule.traces.importers.runs import RunFacts
from edgejoule.traces.manifest import PinnedFile, read_manifest
from edgejoule.traces.recording import Recording, read_recording


def import_device(device: Device, archives: Sequence[Path | str] = ()) -> Recording:
    """Return the canonical recording of a device of source ``traces`` or ``live``.

    Args:
        device: the device, from its file, which names format and folder or manifest.
        archives: what was retrieved for its manifest; for a live device, the ``recording.json`` that measuring it gave.

    Raises:
        EdgejouleError: the source is a table, its format is unknown, or it cannot be read.
    """
    source = device.source
    if source.kind == "table":
        raise EdgejouleError(f"device '{device.name}' is of source 'table'; only 'traces' and 'live' are imported")
    if source.kind == "live":
        if len(archives) != 1:
            raise EdgejouleError(f"device '{device.name}' is live; give the one recording.json that measuring it gave")
        return _canonical(device, Path(archives[0]).parent)
    if (source.folder is None) == (source.manifest is None):
        raise EdgejouleError(f"device '{device.name}': a source of traces names either a 'folder' or a 'manifest'")
    if source.format == CANONICAL:
        return _canonical(device, source.folder)
    meta = {
        "device": device.name,
        "board": device.board,
        "meter": device.meter.model_dump(exclude_none=True),
        "power_scope": device.power_scope,
        "runtime": device.runtime.model_dump(exclude_none=True),
        "format": source.format,
    }
    runs = run_format(source.format)
    if source.folder is not None:
        return runs.read(Files([source.folder]), meta, None, {})
    facts = _facts(read_manifest(source.manifest), runs.members)
    return runs.read(Files(archives), meta, device.name, facts)


def _canonical(device: Device, folder: Path | str | None) -> Recording:
    if folder is None:
        raise EdgejouleError(f"device '{device.name}': a canonical recording is a 'folder', not a 'manifest'")
    recording = read_recording(folder)
    for key, value in (("device", device.name), ("board", device.board), ("power_scope", device.power_scope)):
        if recording.meta[key] != value:
            raise EdgejouleError(f"{folder}: {key} is '{recording.meta[key]}', but the device file says '{value}'")
    return recording


def _facts(pinned: Sequence[PinnedFile], members: Sequence[str]) -> dict[str, RunFacts]:
    """Return network and precision by run folder."""
    return {
        file.name.removesuffix(f"/{member}"): RunFacts(
            file.network, file.precision if file.precision in PRECISIONS else None
        )
        for file in pinned
        for member in members
        if file.network and file.name.endswith(f"/{member}")
    }
