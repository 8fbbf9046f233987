"""Prediction of networks that the predictor has not seen, one device at a time."""

from collections.abc import Sequence

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.predictors import MODELS, WITH_INTERVALS, DevicePredictor, training_set
from edgejoule.tables import empty
from edgejoule.tables.contracts import SPLITS, VALIDATION
from edgejoule.tables.vocabulary import METRICS
from edgejoule.validation.splits import splits

#: Predictors that learn from measured kernels; passed over on a device where none was measured.
FROM_KERNELS = ("random-forest-per-kernel",)

#: Metrics that are judged, by where power is from: a modelled energy is latency times a constant and proves nothing.
JUDGED = {"measured": METRICS, "published": METRICS, "estimated": ("latency_ms",), "inferred": ("latency_ms",)}


def validate(
    networks: pd.DataFrame, kernels: pd.DataFrame, predictors: Sequence[str], protocols: Sequence[str], seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predict every network of one device by predictors that were trained without it.

    Args:
        networks: rows of results/datasets/networks.parquet of one device.
        kernels: rows of results/graphs/kernels.parquet.
        predictors, protocols: which; predictors that need measured kernels are passed over.
        seed: seed of random folds.

    Returns:
        Rows of results/validation/networks.parquet, and the splits that were used (table SPLITS).
    """
    rows, features, costs = training_set(networks, kernels)
    if rows.empty:
        return empty(VALIDATION), empty(SPLITS)
    for name in predictors:
        if name not in (*MODELS, *FROM_KERNELS):
            raise EdgejouleError(f"unknown predictor '{name}'; {did_you_mean(name, (*MODELS, *FROM_KERNELS))}")
    predictors = [name for name in predictors if name in MODELS]
    origin = rows["origin"].iloc[0]
    tables, used = [], []
    for protocol in protocols:
        split = splits(rows, protocol, seed)
        used.append(split)
        for _, fold in split.groupby("fold"):
            out = rows["network"].isin(fold["network"]).to_numpy()
            if out.all():
                continue
            for name in predictors:
                predictor = DevicePredictor(name)
                fit = predictor.fit_with_intervals if name in WITH_INTERVALS else predictor.fit
                predicted = fit(features.take(~out), costs.take(~out)).predict(features.take(out))
                tables.append(predicted.assign(predictor=name, protocol=protocol))
    if not tables:
        return empty(VALIDATION), pd.concat([empty(SPLITS), *used], ignore_index=True)
    judged = pd.concat(tables, ignore_index=True)
    judged = judged[judged["metric"].isin(JUDGED[origin])]
    about = rows[["device", "board", "origin", "family", "network", *METRICS]].assign(
        flagged=rows["quality"].eq("flagged")
    )
    about = about.melt([c for c in about if c not in METRICS], list(METRICS), "metric", "measured")
    table = judged.drop(columns="precision").merge(about, on=["network", "metric"], how="left", validate="many_to_one")
    table = table[table["measured"].notna()]
    keys = ["protocol", "predictor", "metric", "family", "network"]
    return table.sort_values(keys, ignore_index=True), pd.concat(used, ignore_index=True)
