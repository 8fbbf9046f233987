"""Tasks beside ImageNet: which device reaches a task's target accuracy with the least energy per inference."""

from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.tables import empty
from edgejoule.tables.contracts import TASK_CHOICES

TASKS = {"network": str, "task": str, "metric": str, "target": float, "source": str}
ACCURACIES = {"device": str, "network": str, "accuracy": float, "source": str}


def read_tasks(path: Path) -> pd.DataFrame:
    """Read which task each network is for, and the accuracy that the task asks for."""
    return _read(path, TASKS, ["network"])


def read_accuracies(path: Path) -> pd.DataFrame:
    """Read which accuracy each device was stated to reach with each network."""
    return _read(path, ACCURACIES, ["device", "network"])


def _read(path: Path, types: dict[str, type], key: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise EdgejouleError(f"{path}: not a readable CSV: {error}") from error
    lacking = [name for name in types if name not in table]
    if lacking:
        raise EdgejouleError(f"{path}: lacks the column(s) {', '.join(lacking)}")
    for name, kind in types.items():
        if kind is float:
            numbers = pd.to_numeric(table[name], errors="coerce")
            if (wrong := ~np.isfinite(numbers)).any():
                row = int(np.argmax(wrong))
                raise EdgejouleError(f"{path}: line {row + 2}: {name} is '{table[name].iloc[row]}'; give a number")
            table[name] = numbers
    if (twice := table.duplicated(key)).any():
        raise EdgejouleError(f"{path}: line {int(np.argmax(twice)) + 2}: a second row for its {' and '.join(key)}")
    return table[list(types)]


def task_table(networks: pd.DataFrame, tasks: pd.DataFrame, accuracies: pd.DataFrame) -> pd.DataFrame:
    """Return table ``task-choices``.

    Ranked by energy are, per task and power scope, the measured ones that reach the task's target; of the others the
    reason is named.

    Args:
        networks: rows of table ``networks`` of all devices.
        tasks: see ``read_tasks``.
        accuracies: see ``read_accuracies``.
    """
    rows = networks.merge(tasks[["network", "task", "metric", "target"]], on="network")
    rows = rows.merge(accuracies.rename(columns={"source": "stated"}), on=["device", "network"], how="left")
    if rows.empty:
        return empty(TASK_CHOICES)
    reasons = pd.Series("", index=rows.index)
    for failed, reason in (
        (rows["quality"] == "failed", "recording failed: " + rows["reason"].astype(str)),
        (rows["energy_mj"].isna(), pd.Series("no energy", rows.index)),
        (rows["origin"] != "measured", "energy is " + rows["origin"].astype(str) + ", not measured"),
        (rows["accuracy"].isna(), pd.Series("its accuracy is not stated", rows.index)),
        (rows["accuracy"] < rows["target"], pd.Series("it does not reach the target", rows.index)),
    ):
        reasons = reasons.mask((reasons == "") & failed.fillna(False).astype(bool), reason)
    ranked = rows["energy_mj"].where(reasons == "").groupby([rows["task"], rows["power_scope"]]).rank(method="min")
    table = rows.assign(rank=ranked.astype("Int64"), reason=reasons, source=rows["stated"].fillna(""))
    order = ["task", "power_scope", "rank", "energy_mj", "device"]
    return table[TASK_CHOICES.names].sort_values(order, kind="stable", na_position="last", ignore_index=True)
