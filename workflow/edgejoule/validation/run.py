"""Prediction of networks that the predictor has not seen, one device at a time."""

from collections.abc import Sequence

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.predictors import (
    KERNEL_MODELS,
    MODELS,
    WITH_INTERVALS,
    Costs,
    DevicePredictor,
    Features,
    training_set,
)
from edgejoule.predictors.transfer import prior_catalogues
from edgejoule.tables import empty
from edgejoule.tables.contracts import SPLITS, VALIDATION
from edgejoule.tables.vocabulary import METRICS
from edgejoule.validation import synthetic
from edgejoule.validation.splits import splits
from edgejoule.validation.transfer import measured_networks, predict_from_few

#: Metrics that are judged, by where power is from: a modelled energy is latency times a constant and proves nothing.
JUDGED = {"measured": METRICS, "published": METRICS, "estimated": ("latency_ms",), "inferred": ("latency_ms",)}


def validate(
    networks: pd.DataFrame,
    kernels: pd.DataFrame,
    predictors: Sequence[str],
    protocols: Sequence[str],
    seed: int = 0,
    priors: Sequence[pd.DataFrame] = (),
    nodes: pd.DataFrame | None = None,
    alone: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predict every network of one device by predictors that were trained without it.

    Args:
        networks: rows of results/datasets/networks.parquet of one device.
        kernels: rows of results/graphs/kernels.parquet.
        predictors, protocols: which; predictors that need kernels' own times are passed over where there are none.
        seed: seed of random folds.
        priors: the same as ``networks`` of devices that may serve as prior for a new board (protocols ``transfer-k*``).
        nodes: the runtime's own times of kernels, a recording's nodes.parquet, where it has one.
        alone: rows of results/datasets/kernels.parquet of the device, where it measured kernels alone.

    Returns:
        Rows of results/validation/networks.parquet, and the splits that were used (table SPLITS).
    """
    for name in predictors:
        if name not in MODELS | KERNEL_MODELS:
            raise EdgejouleError(f"unknown predictor '{name}'; {did_you_mean(name, MODELS | KERNEL_MODELS)}")
    rows, features, costs = training_set(networks, kernels, nodes, alone)
    predictors = [name for name in predictors if name in MODELS or features.rows is not None]
    tables, used = [], []
    if len(rows):
        few = [protocol for protocol in protocols if measured_networks(protocol) is not None]
        if few:
            catalogues = prior_catalogues(priors, kernels, rows["board"].iloc[0])
            tables, used = predict_from_few(rows, features, costs, catalogues, few, predictors)
        if synthetic.PROTOCOL in protocols:
            more, split = synthetic.predict_from_synthetic(rows, features, predictors)
            tables, used = tables + more, used + split
        for protocol in protocols:
            if protocol not in (*few, synthetic.PROTOCOL):
                split = splits(rows, protocol, seed)
                used.append(split)
                tables += _predict_folds(rows, features, costs, split, predictors)
    return _judge(rows, tables), pd.concat(used, ignore_index=True) if used else empty(SPLITS)


def _predict_folds(
    rows: pd.DataFrame, features: Features, costs: Costs, split: pd.DataFrame, predictors: Sequence[str]
) -> list[pd.DataFrame]:
    tables = []
    for _, fold in split.groupby("fold"):
        out = rows["network"].isin(fold["network"]).to_numpy()
        if out.all():
            continue
        for name in predictors:
            predictor = DevicePredictor(name)
            fit = predictor.fit_with_intervals if name in WITH_INTERVALS else predictor.fit
            judged = features.take(out)
            predicted = fit(features.take(~out), costs.take(~out)).predict(judged)
            like = [not warnings for warnings in predictor.domain.judge(judged)[2]]
            stated = predicted["network"].isin(judged.networks[like])
            tables.append(predicted.assign(predictor=name, protocol=fold["protocol"].iloc[0], stated=stated))
    return tables


def _judge(rows: pd.DataFrame, tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put the measured values beside the predictions, of the metrics that the device's origin allows to judge."""
    if not tables:
        return empty(VALIDATION)
    predicted = pd.concat(tables, ignore_index=True).drop(columns="precision")
    predicted = predicted[predicted["metric"].isin(JUDGED[rows["origin"].iloc[0]])]
    # Where networks were measured on a new board, every interval is stated.
    unlike = predicted.reindex(columns=["stated"])["stated"].eq(False)
    predicted = predicted.assign(stated=predicted["lower"].notna() & ~unlike)
    about = rows[["device", "board", "origin", "family", "network", *METRICS]]
    about = about.assign(flagged=rows["quality"].eq("flagged"))
    about = about.melt([c for c in about if c not in METRICS], list(METRICS), "metric", "measured")
    table = predicted.merge(about, on=["network", "metric"], how="left", validate="many_to_one")
    table = table[table["measured"].notna()]
    return table.sort_values(["protocol", "predictor", "metric", "family", "network"], ignore_index=True)
