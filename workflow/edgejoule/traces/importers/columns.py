"""Tables of readings, CSV or Parquet: which columns hold time and power, and their units."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from edgejoule.config.models import TraceColumns
from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.traces.importers.readings import Readings, make_readings
from edgejoule.traces.importers.units import CURRENT_A, ENERGY_J, POWER_W, TIME_NS, VOLTAGE_V
from edgejoule.traces.rails import Rail

#: Lines of preamble before the header that are looked at.
PREAMBLE = 50
HEAD_BYTES = 65536
#: What stands for a lost reading.
NO_VALUE = ("", "nan", "NaN", "NA", "N/A", "[N/A]")


def header_of(path: Path, separator: str = ",") -> tuple[list[str], int]:
    """Return the names of a CSV's columns and the number of lines up to and including them.

    Lines that start with ``#`` and hold no separator, and empty ones, are preamble.

    Raises:
        EdgejouleError: no line looks like a header.
    """
    with path.open("rb") as handle:
        head = handle.read(HEAD_BYTES)
    for number, line in enumerate(head.decode("utf-8", "replace").splitlines()[:PREAMBLE], 1):
        names = [name.strip(" \t\"'\ufeff") for name in line.lstrip("#").split(separator)]
        if len(names) > 1 and any(re.search(r"[A-Za-z]", name) for name in names):
            return names, number
    raise EdgejouleError(f"{path}: no line of the first {PREAMBLE} names columns separated by '{separator}'")


def columns_of(path: Path, separator: str = ",") -> list[str]:
    """Return the names of the columns of a CSV or Parquet file."""
    if path.suffix == ".parquet":
        try:
            return pq.read_schema(path).names
        except (pa.ArrowException, OSError) as error:
            raise EdgejouleError(f"{path}: not a readable Parquet file: {error}") from error
    return header_of(path, separator)[0]


def read_columns(path: Path, columns: TraceColumns, rate_hz: float | None, sampling: str) -> Readings:
    """Read a table of readings.

    Args:
        path: CSV or Parquet.
        columns: which columns hold what, in which units.
        rate_hz: declared rate (Hz), if any.
        sampling: ``instantaneous`` or ``averaged``; columns of energy are counters.

    Raises:
        EdgejouleError: a column is missing, there is neither power nor current with a voltage nor energy, or a value
            is no number; the message names file, row and column.
    """
    present = columns_of(path, columns.separator)
    wanted = [name for name in (columns.time, columns.power, columns.current, columns.energy) if name is not None]
    if isinstance(columns.voltage, str):
        wanted.append(columns.voltage)
    for name in wanted:
        if name not in present:
            raise EdgejouleError(f"{path}: no column '{name}'; {did_you_mean(name, present)}")
    if columns.time is None and rate_hz is None:
        raise EdgejouleError(f"{path}: no column of time and no declared rate; give --column time=... or --rate-hz")
    table, notes = _read(path, wanted, columns)
    t_ns = _times(table, columns, rate_hz, path)
    rails = _rails(table, columns, sampling, path)
    declared = rate_hz if columns.time is not None else None
    return make_readings(t_ns, rails, str(path), f"column {columns.time}" if columns.time else "rate", declared, notes)


def _rails(table: pa.Table, columns: TraceColumns, sampling: str, path: Path) -> dict[Rail, np.ndarray]:
    rails: dict[Rail, np.ndarray] = {}
    if columns.power is not None:
        values = _numbers(table, columns.power) * POWER_W[columns.power_unit]
        rails[Rail("power", "power", sampling, unit=columns.power_unit)] = values
    elif columns.current is not None and columns.voltage is not None:
        fixed = isinstance(columns.voltage, float)
        volts = columns.voltage if fixed else _numbers(table, columns.voltage) * VOLTAGE_V[columns.voltage_unit]
        values = _numbers(table, columns.current) * CURRENT_A[columns.current_unit] * volts
        rails[Rail("power", "power", sampling, unit=f"{columns.current_unit} x V")] = values
    if columns.energy is not None:
        scale = ENERGY_J[columns.energy_unit]
        wrap = columns.wrap * scale if columns.wrap is not None else None
        # Power and counter of one supply must not both count; the counter misses nothing between two readings.
        rails = {replace(rail, used=False): values for rail, values in rails.items()}
        counter = Rail("energy", "energy", "counter", wrap_j=wrap, unit=columns.energy_unit)
        rails[counter] = _numbers(table, columns.energy) * scale
    if not rails and columns.current is not None:
        raise EdgejouleError(
            f"{path}: column '{columns.current}' is a current; give the supply's voltage (V), such as --voltage 5"
        )
    if not rails:
        raise EdgejouleError(
            f"{path}: no column of power, current or energy is known; name one, such as --column power=..."
        )
    return rails


def _read(path: Path, wanted: list[str], columns: TraceColumns) -> tuple[pa.Table, tuple[str, ...]]:
    if path.suffix == ".parquet":
        try:
            return pq.read_table(path, columns=wanted), ()
        except (pa.ArrowException, OSError) as error:
            raise EdgejouleError(f"{path}: not a readable Parquet file: {error}") from error
    names, lines = header_of(path, columns.separator)
    unique = [name if names.index(name) == i else f"{name}#{i}" for i, name in enumerate(names)]
    types = dict.fromkeys(wanted, pa.float64())
    if columns.time is not None and columns.time_unit in ("ns", "datetime"):
        types[columns.time] = pa.int64() if columns.time_unit == "ns" else pa.string()
    types |= dict.fromkeys((name for name in wanted if name in columns.with_unit), pa.string())
    try:
        return _parse(path, unique, lines, columns.separator, types), ()
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        # Something is odd: look again, slowly, for short lines, which are left out, and for what is no number.
        odd: list[int] = []
        try:
            texts = _parse(path, unique, lines, columns.separator, dict.fromkeys(wanted, pa.string()), odd)
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise EdgejouleError(f"{path}: {' '.join(str(error).split())}") from error
        return _cast(texts, types, path), ((f"{len(odd)} incomplete line(s) left out",) if odd else ())


def _parse(
    path: Path, names: list[str], lines: int, separator: str, types: dict, odd: list[int] | None = None
) -> pa.Table:
    def skip(row: pa.csv.InvalidRow) -> str:
        odd.append(row.number)
        return "skip"

    return pa.csv.read_csv(
        path,
        # In Latin-1 any byte is a character.
        pa.csv.ReadOptions(
            column_names=names, skip_rows=lines, block_size=1 << 24, encoding="utf8" if odd is None else "latin1"
        ),
        pa.csv.ParseOptions(delimiter=separator, invalid_row_handler=None if odd is None else skip),
        pa.csv.ConvertOptions(
            column_types=types, include_columns=list(types), null_values=list(NO_VALUE), strings_can_be_null=True
        ),
    )


def _cast(texts: pa.Table, types: dict, path: Path) -> pa.Table:
    cast = {}
    for name, kind in types.items():
        column = pc.utf8_trim_whitespace(texts[name])
        try:
            cast[name] = column.cast(kind)
        except pa.ArrowInvalid:
            pattern = r"^[+-]?\d+$" if kind == pa.int64() else r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|(?i)^[+-]?inf$"
            row = pc.index(pc.match_substring_regex(column, pattern), False).as_py()
            shown = repr(column[row].as_py())[:40] if row >= 0 else "a number out of range"
            raise EdgejouleError(f"{path}: reading {row + 1}, column '{name}': {shown} is no number") from None
    return pa.table(cast)


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    column = table[name]
    if pa.types.is_string(column.type):
        digits = pc.replace_substring_regex(column, r"[^0-9eE.+-]", "")
        column = pc.cast(pc.if_else(pc.equal(digits, ""), None, digits), pa.float64())
    return pc.cast(column, pa.float64()).to_numpy()


def _times(table: pa.Table, columns: TraceColumns, rate_hz: float | None, path: Path) -> np.ndarray:
    if columns.time is None:
        return np.round(np.arange(table.num_rows) * (1e9 / rate_hz)).astype(np.int64)
    column = table[columns.time]
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise EdgejouleError(f"{path}: reading {row + 1} has no time in column '{columns.time}'")
    try:
        if columns.time_unit == "datetime":
            if not pa.types.is_timestamp(column.type):
                text = pc.replace_substring(pc.utf8_trim_whitespace(column), "/", "-")
                column = pc.cast(text, pa.timestamp("ns"))
            return pc.cast(pc.cast(column, pa.timestamp("ns")), pa.int64()).to_numpy()
        if columns.time_unit == "ns":
            return pc.cast(column, pa.int64()).to_numpy()
        values = pc.cast(column, pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise EdgejouleError(f"{path}: column '{columns.time}' is no time in {columns.time_unit}: {error}") from error
    scale = TIME_NS[columns.time_unit]
    if not np.isfinite(values).all() or np.abs(values).max(initial=0) >= 2**62 / scale:
        raise EdgejouleError(f"{path}: column '{columns.time}' holds times that are none in {columns.time_unit}")
    return np.round(values * scale).astype(np.int64)
