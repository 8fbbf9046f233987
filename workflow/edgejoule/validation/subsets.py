"""Parts of a device's networks that are reported apart, so that one does not swamp the other."""

import pandas as pd

from edgejoule.tables import empty
from edgejoule.tables.contracts import SUBSETS
from edgejoule.validation.accuracy import accuracy

#: Networks that are faster are mostly overhead of the runtime; kernels are judged by the others.
LEAST_MS = 2.0
SLOW = "2 ms and more"
SERIES = "width and resolution series"
OTHERS = "without the series"
OTHERS_SLOW = "without the series, 2 ms and more"


def subsets(validation: pd.DataFrame, series: set[str]) -> dict[str, pd.Series]:
    """Return masks over the rows of results/validation/networks.parquet by name of the subset.

    Args:
        validation: predictions; those of latency say how fast a network is.
        series: networks that are one architecture at many widths and resolutions, as MLPerf's submitters ran them.
    """
    latency = validation[validation["metric"] == "latency_ms"].drop_duplicates(["device", "network"])
    latency = latency.set_index(["device", "network"])["measured"]
    keys = pd.MultiIndex.from_frame(validation[["device", "network"]])
    slow = pd.Series(latency.reindex(keys).to_numpy() >= LEAST_MS, validation.index)
    of_series = validation["network"].isin(series)
    return {SLOW: slow, SERIES: of_series, OTHERS: ~of_series, OTHERS_SLOW: slow & ~of_series}


def subset_accuracy(validation: pd.DataFrame, series: set[str], seed: int = 0) -> pd.DataFrame:
    """Return rows of table SUBSETS: the errors of table ACCURACY for each subset that is not a device's whole."""
    parts = []
    for name, mask in subsets(validation, series).items():
        # A device whose networks are all of one sort has nothing to tell apart.
        divided = validation["device"].isin(
            {device for device, group in mask.groupby(validation["device"]) if group.any() and not group.all()}
        )
        chosen = validation[mask & divided]
        if len(chosen):
            parts.append(accuracy(chosen, seed).assign(subset=name))
    return pd.concat(parts, ignore_index=True)[SUBSETS.names] if parts else empty(SUBSETS)
