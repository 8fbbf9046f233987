"""Recordings of a Joulescope in its own format, JLS, read by the maker's library ``pyjls``."""

import importlib
from pathlib import Path

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.traces.importers.readings import Readings, make_readings
from edgejoule.traces.rails import Rail

MAGIC = b"jlsfmt\r\n"
CHUNK = 1 << 22


def is_jls(head: bytes) -> bool:
    """Whether the beginning of a file is that of JLS."""
    return head.startswith(MAGIC)


def read_jls(path: Path, voltage: float | None = None) -> Readings:
    """Read the power of a JLS file, or current times voltage.

    Args:
        path: the file.
        voltage: of the supply (V), for files that hold a current only.

    Raises:
        EdgejouleError: ``pyjls`` is not installed, the file is damaged, claims more than it can hold, or has no power.
    """
    try:
        pyjls = importlib.import_module("pyjls")
    except ImportError as error:
        raise EdgejouleError(f"{path}: reading JLS needs the package 'pyjls'; pip install pyjls") from error
    try:
        with pyjls.Reader(str(path)) as reader:
            signals = {signal.name: signal for signal in reader.signals.values() if signal.sample_rate}
            wanted = _wanted(signals, voltage, path)
            rates = {signals[name].sample_rate for name in wanted}
            if len(rates) != 1:
                raise EdgejouleError(f"{path}: {' and '.join(wanted)} come at different rates")
            values = [_read(reader, signals[name], path) for name in wanted]
    except (OSError, RuntimeError, ValueError) as error:
        raise EdgejouleError(f"{path}: not a readable JLS file: {error}") from error
    count = min(map(len, values))
    power = values[0][:count] * (values[1][:count] if len(values) > 1 else 1 if wanted == ["power"] else voltage)
    rate = float(rates.pop())
    t_ns = np.round(np.arange(1, count + 1) * (1e9 / rate)).astype(np.int64)
    rail = Rail("power", "power", "averaged", unit="W" if wanted == ["power"] else "A x V")
    return make_readings(t_ns, {rail: power}, str(path), "the Joulescope's, since its start", rate)


def _wanted(signals: dict, voltage: float | None, path: Path) -> list[str]:
    for names in (["power"], ["current", "voltage"]):
        if all(name in signals for name in names):
            return names
    if "current" in signals and voltage is not None:
        return ["current"]
    raise EdgejouleError(f"{path}: neither power nor current and voltage among its signals ({', '.join(signals)})")


def _read(reader: object, signal: object, path: Path) -> np.ndarray:
    # A sample takes at least one bit: a header cannot make us allocate more than the file could hold.
    if signal.length > 8 * path.stat().st_size:
        raise EdgejouleError(f"{path}: claims {signal.length} readings of '{signal.name}', more than it can hold")
    parts = [
        np.asarray(reader.fsr(signal.signal_id, first, min(CHUNK, signal.length - first)), float)
        for first in range(0, signal.length, CHUNK)
    ]
    return np.concatenate(parts) if parts else np.empty(0)
