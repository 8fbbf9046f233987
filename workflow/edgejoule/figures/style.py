"""The look of the axes: one style file, plain numbers on logarithmic axes, notes in the same place everywhere."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from edgejoule.figures.palette import FAINT, METRICS, number

STYLE = Path(__file__).with_name("edgejoule.mplstyle")


def use_style() -> None:
    """Make the project's style the current one; nothing of a user's own matplotlibrc remains."""
    plt.style.use(["default", STYLE])


def log_axis(axes: Axes, which: str, minor: bool = True) -> None:
    """Make the ``x`` or ``y`` axis logarithmic with as many plain numbers as fit; call it after the data are drawn.

    ``minor`` ticks take most of the time of a figure with many small panels.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = sorted(axis.get_view_interval())
    inches = (axes.bbox.width / 0.42 if which == "x" else axes.bbox.height / 0.25) / axes.figure.dpi
    if high < 4 * low:
        # Multiples of powers of ten would be one or two ticks at one end.
        ticks = MaxNLocator(nbins=max(int(inches) - 1, 2), steps=(1, 2, 2.5, 5, 10)).tick_values(low, high)
        axis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axis.set_minor_locator(NullLocator())
        return
    dense = [(1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 5, 7)] if high < 12 * low else []
    for subs in (*dense, (1, 2, 5), (1, 3), (1,)):
        ticks = [tick for tick in LogLocator(subs=subs, numticks=99).tick_values(low, high) if low <= tick <= high]
        if len(ticks) <= inches:
            break
    # Over many decades not even one tick in each fits: the locator then leaves some out.
    axis.set_major_locator(LogLocator(subs=subs, numticks=max(int(inches), 3) if subs == (1,) else 99))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_locator(LogLocator(subs=range(1, 10), numticks=99) if minor else NullLocator())
    axis.set_minor_formatter(NullFormatter())


def metric_label(metric: str, before: str = "") -> str:
    """Return an axis label with its unit: ``measured energy per inference (mJ)``, capitalised."""
    name, unit = METRICS[metric]
    text = f"{before} {name}".strip()
    return f"{text[0].upper()}{text[1:]} ({unit})"


def note_over(figure: Figure, text: str) -> None:
    """Write what ``note`` does above all panels, where these have titles of their own."""
    figure.suptitle(text, x=0.99, ha="right", fontsize=7.5, fontweight="normal", color=FAINT)


def note(axes: Axes, text: str) -> None:
    """Write where the energies are from, small, at the right above the axes."""
    axes.set_title(text, loc="right", fontsize=7.5, fontweight="normal", color=FAINT)
