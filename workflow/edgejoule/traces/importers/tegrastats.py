"""Logs of NVIDIA's ``tegrastats``: one line per interval with the power of each rail in mW, ``VDD_IN 4980mW/4960mW``.

The first figure is the reading, the second a running average that is not used. Stamps, where there are any, are whole
seconds: the readings' clock is rebuilt from them, or counted at the declared rate.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.jetson import counted, rails_in
from edgejoule.traces.importers.readings import Readings, make_readings
from edgejoule.traces.rails import Rail

STAMP = re.compile(r"^(\d\d-\d\d-\d{4} \d\d:\d\d:\d\d) ")
SECOND_NS = 10**9


def is_tegrastats(head: bytes) -> bool:
    """Whether the beginning of a file is a log of tegrastats."""
    return re.search(rb"\bRAM \d+/\d+MB", head) is not None


def read_tegrastats(path: Path, rate_hz: float | None) -> Readings:
    """Read a log.

    Args:
        path: the log.
        rate_hz: lines a second, needed where they carry no stamps.

    Raises:
        EdgejouleError: no line has a rail, or there are neither stamps nor a rate.
    """
    readings: list[dict[str, float]] = []
    stamps: list[int] = []
    odd = 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        found = rails_in(line)
        if not found:
            odd += bool(line.strip())
            continue
        readings.append(found)
        if match := STAMP.match(line):
            stamps.append(_seconds(match[1], path) * SECOND_NS)
    if not readings:
        raise EdgejouleError(f"{path}: no line names a rail with its power ('VDD_IN 4980mW/4980mW')")
    notes = (f"{odd} line(s) without power left out",) if odd else ()
    stamped = len(stamps) == len(readings) > 1 and stamps[-1] != stamps[0]
    t_ns = np.array(stamps) if stamped else _counted(len(readings), rate_hz, path)
    names = list(dict.fromkeys(name for reading in readings for name in reading))
    used = counted(names)
    rails = [Rail(name, "power", "instantaneous", used=name in used, resolution_w=1e-3, unit="mW") for name in names]
    power_w = [np.array([reading.get(name, np.nan) for reading in readings]) for name in names]
    clock = "stamps of tegrastats, in seconds, rebuilt" if stamped else "rate"
    grain_ns = SECOND_NS if stamped else 0
    return make_readings([(t_ns, power_w)], rails, str(path), clock, None, lambda: notes, grain_ns)


def _seconds(text: str, path: Path) -> int:
    try:
        return int(datetime.strptime(text, "%m-%d-%Y %H:%M:%S").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise EdgejouleError(f"{path}: '{text}' is no time of the form MM-DD-YYYY HH:MM:SS") from error


def _counted(count: int, rate_hz: float | None, path: Path) -> np.ndarray:
    if rate_hz is None:
        raise EdgejouleError(
            f"{path}: its lines carry no times; declare 'rate_hz' (--rate-hz), the inverse of tegrastats' interval"
        )
    return np.round(np.arange(count) * (1e9 / rate_hz)).astype(np.int64)
