"""Training of the final predictor of one device, on all its networks."""

from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.predictors import store
from edgejoule.predictors.card import model_card
from edgejoule.predictors.device import DevicePredictor
from edgejoule.predictors.inferred import inferred_kernels
from edgejoule.predictors.training import kernels_for, training_set
from edgejoule.tables import write_table, write_text
from edgejoule.tables.contracts import KERNEL_COSTS


def train(
    networks: pd.DataFrame,
    kernels: pd.DataFrame,
    folder: Path | str,
    nodes: pd.DataFrame | None = None,
    alone: pd.DataFrame | None = None,
) -> None:
    """Train and write ``predictor.json``, ``card.md`` and ``kernels.parquet`` (kernels' shares of measured totals).

    Args:
        networks: rows of results/datasets/networks.parquet of one device.
        kernels: rows of results/graphs/kernels.parquet.
        folder: results/predictors/<device>.
        nodes: the runtime's own times of kernels, where the recording has them.
        alone: the device's rows of results/datasets/kernels.parquet, where it measured kernels alone.

    Raises:
        EdgejouleError: no usable network, or one without a graph.
    """
    rows, features, costs = training_set(networks, kernels, nodes, alone)
    if rows.empty:
        raise EdgejouleError(
            f"{folder}: none of the device's {len(networks)} networks has a latency; none to learn from"
        )
    predictor = DevicePredictor("edgejoule").fit_with_intervals(features, costs)
    first = rows.iloc[0]
    content = {
        "device": first["device"],
        "board": first["board"],
        "runtime": first["runtime"],
        "origin": first["origin"],
        "power_scope": first["power_scope"],
        "networks": len(rows),
        "flagged": int(rows["quality"].eq("flagged").sum()),
        "families": {str(family): int(count) for family, count in rows.groupby("family").size().items()},
        "kernels": {} if features.rows is None else features.rows.counts(),
        "model": predictor.to_dict(),
    }
    store.save(content, folder)
    write_text(Path(folder) / "card.md", model_card(content, self_check(predictor, features, costs)))
    table = inferred_kernels(rows, kernels_for(kernels, first["runtime"]), features, costs, predictor)
    provenance = {"device": first["device"], "origin": "inferred", "source": "totals of networks"}
    write_table(table, Path(folder) / "kernels.parquet", KERNEL_COSTS, provenance)


def self_check(predictor: DevicePredictor, features, costs) -> dict[str, float]:
    """Return each metric's mean absolute relative error (percent) on the training networks themselves."""
    errors = {}
    for metric, predicted in predictor.values(features).items():
        measured = costs.metrics[metric]
        usable = np.isfinite(predicted) & (measured > 0)
        if usable.any():
            errors[metric] = float(100 * np.mean(np.abs(predicted[usable] / measured[usable] - 1)))
    return errors
