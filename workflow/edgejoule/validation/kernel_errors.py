"""Single kernels inside networks, predicted by models that know nothing of the network's family."""

import numpy as np
import pandas as pd

from edgejoule.predictors import KERNEL_MODELS, Costs, Features
from edgejoule.predictors.folds import family_folds
from edgejoule.predictors.times import SHORTEST_MS
from edgejoule.tables import empty
from edgejoule.tables.contracts import KERNEL_ACCURACY, KERNEL_VALIDATION
from edgejoule.validation.accuracy import within
from edgejoule.validation.kernels import GROUPS

ALL_KINDS = "all"
#: Shorter kernels are mostly the whole microseconds that a profiler counts in (ms).
LONG_MS = 0.02


def predict_kernels(rows: pd.DataFrame, kernels: pd.DataFrame, features: Features, costs: Costs) -> pd.DataFrame:
    """Return table KERNEL_VALIDATION: kernels' times in networks whose families were left out, in five groups.

    Measured is the least time of the profiled passes, averaged over the executions of a configuration in one network.
    A profiler counts whole microseconds, so what is shorter counts as one, measured or predicted.

    Args:
        rows, features, costs: a device's n networks, as ``training_set`` gives them.
        kernels: their kernels as the device runs them, as ``own_kernels`` gives them, in any order of networks.
    """
    if features.rows is None:
        return empty(KERNEL_VALIDATION)
    latency, family = costs.metrics["latency_ms"], costs.family
    parts = []
    for out in family_folds(family, GROUPS):
        known, judged = features.take(~out), features.take(out)
        names = _kernels_of(judged, kernels)
        inside = judged.rows.inside
        # A runtime's profile does not tell every kernel.
        told = np.isfinite(inside.duration_ms)
        there = known.rows.where(np.isfinite(known.rows.duration_ms))
        measured = np.maximum(inside.duration_ms, SHORTEST_MS)
        table = names.assign(measured=measured, shared=np.isin(inside.same, there.same))[told]
        for name, make in KERNEL_MODELS.items():
            model = make().fit(known, latency[~out], family[~out])
            predicted = np.maximum(model.kernels.predict(inside.where(told)), SHORTEST_MS)
            parts.append(table.assign(predictor=name, predicted=predicted))
    if not parts:
        return empty(KERNEL_VALIDATION)
    # Kernels of one name may differ in operator or bytes, so that training knows some of them only.
    table = (
        pd.concat(parts)
        .groupby(["predictor", "network", "precision", "kind", "kernel"], as_index=False)
        .agg(
            shared=("shared", "all"),
            measured=("measured", "mean"),
            predicted=("predicted", "mean"),
            executions=("measured", "size"),
        )
    )
    about = rows[["device", "board", "origin", "family", "network", "precision"]]
    about = about.assign(flagged=rows["quality"].eq("flagged"))
    table = table.merge(about, on=["network", "precision"], validate="many_to_one")
    table = table.assign(metric="latency_ms", protocol="leave-one-family-out", lower=np.nan, upper=np.nan)
    return table[KERNEL_VALIDATION.names]


def _kernels_of(networks: Features, kernels: pd.DataFrame) -> pd.DataFrame:
    """Return ``network, precision, kind, kernel`` of each kernel inside networks, in the order of their rows."""
    owner = networks.rows.inside.owner
    inside = pd.DataFrame({"network": networks.networks[owner], "precision": networks.precision[owner]})
    keys = ["network", "precision"]
    inside["place"] = inside.groupby(keys).cumcount()
    named = kernels[[*keys, "kind", "kernel"]].assign(place=kernels.groupby(keys).cumcount())
    return inside.merge(named, on=[*keys, "place"], how="left", validate="one_to_one").drop(columns="place")


def kernel_accuracy(validation: pd.DataFrame) -> pd.DataFrame:
    """Summarise rows of KERNEL_VALIDATION into rows of KERNEL_ACCURACY: per device and predictor, all and by kind."""
    rows = []
    for (device, predictor), mine in validation.groupby(["device", "predictor"], sort=True):
        time = (mine["measured"] * mine["executions"]).sum()
        parts = [(ALL_KINDS, mine), *mine.groupby("kind", sort=True)]
        found = [{"device": device, "predictor": predictor, "kind": kind} | _errors(part, time) for kind, part in parts]
        rows += sorted(found, key=lambda row: (row["kind"] != ALL_KINDS, -row["share_percent"]))
    return pd.DataFrame(rows)[KERNEL_ACCURACY.names] if rows else empty(KERNEL_ACCURACY)


def _errors(part: pd.DataFrame, whole_ms: float) -> dict[str, object]:
    """Return the error figures of some kernels; ``whole_ms`` is the time of all kernels of the device."""
    relative = (part["predicted"] / part["measured"] - 1).to_numpy()
    error = 100 * np.abs(relative)
    time = (part["measured"] * part["executions"]).to_numpy()
    long, new = part["measured"].to_numpy() >= LONG_MS, ~part["shared"].to_numpy(bool)
    return {
        "kernels": len(part),
        "share_percent": 100 * time.sum() / whole_ms,
        "mape_percent": error.mean(),
        "median_percent": np.median(error),
        "within10_percent": within(relative, 0.10),
        "weighted_mape_percent": np.average(error, weights=time),
        "long_mape_percent": error[long].mean() if long.any() else np.nan,
        "new_mape_percent": error[new].mean() if new.any() else np.nan,
    }
