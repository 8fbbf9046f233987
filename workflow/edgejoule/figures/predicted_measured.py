"""Predicted against measured for networks of families that the predictor has never seen."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import legend_families, origin_of
from edgejoule.figures.palette import FAINT, METRICS, family_colours, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, metric_label

PROTOCOL = "leave-one-family-out"
PREDICTOR = "edgejoule"


def draw(devices: Mapping[str, DeviceLook], validation: pd.DataFrame, accuracy: pd.DataFrame) -> list[Picture]:
    """Draw one picture per device with one panel per metric: edgejoule's predictions, whole families left out.

    Args:
        devices: how each device is shown.
        validation: the validation stage's networks.
        accuracy: its summary; the errors written into the panels are from there.
    """
    colours = family_colours(validation["family"])
    rows = validation[(validation["protocol"] == PROTOCOL) & (validation["predictor"] == PREDICTOR)]
    errors = accuracy[
        (accuracy["protocol"] == PROTOCOL) & (accuracy["predictor"] == PREDICTOR) & accuracy["flagged"]
    ].set_index(["device", "metric"])
    looks = known(devices, validation["device"], "results/validation/networks.parquet")
    return [_one_device(look, rows[rows["device"] == look.name], errors, colours) for look in looks]


def _one_device(look: DeviceLook, rows: pd.DataFrame, errors: pd.DataFrame, colours: Mapping[str, str]) -> Picture:
    title = f"Predicted against measured: {look.title}"
    rows = rows[rows["measured"].notna()]
    metrics = [metric for metric in METRICS if rows.loc[rows["metric"] == metric, "predicted"].notna().any()]
    if not metrics:
        return Picture(look.name, title, reason=f"no prediction of '{PREDICTOR}' under {PROTOCOL} for this device")
    across = 2 if len(metrics) > 1 else 1
    down = -(-len(metrics) // across)
    figure, panels = plt.subplots(
        down, across, figsize=(7.2, 2.9 * down + 0.5) if across == 2 else (5.4, 4.9), squeeze=False
    )
    sentences = []
    for axes, metric in zip(panels.flat, metrics, strict=False):
        own = rows[rows["metric"] == metric]
        _panel(axes, own, metric, colours)
        if (look.name, metric) in errors.index:
            error = errors.loc[(look.name, metric)]
            said = f"MAPE {percent(error['mape_percent'])}, {percent(error['within10_percent'])} within 10 %"
            axes.set_title(said, loc="right", fontsize=7.5, fontweight="normal", color=FAINT)
            sentences.append(f"{METRICS[metric][0]}: {said} ({int(error['networks'])} networks)")
    for axes in list(panels.flat)[len(metrics) :]:
        axes.remove()
    figure.suptitle(f"{look.title}: {origin_of(metrics, [look])}", x=0.01, ha="left")
    band = Line2D([], [], color=FAINT, linewidth=5, alpha=0.25, label="within ±10 %")
    figure.legend(
        handles=[*legend_families(rows["family"], colours), band],
        loc="outside lower center",
        ncols=5 if across == 2 else 3,
    )
    caption = (
        f"Each network predicted by '{PREDICTOR}' with its whole family left out of training ({PROTOCOL}); bars are "
        f"90 % intervals, crosses flagged recordings. MAPE is averaged over families. {'; '.join(sentences)}."
    )
    return Picture(look.name, title, caption, figure)


def _panel(axes: Axes, rows: pd.DataFrame, metric: str, colours: Mapping[str, str]) -> None:
    drawn = rows[rows["predicted"].notna()]
    values = drawn[["measured", "predicted"]].to_numpy()
    positive = values[values > 0]
    limits = np.array([positive.min() / 1.15, positive.max() * 1.15])
    axes.plot(limits, limits, color=FAINT, linewidth=0.8, zorder=1)
    axes.fill_between(limits, limits * 0.9, limits * 1.1, color=FAINT, alpha=0.18, linewidth=0, zorder=0)
    for (family, flagged), group in drawn.groupby(["family", "flagged"], sort=True):
        known_interval = group[group["lower"].notna() & group["upper"].notna()]
        axes.vlines(
            known_interval["measured"],
            known_interval["lower"],
            known_interval["upper"],
            color=colours[family],
            alpha=0.35,
            linewidth=0.8,
            zorder=2,
        )
        style = {"marker": "x", "linewidths": 1} if flagged else {"edgecolors": "white", "linewidths": 0.3}
        axes.scatter(group["measured"], group["predicted"], s=16, color=colours[family], zorder=3, **style)
    for which in ("x", "y"):
        (axes.set_xlim if which == "x" else axes.set_ylim)(*limits)
        log_axis(axes, which)
    axes.set_xlabel(metric_label(metric, "measured"))
    axes.set_ylabel(f"Predicted ({METRICS[metric][1]})")
