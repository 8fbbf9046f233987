"""Where predictions fail: the error of each family that was left out of training, device by device."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import origin_of, tilted_columns
from edgejoule.figures.palette import METRICS, PREDICTORS, percent, text_colour
from edgejoule.figures.picture import Picture

PROTOCOL, PREDICTOR = "leave-one-family-out", "edgejoule"
#: Colours end here (%).
MOST = 30


def draw(devices: Mapping[str, DeviceLook], validation: pd.DataFrame) -> list[Picture]:
    """Draw one picture per metric: mean absolute relative error of each family on each device.

    Args:
        devices: how each device is shown.
        validation: the validation stage's networks.
    """
    looks = known(devices, validation["device"], "results/validation/networks.parquet")
    rows = validation[(validation["protocol"] == PROTOCOL) & (validation["predictor"] == PREDICTOR)]
    rows = rows.assign(error=100 * (rows["predicted"] / rows["measured"] - 1).abs())
    rows = rows[rows["error"].notna()]
    return [_metric(metric, looks, rows[rows["metric"] == metric]) for metric in METRICS]


def _metric(metric: str, looks: list[DeviceLook], rows: pd.DataFrame) -> Picture:
    name, title = metric.replace("_", "-"), f"Error in {METRICS[metric][0]} by family"
    looks = [look for look in looks if look.name in set(rows["device"])]
    if not looks:
        reason = f"'{PREDICTOR}' predicted no {METRICS[metric][0]} under {PROTOCOL} (modelled energies never are)"
        return Picture(name, title, reason=reason)
    table = rows.pivot_table(index="family", columns="device", values="error", aggfunc="mean")
    table = table[[look.name for look in looks]]
    counts = rows.groupby("family")["network"].nunique().reindex(table.index)
    figure, axes = plt.subplots(figsize=(7.2, 2.2 + 0.165 * len(table)))
    image = axes.pcolormesh(
        table.clip(upper=MOST).to_numpy(), cmap="YlOrBr", vmin=0, vmax=MOST, edgecolors="white", linewidth=0.6
    )
    axes.invert_yaxis()
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    colours = image.to_rgba(table.clip(upper=MOST).to_numpy())
    for i, j in np.argwhere(table.notna().to_numpy()):
        value = table.iat[i, j]
        said = f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
        colour = text_colour(to_hex(colours[i, j]))
        axes.text(j + 0.5, i + 0.5, said, ha="center", va="center", fontsize=6.5, color=colour)
    names = [f"{family} ({counts[family]})" for family in table.index]
    axes.set_yticks(np.arange(len(table)) + 0.5, names, fontsize=7)
    tilted_columns(axes, [look.title for look in looks])
    axes.set_xlabel(f"Error in {METRICS[metric][0]}, mean over the family's networks (%); {origin_of([metric], looks)}")
    axes.xaxis.set_label_position("bottom")
    bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=30, extend="max" if (table > MOST).any(axis=None) else None)
    bar.set_label("Error (%)")
    bar.outline.set_visible(False)
    stacked = table.stack()
    worst, device = stacked.idxmax()
    title_of = {look.name: look.title for look in looks}
    caption = (
        f"Mean absolute relative error of {PREDICTORS[PREDICTOR][0]} on the networks of each family (their count in "
        f"brackets), with the whole family left out of training ({PROTOCOL}). Of the {len(stacked)} pairs of family "
        f"and device, {percent(100 * (stacked <= 10).mean())} have an error of 10 % at most; median "
        f"{percent(stacked.median())}, worst {percent(stacked.max())} ({worst}, {title_of[device]})."
    )
    return Picture(name, title, caption, figure)
