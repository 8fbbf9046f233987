"""The same networks on the same board under another runtime or another setting: what changes in energy and latency."""

from collections.abc import Mapping
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import legend_families, legend_precisions, scatter_networks, usable
from edgejoule.figures.palette import FAINT, METRICS, family_colours, number, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, metric_label, note


def draw(devices: Mapping[str, DeviceLook], networks: pd.DataFrame) -> list[Picture]:
    """Draw one picture per pair of devices that share a board: the ratio of their costs, network by network.

    Args:
        devices: how each device is shown.
        networks: the datasets stage's table.
    """
    colours = family_colours(networks["family"])
    looks = known(devices, networks["device"], "results/datasets/networks.parquet")
    pictures = []
    for first, second in combinations(looks, 2):
        if first.board == second.board:
            pictures.append(_pair(first, second, networks, colours))
    if not pictures:
        title = "Runtimes compared on one board"
        return [Picture("no-pair", title, reason="no two devices of this run share a board")]
    return pictures


def _pair(first: DeviceLook, second: DeviceLook, networks: pd.DataFrame, colours: Mapping[str, str]) -> Picture:
    title = f"{second.title} against {first.title}"
    name = f"{first.name}-and-{second.name}"
    good = usable(networks, "latency_ms")
    both = good[good["device"] == first.name].merge(
        good.loc[good["device"] == second.name, ["network", "latency_ms", "energy_mj", "quality"]],
        on="network",
        suffixes=("", "_second"),
    )
    if both.empty:
        return Picture(name, title, reason="the two devices have no network in common")
    measured = first.origin == second.origin == "measured" and first.power_scope == second.power_scope
    metrics = ["latency_ms", "energy_mj"] if measured else ["latency_ms"]
    figure, panels = plt.subplots(1, len(metrics), figsize=(7.2, 3.9), squeeze=False)
    sentences = []
    for axes, metric in zip(panels[0], metrics, strict=True):
        rows = both[both[metric].notna() & both[f"{metric}_second"].notna()]
        rows = rows.assign(ratio=rows[f"{metric}_second"] / rows[metric])
        _panel(axes, rows, metric, colours)
        less = 100 * float((rows["ratio"] < 1).mean())
        middle = float(np.exp(np.log(rows["ratio"]).median()))
        sentences.append(f"{METRICS[metric][0]} {number(middle)}x at the median, less on {percent(less)} of networks")
    panels[0][0].set_title(f"{second.title}\nrelative to {first.title}")
    note(panels[0][-1], f"latency measured, {first.energy_label}" if measured else "latency measured")
    precisions = legend_precisions(both["precision"])
    figure.legend(
        handles=[*legend_families(both["family"], colours), *(precisions if len(precisions) > 1 else [])],
        loc="outside lower center",
        ncols=6,
    )
    caption = f"{len(both)} networks on both. {second.title} relative to {first.title}: {'; '.join(sentences)}."
    if not measured:
        caption += " Only latency is compared, since the energies are not both measured in one scope."
    return Picture(name, title, caption, figure)


def _panel(axes: Axes, rows: pd.DataFrame, metric: str, colours: Mapping[str, str]) -> None:
    scatter_networks(axes, rows, metric, "ratio", colours, hollow=False)
    axes.axhline(1, color=FAINT, linewidth=0.9, zorder=1)
    log_axis(axes, "x")
    axes.set_yscale("log")
    low, high = min(0.9, rows["ratio"].min() / 1.1), max(1.1, rows["ratio"].max() * 1.1)
    axes.set_ylim(low, high)
    log_axis(axes, "y")
    axes.set_xlabel(metric_label(metric))
    axes.set_ylabel(f"Ratio of {METRICS[metric][0]} (1 = equal)")
