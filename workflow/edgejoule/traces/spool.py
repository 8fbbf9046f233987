"""Readings on their way from an importer to a recording: in memory while they are few, in temporary files beyond."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile, gettempdir

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.traces.batches import BATCH, Batch
from edgejoule.traces.rails import Rail

#: Bytes of a column that stay in memory.
IN_MEMORY = 1 << 26


class Column:
    """Numbers of one type, appended piece by piece and read back in batches."""

    def __init__(self, kind: type) -> None:
        self.kind = np.dtype(kind)
        self.count = 0
        self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115

    def add(self, values: np.ndarray) -> None:
        """Append values.

        Raises:
            EdgejouleError: the disk is full.
        """
        try:
            self._file.write(np.ascontiguousarray(values, self.kind).data)
        except OSError as error:
            raise EdgejouleError(
                f"{gettempdir()}: {error.strerror}; readings wait there until their clock is known: set TMPDIR to a "
                "folder with 8 bytes of room for each reading of each rail and as much for its time"
            ) from error
        self.count += len(values)

    def batches(self, rows: int = BATCH) -> Iterator[np.ndarray]:
        """Yield the values, ``rows`` at a time."""
        for first in range(0, self.count, rows):
            yield self.read(first, rows)

    def read(self, first: int, rows: int) -> np.ndarray:
        """Return up to ``rows`` values from number ``first`` on."""
        self._file.seek(first * self.kind.itemsize)
        return np.frombuffer(self._file.read(min(rows, self.count - first) * self.kind.itemsize), self.kind)


class Spool:
    """Stamps, and the readings of each of some rails at them."""

    def __init__(self, rails: int) -> None:
        self.times = Column(np.int64)
        self.values = [Column(np.float64) for _ in range(rails)]

    def add(self, t_ns: np.ndarray, values: Sequence[np.ndarray]) -> None:
        """Append stamps (ns) and one array of readings for each rail; what is infinite is lost."""
        self.times.add(t_ns)
        for column, part in zip(self.values, values, strict=True):
            column.add(np.where(np.isinf(part), np.nan, part) if np.isinf(part).any() else part)

    def retime(self, pieces: Iterable[np.ndarray]) -> None:
        """Put other stamps (ns), which come in pieces, in the place of those that are there."""
        times = Column(np.int64)
        for t_ns in pieces:
            times.add(t_ns)
        self.times = times


@dataclass(frozen=True)
class SpooledTrace:
    """The rows of table ``trace`` that a spool makes up: rail by rail, each in order of time.

    Attributes:
        spool: the readings.
        rails: what they are of, in the order of the spool's columns.
        clock: ``(number of the first reading, its stamp and the following ones) -> times (ns)``.
    """

    spool: Spool
    rails: tuple[Rail, ...]
    clock: Callable[[int, np.ndarray], np.ndarray]

    def __len__(self) -> int:
        return self.spool.times.count * len(self.rails)

    @property
    def span_ns(self) -> tuple[int, int]:
        """Times of the first and the last reading (ns)."""
        last = self.spool.times.count - 1
        return tuple(int(self.clock(number, self.spool.times.read(number, 1))[0]) for number in (0, last))

    def times(self, rows: int = BATCH) -> Iterator[np.ndarray]:
        """Yield the times of the readings (ns), ``rows`` at a time."""
        first = 0
        for stamps in self.spool.times.batches(rows):
            yield self.clock(first, stamps)
            first += len(stamps)

    def batches(self, rails: Mapping[str, Rail], rows: int = BATCH) -> Iterator[Batch]:
        """Yield the readings of each of ``rails``."""
        for rail, column in zip(self.rails, self.spool.values, strict=True):
            if rail.name in rails:
                for t_ns, values in zip(self.times(rows), column.batches(rows), strict=True):
                    yield rail.name, t_ns, values

    def sums(self, names: Sequence[str], rows: int = BATCH) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield times (ns) and the sum of the readings of the rails of these names."""
        columns = [
            column.batches(rows)
            for rail, column in zip(self.rails, self.spool.values, strict=True)
            if rail.name in names
        ]
        for t_ns, *values in zip(self.times(rows), *columns, strict=True):
            yield t_ns, np.sum(values, axis=0) if len(values) > 1 else values[0]

    def frames(self, rows: int = BATCH) -> Iterator[pd.DataFrame]:
        """Yield the rows of table ``trace``, ``rows`` at a time."""
        for rail in self.rails:
            for _, t_ns, values in self.batches({rail.name: rail}, rows):
                power, energy = (values, np.nan) if rail.quantity == "power" else (np.nan, values)
                name = pd.Categorical.from_codes(np.zeros(len(t_ns), np.int8), [rail.name])
                yield pd.DataFrame({"t_ns": t_ns, "power_w": power, "energy_j": energy, "rail": name}, copy=False)
