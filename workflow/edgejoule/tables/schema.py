"""What a table is: named columns with a type, a unit, a meaning, and the values that they may take.

Arrow's own schema carries it all, so every Parquet file of the project describes itself.
"""

from dataclasses import dataclass, field

import pyarrow as pa

TEXT = pa.string()
REAL = pa.float64()
WHOLE = pa.int64()
FLAG = pa.bool_()

#: A column's unit is its name's ending; the longest ending wins (``_mw`` before ``_w``).
UNITS = {
    "_ns": "ns",
    "_ms": "ms",
    "_us": "us",
    "_s": "s",
    "_mw": "mW",
    "_w": "W",
    "_mj": "mJ",
    "_uj": "uJ",
    "_j": "J",
    "_hz": "Hz",
    "_bytes": "byte",
    "_percent": "%",
}


def unit_of(name: str) -> str | None:
    """Return the unit that a column's name ends in, or None for a column without one."""
    return next((UNITS[e] for e in sorted(UNITS, key=len, reverse=True) if name.endswith(e)), None)


@dataclass(frozen=True)
class Column:
    """One column: its name (which ends in its unit), Arrow type, meaning, what its values may be, Parquet encoding."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False
    choices: tuple[str, ...] | None = None
    minimum: float | None = None
    unit: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.unit is None:
            object.__setattr__(self, "unit", unit_of(self.name))

    def to_arrow(self) -> pa.Field:
        """Return the Arrow field, with meaning and unit as its metadata."""
        about = {"meaning": self.meaning} | ({"unit": self.unit} if self.unit else {})
        return pa.field(self.name, self.type, self.nullable, about)


@dataclass(frozen=True)
class Table:
    """A declared table. Files may carry more columns; these are relied upon."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = field(default=())

    @property
    def names(self) -> list[str]:
        """The declared columns' names, in order."""
        return [column.name for column in self.columns]

    def to_arrow(self) -> pa.Schema:
        """Return the Arrow schema of the declared columns."""
        return pa.schema([column.to_arrow() for column in self.columns])
