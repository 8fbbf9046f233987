"""Checking the described zoo against an independent counter: PyTorch's own, on tensors that hold no data."""

from collections.abc import Mapping

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import without_data
from edgejoule.graphs.export import zeros_for
from edgejoule.graphs.zoo import input_shape
from edgejoule.tables.contracts import COUNTS

#: Descriptions and counter may differ by this much (percent).
TOLERANCE_PERCENT = 0.5
#: Networks that differ by more, and why.
_FOLDED = "PyTorch counts convolutions of constants (its position encoding), which runtimes fold when they load it"
EXPECTED: Mapping[str, str] = {"edgenext_xx_small": _FOLDED, "edgenext_x_small": _FOLDED}


def count(row) -> tuple[int, int]:
    """Return multiply-accumulates, by ``torch.utils.flop_counter``, and parameters of a network of the zoo.

    See ``builders.build`` for ``row`` and errors.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    network = without_data(row)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(zeros_for(network, input_shape(row.input)).to("meta"))
    # A multiply-accumulate is two operations there.
    return counter.get_total_flops() // 2, sum(parameter.numel() for parameter in network.parameters())


def check_counts(zoo: pd.DataFrame, coverage: pd.DataFrame) -> pd.DataFrame:
    """Compare every described network with the counter.

    Args:
        zoo: the zoo.
        coverage: table COVERAGE of it.

    Returns:
        Table COUNTS, one row per network and runtime.
    """
    counted = {row.architecture: count(row) for row in zoo.drop_duplicates("architecture").itertuples()}
    architecture = coverage["network"].map(zoo.set_index("network")["architecture"])
    found = coverage[["network", "precision", "runtime", "told_by", "macs", "parameters", "zoo_parameters"]].assign(
        counted_macs=[counted[name][0] for name in architecture],
        counted_parameters=[counted[name][1] for name in architecture],
    )
    found["macs_off_percent"] = 100 * (found["macs"] / found["counted_macs"] - 1)
    same = (found["parameters"] == found["counted_parameters"]) & (found["parameters"] == found["zoo_parameters"])
    found["agrees"] = (found["macs_off_percent"].abs() <= TOLERANCE_PERCENT) & same
    found["reason"] = architecture.map(EXPECTED).where(~found["agrees"])
    return found[list(COUNTS.names)].sort_values(list(COUNTS.key), ignore_index=True)


def demand_agreement(counts: pd.DataFrame, where: str) -> str:
    """Return a sentence on table COUNTS.

    Raises:
        EdgejouleError: a network disagrees for no known reason.
    """
    wrong = counts[~counts["agrees"] & counts["reason"].isna()]
    if len(wrong):
        row = wrong.iloc[0]
        raise EdgejouleError(
            f"{where}: {wrong['network'].nunique()} networks disagree with PyTorch's counter, such as '{row.network}' "
            f"on {row.runtime}: {row.macs} multiply-accumulates against {row.counted_macs}, {row.parameters} "
            f"parameters against {row.counted_parameters} and the zoo's {row.zoo_parameters}; mend its description, or "
            "say why in edgejoule.graphs.counts.EXPECTED"
        )
    agreeing = counts[counts["agrees"]]
    exact = 100 * float((agreeing["macs"] == agreeing["counted_macs"]).mean())
    known = sorted(set(counts.loc[~counts["agrees"], "network"]))
    return (
        f"{agreeing['network'].nunique()} networks agree with PyTorch's counter on {counts['runtime'].nunique()} "
        f"runtimes within {TOLERANCE_PERCENT} % ({exact:.0f} % exactly); known exceptions: {', '.join(known) or 'none'}"
    )
