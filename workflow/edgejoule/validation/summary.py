"""All devices' predictions in one table, and their errors for machines and for people."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from edgejoule.datasets.consolidate import consolidate
from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo
from edgejoule.tables import empty, read_table, write_table, write_text
from edgejoule.tables.contracts import (
    ABLATION,
    ACCURACY,
    EVIDENCE,
    KERNEL_ACCURACY,
    KERNEL_VALIDATION,
    LEARNING_CURVE,
    NOISE_FLOOR,
    PAIRED,
    PASSES,
    SUBSETS,
    VALIDATION,
)
from edgejoule.tables.schema import Table
from edgejoule.validation.accuracy import accuracy
from edgejoule.validation.kernel_errors import kernel_accuracy
from edgejoule.validation.noise import noise_floor
from edgejoule.validation.paired import paired
from edgejoule.validation.subsets import subset_accuracy

_SHOWN = {
    "device": "device",
    "metric": "metric",
    "predictor": "predictor",
    "networks": "networks",
    "mape_percent": "MAPE %",
    "within10_percent": "within 10 %",
    "coverage_percent": "coverage %",
    "coverage_stated_percent": "where stated %",
    "worst_family": "worst family",
    "worst_mape_percent": "its MAPE %",
}


def summarise(devices: Sequence[Path], passes: Path, zoo: Path, output: Path, seed: int = 0) -> None:
    """Write networks, accuracy, subsets, paired and noise-floor.parquet; CSV beside all but the first; accuracy.md.

    Args:
        devices: each device's predictions (table VALIDATION).
        passes: all devices' passes (table PASSES).
        zoo: the networks; those that are one architecture at many sizes are the ones that edgejoule itself builds.
        output: the folder.
        seed: seed of the bootstraps.
    """
    tables = [read_table(path, VALIDATION) for path in devices]
    filled = [table for table in tables if len(table)]
    rows = pd.concat(filled, ignore_index=True) if filled else empty(VALIDATION)
    provenance = {"sources": [str(path) for path in devices], "seed": seed}
    write_table(rows, output / "networks.parquet", VALIDATION, provenance)
    errors = accuracy(rows, seed) if len(rows) else empty(ACCURACY)
    known = read_zoo(zoo)
    series = set(known.loc[known["builder"] == "edgejoule", "network"])
    parts = subset_accuracy(rows, series, seed)
    floor = noise_floor(read_table(passes, PASSES), rows)
    tables = ((errors, ACCURACY), (parts, SUBSETS), (paired(rows, seed), PAIRED), (floor, NOISE_FLOOR))
    for table, contract in tables:
        path = output / f"{contract.name}.parquet"
        write_table(table, path, contract, provenance)
        write_text(path.with_suffix(".csv"), table.to_csv(index=False, float_format="%.6g"))
    write_text(output / "accuracy.md", markdown(errors, parts))


_KERNEL_TABLES = {table.name: table for table in (EVIDENCE, ABLATION, LEARNING_CURVE)}


def stack_kernel_tables(files: Sequence[Path], name: str, output: Path) -> None:
    """Write all devices' rows of ``evidence``, ``ablation`` or ``learning-curve``, and beside them Markdown."""
    if name not in _KERNEL_TABLES:
        raise EdgejouleError(f"--table: '{name}' is none of {', '.join(_KERNEL_TABLES)}")
    table = _KERNEL_TABLES[name]
    consolidate(files, table, output)
    text = _listed(table, read_table(output, table), "No device of this run measured kernels alone.")
    write_text(output.with_suffix(".md"), text)


def summarise_kernels(devices: Sequence[Path], output: Path) -> None:
    """Write kernels.parquet and kernel-accuracy.{parquet,csv,md}: single kernels' predictions, and their errors.

    Args:
        devices: each device's predictions (table KERNEL_VALIDATION).
        output: the folder.
    """
    consolidate(devices, KERNEL_VALIDATION, output / "kernels.parquet")
    errors = kernel_accuracy(read_table(output / "kernels.parquet", KERNEL_VALIDATION))
    path = output / f"{KERNEL_ACCURACY.name}.parquet"
    write_table(errors, path, KERNEL_ACCURACY, {"sources": [str(device) for device in devices]})
    write_text(path.with_suffix(".csv"), errors.to_csv(index=False, float_format="%.6g"))
    write_text(
        path.with_suffix(".md"), _listed(KERNEL_ACCURACY, errors, "No runtime of this run tells kernels' times.")
    )


def _listed(table: Table, rows: pd.DataFrame, none: str) -> str:
    """Return a table in Markdown, with what it means; ``none`` where it has no row."""
    header = [f"# {table.name}", "", table.meaning, ""]
    if rows.empty:
        return "\n".join([*header, none]) + "\n"
    lines = (f"| {' | '.join(map(_cell, row))} |" for row in rows.itertuples(index=False))
    return "\n".join([*header, f"| {' | '.join(rows)} |", "|---" * rows.shape[1] + "|", *lines]) + "\n"


def markdown(errors: pd.DataFrame, parts: pd.DataFrame) -> str:
    """Return the errors as Markdown, one table per protocol and subset, flagged recordings included."""
    lines = [
        "# Accuracy of the predictors",
        "",
        "MAPE is macro-averaged over families; every network was predicted by a predictor trained without it. "
        "Flagged recordings are included here; `accuracy.csv` has the figures without them, too. Coverage is that of "
        "the 90 % intervals: of all networks, and of those like the training networks, for which users get one.",
        *_not_judged(errors),
    ]
    everything = pd.concat([errors.assign(subset=""), parts], ignore_index=True)
    for (subset, protocol), group in everything[everything["flagged"]].groupby(["subset", "protocol"], sort=True):
        title = f"{protocol}: {subset}" if subset else protocol
        lines += ["", f"## {title}", "", f"| {' | '.join(_SHOWN.values())} |", "|---" * len(_SHOWN) + "|"]
        for row in group.sort_values(["metric", "device", "mape_percent"])[list(_SHOWN)].itertuples(index=False):
            lines.append(f"| {' | '.join(map(_cell, row))} |")
    return "\n".join(lines) + "\n"


def _not_judged(errors: pd.DataFrame) -> list[str]:
    """Return a sentence for each device that lacks a protocol which another one has."""
    protocols = set(errors["protocol"])
    lacking = {device: sorted(protocols - set(own)) for device, own in errors.groupby("device")["protocol"]}
    lines = [f"- {device}: {', '.join(names)}" for device, names in lacking.items() if names]
    reason = "Not judged, for want of prior devices of the same class, of families, or of kernels alone:"
    return ["", reason, "", *lines] if lines else []


def _cell(value: object) -> str:
    if value is None or value != value:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)
