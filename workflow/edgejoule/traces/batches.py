"""Readings of a trace, rail by rail and batch by batch, from memory or streamed from a Parquet file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from edgejoule.errors import EdgejouleError
from edgejoule.traces.rails import Rail

#: Readings per batch when a trace is streamed from its file.
BATCH = 1 << 20

#: Name of the rail, stamps (ns), readings (W, or J of a counter; nan = lost).
Batch = tuple[str, np.ndarray, np.ndarray]


class Trace(Protocol):
    """The rows of table ``trace``, wherever they are, rail by rail and batch by batch."""

    def __len__(self) -> int:
        """Number of rows."""

    def batches(self, rails: Mapping[str, Rail], rows: int = BATCH) -> Iterator[Batch]:
        """Yield the readings of each of ``rails``, ``rows`` at a time, each rail in order of time."""


@dataclass(frozen=True)
class FileTrace:
    """A trace in a Parquet file."""

    path: Path

    def __len__(self) -> int:
        try:
            return pq.read_metadata(self.path).num_rows
        except (pa.ArrowException, OSError) as error:
            raise EdgejouleError(f"{self.path}: not a readable Parquet file: {error}") from error

    def batches(self, rails: Mapping[str, Rail], rows: int = BATCH) -> Iterator[Batch]:
        """Yield the readings of each of ``rails``, ``rows`` rows of the file at a time."""
        return file_batches(self.path, rails, rows)


def batches_of(trace: "pd.DataFrame | Trace | None", rails: Mapping[str, Rail], rows: int = BATCH) -> Iterator[Batch]:
    """Yield the readings of each of ``rails`` in a trace; nothing where there is none."""
    if trace is None:
        return iter(())
    if isinstance(trace, pd.DataFrame):
        return frame_batches(trace, rails)
    return trace.batches(rails, rows)


def by_rail(trace: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each rail's name and rows; a trace of one rail is not copied."""
    names = trace["rail"].unique()
    if len(names) == 1:
        yield str(names[0]), trace
    else:
        yield from trace.groupby("rail", sort=False, observed=True)


def frame_batches(trace: pd.DataFrame, rails: Mapping[str, Rail]) -> Iterator[Batch]:
    """Yield the readings of each of ``rails`` in a trace that is in memory."""
    for name, part in by_rail(trace):
        if name in rails:
            yield name, part["t_ns"].to_numpy(), part[rails[name].column].to_numpy(float, na_value=np.nan)


def file_batches(path: Path, rails: Mapping[str, Rail], rows: int = BATCH) -> Iterator[Batch]:
    """Yield the readings of each of ``rails`` in a trace file, ``rows`` rows of it at a time.

    Raises:
        EdgejouleError: the file is no Parquet, lacks a column, or time does not advance.
    """
    columns = ["t_ns", "rail", *sorted({rail.column for rail in rails.values()})]
    last: dict[str, int] = {}
    try:
        file = pq.ParquetFile(path, read_dictionary=["rail"], pre_buffer=False)
        lacking = [name for name in columns if name not in file.schema_arrow.names]
        if lacking:
            raise EdgejouleError(f"{path}: lacks the column(s) {', '.join(lacking)}")
        for batch in file.iter_batches(rows, columns=columns):
            for name, t_ns, values in _split(batch, rails):
                ahead = np.diff(t_ns, prepend=last.get(name, t_ns[0] - 1))
                if (ahead <= 0).any():
                    stamp = t_ns[np.argmax(ahead <= 0)]
                    raise EdgejouleError(f"{path}: rail '{name}': time does not advance at t_ns = {stamp}")
                last[name] = t_ns[-1]
                yield name, t_ns, values
    except (pa.ArrowException, OSError) as error:
        raise EdgejouleError(f"{path}: not a readable Parquet file: {error}") from error


def _split(batch: pa.RecordBatch, rails: Mapping[str, Rail]) -> Iterator[Batch]:
    codes = batch.column("rail").indices.to_numpy()
    names = batch.column("rail").dictionary.to_pylist()
    t_ns = batch.column("t_ns").to_numpy()
    for code in [codes[0]] if (codes == codes[0]).all() else np.unique(codes):
        if (rail := rails.get(names[code])) is not None:
            values = batch.column(rail.column).to_numpy(zero_copy_only=False)
            mask = slice(None) if (codes == code).all() else codes == code
            yield rail.name, t_ns[mask], values[mask]
