"""From a device's source to its canonical recording."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgejoule.config import Device
from edgejoule.config.models import Alignment, Segments
from edgejoule.errors import EdgejouleError
from edgejoule.tables import empty
from edgejoule.tables.contracts import EVENTS
from edgejoule.tables.vocabulary import PRECISIONS
from edgejoule.traces.align import read_offset
from edgejoule.traces.events import find_events, power_of, read_events, with_pauses
from edgejoule.traces.files import Files
from edgejoule.traces.importers.formats import FORMATS, read_trace_file
from edgejoule.traces.importers.readings import Readings
from edgejoule.traces.importers.registry import CANONICAL, run_format
from edgejoule.traces.importers.runs import RunFacts
from edgejoule.traces.manifest import PinnedFile, read_manifest
from edgejoule.traces.recording import Recording, read_recording


def import_device(device: Device, archives: Sequence[Path | str] = ()) -> Recording:
    """Return the canonical recording of a device of source ``traces`` or ``live``.

    Args:
        device: the device, from its file, which names format and folder, file or manifest.
        archives: what was retrieved for its manifest; for a live device, the ``recording.json`` that measuring it gave.

    Raises:
        EdgejouleError: the source is a table, its format is unknown, or it cannot be read.
    """
    recording = _read(device, archives)
    accuracy, resolution = device.meter.accuracy_percent, device.meter.resolution_w
    rails = [
        replace(
            rail,
            accuracy_percent=accuracy or rail.accuracy_percent,
            resolution_w=resolution if resolution and rail.quantity == "power" else rail.resolution_w,
        )
        for rail in recording.rails
    ]
    return replace(recording, meta=recording.meta | {"rails": [rail.to_meta() for rail in rails]})


def _read(device: Device, archives: Sequence[Path | str]) -> Recording:
    source = device.source
    if source.kind == "table":
        raise EdgejouleError(f"device '{device.name}' is of source 'table'; only 'traces' and 'live' are imported")
    if source.kind == "live":
        if len(archives) != 1:
            raise EdgejouleError(f"device '{device.name}' is live; give the one recording.json that measuring it gave")
        return _canonical(device, Path(archives[0]).parent)
    if sum(place is not None for place in (source.folder, source.manifest, source.file)) != 1:
        raise EdgejouleError(f"device '{device.name}': a source of traces names one of 'folder', 'manifest', 'file'")
    meta = {
        "device": device.name,
        "board": device.board,
        "meter": device.meter.model_dump(exclude_none=True),
        "power_scope": device.power_scope,
        "runtime": device.runtime.model_dump(exclude_none=True),
        "format": source.format,
    }
    if source.file is not None:
        return _single(device, meta)
    if source.format == CANONICAL:
        return _canonical(device, source.folder)
    if source.format in FORMATS:
        raise EdgejouleError(
            f"device '{device.name}': format '{source.format}' is one of single files; name it in 'file'"
        )
    runs = run_format(source.format)
    if source.folder is not None:
        return runs.read(Files([source.folder]), meta, None, {})
    facts = _facts(read_manifest(source.manifest), runs.members)
    return runs.read(Files(archives), meta, device.name, facts)


def _single(device: Device, meta: dict) -> Recording:
    source = device.source
    if (source.events is None) == (source.segments is None):
        raise EdgejouleError(f"device '{device.name}': a trace file needs either 'events' or 'segments' for its events")
    if source.alignment is not None and source.events is None:
        raise EdgejouleError(
            f"device '{device.name}': 'alignment' lays the clock of 'events' on the trace's; give both"
        )
    readings = read_trace_file(Path(source.file), source.format, source.columns, device.meter.rate_hz)
    return recording_of(readings, meta, Path(source.file), source.events, source.segments, source.alignment)


def recording_of(
    readings: Readings,
    meta: dict,
    path: Path,
    events: Path | str | None = None,
    segments: Segments | None = None,
    alignment: Alignment | None = None,
) -> Recording:
    """Return the recording of a trace file.

    Args:
        readings: what the file holds.
        meta: ``device``, ``board``, ``meter``, ``power_scope`` and whatever else ``recording.json`` is to say.
        path: the file.
        events: a file of marks; or
        segments: how events are found in the trace; without either there are none.
        alignment: how the marks' clock is laid on the trace's, where they are two.
    """
    if events is not None:
        table = read_events(events)
        if alignment is not None:
            method, offset = read_offset(lambda: power_of(readings, path.name), alignment)
            table = table.assign(start_ns=offset.shifted(table["start_ns"]), end_ns=offset.shifted(table["end_ns"]))
            known = None if np.isnan(offset.uncertainty_ns) else offset.uncertainty_ns
            about = {"method": method, "offset_ns": round(offset.offset_ns), "uncertainty_ns": known}
            drift = {"drift": offset.drift, "at_ns": offset.at_ns} if offset.drift else {}
            meta = meta | {"alignment": about | drift}
        table = with_pauses(table, readings.stream.span_ns, Path(events).name)
    elif segments is not None:
        table = find_events(readings, segments, path.name)
    else:
        table = empty(EVENTS)
    period = max(rail.observed_period_ns for rail in readings.rails)
    about = {
        "rails": [rail.to_meta() for rail in readings.rails],
        "clock": readings.clock,
        "observed_rate_hz": 1e9 / period,
        "notes": list(readings.notes),
        "source": path.name,
    }
    return Recording(meta | about, table, readings.stream)


def check_replaceable(recording: Recording, folder: Path) -> None:
    """Stop if ``folder`` holds something else than an earlier import of the same file for the same device.

    Raises:
        EdgejouleError: what is there is another recording, or none that can be read.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise EdgejouleError(f"{folder}: is a file; give a folder for the recording")
    held = sorted(path.name for path in folder.iterdir())
    if not held:
        return
    if "recording.json" not in held:
        raise EdgejouleError(f"{folder}: holds '{held[0]}' and no recording; give a new or an empty folder")
    old = read_recording(folder, whole=False)
    same = all(old.meta.get(key) == recording.meta.get(key) for key in ("device", "source"))
    if not same or old.trace is None or len(old.trace) != len(recording.trace):
        raise EdgejouleError(
            f"{folder}: holds another recording, of device '{old.meta['device']}' from "
            f"'{old.meta.get('source', 'an unnamed file')}'; give another folder, or delete this one first"
        )


def _canonical(device: Device, folder: Path | str | None) -> Recording:
    if folder is None:
        raise EdgejouleError(f"device '{device.name}': a canonical recording is a 'folder'")
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
