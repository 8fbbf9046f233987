"""Tables of readings, CSV or Parquet: which columns hold time and power, and their units."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from edgejoule.config.models import TraceColumns
from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.traces.batches import BATCH
from edgejoule.traces.importers.blocks import NO_VALUE, Table
from edgejoule.traces.importers.readings import Piece, Rate, Readings, make_readings
from edgejoule.traces.importers.units import CURRENT_A, ENERGY_J, POWER_W, TIME_NS, VOLTAGE_V
from edgejoule.traces.rails import Rail

#: Lines of preamble before the header that are looked at.
PREAMBLE = 50
HEAD_BYTES = 65536
#: Columns that a message lists, at most.
LISTED = 8
#: Readings of current for which a reading of voltage holds, at most; an Otii reads four currents to one voltage.
LONGEST_HOLD = 100


@dataclass(frozen=True)
class Header:
    """Names of a CSV's columns, and the bytes up to and including their line."""

    names: list[str]
    offset: int


def header_of(path: Path, separator: str = ",") -> Header:
    """Return where the columns of a CSV are named, and how.

    Lines that start with ``#`` and hold no separator, and empty ones, are preamble.

    Raises:
        EdgejouleError: no line looks like a header.
    """
    with path.open("rb") as handle:
        lines = handle.read(HEAD_BYTES).splitlines(keepends=True)
    offset = 0
    texts = [_text(line) for line in lines[:PREAMBLE]]
    for line, text in zip(lines, texts, strict=False):
        offset += len(line)
        names = [name.strip(" \t\"'\ufeff") for name in text.split(separator)]
        if len(names) > 1 and any(re.search(r"[A-Za-z]", name) for name in names):
            return Header(names, offset)
    other = next((f"'separator={mark}'" for mark in ";|" if any(mark in text for text in texts)), None)
    other = "$'separator=\\t'" if any("\t" in text for text in texts) else other
    hint = f"; if it is another sign, state it: --column {other}" if other else ""
    raise EdgejouleError(f"{path}: no line of the first {PREAMBLE} names columns separated by '{separator}'{hint}")


def _text(line: bytes) -> str:
    """Return a line of a header; where it is not UTF-8, a micro sign of Windows' must still be one."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    return text.strip("\r\n\ufeff").lstrip("#")


def columns_of(path: Path, separator: str = ",") -> list[str]:
    """Return the names of the columns of a CSV or Parquet file."""
    if path.suffix == ".parquet":
        try:
            return pq.read_schema(path).names
        except (pa.ArrowException, OSError) as error:
            raise EdgejouleError(f"{path}: not a readable Parquet file: {error}") from error
    return header_of(path, separator).names


@dataclass(frozen=True)
class Meaning:
    """What a table's columns mean.

    Attributes:
        sampling: ``instantaneous`` or ``averaged``; columns of energy are counters.
        counts: which of ``power`` and ``energy`` counts where the table has both.
        same: columns that say what was read, which must be one thing.
    """

    sampling: str
    counts: str = "energy"
    same: tuple[str, ...] = ()


def read_columns(
    path: Path, columns: TraceColumns, meaning: Meaning, rate_hz: float | None, usual_hz: float | None = None
) -> Readings:
    """Read a table of readings.

    Args:
        path: CSV or Parquet.
        columns: which columns hold what, in which units.
        meaning: what they mean.
        rate_hz: declared rate (Hz), if any.
        usual_hz: the meter's own rate (Hz), if it has but one, which a file may hold averages of.

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
        if present.count(name) > 1:
            raise EdgejouleError(f"{path}: has {present.count(name)} columns '{name}'; rename those that do not count")
    if columns.time is not None:
        clock, rate, counted_hz = f"column {columns.time}", Rate(rate_hz, usual_hz), None
    else:
        # Without stamps readings are counted, at a rate that is then beyond doubt.
        clock, rate, counted_hz = "rate", Rate(), rate_hz or usual_hz
        if counted_hz is None:
            raise EdgejouleError(
                f"{path}: no declared rate, and no column is known to hold time ({_listed(present)}); give --rate-hz, "
                "or name the column, such as --column time=..."
            )
    hold = Hold()
    rails = _rails(columns, meaning, hold, path, present)
    table, same = None, [name for name in meaning.same if name in present]
    if path.suffix == ".parquet":
        blocks = _parquet(path, [*wanted, *same])
    else:
        table = _table(path, wanted, same, columns)
        blocks = table.blocks()

    def notes() -> tuple[str, ...]:
        if table is None or not table.incomplete:
            return hold.notes()
        return (f"{table.incomplete} line(s) without exactly {len(table.names)} fields left out", *hold.notes())

    pieces = _pieces(_of_one(blocks, same, path), columns, rails, counted_hz, path)
    return make_readings(pieces, list(rails), str(path), clock, rate, notes)


