"""The canonical recording: one folder per device that every importer and every live measurement writes."""

import json
import shutil
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.tables import contracts, empty, read_table, write_batches, write_json, write_table, writing
from edgejoule.traces.batches import FileTrace, Trace, by_rail
from edgejoule.traces.rails import Rail, check_magnitude
from edgejoule.traces.spool import SpooledTrace

#: Keys without which a recording cannot be used.
REQUIRED = ("device", "board", "meter", "clock", "power_scope", "rails")

TABLES = {
    "trace": contracts.TRACE,
    "events": contracts.EVENTS,
    "samples": contracts.SAMPLES,
    "nodes": contracts.NODES,
    "problems": contracts.PROBLEMS,
}

FILES = {"recording.json", *(f"{name}.parquet" for name in TABLES)}
#: Tables that are written without rows where nothing was recorded, so that a missing file is always a lost one.
OPTIONAL = ("samples", "nodes")


@dataclass
class Recording:
    """What a meter and a runtime recorded of one device.

    Attributes:
        meta: ``recording.json``. Required: ``device``, ``board``, ``meter`` (mapping with ``kind``; ``watts`` for the
            kind ``constant``), ``clock``, ``power_scope``, ``rails`` (list; see ``Rail``; empty without a trace).
            Customary: ``rate_hz`` and ``observed_rate_hz``, ``supply``, ``runtime``, ``versions``, ``source``.
            Once written: ``tables``, the names of those that are in the folder.
        events: table ``events``.
        trace: table ``trace``, in memory or where it can be streamed from; None for the meters ``constant`` and
            ``none``.
        samples: table ``samples``, or None.
        nodes: table ``nodes``, or None.
        problems: table ``problems``: what could not be recorded or read, and why.
    """

    meta: dict
    events: pd.DataFrame
    trace: pd.DataFrame | Trace | None = None
    samples: pd.DataFrame | None = None
    nodes: pd.DataFrame | None = None
    problems: pd.DataFrame = field(default_factory=lambda: empty(contracts.PROBLEMS))

    @property
    def rails(self) -> list[Rail]:
        """The rails that the trace reads."""
        return rails_of(self.meta, f"recording of {self.meta.get('device')}")


def rails_of(meta: dict, where: str) -> list[Rail]:
    """Return the rails that the contents of a ``recording.json`` list."""
    return [Rail.from_meta(rail, where) for rail in meta["rails"]]


def check_recording(recording: Recording, where: str) -> None:
    """Stop unless the recording is one that energies can be computed from.

    Raises:
        EdgejouleError: a required key is missing, an event ends before it starts, a rail of the trace is not declared
            or runs backwards in time, or samples speak of an event that is not there.
    """
    check_meta(recording.meta, where)
    check_events(recording.events, where)
    if isinstance(recording.trace, pd.DataFrame):
        check_trace(recording.trace, recording.rails, where)
    if recording.samples is not None:
        unknown = set(recording.samples["event"]) - set(recording.events["event"])
        if unknown:
            raise EdgejouleError(
                f"{where}: samples.parquet speaks of event '{min(unknown)}', which events.parquet lacks"
            )


def check_meta(meta: dict, where: str) -> None:
    """Stop unless ``recording.json`` has the required keys and readable rails."""
    for key in REQUIRED:
        if key not in meta:
            near = get_close_matches(key, set(meta) - set(REQUIRED), n=1)
            hint = f"; it has '{near[0]}': did you mean '{key}'?" if near else ""
            raise EdgejouleError(f"{where}: recording.json lacks the key '{key}'{hint}")
    if not isinstance(meta["meter"], dict) or "kind" not in meta["meter"]:
        raise EdgejouleError(f"{where}: recording.json: 'meter' should be a mapping with the key 'kind'")
    if meta["meter"]["kind"] == "constant" and not meta["meter"].get("watts"):
        raise EdgejouleError(f"{where}: recording.json: a 'constant' meter declares its power in 'meter.watts'")
    names = [rail.name for rail in rails_of(meta, f"{where}: recording.json")]
    if len(set(names)) != len(names):
        raise EdgejouleError(f"{where}: recording.json lists a rail twice: {', '.join(names)}")


def check_events(events: pd.DataFrame, where: str) -> None:
    """Stop unless every event ends after it starts."""
    backwards = events["end_ns"] <= events["start_ns"]
    if backwards.any():
        raise EdgejouleError(f"{where}: event '{events.loc[backwards, 'event'].iloc[0]}' does not end after it starts")


