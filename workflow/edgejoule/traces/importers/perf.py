"""RAPL energies that ``perf stat -I MS -x,`` prints: seconds, joules since the line before, unit, event."""

from pathlib import Path

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.traces.importers.readings import Readings, make_readings
from edgejoule.traces.rails import Rail

#: Events whose energy is part of another's: cores and graphics of the package, the platform beside both.
PARTS = ("energy-cores", "energy-gpu")


def is_perf(head: bytes) -> bool:
    """Whether the beginning of a file is ``perf stat`` output of RAPL events."""
    return b"Joules" in head and b"power/energy-" in head


def read_perf(path: Path) -> Readings:
    """Read energies per interval as power averaged over each interval.

    Raises:
        EdgejouleError: there are no energies, a line is not of the form, or two events have different stamps.
    """
    series: dict[str, list[tuple[float, float]]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        fields = [field.strip() for field in line.split(",")]
        if len(fields) < 4 or line.startswith("#") or "power/energy-" not in line:
            continue
        event = next(field for field in fields if "power/energy-" in field).split("power/")[1].strip("/")
        try:
            value = float(fields[1]) if fields[1] not in ("<not counted>", "<not supported>") else np.nan
            series.setdefault(event, []).append((float(fields[0]), value))
        except ValueError as error:
            raise EdgejouleError(f"{path}: line {number} is not 'seconds,joules,Joules,event'") from error
    if not series:
        raise EdgejouleError(f"{path}: no line holds joules of a RAPL event ('power/energy-pkg/')")
    times = {event: np.array([stamp for stamp, _ in values]) for event, values in series.items()}
    first = next(iter(times.values()))
    for event, stamps in times.items():
        if len(stamps) != len(first) or not np.array_equal(stamps, first):
            raise EdgejouleError(f"{path}: {event} has {len(stamps)} stamps that differ from the others'")
    if not np.isfinite(first).all() or (np.diff(first, prepend=0.0) <= 0).any() or first[-1] > 1e9:
        raise EdgejouleError(f"{path}: its times, in seconds since the start, do not advance")
    seconds = np.diff(first, prepend=0.0)
    whole = "energy-psys" if "energy-psys" in series else None
    rails = [
        Rail(event, "power", "averaged", used=event == whole if whole else event not in PARTS, unit="J per interval")
        for event in series
    ]
    power_w = [np.array([value for _, value in values]) / seconds for values in series.values()]
    piece = (np.round(first * 1e9).astype(np.int64), power_w)
    return make_readings([piece], rails, str(path), "perf's, since its start")
