"""Recordings of a Joulescope in its own format, JLS, read by the maker's library ``pyjls``."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.traces.batches import BATCH
from edgejoule.traces.importers.readings import Piece, Rate, Readings, make_readings
from edgejoule.traces.rails import Rail

MAGIC = b"jlsfmt\r\n"


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
            signals = _signals(reader, path)
            wanted = _wanted(signals, voltage, path)
            rates = {signals[name].sample_rate for name in wanted}
            if len(rates) != 1:
                raise EdgejouleError(f"{path}: {' and '.join(wanted)} come at different rates")
            rail = Rail("power", "power", "averaged", unit="W" if wanted == ["power"] else "A x V")
            rate = Rate(float(rates.pop()))
            pieces = _pieces(reader, [signals[name] for name in wanted], voltage or 1.0, path)
            return make_readings(pieces, [rail], str(path), "the Joulescope's, since its start", rate)
    except (OSError, RuntimeError, ValueError) as error:
        raise EdgejouleError(f"{path}: not a readable JLS file: {error}") from error


def _signals(reader: object, path: Path) -> dict:
    signals = [signal for signal in reader.signals.values() if signal.sample_rate]
    names = [signal.name for signal in signals]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EdgejouleError(f"{path}: has '{twice[0]}' of several instruments; export one instrument's signals")
    return dict(zip(names, signals, strict=True))


def _wanted(signals: dict, voltage: float | None, path: Path) -> list[str]:
    for names in (["power"], ["current", "voltage"]):
        if all(name in signals for name in names):
            return names
    if "current" in signals and voltage is not None:
        return ["current"]
    raise EdgejouleError(f"{path}: neither power nor current and voltage among its signals ({', '.join(signals)})")


def _pieces(reader: object, signals: list, factor: float, path: Path) -> Iterator[Piece]:
    """Yield stamps and power, the product of the signals and, for a current alone, the supply's voltage."""
    for signal in signals:
        # A sample takes at least one bit: a header cannot make us read more than the file could hold.
        if signal.length > 8 * path.stat().st_size:
            raise EdgejouleError(f"{path}: claims {signal.length} readings of '{signal.name}', more than it can hold")
    count, period_ns = min(signal.length for signal in signals), 1e9 / signals[0].sample_rate
    for first in range(0, count, BATCH):
        rows = min(BATCH, count - first)
        power = np.asarray(reader.fsr(signals[0].signal_id, first, rows), float)
        for signal in signals[1:]:
            power = power * np.asarray(reader.fsr(signal.signal_id, first, rows), float)
        if len(signals) == 1 and signals[0].name == "current":
            power = power * factor
        yield np.round(np.arange(first + 1, first + rows + 1) * period_ns).astype(np.int64), [power]
