"""How much of a network's cost goes to each kernel kind: from kernels' energies, or from a runtime's own profile."""

import re

import pandas as pd

from edgejoule.figures.palette import UNTOLD
from edgejoule.predictors.matching import with_durations
from edgejoule.predictors.training import kernels_for


def kind_shares(networks: pd.DataFrame, kernels: pd.DataFrame, costs: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the share (%) of each kernel kind in each network's energy, by family, precision and network.

    Also how many of the networks are left out because a kernel of theirs has no energy.

    Args:
        networks: one device's networks.
        kernels: the kernels of all networks and runtimes.
        costs: the device's kernels with an energy.
    """
    own = kernels_for(kernels, networks["runtime"].iloc[0])
    energy = costs.drop_duplicates(["kernel", "precision"]).set_index(["kernel", "precision"])["energy_mj"]
    own = own.join(energy, on=["kernel", "precision"])
    own = own.merge(networks[["network", "precision"]].drop_duplicates(), on=["network", "precision"])
    whole = own["energy_mj"].notna().groupby([own["network"], own["precision"]]).transform("all")
    partly = own.loc[~whole, ["network", "precision"]].drop_duplicates()
    return _shares(own[whole], "energy_mj", networks), len(partly)


def profiled_shares(networks: pd.DataFrame, kernels: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the same shares of time; what the runtime spent in nodes that are no kernel of the graph is ``UNTOLD``.

    Args:
        networks: one device's networks.
        kernels: the kernels of all networks and runtimes.
        nodes: the runtime's time of each node; the least over the passes counts.
    """
    own = kernels_for(kernels, networks["runtime"].iloc[0])
    own = own.merge(nodes[["network", "precision"]].drop_duplicates(), on=["network", "precision"])
    known = with_durations(own, nodes)
    known = known[known["duration_ms"].notna()].assign(duration_ns=lambda rows: 1e6 * rows["duration_ms"])
    key = ["network", "precision"]
    spent = _timed(nodes).groupby(key)["duration_ns"].sum()
    untold = (spent - known.groupby(key)["duration_ns"].sum().reindex(spent.index, fill_value=0.0)).clip(lower=0.0)
    rest = untold.rename("duration_ns").reset_index().assign(kind=UNTOLD)
    return _shares(pd.concat([known, rest], ignore_index=True), "duration_ns", networks)


def operator_shares(networks: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of time by what the runtime itself calls its nodes; see ``plain_operator``.

    Args:
        networks: one device's networks.
        nodes: the runtime's time of each node; the least over the passes counts.
    """
    timed = _timed(nodes)
    return _shares(timed.assign(kind=timed["operator"].map(plain_operator)), "duration_ns", networks)


def plain_operator(name: str) -> str:
    """Return a runtime's name of a node without its tensor's layout and type.

    >>> plain_operator("Convolution (NHWC, F32) IGEMM"), plain_operator("brgconv_avx512_dw_f32")
    ('Convolution IGEMM', 'brgconv_avx512_dw')
    """
    return re.sub(r"_(f32|f16|bf16|[iu](8|32|64))$", "", re.sub(r" \([^)]*\)", "", name), flags=re.IGNORECASE)


def _timed(nodes: pd.DataFrame) -> pd.DataFrame:
    return nodes.groupby(["network", "precision", "index"], as_index=False).agg(
        operator=("operator", "first"), duration_ns=("duration_ns", "min")
    )


def _shares(kernels: pd.DataFrame, cost: str, networks: pd.DataFrame) -> pd.DataFrame:
    families = networks[["network", "precision", "family"]]
    own = kernels.merge(families, on=["network", "precision"])
    per_kind = own.groupby(["family", "precision", "network", "kind"])[cost].sum().unstack(fill_value=0.0)
    return 100 * per_kind.div(per_kind.sum(axis=1), axis=0)
