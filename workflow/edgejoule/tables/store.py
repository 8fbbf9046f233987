"""Reading and writing declared tables: checked both ways, written atomically, with provenance in the file."""

import errno
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from edgejoule.errors import EdgejouleError
from edgejoule.tables.schema import Column, Table

PROVENANCE = b"edgejoule"
#: What a disk says that is full.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


#: Folders of results that the stage of that name fills.
STAGES = ("graphs", "traces", "datasets", "predictors", "validation", "scores", "recommendations", "figures", "report")


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Turn what the file system refuses while ``path`` is written into a sentence that names it.

    Raises:
        EdgejouleError: ``path`` cannot be written, for want of a folder, of rights or of room.
    """
    try:
        yield
    except OSError as error:
        raise EdgejouleError(f"{path}: cannot be written: {error.strerror or error}; give another place") from error


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that becomes it on success and disappears on failure.

    Raises:
        EdgejouleError: ``path`` cannot be written.
    """
    path = Path(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as handle:
            temporary = Path(handle.name)
    try:
        yield temporary
        with writing(path):
            temporary.chmod(0o644)
            temporary.replace(path)
    except OSError as error:
        # Anything else may be about a file that is read meanwhile.
        if error.errno not in NO_ROOM:
            raise
        raise EdgejouleError(
            f"{path}: cannot be written: {error.strerror}; make room, or give another place"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: object) -> None:
    """Write JSON atomically, with sorted keys and a final newline, so that equal values are equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def to_arrow(data: pd.DataFrame | pa.Table, table: Table, where: str = "") -> pa.Table:
    """Return ``data`` as Arrow with the declared columns first, in order and type; further columns follow.

    Raises:
        EdgejouleError: a declared column is missing, has another type, holds a null where none may be, a value
            outside its choices or below its minimum, or the key is not unique.
    """
    where = where or table.name
    if isinstance(data, pd.DataFrame):
        data = pa.Table.from_pandas(data, preserve_index=False)
    missing = [name for name in table.names if name not in data.column_names]
    if missing:
        raise EdgejouleError(f"{where}: table '{table.name}' lacks the column(s) {', '.join(missing)}")
    extra = [name for name in data.column_names if name not in table.names]
    fields, arrays = [], []
    for column in table.columns:
        try:
            array = data[column.name].cast(column.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise EdgejouleError(f"{where}: column '{column.name}' is not {column.type}: {error}") from error
        _check_values(array, column, where)
        fields.append(column.to_arrow())
        arrays.append(array)
    for name in extra:
        fields.append(data.schema.field(name))
        arrays.append(data[name])
    result = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    if table.key and result.group_by(list(table.key)).aggregate([]).num_rows != result.num_rows:
        repeated = result.group_by(list(table.key)).aggregate([([], "count_all")]).to_pandas()
        first = repeated[repeated["count_all"] > 1].iloc[0][list(table.key)].to_dict()
        raise EdgejouleError(f"{where}: more than one row for {first}; keep one")
    return result


def _check_values(array: pa.ChunkedArray, column: Column, where: str) -> None:
    if not column.nullable and array.null_count:
        row = pc.index(pc.is_null(array), True).as_py()
        raise EdgejouleError(f"{where}: column '{column.name}' is empty in row {row}; every row needs a value")
    if column.choices is not None:
        allowed = pc.is_in(array, value_set=pa.array(column.choices, column.type))
        row = pc.index(pc.and_kleene(pc.is_valid(array), pc.invert(allowed)), True).as_py()
        if row >= 0:
            raise EdgejouleError(
                f"{where}: column '{column.name}' holds '{array[row].as_py()}' in row {row}; "
                f"allowed: {', '.join(column.choices)}"
            )
    if column.minimum is not None:
        row = pc.index(pc.fill_null(pc.less(array, column.minimum), False), True).as_py()
        if row >= 0:
            raise EdgejouleError(
                f"{where}: column '{column.name}' holds {array[row].as_py()} in row {row}; at least {column.minimum}"
            )


def write_table(
    data: pd.DataFrame | pa.Table, path: Path | str, table: Table, provenance: Mapping[str, object] | None = None
) -> None:
    """Check ``data`` against ``table`` and write it as Parquet, atomically.

    ``provenance`` (JSON-able; device, meter, runtime and versions, source) goes into the file's metadata together with
    the project's version. No time of writing is stored: equal data make equal bytes.
    """
    arrow = _described(to_arrow(data, table, str(path)), table, provenance)
    with atomic_path(path) as temporary:
        pq.write_table(arrow, temporary, **_format(arrow, table))


def write_batches(
    batches: Iterable[pd.DataFrame | pa.Table],
    path: Path | str,
    table: Table,
    provenance: Mapping[str, object] | None = None,
) -> None:
    """Write what ``write_table`` writes, row group by row group, for tables that memory does not hold.

    Args:
        batches: at least one, each with the same columns; a row group each. Keys across batches are not checked.
        path: the file.
        table: what each batch is checked against.
        provenance: see ``write_table``.
    """
    with atomic_path(path) as temporary:
        writer = None
        try:
            for batch in batches:
                arrow = _described(to_arrow(batch, table, str(path)), table, provenance)
                writer = writer or pq.ParquetWriter(temporary, arrow.schema, **_format(arrow, table))
                writer.write_table(arrow)
        finally:
            if writer is not None:
                writer.close()


def _format(arrow: pa.Table, table: Table) -> dict:
    """Return how a table's columns are written: dictionaries, but for long series that have a better encoding."""
    encodings = {column.name: column.encoding for column in table.columns if column.encoding}
    others = [name for name in arrow.column_names if name not in encodings]
    return {"compression": "zstd", "use_dictionary": others, "column_encoding": encodings or None}


def _described(arrow: pa.Table, table: Table, provenance: Mapping[str, object] | None) -> pa.Table:
    from edgejoule import __version__

    about = {"table": table.name, "edgejoule": __version__} | dict(provenance or {})
    return arrow.replace_schema_metadata({PROVENANCE: json.dumps(about, sort_keys=True).encode()})


def read_arrow(path: Path | str, table: Table) -> pa.Table:
    """Read a Parquet file and check it against ``table``.

    Raises:
        EdgejouleError: the file is absent, no Parquet, or not what ``table`` declares.
    """
    if not Path(path).is_file():
        raise EdgejouleError(
            f"{path}: no such file; the stage that writes table '{table.name}' has not run: {_make_it(path)}"
        )
    try:
        data = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise EdgejouleError(f"{path}: not a readable Parquet file: {error}") from error
    missing = [name for name in table.names if name not in data.column_names]
    if missing and read_provenance(path).get("table") == table.name:
        raise EdgejouleError(
            f"{path}: table '{table.name}' lacks the column(s) {', '.join(missing)}: another version of edgejoule "
            f"wrote it; {_make_it(path)} again"
        )
    return to_arrow(data, table, str(path))


def _make_it(path: Path | str) -> str:
    """Return which command makes a file of results, told by the folder that it lies in."""
    stage = next((part for part in reversed(Path(path).parts[:-1]) if part in STAGES), None)
    return f"run `snakemake --cores all{'' if stage is None else ' ' + stage}`"


def read_table(path: Path | str, table: Table) -> pd.DataFrame:
    """Read a Parquet file, checked against ``table``, as a DataFrame."""
    return read_arrow(path, table).to_pandas()


def read_provenance(path: Path | str) -> dict:
    """Return what ``write_table`` stored about a Parquet file."""
    metadata = pq.read_schema(path).metadata or {}
    return json.loads(metadata.get(PROVENANCE, b"{}"))


def empty(table: Table) -> pd.DataFrame:
    """Return a DataFrame with the declared columns and no rows."""
    return table.to_arrow().empty_table().to_pandas()