class Hold:
    """A voltage that is read less often than the current: each reading of it holds until the next, but not for long."""

    def __init__(self) -> None:
        self._last, self._since, self.held = np.nan, 0, 0

    def fill(self, volts: np.ndarray, amperes: np.ndarray) -> np.ndarray:
        """Return the voltages (V) with those filled in that lack beside a current."""
        lost = np.isnan(volts)
        if not lost.any():
            self._last, self._since = volts[-1] if len(volts) else self._last, 0
            return volts
        number = np.arange(len(volts))
        last = np.maximum.accumulate(np.where(lost, -1, number))
        age = np.where(last < 0, self._since + number + 1, number - last)
        held = np.where(last < 0, self._last, volts[last])
        self._last, self._since = held[-1], int(age[-1])
        held = np.where(age <= LONGEST_HOLD, held, np.nan)
        self.held += int((lost & ~np.isnan(held * amperes)).sum())
        return held

    def notes(self) -> tuple[str, ...]:
        """Return a note on how many readings this concerned."""
        if not self.held:
            return ()
        return (f"{self.held} reading(s) of current have no voltage of their own: the voltage before them holds",)


def _of_one(blocks: Iterator[tuple[int, pa.Table]], same: list[str], path: Path) -> Iterator[tuple[int, pa.Table]]:
    """Yield the blocks; stop where a column that says what was read changes."""
    first: dict[str, str] = {}
    for before, block in blocks:
        for name in same:
            for value in pc.unique(pc.utf8_trim_whitespace(pc.cast(block[name], pa.string()))).to_pylist():
                if first.setdefault(name, value) != value:
                    raise EdgejouleError(
                        f"{path}: behind reading {before}: column '{name}' holds '{first[name]}' and '{value}'; "
                        "one trace is of one of them: split the file"
                    )
        yield before, block


#: From a block of the table to the readings of one rail.
Take = Callable[[pa.Table], np.ndarray]


def _listed(names: Sequence[str]) -> str:
    """Return the first few of a file's columns, for messages."""
    return ", ".join(f"'{name}'" for name in names[:LISTED]) + (", ..." if len(names) > LISTED else "")


def _rails(columns: TraceColumns, meaning: Meaning, hold: Hold, path: Path, present: Sequence[str]) -> dict[Rail, Take]:
    rails: dict[Rail, Take] = {}
    if columns.power is not None:
        rails[Rail("power", "power", meaning.sampling, unit=columns.power_unit)] = _scaled(
            columns.power, columns.power_unit, POWER_W
        )
    elif columns.current is not None and columns.voltage is not None:
        amperes = _scaled(columns.current, columns.current_unit, CURRENT_A)
        if isinstance(columns.voltage, float):
            take = _scaled(columns.current, columns.current_unit, CURRENT_A, columns.voltage)
        else:
            volts = _scaled(columns.voltage, columns.voltage_unit, VOLTAGE_V)

            def take(block: pa.Table) -> np.ndarray:
                current = amperes(block)
                return current * hold.fill(volts(block), current)

        rails[Rail("power", "power", meaning.sampling, unit=f"{columns.current_unit} x V")] = take
    if columns.energy is not None:
        scale = ENERGY_J[columns.energy_unit]
        wrap = columns.wrap * scale if columns.wrap is not None else None
        counter = Rail("energy", "energy", "counter", wrap_j=wrap, unit=columns.energy_unit)
        # Power and counter of one supply must not both count; a counter misses nothing between two readings.
        if rails and meaning.counts == "power":
            counter = replace(counter, used=False)
        else:
            rails = {replace(rail, used=False): take for rail, take in rails.items()}
        rails[counter] = _scaled(columns.energy, columns.energy_unit, ENERGY_J)
    if not rails and columns.current is not None:
        raise EdgejouleError(
            f"{path}: column '{columns.current}' is a current; give the supply's voltage (V), such as --voltage 5"
        )
    if not rails:
        raise EdgejouleError(
            f"{path}: no column is known to hold power, current or energy ({_listed(present)}); name one, such as "
            "--column power=..."
        )
    return rails


