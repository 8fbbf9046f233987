"""Energy of a kernel against each of its configuration parameters (after Tu et al., SEC 2023)."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.palette import PRECISION_MARKERS, number
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis

#: Parameter: what it is called on the axis, in the order of the columns.
PARAMETERS = {
    "input_height": "Map height",
    "input_channels": "Channels in",
    "output_channels": "Channels out",
    "kernel_height": "Filter",
    "stride": "Stride",
    "million_macs": "MACs (millions)",
}
#: Kinds with fewer configurations than this are not drawn; a picture has at most so many rows.
FEWEST, ROWS = 12, 8
#: Height of a row, and room above and below all rows (inches).
ROW, TOP, BOTTOM = 1.05, 0.35, 0.45


def draw(devices: Mapping[str, DeviceLook], kernels: pd.DataFrame, kernel_costs: pd.DataFrame) -> list[Picture]:
    """Draw one picture per device, and more where it has many kinds: a row per kernel kind, a column per parameter.

    Args:
        devices: how each device is shown.
        kernels: the kernels of all networks, for their configurations.
        kernel_costs: what each kernel costs on each device: measured, or inferred from network totals.
    """
    configurations = kernels.drop_duplicates(["kernel", "precision"]).assign(million_macs=kernels["macs"] / 1e6)
    configurations = configurations[["kernel", "precision", *PARAMETERS]]
    rows = kernel_costs[kernel_costs["energy_mj"].notna() & (kernel_costs["energy_mj"] > 0)]
    rows = rows.merge(configurations, on=["kernel", "precision"], how="left")
    known(devices, kernel_costs["device"], "results/predictors")
    return [p for look in devices.values() for p in _one_device(look, rows[rows["device"] == look.name])]


def _one_device(look: DeviceLook, rows: pd.DataFrame) -> list[Picture]:
    counts = rows["kind"].value_counts()
    kinds = sorted(counts[counts >= FEWEST].index, key=lambda kind: (-counts[kind], kind))
    if not kinds:
        title = f"Kernel energy against configuration: {look.title}"
        return [Picture(look.name, title, reason=f"no kernel kind has {FEWEST} configurations with an energy")]
    pages = -(-len(kinds) // ROWS)
    rest = len(counts) - len(kinds)
    # Pages of equal length, rather than a last one of one row.
    parts = [part.tolist() for part in np.array_split(np.array(kinds, dtype=object), pages)]
    return [_page(look, rows, part, at, pages, rest) for at, part in enumerate(parts, 1)]


def _page(look: DeviceLook, rows: pd.DataFrame, kinds: list[str], at: int, pages: int, rest: int) -> Picture:
    title = f"Kernel energy against configuration: {look.title}" + (f" ({at} of {pages})" if pages > 1 else "")
    height = ROW * len(kinds) + TOP + BOTTOM
    room = {"left": 0.095, "right": 0.99, "bottom": BOTTOM / height, "top": 1 - TOP / height}
    figure, panels = plt.subplots(
        len(kinds), len(PARAMETERS), figsize=(7.2, height), sharex="col", sharey="row", squeeze=False,
        gridspec_kw=room | {"wspace": 0.14, "hspace": 0.14},
    )  # fmt: skip
    # Laid out by hand: the layout engine would take most of the time of all figures on so many panels.
    figure.set_layout_engine("none")
    for line, kind in zip(panels, kinds, strict=True):
        own = rows[rows["kind"] == kind]
        for axes, parameter in zip(line, PARAMETERS, strict=True):
            # A parameter that all configurations of a kind share, such as the stride of an addition, tells nothing.
            _panel(axes, own[(own[parameter] > 0) & (own[parameter].nunique() > 1)], parameter, look.colour)
        # Where a kind's first parameters are all the same, its energies stand at the first panel that has marks.
        first = next((axes for axes in line if axes.has_data()), line[0])
        first.set_ylabel(f"{kind}\n(mJ)", fontsize=7.5)
        first.tick_params(labelleft=True)
        log_axis(first, "y", minor=False)
    for column, label in zip(panels.T, PARAMETERS.values(), strict=True):
        drawn = any(axes.has_data() for axes in column)
        for axes in column:
            if not axes.has_data():
                _empty(axes, lowest=drawn and axes is column[-1])
        if drawn:
            log_axis(column[-1], "x", minor=False)
            _keep_inside(column[-1])
            column[-1].set_xlabel(label, fontsize=8)
    how = ", ".join(sorted(set(rows["origin"].replace("estimated", "modelled"))))
    figure.suptitle(f"{look.title}: kernel energies {how}", x=0.01, y=1 - 0.05 / height, ha="left", va="top")
    own = rows[rows["kind"].isin(kinds)]
    rank = own.loc[own["million_macs"] > 0, ["million_macs", "energy_mj"]].corr("spearman").iloc[0, 1]
    caption = (
        f"{len(own)} configurations of {len(kinds)} kinds; kernel energies are {how}. Energies span "
        f"{number(own['energy_mj'].min())} to {number(own['energy_mj'].max())} mJ."
    )
    if np.isfinite(rank):
        caption += f" Rank correlation of energy with MACs: {rank:.2f}."
    if rest:
        caption += f" {rest} kinds with fewer than {FEWEST} configurations are not shown."
    return Picture(look.name if at == 1 else f"{look.name}-{at}", title, caption, figure)


def _keep_inside(axes: Axes) -> None:
    """Let the first number below a panel begin at its tick, or a long one runs into the panel before."""
    low, high = axes.get_xlim()
    shown = [label for at, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True) if low <= at <= high]
    for label in shown[:1]:
        label.set_horizontalalignment("left")


def _empty(axes: Axes, lowest: bool) -> None:
    """Hide a panel without marks; the lowest of a column keeps the axis that the panels above it share."""
    axes.set_visible(lowest)
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.yaxis.set_visible(False)


def _panel(axes: Axes, rows: pd.DataFrame, parameter: str, colour: str) -> None:
    for precision, group in rows.groupby("precision"):
        marker = PRECISION_MARKERS[precision]
        # Thousands of marks: as pixels, since as outlines they would take most of the time and size of all figures.
        style = {"marker": marker, "markersize": 2.5, "linestyle": "none", "markeredgewidth": 0, "rasterized": True}
        axes.plot(group[parameter], group["energy_mj"], color=colour, alpha=0.6, **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.tick_params(labelsize=6.5)
