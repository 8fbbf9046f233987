"""What a device's predictor is trained on: its measured networks and what their kernels amount to."""

from dataclasses import replace

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.predictors.alone import alone_kernels
from edgejoule.predictors.device import Costs
from edgejoule.predictors.features import Features, network_features, select
from edgejoule.predictors.kernelwise import timed
from edgejoule.predictors.matching import with_durations
from edgejoule.predictors.metered import metered, with_half_precision


def kernels_for(kernels: pd.DataFrame, runtime: str) -> pd.DataFrame:
    """Return the kernels as ``runtime`` executes them, network by network; where that is unknown, as another does.

    A network of which no graph for this runtime was made keeps the graph of the first runtime by name.
    """
    ranked = kernels.assign(_rank=kernels["runtime"].ne(runtime).astype(int).astype(str) + kernels["runtime"])
    best = ranked.groupby(["network", "precision"])["_rank"].transform("min")
    return ranked[ranked["_rank"] == best].drop(columns="_rank")


def own_kernels(rows: pd.DataFrame, kernels: pd.DataFrame) -> pd.DataFrame:
    """Return the kernels of a device's networks ``rows`` as its runtime executes them, in the networks' precision."""
    theirs = kernels[kernels["network"].isin(rows["network"])]
    return kernels_for(with_half_precision(theirs, rows), rows["runtime"].iloc[0])


def training_set(
    networks: pd.DataFrame,
    kernels: pd.DataFrame,
    nodes: pd.DataFrame | None = None,
    alone: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, Features, Costs]:
    """Return the usable rows of one device's networks, their features and their costs, in one order.

    A row without a latency (quality ``failed``) is not usable. A usable network without a graph stops: it would
    otherwise vanish from training and proof.

    Args:
        networks: rows of results/datasets/networks.parquet of one device.
        kernels: rows of results/graphs/kernels.parquet.
        nodes: the runtime's own times of kernels, a recording's nodes.parquet, where it has one. They are used where
            they can be matched to most kernels; a graph as another machine's runtime made it may not match.
        alone: the device's rows of results/datasets/kernels.parquet, where it measured kernels alone. Without nodes
            they are used only where a meter measured the energy of kernels that do most of the networks' work.
    """
    devices = networks["device"].unique()
    if len(devices) > 1:
        raise EdgejouleError(f"networks of {len(devices)} devices ({', '.join(devices)}); pass those of one")
    rows = networks[networks["quality"].ne("failed") & networks["latency_ms"].notna()].reset_index(drop=True)
    if rows.empty:
        return rows, network_features(kernels.iloc[:0]), Costs.of(rows)
    runtime = rows["runtime"].iloc[0]
    mine = own_kernels(rows, kernels)
    single = None
    if alone is not None and len(alone):
        single = alone_kernels(alone, kernels[kernels["runtime"] == runtime])
    if nodes is not None and len(nodes):
        features = network_features(with_durations(mine, nodes), rows=True, alone=single)
    elif single is not None and single["energy_mj"].notna().any():
        features = network_features(mine, rows=True, alone=single)
    else:
        features = network_features(mine)
    chosen, found = select(features, rows["network"].tolist(), rows["precision"].tolist())
    if not found.all():
        missing = rows.loc[~found, "network"].tolist()
        raise EdgejouleError(
            f"device '{devices[0]}': {len(missing)} measured networks have no graph in that precision "
            f"({', '.join(missing[:3])}, ...); add them to the zoo and run the graphs stage"
        )
    if not timed(chosen) and not metered(chosen):
        chosen = replace(chosen, rows=None)
    return rows, chosen, Costs.of(rows)
