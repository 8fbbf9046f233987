"""Devices of source ``table``: rows that were derived or published elsewhere, checked and taken as they are."""

from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.config import Device
from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import NETWORKS

#: Enough digits to give back every figure that a recording can resolve, few enough to diff.
DIGITS = "%.10g"
#: Columns that a table need not have, and their types.
OPTIONAL = {"licence": "string", "latency_mean_ms": "Float64"}


def read_networks(path: Path | str, device: Device) -> pd.DataFrame:
    """Return the rows of ``device`` in a CSV with the columns of NETWORKS; ``OPTIONAL`` ones may be absent.

    Raises:
        EdgejouleError: the file cannot be read, has no row of the device, or breaks the table's declaration.
    """
    table = _read_csv(path)
    rows = table[table["device"] == device.name].reset_index(drop=True)
    if rows.empty:
        raise EdgejouleError(
            f"{path}: no row of device '{device.name}'; {did_you_mean(device.name, table['device'].dropna())}"
        )
    # An empty text cell of a CSV is an empty reason, not an unknown one.
    rows["reason"] = rows["reason"].fillna("")
    for key, value in {"board": device.board, "origin": device.origin, "power_scope": device.power_scope}.items():
        if key in rows and (rows[key] != value).any():
            raise EdgejouleError(f"{path}: device '{device.name}' has another {key} here than '{value}' in its file")
    for name, kind in OPTIONAL.items():
        if name not in rows:
            rows[name] = pd.array([pd.NA] * len(rows), kind)
    return to_arrow(rows, NETWORKS, str(path)).to_pandas()


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
    if "device" not in table:
        sign = next((f", parted by commas, not by '{sign}'" for sign in ";\t" if sign in names.iloc[0]), "")
        raise EdgejouleError(
            f"{path}: column 'device' is missing; the columns are those of `edgejoule schema tables`{sign}"
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
