"""What several figures do to their tables before they draw: usable rows, fronts, MACs, legends."""

import textwrap
from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from edgejoule.figures.devices import DeviceLook
from edgejoule.figures.palette import INK, OTHER, PRECISION_MARKERS, number

#: Power scope: how its energies are called, in the order of panels.
SCOPE_TITLES = {
    "wall": "measured at the wall",
    "dc": "measured at the DC input",
    "rail": "measured at the rails",
    "model": "modelled",
}


def scope_title(scope: str, looks: Iterable[DeviceLook]) -> str:
    """Return how the energies of one scope are called; modelled ones with the declared watts of ``looks``.

    Args:
        scope: power scope.
        looks: the devices that are shown; those of other scopes do not matter.
    """
    if scope != "model":
        return SCOPE_TITLES[scope]
    declared = sorted({look.watts for look in looks if look.power_scope == scope and look.watts is not None})
    watts = " or ".join(f"{number(value)} W" for value in declared) or "a constant"
    return f"{SCOPE_TITLES[scope]}, {watts} × latency"


def origin_of(metrics: Iterable[str], looks: Iterable[DeviceLook]) -> str:
    """Return where values of these metrics are from on these devices, such as ``latency measured``.

    Latency is measured on every device; power and energy are what their devices say.
    """
    metrics = set(metrics)
    parts = ["latency measured"] if "latency_ms" in metrics else []
    if metrics - {"latency_ms"}:
        parts += sorted({look.energy_label for look in looks if look.origin != "estimated"})
    return ", ".join(parts)


def panel_title(scope: str, looks: Iterable[DeviceLook]) -> str:
    """Return the title of a narrow panel: ``scope_title`` with the declared watts on a line of their own."""
    return f"Energy {scope_title(scope, looks)}".replace(", ", ",\n")


def usable(networks: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return the rows whose measurement did not fail and that have a value in all ``columns``."""
    return networks[(networks["quality"] != "failed") & networks[list(columns)].notna().all(axis=1)]


def pareto_front(cost: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Return the indices of the points that no other point beats in both, in order of cost.

    Args:
        cost: less is better, shape (n,).
        gain: more is better, shape (n,).
    """
    order = np.lexsort((-np.asarray(gain), np.asarray(cost)))
    best = np.maximum.accumulate(np.asarray(gain)[order])
    return order[np.flatnonzero(np.diff(best, prepend=-np.inf) > 0)]


def network_macs(kernels: pd.DataFrame) -> pd.DataFrame:
    """Return the MACs of each network and precision.

    MACs are the network's own and do not depend on the runtime that fuses its operators; where runtimes disagree
    (an operator rewritten), the median over the runtimes is taken.
    """
    per_runtime = kernels.groupby(["network", "precision", "runtime"], sort=True)[["macs"]].sum()
    return per_runtime.groupby(["network", "precision"], sort=True).median().reset_index()


def legend_marks(labels: Mapping[str, str]) -> list[Line2D]:
    """Return one round legend mark per label and colour."""
    return [
        Line2D([], [], marker="o", linestyle="none", color=colour, markersize=5, label=label)
        for label, colour in labels.items()
    ]


def legend_families(families: Iterable[str], colours: Mapping[str, str]) -> list[Line2D]:
    """Return the legend marks of the families that occur; those without a colour of their own share one."""
    own = {family: colours[family] for family in sorted(set(families)) if colours[family] != OTHER}
    rest = {"other families": OTHER} if any(colours[family] == OTHER for family in set(families)) else {}
    return legend_marks(own | rest)


def grid(panels: int, height: float, xlabel: str, ylabel: str) -> tuple[Figure, list[Axes]]:
    """Return a figure of ``panels`` equal panels with shared axes, each ``height`` inches, in rows of four or three.

    Of the two, rows are as long as leaves fewer places empty.
    """
    across = panels if panels <= 4 else min((4, 3), key=lambda row: -panels % row)
    down = -(-panels // across)
    figure, axes = plt.subplots(
        down, across, figsize=(7.2, height * down + 0.9), squeeze=False, sharex=True, sharey=True
    )
    for unused in axes.flat[panels:]:
        unused.remove()
    for column in range(across):
        lowest = axes.flat[:panels][column::across][-1]
        lowest.tick_params(labelbottom=True)
        lowest.set_xlabel(textwrap.fill(xlabel, 22) if across == 4 else xlabel)
    for row in range(down):
        axes[row, 0].set_ylabel(ylabel)
    return figure, list(axes.flat[:panels])


def tilted_columns(axes: Axes, names: Iterable[str]) -> None:
    """Name the columns of a table above it, tilted where they are many or long, a device's runtime on a second line."""
    names = [name.replace(", ", "\n", 1) for name in names]
    tilt = len(names) > 6 or max(map(len, names)) > 14
    style = {"rotation": 40, "ha": "left", "va": "bottom", "rotation_mode": "anchor", "fontsize": 7.5} if tilt else {}
    axes.set_xticks(np.arange(len(names)) + 0.5, names, **style)
    axes.xaxis.tick_top()


def legend_precisions(precisions: pd.Series) -> list[Line2D]:
    """Return the legend marks of the precisions that occur, in the order of the vocabulary."""
    return [
        Line2D([], [], marker=marker, linestyle="none", color=INK, fillstyle="none", markersize=5, label=precision)
        for precision, marker in PRECISION_MARKERS.items()
        if precision in set(precisions)
    ]


def scatter_networks(axes: Axes, rows: pd.DataFrame, x: str, y: str, colours: Mapping[str, str], hollow: bool) -> None:
    """Draw one mark per network: colour by family, shape by precision, hollow where the energy was not measured."""
    for (family, precision), group in rows.groupby(["family", "precision"], sort=True):
        colour = colours[family]
        axes.scatter(
            group[x],
            group[y],
            s=20,
            marker=PRECISION_MARKERS[precision],
            facecolors="none" if hollow else colour,
            edgecolors=colour if hollow else "white",
            linewidths=0.9 if hollow else 0.4,
            zorder=3,
        )
