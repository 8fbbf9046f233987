"""How the errors of the predictors are distributed, on networks of families that they have not seen."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import grid, origin_of
from edgejoule.figures.palette import METRICS, PREDICTORS, percent
from edgejoule.figures.picture import Picture

PROTOCOL = "leave-one-family-out"
#: The axis ends here (%); larger errors are beyond it and lower the curve's end.
MOST = 50


def draw(devices: Mapping[str, DeviceLook], validation: pd.DataFrame) -> list[Picture]:
    """Draw one picture per metric: a panel per device with the cumulative distribution of each predictor's error.

    Args:
        devices: how each device is shown.
        validation: the validation stage's networks.
    """
    looks = known(devices, validation["device"], "results/validation/networks.parquet")
    rows = validation[validation["protocol"] == PROTOCOL]
    rows = rows.assign(error=100 * (rows["predicted"] / rows["measured"] - 1).abs())
    return [_metric(metric, looks, rows[rows["metric"] == metric]) for metric in METRICS]


def _metric(metric: str, looks: list[DeviceLook], rows: pd.DataFrame) -> Picture:
    title = f"Distribution of the error in {METRICS[metric][0]}"
    looks = [look for look in looks if look.name in set(rows["device"])]
    if not looks:
        reason = f"nothing was validated in {METRICS[metric][0]} under {PROTOCOL} (modelled energies never are)"
        return Picture(metric.replace("_", "-"), title, reason=reason)
    figure, panels = grid(len(looks), 1.9, "Error up to (%)", "Networks (%)")
    for axes, look in zip(panels, looks, strict=True):
        _panel(axes, rows[rows["device"] == look.name])
        axes.set_title(look.title.replace(", ", "\n", 1), fontsize=8)
    figure.suptitle(
        f"Error in {METRICS[metric][0]} ({origin_of([metric], looks).split(maxsplit=1)[1]})", x=0.01, ha="left"
    )
    present = [key for key in PREDICTORS if key in set(rows["predictor"])]
    handles = [
        plt.Line2D([], [], color=PREDICTORS[k][1], linestyle=PREDICTORS[k][2], label=PREDICTORS[k][0]) for k in present
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    within = [
        f"{PREDICTORS[k][0]} {percent(100 * (rows.loc[rows['predictor'] == k, 'error'] <= 10).mean())}" for k in present
    ]
    caption = (
        "Share of networks predicted within an error, whole families left out; curves further up are better, an "
        f"abstention counts as beyond the axis. Within 10 % over all devices: {'; '.join(within)}."
    )
    return Picture(metric.replace("_", "-"), title, caption, figure)


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    for key, (_, colour, line) in PREDICTORS.items():
        errors = rows.loc[rows["predictor"] == key, "error"]
        if errors.empty:
            continue
        at = np.sort(errors.dropna().to_numpy())
        share = 100 * np.arange(1, len(at) + 1) / len(errors)
        last = share[at <= MOST][-1] if (at <= MOST).any() else 0
        x, y = np.concatenate([[0], at, [MOST]]), np.concatenate([[0], share, [max(last, 0)]])
        inside = x <= MOST
        width = 1.8 if key == "edgejoule" else 1.1
        axes.step(x[inside], y[inside], where="post", color=colour, linestyle=line, linewidth=width)
    axes.axvline(10, color="#d1d5db", linewidth=0.8, zorder=0)
    axes.set_xlim(0, MOST)
    axes.set_ylim(0, 101)
