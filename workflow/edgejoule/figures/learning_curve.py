"""Error against minutes of measuring kernels: how few minutes a new device needs."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import grid
from edgejoule.figures.palette import COLOURS, INK, number, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, note_over

WHERE = "results/validation/learning_curve.parquet"
#: Source of the kernels: what it is called, colour. Which are measured first: what that is called, line style.
SOURCES = {
    "mixed": ("zoo's and synthetic", COLOURS[0]),
    "zoo": ("the zoo's own", COLOURS[2]),
    "synthetic": ("synthetic", COLOURS[1]),
}
CHOICES = {"design": ("chosen by design", "-"), "random": ("at random", "--")}


def draw(devices: Mapping[str, DeviceLook], learning_curve: pd.DataFrame) -> list[Picture]:
    """Draw, for each device that measured kernels alone, the error in latency against the minutes that it took.

    Args:
        devices: how each device is shown.
        learning_curve: the validation stage's learning curves.
    """
    title = "Error against minutes of measuring kernels"
    looks = known(devices, learning_curve["device"], WHERE)
    if not looks:
        return [Picture("all-devices", title, reason="no device of this run measured kernels alone")]
    figure, panels = grid(len(looks), 2.6, "Minutes of measuring", "Error in latency (MAPE, %)")
    sentences = []
    for axes, look in zip(panels, looks, strict=True):
        own = learning_curve[learning_curve["device"] == look.name].sort_values("minutes")
        _panel(axes, own)
        axes.set_title(look.title.replace(", ", "\n", 1), fontsize=8)
        sentences.append(_sentence(look, own))
    for axes in panels:
        log_axis(axes, "x")
    # Logarithmic, so that one unlucky first point does not flatten the rest; panels share the axis.
    log_axis(panels[0], "y")
    note_over(figure, "latency measured")
    sources = [Line2D([], [], color=colour, label=name) for name, colour in SOURCES.values()]
    choices = [Line2D([], [], color=INK, linestyle=style, label=name) for name, style in CHOICES.values()]
    figure.legend(handles=[*sources, *choices], loc="outside lower center", ncols=3)
    caption = (
        "Latency of networks whose families were left out, predicted from kernels measured alone; bands are the random "
        f"orders' range. {' '.join(sentences)}"
    )
    return [Picture("all-devices", title, caption, figure)]


def _panel(axes: plt.Axes, rows: pd.DataFrame) -> None:
    for (source, choice), curve in rows.groupby(["source", "choice"], sort=True):
        colour, line = SOURCES[source][1], CHOICES[choice][1]
        axes.plot(curve["minutes"], curve["mape_percent"], color=colour, linestyle=line, marker=".", markersize=4)
        if (curve["draws"] > 1).any():
            low, high = curve["mape_low_percent"], curve["mape_high_percent"]
            axes.fill_between(curve["minutes"], low, high, color=colour, alpha=0.15, linewidth=0)


def _sentence(look: DeviceLook, rows: pd.DataFrame) -> str:
    """Return where the curve of most kernels begins and ends, and from when on more minutes hardly help."""
    most = rows[rows["source"] == rows.loc[rows["kernels"].idxmax(), "source"]]
    curve = most[most["choice"] == next(choice for choice in CHOICES if choice in set(most["choice"]))]
    first, last = curve.iloc[0], curve.iloc[-1]
    text = (
        f"{look.title}, {SOURCES[last['source']][0]} kernels {CHOICES[last['choice']][0]}: "
        f"{percent(first['mape_percent'])} after {_time(first['minutes'])} ({int(first['kernels'])} kernels), "
        f"{percent(last['mape_percent'])} after {_time(last['minutes'])} ({int(last['kernels'])})"
    )
    # From here on the error stays near its end; a lucky early point does not count.
    near = curve["near"].to_numpy(dtype=bool)
    settled = len(near) - int(np.argmin(near[::-1])) if not near.all() else 0
    if near[-1]:
        text += f"; from {_time(curve['minutes'].iloc[settled])} on within a tenth of all kernels' error"
    return f"{text}."


def _time(minutes: float) -> str:
    return f"{number(60 * minutes)} s" if minutes < 1 else f"{number(minutes)} min"
