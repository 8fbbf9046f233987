"""Large CSV files block by block: whole lines, parsed side by side, in memory that does not grow with the file."""

import os
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from edgejoule.errors import EdgejouleError

#: Bytes that are parsed at a time.
BLOCK = 1 << 23
#: Blocks that are parsed at the same time, at most.
WORKERS = 4
#: What stands for a lost reading.
NO_VALUE = ("", "nan", "NaN", "NA", "N/A", "[N/A]")
#: A number as NumPy 2 writes it where a program asks for its ``repr``, as PyMonsoon does.
NUMPY = r"^np\.float\d+\((.*)\)$"
#: What people write where a number is wanted.
DATE = re.compile(r"\d{4}[-/]\d\d[-/]\d\d|\d\d?:\d\d")
WITH_UNIT = re.compile(r"[+-]?[\d.]+\s*[munµ]?[A-Za-z]{1,2}")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
WHOLE = r"^[+-]?\d+$"
DECIMAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|(?i)^[+-]?inf$"


@dataclass
class Table:
    """A CSV file: where its rows begin, which columns are wanted, and how many lines were left out.

    Attributes:
        path: the file.
        offset: bytes up to and including the header.
        names: of all its columns.
        separator: between them.
        types: of the columns that are wanted.
        incomplete: lines without all their fields, counted while the file is read.
    """

    path: Path
    offset: int
    names: list[str]
    separator: str
    types: dict[str, pa.DataType]
    incomplete: int = field(default=0)

    def blocks(self) -> Iterator[tuple[int, pa.Table]]:
        """Yield the number of readings before a block, and the wanted columns of its readings.

        Raises:
            EdgejouleError: a value is no number, or a line is far too long; the message names the reading.
        """
        workers = min(WORKERS, os.cpu_count() or 1)
        before = 0
        with ThreadPoolExecutor(workers) as pool:
            pending: deque[Future] = deque()
            source = self._lines()
            try:
                while True:
                    while len(pending) <= workers and (block := next(source, None)) is not None:
                        pending.append(pool.submit(self._parse_or_look, block))
                    if not pending:
                        return
                    table, odd, wrong = pending.popleft().result()
                    if wrong is not None:
                        row, name, what = wrong
                        raise EdgejouleError(f"{self.path}: reading {before + row + 1}, column '{name}': {what}")
                    self.incomplete += odd
                    yield before, table
                    before += table.num_rows
            finally:
                for future in pending:
                    future.cancel()

    def _lines(self) -> Iterator[bytes]:
        """Yield blocks of whole lines."""
        with self.path.open("rb") as handle:
            handle.seek(self.offset)
            rest = b""
            while data := handle.read(BLOCK):
                end = data.rfind(b"\n") + 1
                if not end and len(rest) + len(data) > 2 * BLOCK:
                    raise EdgejouleError(
                        f"{self.path}: a line beyond byte {handle.tell() - len(rest) - len(data)} has no end for "
                        f"{2 * BLOCK:,} bytes; this is no table"
                    )
                if end:
                    yield rest + data[:end]
                    rest = data[end:]
                else:
                    rest += data
            if rest.strip():
                yield rest

    def _parse_or_look(self, block: bytes) -> tuple[pa.Table, int, tuple[int, str, str] | None]:
        """Return the block's readings, its incomplete lines, and what is no number: row, column, why."""
        try:
            return self._parse(block, self.types), 0, None
        except pa.ArrowInvalid:
            # Something is odd: look again, slowly, for short lines, which are left out, and for what is no number.
            odd: list[int] = []
        try:
            texts = self._parse(block, dict.fromkeys(self.types, pa.string()), odd)
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                return self._none(), 0, None
            raise EdgejouleError(f"{self.path}: {' '.join(str(error).split())}") from error
        table, wrong = _cast(texts, self.types)
        return table, len(odd), wrong

    def _none(self) -> pa.Table:
        return pa.table({name: pa.array([], kind) for name, kind in self.types.items()})

    def _parse(self, block: bytes, types: dict[str, pa.DataType], odd: list[int] | None = None) -> pa.Table:
        def skip(row: pa.csv.InvalidRow) -> str:
            odd.append(row.actual_columns)
            return "skip"

        return pa.csv.read_csv(
            pa.BufferReader(block),
            # In Latin-1 any byte is a character.
            pa.csv.ReadOptions(
                column_names=self.names,
                block_size=4 * BLOCK,
                use_threads=False,
                encoding="utf8" if odd is None else "latin1",
            ),
            pa.csv.ParseOptions(delimiter=self.separator, invalid_row_handler=None if odd is None else skip),
            pa.csv.ConvertOptions(
                column_types=types, include_columns=list(types), null_values=list(NO_VALUE), strings_can_be_null=True
            ),
        )


def _cast(texts: pa.Table, types: dict[str, pa.DataType]) -> tuple[pa.Table, tuple[int, str, str] | None]:
    cast = {}
    for name, kind in types.items():
        column = pc.utf8_trim_whitespace(texts[name])
        if kind != pa.string():
            column = pc.replace_substring_regex(column, NUMPY, r"\1")
        try:
            cast[name] = column.cast(kind)
        except pa.ArrowInvalid:
            pattern = WHOLE if kind == pa.int64() else DECIMAL
            row = pc.index(pc.match_substring_regex(column, pattern), False).as_py()
            why = _no_number(column[row].as_py(), name) if row >= 0 else "a number out of range is no number"
            return texts.slice(0, 0), (max(row, 0), name, why)
    return pa.table(cast), None


def _no_number(text: str, name: str) -> str:
    why = f"{text[:40]!r} is no number"
    if DATE.match(text):
        return f"{why}; if it is the time of a reading, say so: --column time={name} --column time_unit=datetime"
    if WITH_UNIT.fullmatch(text):
        return f"{why}; if its unit stands with it, say so: --column with_unit={name}"
    if DECIMAL_COMMA.fullmatch(text):
        return f"{why}; write its decimals with a point, as 'tr , . <old.csv >new.csv' does"
    return why
