"""How well single kernels are predicted inside networks of unseen families, kind by kind and device by device."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.palette import FAINT, PREDICTORS, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, note_over

WHERE = "results/validation/kernel-accuracy.parquet"
ALL = "all"
#: Kinds shown, those with the most time; the rest is in the table.
SHOWN = 9
ERROR = "weighted_mape_percent"
MARKERS = {"edgejoule": "o", "random-forest-per-kernel": "s"}


def draw(devices: Mapping[str, DeviceLook], kernel_accuracy: pd.DataFrame) -> list[Picture]:
    """Draw, for each device whose runtime tells kernels' times, the error by kind beside that of the field's forest.

    Args:
        devices: how each device is shown.
        kernel_accuracy: the validation stage's errors of single kernels.
    """
    title = "Error of single kernels by kind"
    looks = known(devices, kernel_accuracy["device"], WHERE)
    if not looks:
        return [Picture("all-devices", title, reason="no runtime of this run told the times of its kernels")]
    shares = kernel_accuracy[kernel_accuracy["kind"] != ALL].groupby("kind")["share_percent"].sum()
    kinds = [ALL, *shares.sort_values(ascending=False, kind="stable").index[:SHOWN]]
    size = (7.2, 1.6 + 0.24 * len(kinds))
    figure, panels = plt.subplots(1, len(looks), figsize=size, sharex=True, sharey=True, squeeze=False)
    at, sentences = np.arange(len(kinds)), []
    for axes, look in zip(panels[0], looks, strict=True):
        own = kernel_accuracy[kernel_accuracy["device"] == look.name]
        for predictor, marker in MARKERS.items():
            name, colour, _ = PREDICTORS[predictor]
            error = own[own["predictor"] == predictor].set_index("kind")[ERROR].reindex(kinds)
            axes.plot(error, at, color=colour, marker=marker, linestyle="none", markersize=5, label=name)
        axes.axvline(10, color=FAINT, linewidth=0.8, zorder=1)
        axes.set_title(look.title.replace(", ", "\n"), fontsize=8)
        axes.set_xlabel("Error of time (%)")
        sentences.append(_sentence(look, own[own["kind"] == ALL].set_index("predictor")))
    panels[0, 0].set_yticks(at, kinds, fontsize=8)
    panels[0, 0].invert_yaxis()
    log_axis(panels[0, 0], "x")
    note_over(figure, "latency measured by the runtimes' profilers")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(MARKERS))
    caption = (
        "Mean absolute relative error of single kernels, weighted by their time, inside networks whose families were "
        "left out in five groups, against the profiler's own times. Kinds are in order of time, the line is at 10 %; "
        "kinds that a profile does not tell have no mark. "
        f"{' '.join(sentences)}"
    )
    return [Picture("all-devices", title, caption, figure)]


def _sentence(look: DeviceLook, rows: pd.DataFrame) -> str:
    ours, forest = rows.loc["edgejoule"], rows.loc["random-forest-per-kernel"]
    return (
        f"{look.title}: {percent(ours[ERROR])} (where each of {ours['kernels']:,} kernels weighs the same: "
        f"{percent(ours['mape_percent'])}), the forest per kernel {percent(forest[ERROR])}."
    )