def check_trace(trace: pd.DataFrame, rails: list[Rail], where: str) -> None:
    """Stop unless every rail of the trace is declared, strictly monotonic in time, and reads what a device can draw."""
    declared = {rail.name: rail for rail in rails}
    for name, part in by_rail(trace):
        if name not in declared:
            raise EdgejouleError(f"{where}: the trace has the rail '{name}', which recording.json does not list")
        back = np.flatnonzero(np.diff(part["t_ns"].to_numpy()) <= 0)
        if len(back):
            row = part.index[back[0] + 1]
            raise EdgejouleError(
                f"{where}: trace of rail '{name}': time does not advance in row {row}; sort or repair it"
            )
        rail = declared[name]
        check_magnitude(rail, part[rail.column].to_numpy(float, na_value=np.nan), 0, where)


def read_meta(folder: Path | str) -> dict:
    """Read and check ``recording.json``."""
    path = Path(folder) / "recording.json"
    if not path.is_file():
        raise EdgejouleError(
            f"{folder}: no recording here: there is no {path.name}; give the folder that 'edgejoule trace import', "
            "'traces import' or 'measure record' wrote"
        )
    try:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            raise EdgejouleError(f"{path}: is empty; import or record the trace again")
        meta = json.loads(text)
    except OSError as error:
        raise EdgejouleError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise EdgejouleError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(meta, dict):
        raise EdgejouleError(f"{path}: should hold a mapping, but holds {type(meta).__name__}")
    check_meta(meta, str(folder))
    return meta


def check_files(folder: Path, meta: dict) -> None:
    """Stop unless the tables that ``recording.json`` promises are there; one made by hand need not list them."""
    for name in dict.fromkeys(["events", *(["trace"] if meta["rails"] else []), *meta.get("tables", ())]):
        if not (folder / f"{name}.parquet").is_file():
            raise EdgejouleError(
                f"{folder}: {name}.parquet is missing; restore it, or make the recording again in an empty folder"
            )


def read_recording(folder: Path | str, whole: bool = True) -> Recording:
    """Read a recording and check it.

    Args:
        folder: of the recording.
        whole: whether to hold the trace in memory, and to check it now; else it is streamed when it is used.

    Raises:
        EdgejouleError: it is absent, incomplete or inconsistent; the message says where and how.
    """
    folder = Path(folder)
    meta = read_meta(folder)
    check_files(folder, meta)
    tables = {
        name: read_table(folder / f"{name}.parquet", table)
        for name, table in TABLES.items()
        if (folder / f"{name}.parquet").exists() and (whole or name != "trace")
    }
    if not whole and meta["rails"]:
        tables["trace"] = FileTrace(folder / "trace.parquet")
    recording = Recording(meta, **{name: table for name, table in tables.items() if name not in OPTIONAL or len(table)})
    check_recording(recording, str(folder))
    return recording


def read_nodes(folder: Path | str | None) -> pd.DataFrame | None:
    """Return the runtime's own times of kernels of a recording, or None where there is none or it has none.

    Raises:
        EdgejouleError: they were recorded, and the file is lost; or the folder holds no recording.
    """
    if folder is None:
        return None
    folder = Path(folder)
    check_files(folder, read_meta(folder))
    path = folder / "nodes.parquet"
    nodes = read_table(path, contracts.NODES) if path.is_file() else ()
    return nodes if len(nodes) else None


def write_recording(recording: Recording, folder: Path | str) -> None:
    """Check a recording and write it as a whole: a reader sees the old one, none, or the new one, never a mixture.

    Raises:
        EdgejouleError: see ``check_recording`` and ``check_target``.
    """
    folder = Path(folder)
    check_recording(recording, str(folder))
    check_target(folder)
    keys = ("device", "meter", "runtime", "versions", "source")
    provenance = {key: recording.meta[key] for key in keys if key in recording.meta}
    tables = {name: getattr(recording, name) for name in TABLES}
    tables |= {name: empty(TABLES[name]) for name in OPTIONAL if tables[name] is None}
    tables = {name: data for name, data in tables.items() if data is not None}
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, data in tables.items():
            if isinstance(data, SpooledTrace):
                write_batches(data.frames(), temporary / f"{name}.parquet", TABLES[name], provenance)
            else:
                write_table(data, temporary / f"{name}.parquet", TABLES[name], provenance)
        write_json(temporary / "recording.json", recording.meta | {"tables": sorted(tables)})
        temporary.chmod(0o755)
        replace_folder(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_target(folder: Path) -> None:
    """Check that nothing but a recording would be replaced by one that is written to a folder.

    Raises:
        EdgejouleError: it is a file, or a folder that holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise EdgejouleError(f"{folder}: is a file; a recording is a folder, so give another place")
    strange = sorted({path.name for path in folder.glob("*")} - FILES)
    if strange:
        raise EdgejouleError(f"{folder}: holds '{strange[0]}', which is no part of a recording; give an empty folder")


def replace_folder(new: Path, folder: Path) -> None:
    """Put ``new`` where ``folder`` is (or is not yet), and delete what was there."""
    old = new.with_name(f"{new.name}.old")
    if folder.exists():
        folder.replace(old)
    new.replace(folder)
    shutil.rmtree(old, ignore_errors=True)
