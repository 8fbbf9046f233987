"""The floor that everything stands on: declared tables, their units, and checked, atomic files."""

from edgejoule.tables.schema import Column, Table, unit_of
from edgejoule.tables.store import (
    atomic_path,
    empty,
    read_arrow,
    read_provenance,
    read_table,
    to_arrow,
    write_batches,
    write_json,
    write_table,
    write_text,
    writing,
)

__all__ = [
    "Column",
    "Table",
    "atomic_path",
    "empty",
    "read_arrow",
    "read_provenance",
    "read_table",
    "to_arrow",
    "unit_of",
    "write_batches",
    "write_json",
    "write_table",
    "write_text",
    "writing",
]
