"""Datasets fit to publish: a Croissant description, a data dictionary and checksums beside the Parquet files.

Croissant: Akhtar et al., *Croissant: A Metadata Format for ML-Ready Datasets*, DEEM 2024; written and validated with
``mlcroissant``.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from edgejoule import __version__
from edgejoule.errors import EdgejouleError
from edgejoule.tables import atomic_path, contracts, read_arrow, read_provenance, write_text
from edgejoule.tables.schema import Table

LICENCE = "https://spdx.org/licenses/Apache-2.0"
DESCRIPTION = (
    "What inference of deep neural networks costs on edge devices (latency, power, energy), per network, kernel and "
    "application, derived from recordings. Column 'origin' says of every power and energy whether it was measured, "
    "published, estimated or inferred, 'power_scope' what the meter saw, 'source' where the row is from."
)


@dataclass(frozen=True)
class Source:
    """Where rows are from: what their column ``source`` holds, under which licence they are, and what to cite."""

    name: str
    holds: str
    licence: str
    citation: str


#: The first whose ``holds`` occurs in a row's source is its source; the last one is of every other row.
SOURCES = (
    Source(
        "MLPerf Inference",
        "inference_results_",
        "Apache-2.0",
        "MLCommons and its submitters (open division: Krai Ltd): MLPerf Inference results, recordings of power; a "
        "row's source names version and submitter. Energies per inference are derived, not MLPerf scores.",
    ),
    Source(
        "MLPerf Tiny",
        "tiny_results_",
        "Apache-2.0",
        "MLCommons and its submitters: MLPerf Tiny results, recordings of energy. Energies per inference are derived, "
        "not MLPerf scores.",
    ),
    Source(
        "SEC 2023",
        "arXiv 2310.18329",
        "published facts, typed in",
        "X. Tu, A. Mallik, D. Chen, K. Han, O. Altintas, H. Wang, J. Xie: Unveiling Energy Efficiency in Deep "
        "Learning: Measurement, Prediction, and Scoring across Edge Devices. ACM/IEEE SEC 2023.",
    ),
    Source(
        "edgejoule",
        "",
        "Apache-2.0",
        "The edgejoule authors: edgejoule, an open, reproducible pipeline for the energy of deep learning on edge "
        "devices.",
    ),
)


def publish(files: Iterable[Path], folder: Path) -> None:
    """Write ``croissant.json``, ``DICTIONARY.md`` and ``sha256sums.txt`` for the Parquet files of ``folder``.

    Raises:
        EdgejouleError: a file is not in ``folder``, not a table of the project, or the description is not valid.
    """
    files = sorted(Path(file) for file in files)
    for file in files:
        if file.parent.resolve() != Path(folder).resolve():
            raise EdgejouleError(f"{file}: not in {folder}; a dataset is described in its own folder")
    tables = [table_of(file) for file in files]
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    write_text(folder / "sha256sums.txt", "".join(f"{s}  {file.name}\n" for s, file in zip(sums, files, strict=True)))
    write_text(folder / "DICTIONARY.md", dictionary(files, tables))
    with atomic_path(folder / "croissant.json") as temporary:
        temporary.write_text(
            json.dumps(describe(files, tables, sums), indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
        validate(temporary)


def table_of(file: Path) -> Table:
    """Return the declared table that a file holds, by what its writer stored in it."""
    try:
        name = read_provenance(file).get("table")
    except (pa.ArrowException, OSError) as error:
        raise EdgejouleError(f"{file}: not a readable Parquet file: {error}") from error
    table = next((table for table in contracts.ALL if table.name == name), None)
    if table is None:
        raise EdgejouleError(f"{file}: not a table that this project wrote; give the files of results/datasets")
    return table


def describe(files: list[Path], tables: list[Table], sums: list[str]) -> dict:
    """Return the Croissant description (JSON-LD) of the files: one record set per table, a field per column."""
    import mlcroissant as mlc

    kinds = {pa.string(): mlc.DataType.TEXT, pa.float64(): mlc.DataType.FLOAT, pa.int64(): mlc.DataType.INTEGER}
    context = mlc.Context()
    distribution, records = [], []
    for file, table, sha256 in zip(files, tables, sums, strict=True):
        distribution.append(
            mlc.FileObject(
                ctx=context,
                id=file.name,
                name=file.name,
                content_url=file.name,
                encoding_formats=["application/x-parquet"],
                sha256=sha256,
            )
        )
        fields = [
            mlc.Field(
                ctx=context,
                id=f"{table.name}/{column.name}",
                name=f"{table.name}/{column.name}",
                description=column.meaning + (f" ({column.unit})" if column.unit else ""),
                data_types=[kinds.get(column.type, mlc.DataType.BOOL)],
                source=mlc.Source(ctx=context, file_object=file.name, extract=mlc.Extract(column=column.name)),
            )
            for column in table.columns
        ]
        records.append(
            mlc.RecordSet(ctx=context, id=table.name, name=table.name, description=table.meaning, fields=fields)
        )
    metadata = mlc.Metadata(
        ctx=context,
        name="edgejoule",
        description=DESCRIPTION,
        license=[LICENCE],
        version=__version__,
        cite_as=" ".join(source.citation for source in SOURCES),
        distribution=distribution,
        record_sets=records,
    )
    return metadata.to_json()


def validate(path: Path) -> None:
    """Check a Croissant description with mlcroissant's own checker, and that every record set can be read."""
    import mlcroissant as mlc

    try:
        dataset = mlc.Dataset(jsonld=path)
        for record_set in dataset.metadata.record_sets:
            next(iter(dataset.records(record_set=record_set.id)), None)
    except (mlc.ValidationError, mlc.GenerationError) as error:
        raise EdgejouleError(f"{path}: not a valid Croissant description: {error}") from error


def dictionary(files: list[Path], tables: list[Table]) -> str:
    """Return the data dictionary in Markdown: every file with its rows, every column with type, unit and meaning."""
    lines = ["# Data dictionary", "", DESCRIPTION, ""]
    for file, table in zip(files, tables, strict=True):
        rows = read_arrow(file, table).num_rows
        lines += [f"## {file.name}", "", f"{table.meaning} {rows} rows.", ""]
        lines += ["| column | type | unit | may be empty | meaning |", "|---|---|---|---|---|"]
        for column in table.columns:
            meaning = column.meaning + (f" ({', '.join(column.choices)})" if column.choices else "")
            empty = "yes" if column.nullable else ""
            lines.append(f"| `{column.name}` | {column.type} | {column.unit or ''} | {empty} | {meaning} |")
        lines.append("")
    lines += ["## Sources, licences and citations", "", f"The whole: [Apache-2.0]({LICENCE}). By source:", ""]
    lines += ["| source | rows | licence | cite |", "|---|---|---|---|"]
    counts = count_sources(files, tables)
    for source in SOURCES:
        said = ", ".join(f"{file}: {count}" for file, count in counts[source.name].items())
        if said:
            lines.append(f"| {source.name} | {said} | {source.licence} | {source.citation} |")
    return "\n".join([*lines, ""])


def count_sources(files: list[Path], tables: list[Table]) -> dict[str, dict[str, int]]:
    """Return, by name of each of ``SOURCES``, how many rows of each file are from it; passes and the like name none."""
    counts: dict[str, dict[str, int]] = {source.name: {} for source in SOURCES}
    for file, table in zip(files, tables, strict=True):
        if "source" not in table.names:
            continue
        for text in read_arrow(file, table).column("source").to_pylist():
            name = next(source.name for source in SOURCES if source.holds in text)
            counts[name][file.name] = counts[name].get(file.name, 0) + 1
    return counts
