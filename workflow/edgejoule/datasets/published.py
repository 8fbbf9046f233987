"""Devices of source ``table``: rows that were derived or published elsewhere, checked and taken as they are."""

from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.config import Device
from edgejoule.datasets.checks import demand_sound
from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import NETWORKS

#: Enough digits to give back every figure that a recording can resolve, few enough to diff.
DIGITS = "%.10g"
#: Columns that every table needs; the rest is known from the device's file and the zoo, or may be unknown.
NEEDED = ("network", "precision", "latency_ms", "energy_mj")


def read_networks(path: Path | str, device: Device, zoo: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``device`` in a CSV with columns of NETWORKS, of which it needs only ``NEEDED``.

    Absent columns are filled in: what the device's file says; architecture, family and published accuracy from the
    zoo; power as energy over latency; quality ok; the file as the source. The others are unknown. Without a column
    ``device`` every row is the device's.

    Args:
        path: the CSV.
        device: the device, from its file.
        zoo: table ZOO; a network that it lacks is a family of its own.

    Raises:
        EdgejouleError: the file cannot be read, lacks a needed column, has no row of the device, breaks the table's
            declaration, or a row contradicts itself.
    """
    table = _read_csv(path)
    rows = table[table["device"] == device.name] if "device" in table else table.assign(device=device.name)
    if rows.empty:
        there = table["device"].dropna() if "device" in table else ()
        raise EdgejouleError(f"{path}: no row of device '{device.name}'; {did_you_mean(device.name, there)}")
    for key, value in {"board": device.board, "origin": device.origin, "power_scope": device.power_scope}.items():
        if key in rows and (rows[key] != value).any():
            raise EdgejouleError(f"{path}: device '{device.name}' has another {key} here than '{value}' in its file")
    rows = _filled(rows, device, zoo, Path(path).name)
    # An empty text cell of a CSV is an empty reason, not an unknown one.
    rows["reason"] = rows["reason"].fillna("")
    rows = rows.reindex(columns=[*NETWORKS.names, *(name for name in rows if name not in NETWORKS.names)])
    lines = rows.index + 2
    networks = to_arrow(rows.reset_index(drop=True), NETWORKS, str(path)).to_pandas()
    demand_sound(networks, [f"{path}: line {line}" for line in lines])
    return networks


def _filled(rows: pd.DataFrame, device: Device, zoo: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return ``rows`` with those columns that are absent and follow from what is known."""
    known = zoo.drop_duplicates("network").set_index("network").reindex(rows["network"]).set_index(rows.index)
    follows = {
        "board": device.board,
        "architecture": known["architecture"].fillna(rows["network"]),
        "family": known["family"].fillna(rows["network"]),
        "runtime": device.runtime.name,
        "power_w": rows["energy_mj"] / rows["latency_ms"],
        # The zoo states the accuracy of a network in one precision, and of no other.
        "top1": known["top1"].where(known["precision"] == rows["precision"]),
        "licence": known["licence"],
        "origin": device.origin,
        "power_scope": device.power_scope,
        "source": source,
        "quality": "ok",
        "reason": "",
    }
    filled = rows.assign(**{name: value for name, value in follows.items() if name not in rows})
    return filled.assign(licence=filled["licence"].fillna(known["licence"]))


def _read_csv(path: Path | str) -> pd.DataFrame:
    texts = {column.name: "string" for column in NETWORKS.columns if str(column.type) == "string"}
    try:
        names = pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0]
        table = pd.read_csv(path, dtype=texts)
    except UnicodeDecodeError as error:
        raise EdgejouleError(f"{path}: not text in UTF-8; save it in UTF-8") from error
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise EdgejouleError(f"{path}: not a readable CSV: {error}") from error
    if (twice := names.duplicated()).any():
        raise EdgejouleError(f"{path}: has two columns '{names[twice].iloc[0]}'; keep one")
    if missing := [name for name in NEEDED if name not in table]:
        sign = next((f"; parted by commas, not by '{sign}'" for sign in ";\t" if sign in names.iloc[0]), "")
        raise EdgejouleError(
            f"{path}: lacks the column(s) {', '.join(missing)}; a table needs {', '.join(NEEDED)}, and may have those "
            f"of `edgejoule schema tables`{sign}"
        )
    for column in NETWORKS.columns:
        if column.name in table and column.name not in texts:
            numbers = pd.to_numeric(table[column.name], errors="coerce")
            if (wrong := table[column.name].notna() & ~np.isfinite(numbers)).any():
                row = int(np.argmax(wrong))
                raise EdgejouleError(
                    f"{path}: line {row + 2}: {column.name} is '{table[column.name].iloc[row]}'; give a number, its "
                    "decimals with a point"
                )
    return table


def write_networks(rows: pd.DataFrame, path: Path | str) -> None:
    """Write rows of table NETWORKS as a CSV that ``read_networks`` reads and that people can diff.

    Licences are left out: they are the zoo's to state, not a recording's.
    """
    from edgejoule.tables import atomic_path

    rows = rows.sort_values(["device", "network"], kind="stable")
    with atomic_path(path) as temporary:
        rows[[name for name in NETWORKS.names if name != "licence"]].to_csv(
            temporary, index=False, float_format=DIGITS, lineterminator="\n"
        )
