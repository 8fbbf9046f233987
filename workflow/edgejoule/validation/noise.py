"""The noise floor beside predictors' errors: nobody agrees with a recording better than it agrees with itself."""

import numpy as np
import pandas as pd

from edgejoule.tables import empty
from edgejoule.tables.contracts import NOISE_FLOOR

PREDICTOR, PROTOCOL = "edgejoule", "leave-one-family-out"
#: Median and 95th percentile of the relative difference in energy between two runs of the same network on the same
#: device (%): the ranging run against the performance run of MLPerf Inference submissions, 28 systems.
EXTERNAL = (0.7, 5.7)
OWN_SOURCE = "the recording's odd passes against its even ones"
EXTERNAL_SOURCE = "external: MLPerf Inference, ranging against performance runs of 28 systems"


def disagreement(passes: pd.DataFrame) -> pd.DataFrame:
    """Return, per device and workload, by how much the odd passes differ from the even ones (%).

    The halves interleave in time. Each is the mean of its passes as the datasets' value is: the fastest inference
    without the machine's drift where passes are steadied, all of the window where they are pooled.
    """
    steadied = passes["latency_min_ms"] / passes["slowdown"]
    rows = passes.assign(half=passes["pass"] % 2, value=steadied.fillna(passes["latency_ms"]))
    keys = ["device", "workload", "precision"]
    halves = rows.groupby([*keys, "half"], dropna=False)["value"].mean().unstack("half")
    halves = halves.reindex(columns=[0, 1]).dropna().reset_index()
    even, odd = halves[0], halves[1]
    return halves[keys].assign(disagreement_percent=100 * (even - odd).abs() / np.minimum(even, odd))


def noise_floor(passes: pd.DataFrame, validation: pd.DataFrame) -> pd.DataFrame:
    """Return rows of table NOISE_FLOOR: how far a recording repeats, and how far predictions are off.

    Args:
        passes: results/datasets/passes.parquet.
        validation: results/validation/networks.parquet. Devices that were recorded once are given the floor that is
            known from outside, in energy.
    """
    own = disagreement(passes[passes["kind"] == "network"])
    judged = validation[(validation["predictor"] == PREDICTOR) & (validation["protocol"] == PROTOCOL)]
    judged = judged.assign(error=100 * (judged["predicted"] / judged["measured"] - 1).abs()).dropna(subset="error")
    rows = []
    for device, group in judged.groupby("device", sort=True):
        floor = own.loc[own["device"] == device, "disagreement_percent"]
        metric = "latency_ms" if len(floor) else "energy_mj"
        errors = group[group["metric"] == metric]
        if errors.empty:
            continue
        known = (floor.median(), floor.quantile(0.95)) if len(floor) else EXTERNAL
        rows.append(
            {
                "device": device,
                "metric": metric,
                "floor_median_percent": known[0],
                "floor_p95_percent": known[1],
                "floor_source": OWN_SOURCE if len(floor) else EXTERNAL_SOURCE,
                "networks": len(errors),
                "error_median_percent": errors["error"].median(),
                "error_p95_percent": errors["error"].quantile(0.95),
                "mape_percent": errors.groupby("family")["error"].mean().mean(),
            }
        )
    return pd.DataFrame(rows)[NOISE_FLOOR.names] if rows else empty(NOISE_FLOOR)
