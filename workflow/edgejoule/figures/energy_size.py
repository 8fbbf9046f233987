"""Energy against the size of the network: MACs and parameters rank networks well and predict their energy badly."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import SCOPE_TITLES, network_macs, scope_title, usable
from edgejoule.figures.palette import number
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, metric_label

SIZES = {"million_macs": "MACs (millions)", "million_parameters": "Parameters (millions)"}
#: Two networks are of equal size if their sizes differ by at most this factor.
EQUAL = 1.05


def draw(
    devices: Mapping[str, DeviceLook], networks: pd.DataFrame, kernels: pd.DataFrame, coverage: pd.DataFrame
) -> list[Picture]:
    """Draw energy against MACs and against parameters, and how far networks of equal MACs differ, scope by scope.

    Args:
        devices: how each device is shown.
        networks: the datasets stage's table.
        kernels: the graphs stage's kernels, for the MACs of each network.
        coverage: the graphs stage's coverage, for its parameters.
    """
    title = "Energy per inference against the size of the network"
    parameters = coverage.groupby(["network", "precision"], as_index=False)["parameters"].median()
    rows = usable(networks, "energy_mj").merge(network_macs(kernels), on=["network", "precision"], how="left")
    rows = rows.merge(parameters, on=["network", "precision"], how="left")
    without = int(rows["macs"].isna().sum())
    rows = rows[rows["macs"].notna() & (rows["macs"] > 0)]
    rows = rows.assign(million_macs=rows["macs"] / 1e6, million_parameters=rows["parameters"] / 1e6)
    looks = known(devices, networks["device"], "results/datasets/networks.parquet")
    scopes = [scope for scope in SCOPE_TITLES if scope in set(rows["power_scope"])]
    if not scopes:
        return [Picture("all-devices", title, reason="no network has both an energy and a graph")]
    return [_picture(scope, looks, rows[rows["power_scope"] == scope], without, title) for scope in scopes]


def _picture(scope: str, looks: list[DeviceLook], rows: pd.DataFrame, without: int, title: str) -> Picture:
    figure, panels = plt.subplots(1, 3, figsize=(7.2, 3.9), width_ratios=[1, 1, 0.8])
    panels[1].sharey(panels[0])
    panels[1].tick_params(labelleft=False)
    for axes, (size, label) in zip(panels, SIZES.items(), strict=False):
        for look in looks:
            _scatter(axes, rows[(rows["device"] == look.name) & (rows[size] > 0)], size, look)
        log_axis(axes, "x")
        log_axis(axes, "y")
        axes.set_xlabel(label)
    panels[0].set_ylabel(metric_label("energy_mj"))
    shown = [look for look in looks if look.name in set(rows["device"])]
    called = scope_title(scope, shown)
    panels[0].set_title(f"Energy {called}")
    handles = [
        Line2D([], [], marker=look.marker, linestyle="none", color=look.colour, label=look.title, markersize=5,
               fillstyle="none" if look.hollow else "full")
        for look in shown
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    spreads = {look: spread_at_equal_size(rows[rows["device"] == look.name]) for look in shown}
    _spread(panels[2], spreads)
    spread = pd.concat(spreads.values())
    rank = rows.groupby("device")[["macs", "energy_mj"]].corr("spearman").unstack()[("macs", "energy_mj")]
    caption = (
        f"Energy {called} of {len(rows)} networks on {len(shown)} device(s). Per device, energy and MACs "
        f"have a rank correlation of {rank.min():.2f} to {rank.max():.2f}"
    )
    if len(spread):
        caption += (
            f", but networks within {EQUAL - 1:.0%} of the same MACs differ in energy by {number(spread.median())}x at "
            f"the median and {number(spread.max())}x at most ({len(spread)} pairs of one device and precision)"
        )
    caption += f". {without} rows of the table have no graph and are not shown." if without else "."
    return Picture(scope, f"{title} ({called})", caption, figure)


def _scatter(axes: Axes, rows: pd.DataFrame, size: str, look: DeviceLook) -> None:
    face = "none" if look.hollow else look.colour
    axes.scatter(
        rows[size],
        rows["energy_mj"],
        s=13,
        marker=look.marker,
        facecolors=face,
        edgecolors=look.colour,
        linewidths=0.6,
        alpha=0.75,
    )


def _spread(axes: Axes, spreads: Mapping[DeviceLook, pd.Series]) -> None:
    """Draw the cumulative distribution of the ratio of two networks of equal MACs, a line per device."""
    for look, ratios in spreads.items():
        at = np.sort(ratios.to_numpy())
        share = np.linspace(0, 100, len(at) + 1)
        if len(at):
            line = "--" if look.hollow else "-"
            axes.step(np.concatenate([[1], at]), share, where="post", color=look.colour, linestyle=line, linewidth=1.2)
    axes.set_xlim(1, 1.05 * max([1.1, *(ratios.max() for ratios in spreads.values() if len(ratios))]))
    log_axis(axes, "x")
    axes.set_ylim(0, 101)
    axes.set_title("At equal MACs")
    axes.set_xlabel("Energy ratio up to")
    axes.set_ylabel("Pairs of networks (%)")


def spread_at_equal_size(rows: pd.DataFrame) -> pd.Series:
    """Return how many times more energy the costlier network of each pair of equal MACs and precision takes.

    Args:
        rows: one device's networks with ``macs``, ``precision`` and ``energy_mj``.
    """
    ratios = []
    for _, group in rows.groupby("precision"):
        macs, energy = np.log(group["macs"].to_numpy()), np.log(group["energy_mj"].to_numpy())
        first, second = np.triu_indices(len(group), 1)
        equal = np.abs(macs[first] - macs[second]) <= np.log(EQUAL)
        ratios.append(np.exp(np.abs(energy[first] - energy[second])[equal]))
    return pd.Series(np.concatenate(ratios) if ratios else [], dtype=float)
