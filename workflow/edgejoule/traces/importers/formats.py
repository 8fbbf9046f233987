"""The formats of single trace files: how each is recognised, and what its columns and rates are by default."""

from dataclasses import dataclass, replace
from pathlib import Path

from edgejoule.config.models import TraceColumns
from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.traces.importers.columns import Meaning, columns_of, read_columns
from edgejoule.traces.importers.energyrunner import is_energy_trace, read_energy_trace
from edgejoule.traces.importers.jls import is_jls, read_jls
from edgejoule.traces.importers.perf import is_perf, read_perf
from edgejoule.traces.importers.ptdaemon import is_power_log, read_ptdaemon
from edgejoule.traces.importers.readings import Readings
from edgejoule.traces.importers.registry import CANONICAL, RUN_FORMATS
from edgejoule.traces.importers.tegrastats import is_tegrastats, read_tegrastats
from edgejoule.traces.importers.units import assumed_units, guess_columns

HEAD_BYTES = 4096


@dataclass(frozen=True)
class Layout:
    """A table of readings that a meter's software writes.

    Attributes:
        names: words that its columns' names hold, in lower case without spaces; each must be in one of them.
        rate_hz: the meter's own rate, if it has but one (Hz).
        sampling: what a reading of power means.
        more: what its columns' names do not say.
        counts: which of power and energy counts where a file has both: a counter that a program adds up and rounds
            tells less than the readings that it added up.
        same: columns that say what was read: readings of several cannot stand in one trace.
        preferred: patterns of columns' names, in the order in which they are chosen where several could be the same.
    """

    names: tuple[str, ...]
    rate_hz: float | None
    sampling: str
    more: dict
    counts: str = "energy"
    same: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()


SI = {"time_unit": "s", "current_unit": "A", "voltage_unit": "V", "power_unit": "W", "energy_unit": "J"}
#: In the order in which they are tried.
LAYOUTS = {
    "ppk2": Layout(("timestamp(ms)", "current(ua)"), None, "averaged", {}),
    "monsoon": Layout(("time", "(ma)", "voltage(v)"), 5000.0, "averaged", {}, preferred=(r"main.*",)),
    "nvml": Layout(
        ("timestamp", "power.draw"),
        None,
        "instantaneous",
        {"time_unit": "datetime"},
        same=("index", "uuid", "gpu_uuid", "pci.bus_id", "serial"),
        preferred=(r"power\.draw", r"power\.draw\.instant", r"power\.draw\.average"),
    ),
    "rapl": Layout(("time", "energy_uj"), None, "averaged", {"energy_unit": "uJ"}),
    "otii": Layout(("time", "maincurrent"), None, "averaged", {}, "power", preferred=("timestamp", r".*\bmain .*")),
    "joulescope": Layout(("time", "current", "voltage", "power"), None, "averaged", SI, "power"),
    "generic": Layout((), None, "instantaneous", {}),
}
#: Formats that are no tables with a header.
BINARY = {
    "jls": is_jls,
    "energyrunner": is_energy_trace,
    "ptdaemon": is_power_log,
    "tegrastats": is_tegrastats,
    "perf": is_perf,
}
FORMATS = (*BINARY, *LAYOUTS)


def recognise(path: Path, separator: str = ",") -> str:
    """Return the format of a trace file, whose columns, if it is a table, the separator parts.

    Raises:
        EdgejouleError: it cannot be read, is empty, or is in none of the formats.
    """
    demand_file(path)
    try:
        with path.open("rb") as handle:
            head = handle.read(HEAD_BYTES)
    except OSError as error:
        raise EdgejouleError(f"{path}: cannot be read: {error.strerror}") from error
    if not head:
        raise EdgejouleError(f"{path}: is empty")
    for name, fits in BINARY.items():
        if fits(head):
            return name
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise EdgejouleError(f"{path}: is text in UTF-16; save it in UTF-8")
    if head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"\xfd7zXZ", b"BZh")):
        raise EdgejouleError(f"{path}: is compressed; unpack it, or export a CSV of it")
    columns = [column.lower().replace(" ", "") for column in columns_of(path, separator)]
    for name, layout in LAYOUTS.items():
        if layout.names and all(any(word in column for column in columns) for word in layout.names):
            return name
    return "generic"


def demand_file(path: Path) -> None:
    """Stop unless there is a file.

    Raises:
        EdgejouleError: there is none, or a folder.
    """
    if path.is_dir():
        raise EdgejouleError(f"{path}: is a folder; give a trace file ({', '.join(FORMATS)})")
    if not path.exists():
        raise EdgejouleError(f"{path}: no such file; give a trace file ({', '.join(FORMATS)})")


def read_trace_file(
    path: Path, name: str | None = None, columns: TraceColumns | None = None, rate_hz: float | None = None
) -> Readings:
    """Read a trace file.

    Args:
        path: the file.
        name: its format; recognised where not given.
        columns: what the file does not say: columns, units, the supply's voltage; goes over what it says.
        rate_hz: declared rate (Hz); the meter's own where not given.

    Raises:
        EdgejouleError: the format is unknown, or the file cannot be read as it.
    """
    path = Path(path)
    name = name or recognise(path, columns.separator if columns else ",")
    if name in (CANONICAL, *RUN_FORMATS):
        raise EdgejouleError(f"format '{name}' is one of folders; {path} is read as one of {', '.join(FORMATS)}")
    if name not in FORMATS:
        raise EdgejouleError(f"format '{name}' is unknown; {did_you_mean(name, FORMATS)}")
    demand_file(path)
    match name:
        case "jls":
            voltage = columns.voltage if columns and isinstance(columns.voltage, float) else None
            return read_jls(path, voltage)
        case "energyrunner":
            return read_energy_trace(path)
        case "tegrastats":
            return read_tegrastats(path, rate_hz)
        case "ptdaemon":
            return read_ptdaemon(path, rate_hz)
        case "perf":
            return read_perf(path)
    layout = LAYOUTS[name]
    stated = columns.model_dump(exclude_unset=True) if columns else {}
    names = columns_of(path, stated.get("separator", ","))
    guessed = guess_columns(names, stated, str(path), layout.preferred)
    said = guessed.model_dump(exclude_unset=True)
    merged = TraceColumns.model_validate(layout.more | said | stated)
    if name == "nvml":
        merged = merged.model_copy(update={"with_unit": [merged.power] if merged.power else []})
    sampling = "averaged" if name == "nvml" and "average" in str(merged.power) else layout.sampling
    meaning = Meaning(merged.sampling or sampling, layout.counts, layout.same)
    readings = read_columns(path, merged, meaning, rate_hz, layout.rate_hz)
    return replace(readings, notes=(*readings.notes, *assumed_units(merged)))