def _table(path: Path, wanted: list[str], same: list[str], columns: TraceColumns) -> Table:
    header = header_of(path, columns.separator)
    names = header.names
    unique = [name if names.index(name) == i else f"{name}#{i}" for i, name in enumerate(names)]
    types = dict.fromkeys(wanted, pa.float64())
    if columns.time is not None and columns.time_unit in ("ns", "datetime"):
        types[columns.time] = pa.int64() if columns.time_unit == "ns" else pa.string()
    types |= dict.fromkeys((*(name for name in wanted if name in columns.with_unit), *same), pa.string())
    return Table(path, header.offset, unique, columns.separator, types)


def _parquet(path: Path, wanted: list[str]) -> Iterator[tuple[int, pa.Table]]:
    before = 0
    try:
        for batch in pq.ParquetFile(path, pre_buffer=False).iter_batches(BATCH, columns=wanted):
            yield before, pa.table(batch)
            before += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise EdgejouleError(f"{path}: not a readable Parquet file: {error}") from error


def _pieces(
    blocks: Iterator[tuple[int, pa.Table]],
    columns: TraceColumns,
    rails: dict[Rail, Take],
    counted_hz: float | None,
    path: Path,
) -> Iterator[Piece]:
    for before, block in blocks:
        if counted_hz is not None:
            t_ns = np.round(np.arange(before, before + block.num_rows) * (1e9 / counted_hz)).astype(np.int64)
        else:
            t_ns = _times(block, columns, before, path)
        try:
            values = [take(block) for take in rails.values()]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            reason = " ".join(str(error).split())
            raise EdgejouleError(f"{path}: behind reading {before}: not a number: {reason}") from error
        yield t_ns, values


def _scaled(name: str, unit: str, scales: Mapping[str, float], factor: float = 1.0) -> Take:
    return lambda block: _numbers(block, name, unit) * (scales[unit] * factor)


def _numbers(table: pa.Table, name: str, unit: str) -> np.ndarray:
    column = table[name]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        texts = pc.utf8_trim_whitespace(column)
        numbers = pc.replace_substring_regex(texts, rf"([\d.])\s*{unit}$", r"\1")
        column = pc.if_else(pc.is_in(numbers, pa.array(NO_VALUE)), None, numbers)
    return pc.cast(column, pa.float64()).to_numpy()


def _times(table: pa.Table, columns: TraceColumns, before: int, path: Path) -> np.ndarray:
    column = table[columns.time]
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise EdgejouleError(f"{path}: reading {before + row + 1} has no time in column '{columns.time}'")
    try:
        if columns.time_unit == "datetime":
            if not pa.types.is_timestamp(column.type):
                text = pc.replace_substring(pc.utf8_trim_whitespace(column), "/", "-")
                zoned = re.search(r"(Z|[+-]\d\d:?\d\d)$", text[0].as_py() if len(text) else "")
                column = pc.cast(text, pa.timestamp("ns", "UTC" if zoned else None))
            return pc.cast(pc.cast(column, pa.timestamp("ns", column.type.tz)), pa.int64()).to_numpy()
        if columns.time_unit == "ns":
            return pc.cast(column, pa.int64()).to_numpy()
        values = pc.cast(column, pa.float64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        reason = " ".join(str(error).split())
        if pa.types.is_timestamp(column.type):
            reason = "it holds dates; state --column time_unit=datetime"
        raise EdgejouleError(
            f"{path}: behind reading {before}: column '{columns.time}' is no time in {columns.time_unit}: {reason}"
        ) from error
    scale = TIME_NS[columns.time_unit]
    wrong = ~(np.abs(values) < 2**62 / scale)
    if wrong.any():
        raise EdgejouleError(
            f"{path}: reading {before + int(np.argmax(wrong)) + 1}: column '{columns.time}' holds "
            f"{values[wrong][0]:g}, which is no time in {columns.time_unit}; state its unit, such as "
            "--column time_unit=ms"
        )
    return np.round(values * scale).astype(np.int64)
