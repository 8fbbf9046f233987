"""A whole board left out: predicted from the devices of other boards, and from a few of its networks or none."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from edgejoule.predictors import MODELS, DevicePredictor
from edgejoule.predictors.device import Costs
from edgejoule.predictors.features import Features
from edgejoule.predictors.transfer import Catalogue, Transfer, common_networks

#: Fewer networks in common with the prior devices prove nothing.
LEAST = 40


def measured_networks(protocol: str) -> int | None:
    """Return how many networks a protocol measures on a new board; None for one that leaves out no board."""
    if protocol == "leave-one-board-out":
        return 0
    found = re.fullmatch(r"transfer-k(\d+)", protocol)
    return int(found[1]) if found else None


def predict_from_few(
    rows: pd.DataFrame,
    features: Features,
    costs: Costs,
    priors: Sequence[Catalogue],
    protocols: Sequence[str],
    predictors: Sequence[str],
) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Predict the networks of a new board that were not measured; other predictors learn from the same few alone.

    Args:
        rows, features, costs: the new board's networks, as ``training_set`` gives them.
        priors: devices of other boards.
        protocols: ``transfer-k5`` and so on, or ``leave-one-board-out``.
        predictors: which; where networks were measured, ``edgejoule`` alone uses the priors.

    Returns:
        Predictions (with predictor and protocol), and the splits: what was left out. Both are empty where the device
        has too few networks in common with prior devices of at least two other boards.
    """
    if len({prior.board for prior in priors}) < 2:
        return [], []
    target = Catalogue(rows["device"].iloc[0], rows["board"].iloc[0], features, costs)
    shared = common_networks([target, *priors])
    if len(shared) < LEAST:
        return [], []
    target = target.ordered(shared)
    metered = rows["origin"].iloc[0] == "measured"
    others = [prior.ordered(shared) for prior in priors]
    transfer = Transfer(target.features, others, metered)
    about = rows.set_index("network").loc[shared].reset_index()[["device", "family", "network"]]
    tables, used = [], []
    for protocol in protocols:
        chosen = transfer.choose(measured_networks(protocol))
        left = about.drop(index=chosen)
        few = target.costs.take(chosen)
        for name in predictors:
            if not len(chosen) and name not in MODELS:
                # Other boards have no times of kernels.
                continue
            if name == "edgejoule":
                predicted = transfer.predict(chosen, few)
            elif not len(chosen):
                predicted = _as_elsewhere(name, target.features, others)
            else:
                predicted = DevicePredictor(name).fit(target.features.take(chosen), few).predict(target.features)
            predicted = predicted[predicted["network"].isin(left["network"])]
            tables.append(predicted.assign(predictor=name, protocol=protocol))
        used.append(left.assign(protocol=protocol, fold=target.board))
    return tables, used


def _as_elsewhere(name: str, features: Features, others: Sequence[Catalogue]) -> pd.DataFrame:
    """Return the geometric mean of the predictions of predictors that each learned from a device of another board."""
    tables = [DevicePredictor(name).fit(other.features, other.costs).predict(features) for other in others]
    logs = np.mean([np.log(table["predicted"].where(table["predicted"] > 0)) for table in tables], axis=0)
    return tables[0].assign(predicted=np.exp(logs))
