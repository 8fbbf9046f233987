"""Do the predictors' 90 % intervals hold 90 % of the measured values?"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import origin_of
from edgejoule.figures.palette import COLOURS, FAINT, METRICS, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import note

PROTOCOL, PREDICTOR, NOMINAL = "leave-one-family-out", "edgejoule", 90


def draw(devices: Mapping[str, DeviceLook], validation: pd.DataFrame) -> list[Picture]:
    """Draw coverage and median width of the intervals, per device and metric.

    Args:
        devices: how each device is shown.
        validation: the validation stage's networks.
    """
    title = "Coverage of the 90 % intervals"
    rows = validation[(validation["protocol"] == PROTOCOL) & (validation["predictor"] == PREDICTOR)]
    rows = rows[rows[["lower", "upper", "predicted"]].notna().all(axis=1)]
    if rows.empty:
        reason = f"predictor '{PREDICTOR}' gave no intervals under {PROTOCOL} in this run"
        return [Picture("all-devices", title, reason=reason)]
    rows = rows.assign(
        inside=100.0 * rows["measured"].between(rows["lower"], rows["upper"]),
        width=100 * (rows["upper"] - rows["lower"]) / (2 * rows["predicted"]),
    )
    looks = known(devices, rows["device"], "results/validation/networks.parquet")
    summary = rows.groupby(["device", "metric"]).agg(inside=("inside", "mean"), width=("width", "median"))
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 1.5 + 0.36 * len(looks)), sharey=True)
    metrics = [metric for metric in METRICS if metric in set(rows["metric"])]
    for i, metric in enumerate(metrics):
        own = summary.xs(metric, level="metric").reindex([look.name for look in looks])
        at = np.arange(len(looks)) + 0.16 * (i - (len(metrics) - 1) / 2)
        style = {"color": COLOURS[i], "marker": "osD^"[i], "linestyle": "none", "markersize": 5, "clip_on": False}
        left.plot(own["inside"], at, label=METRICS[metric][0], **style)
        right.plot(own["width"], at, **style)
    left.axvline(NOMINAL, color=FAINT, linewidth=1)
    left.set_xlim(min(50, summary["inside"].min() - 5), 100)
    right.set_xlim(left=0)
    left.set_yticks(range(len(looks)), [look.title for look in looks])
    left.invert_yaxis()
    left.set_xlabel("Inside the interval (%)")
    right.set_xlabel("Median half-width (%)")
    note(right, origin_of(metrics, looks))
    figure.legend(loc="outside lower center", ncols=4)
    mean = {metric: summary.xs(metric, level="metric")["inside"].mean() for metric in metrics}
    said = ", ".join(f"{METRICS[metric][0]} {percent(value)}" for metric, value in mean.items())
    caption = f"Whole families left out. Mean coverage over devices: {said}; the line is the nominal {NOMINAL} %."
    return [Picture("all-devices", title, caption, figure)]
