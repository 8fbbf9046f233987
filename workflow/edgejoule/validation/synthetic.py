"""Networks predicted from synthetic kernels alone: nothing of the zoo, neither a network nor a kernel of one."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from edgejoule.predictors import KERNEL_MODELS, Features
from edgejoule.predictors.rows import SYNTHETIC

PROTOCOL = "synthetic-only"


def predict_from_synthetic(
    rows: pd.DataFrame, features: Features, predictors: Sequence[str]
) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Predict every network's latency as the sum of its kernels' times, learned from synthetic kernels alone.

    What lies between kernels is not known then, nor what intervals would hold: there are none.

    Args:
        rows, features: the device's networks, as ``training_set`` gives them.
        predictors: which; those that do not learn from kernels are passed over.

    Returns:
        Predictions (with predictor and protocol), and the split: all networks. Both are empty where no synthetic kernel
        was measured.
    """
    if features.rows is None or not (features.rows.evidence == SYNTHETIC).any():
        return [], []
    latency = np.full(len(features), np.nan)
    tables = []
    for name in predictors:
        if name in KERNEL_MODELS:
            model = KERNEL_MODELS[name](evidence=("synthetic",), totals=False)
            predicted = model.fit(features, latency, rows["family"].to_numpy(object)).predict(features)
            tables.append(
                pd.DataFrame(
                    {
                        "network": features.networks,
                        "precision": features.precision,
                        "metric": "latency_ms",
                        "predicted": predicted,
                        "lower": np.nan,
                        "upper": np.nan,
                        "predictor": name,
                        "protocol": PROTOCOL,
                    }
                )
            )
    split = rows[["device", "family", "network"]].assign(protocol=PROTOCOL, fold="zoo")
    return tables, [split]
