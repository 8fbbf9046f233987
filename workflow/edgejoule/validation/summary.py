"""All devices' predictions in one table, and their errors for machines and for people."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from edgejoule.tables import empty, read_table, write_table, write_text
from edgejoule.tables.contracts import ACCURACY, VALIDATION
from edgejoule.validation.accuracy import accuracy

_SHOWN = {
    "device": "device",
    "metric": "metric",
    "predictor": "predictor",
    "networks": "networks",
    "mape_percent": "MAPE %",
    "within10_percent": "within 10 %",
    "coverage_percent": "coverage %",
    "worst_family": "worst family",
    "worst_mape_percent": "its MAPE %",
}


def summarise(devices: Sequence[Path], networks: Path, accuracy_path: Path, seed: int = 0) -> None:
    """Write results/validation/networks.parquet, accuracy.parquet and, beside the latter, CSV and Markdown."""
    tables = [read_table(path, VALIDATION) for path in devices]
    filled = [table for table in tables if len(table)]
    rows = pd.concat(filled, ignore_index=True) if filled else empty(VALIDATION)
    provenance = {"sources": [str(path) for path in devices], "seed": seed}
    write_table(rows, networks, VALIDATION, provenance)
    errors = accuracy(rows, seed) if len(rows) else empty(ACCURACY)
    write_table(errors, accuracy_path, ACCURACY, provenance)
    write_text(accuracy_path.with_suffix(".csv"), errors.to_csv(index=False, float_format="%.6g"))
    write_text(accuracy_path.with_suffix(".md"), markdown(errors))


def markdown(errors: pd.DataFrame) -> str:
    """Return the errors as Markdown, one table per protocol, flagged recordings included."""
    lines = [
        "# Accuracy of the predictors",
        "",
        "MAPE is macro-averaged over families; every network was predicted by a predictor trained without it. "
        "Flagged recordings are included here; `accuracy.csv` has the figures without them, too.",
    ]
    for protocol, group in errors[errors["flagged"]].groupby("protocol", sort=True):
        lines += ["", f"## {protocol}", "", f"| {' | '.join(_SHOWN.values())} |", "|---" * len(_SHOWN) + "|"]
        for row in group.sort_values(["metric", "device", "mape_percent"])[list(_SHOWN)].itertuples(index=False):
            lines.append(f"| {' | '.join(map(_cell, row))} |")
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None or value != value:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)
