"""The run's tables as pages of their own, sortable and filterable, each with a caption: for Snakemake's report."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.figures.picture import to_rst
from edgejoule.figures.registry import DATA, KERNELS, PREDICTION, RECOMMENDATION, SCORES
from edgejoule.report.data import columns
from edgejoule.report.fill import embeddable, fill
from edgejoule.report.publish import table_of
from edgejoule.tables import contracts, read_table, write_text
from edgejoule.tables.schema import REAL, TEXT, WHOLE, Column, Table

ASSETS = Path(__file__).parent
SCRIPTS = ("format.js", "table.js", "table_page.js")
#: Where in reports each table stands; tables that are not here have no page.
CATEGORIES = {
    contracts.NETWORKS: DATA,
    contracts.PASSES: DATA,
    contracts.KERNEL_COSTS: KERNELS,
    contracts.COVERAGE: KERNELS,
    contracts.FUSION_KINDS: KERNELS,
    contracts.ACCURACY: PREDICTION,
    contracts.SUBSETS: PREDICTION,
    contracts.PAIRED: PREDICTION,
    contracts.NOISE_FLOOR: PREDICTION,
    contracts.KERNEL_ACCURACY: PREDICTION,
    contracts.EVIDENCE: PREDICTION,
    contracts.ABLATION: PREDICTION,
    contracts.LEARNING_CURVE: PREDICTION,
    contracts.RECOMMENDATIONS: RECOMMENDATION,
    contracts.FRONTS: RECOMMENDATION,
    contracts.RECOMMENDATION_VALIDATION: RECOMMENDATION,
    contracts.DEVICE_CHOICES: RECOMMENDATION,
    contracts.TASK_CHOICES: RECOMMENDATION,
    contracts.BREAK_EVENS: RECOMMENDATION,
    contracts.APPLICATIONS: SCORES,
    contracts.SCORES: SCORES,
    contracts.COMPARISONS: SCORES,
    contracts.SENSITIVITY: SCORES,
    contracts.AGREEMENT: SCORES,
    contracts.CONTRIBUTIONS: SCORES,
    contracts.DISAGREEMENTS: SCORES,
    contracts.LABELS: SCORES,
    contracts.FOOTPRINT: SCORES,
}
#: Columns whose different values a caption counts, and whose rows it counts by value.
COUNTED = {"device": "device(s)", "network": "network(s)", "family": "families", "kind": "kinds", "league": "league(s)"}
SPLIT = {"origin": "Energy", "quality": "Quality", "standing": "Standing"}
#: A column of text with so few values gets a drop-down filter.
FEW = 24


def write_tables(files: Iterable[Path], output: Path) -> None:
    """Write ``<category>/<table>.html`` and its caption, ``.rst``, for every table into the folder ``output``.

    Files of one table (one per device) become one page. The folder holds nothing else afterwards, and appears when it
    is whole.

    Args:
        files: Parquet files of the tables in ``CATEGORIES``.
        output: the folder.

    Raises:
        EdgejouleError: a file is not such a table.
    """
    groups: dict[Table, list[pd.DataFrame]] = {}
    for file in files:
        table = table_of(file)
        if table not in CATEGORIES:
            known = ", ".join(table.name for table in CATEGORIES)
            raise EdgejouleError(f"{file}: table '{table.name}' has no page in reports; those that have one: {known}")
        groups.setdefault(table, []).append(read_table(file, table))
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(dir=output.parent, prefix=f".{output.name}."))
    try:
        temporary.chmod(0o755)
        for table, parts in groups.items():
            rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
            folder = temporary / CATEGORIES[table]
            write_text(folder / f"{table.name}.html", render_table(table, rows))
            write_text(folder / f"{table.name}.rst", f"{to_rst(caption(table, rows))}\n")
        if output.exists():
            shutil.rmtree(output)
        temporary.replace(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def caption(table: Table, rows: pd.DataFrame) -> str:
    """Return what a table is and what is in it; every number is counted in ``rows``.

    >>> caption(contracts.LABELS, pd.DataFrame({"device": ["a", "b"], "league": "l", "origin": "measured"}))
    'Default scores as letters, by the stated thresholds. 2 rows: 2 device(s), 1 league(s). Energy: 2 measured.'
    """
    counted = [f"{rows[name].nunique()} {word}" for name, word in COUNTED.items() if name in rows]
    text = f"{table.meaning} {len(rows)} rows" + (f": {', '.join(counted)}." if counted else ".")
    for name, word in SPLIT.items():
        if name in table.names and len(rows):
            text += f" {word}: {', '.join(f'{count} {value}' for value, count in rows[name].value_counts().items())}."
    return text


def render_table(table: Table, rows: pd.DataFrame) -> str:
    """Return one table as an HTML page with everything inside; columns without a single value are left out."""
    filled = [column for column in table.columns if rows[column.name].notna().any() or rows.empty]
    selects = [c.name for c in filled if c.type == TEXT and 1 < rows[c.name].nunique(dropna=False) <= FEW]
    data = {
        "rows": columns(rows, tuple(column.name for column in filled)),
        "columns": [_column(column) for column in filled],
        # A filter of names that may be absent would have to name their absence.
        "selects": [name for name in selects if rows[name].notna().all()],
    }
    parts = {
        "title": table.name,
        "meaning": table.meaning,
        "style": (ASSETS / "page.css").read_text(encoding="utf-8"),
        "data": embeddable(data),
        "script": "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS),
    }
    return fill((ASSETS / "table.html").read_text(encoding="utf-8"), parts)


def _column(column: Column) -> dict:
    digits = {REAL: "auto", WHOLE: 0}.get(column.type)
    unit = f" ({column.unit})" if column.unit else ""
    return {"key": column.name, "title": column.name, "meaning": f"{column.meaning}{unit}"} | (
        {} if digits is None else {"digits": digits}
    )
