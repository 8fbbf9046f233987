"""What a device's predictor is trained on: its measured networks and what their kernels amount to."""

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.predictors.device import Costs
from edgejoule.predictors.features import Features, network_features, select


def kernels_for(kernels: pd.DataFrame, runtime: str) -> pd.DataFrame:
    """Return the kernels as ``runtime`` executes them, network by network; where that is unknown, as another does.

    A network of which no graph for this runtime was made keeps the graph of the first runtime by name.
    """
    ranked = kernels.assign(_rank=kernels["runtime"].ne(runtime).astype(int).astype(str) + kernels["runtime"])
    best = ranked.groupby(["network", "precision"])["_rank"].transform("min")
    return ranked[ranked["_rank"] == best].drop(columns="_rank")


def training_set(networks: pd.DataFrame, kernels: pd.DataFrame) -> tuple[pd.DataFrame, Features, Costs]:
    """Return the usable rows of one device's networks, their features and their costs, in one order.

    A row without a latency (quality ``failed``) is not usable. A usable network without a graph stops: it would
    otherwise vanish from training and proof.
    """
    devices = networks["device"].unique()
    if len(devices) > 1:
        raise EdgejouleError(f"networks of {len(devices)} devices ({', '.join(devices)}); pass those of one")
    rows = networks[networks["quality"].ne("failed") & networks["latency_ms"].notna()].reset_index(drop=True)
    if rows.empty:
        return rows, network_features(kernels.iloc[:0]), Costs.of(rows)
    features = network_features(kernels_for(kernels, rows["runtime"].iloc[0]))
    chosen, found = select(features, rows["network"].tolist(), rows["precision"].tolist())
    if not found.all():
        missing = rows.loc[~found, "network"].tolist()
        raise EdgejouleError(
            f"device '{devices[0]}': {len(missing)} measured networks have no graph in that precision "
            f"({', '.join(missing[:3])}, ...); add them to the zoo and run the graphs stage"
        )
    return rows, chosen, Costs.of(rows)
