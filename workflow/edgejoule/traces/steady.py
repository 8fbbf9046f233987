"""How fast a shared machine was from one minute to the next, told by what ran on it just before and after."""

import numpy as np
import pandas as pd

#: Measurements around one that tell how fast the machine was, and rounds of telling machine and workload apart.
NEIGHBOURS, ROUNDS = 8, 5


def slowdown(values: pd.Series, start_ns: pd.Series) -> pd.Series:
    """Return how much slower the machine was during each measurement than it usually was, 1 = as usual.

    A shared machine changes its clock over minutes, for whatever runs. So each measurement is compared with its own
    workload's other passes, and the median of that over the ``NEIGHBOURS`` measurements nearest in time, whatever their
    workload, is the machine's share; the measurement itself has no part in it. Workloads and time are told apart by
    turns (median polish; Tukey, Exploratory Data Analysis, 1977).

    Args:
        values: latency by workload and pass.
        start_ns: when each was measured, same index.
    """
    order = start_ns.sort_values().index
    logs = np.log(values.loc[order])
    if len(order) == 1:
        return pd.Series(1.0, index=order)
    half = NEIGHBOURS // 2
    drift = pd.Series(0.0, index=order)
    for _ in range(ROUNDS):
        residual = (logs - (logs - drift).groupby("workload").transform("median")).to_numpy()
        padded = np.concatenate([np.full(half, np.nan), residual, np.full(half, np.nan)])
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
        drift = pd.Series(np.nanmedian(np.delete(around, half, axis=1), axis=1), index=order)
    return np.exp(drift).loc[values.index]
