"""Accuracy against energy per inference: the plane in which networks are chosen.

After Hanafy, Molom-Ochir and Shenoy, e-Energy 2021.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import (
    SCOPE_TITLES,
    legend_families,
    legend_precisions,
    panel_title,
    pareto_front,
    scatter_networks,
    usable,
)
from edgejoule.figures.labels import label_points, short_network
from edgejoule.figures.palette import INK, family_colours, number
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, metric_label, note

MIX_COLOUR = "#D55E00"


def draw(devices: Mapping[str, DeviceLook], networks: pd.DataFrame, recommendations: pd.DataFrame) -> list[Picture]:
    """Draw each device's networks with their Pareto front and the recommended mixes, and all fronts in one picture.

    Args:
        devices: how each device is shown.
        networks: the datasets stage's table.
        recommendations: the recommendations of all devices.
    """
    colours = family_colours(networks["family"])
    looks = known(devices, networks["device"], "results/datasets/networks.parquet")
    chosen = recommendations[(recommendations["method"] == "mix") & (recommendations["accounting"] == "gross")]
    pictures = [_all_devices(looks, networks)]
    for look in looks:
        rows = networks[networks["device"] == look.name]
        pictures.append(_one_device(look, rows, chosen[chosen["device"] == look.name], colours))
    return pictures


def _all_devices(looks: list[DeviceLook], networks: pd.DataFrame) -> Picture:
    title = "Accuracy against energy per inference, all devices"
    rows = usable(networks, "energy_mj", "top1")
    scopes = [scope for scope in SCOPE_TITLES if scope in set(rows["power_scope"])]
    if not scopes:
        return Picture("all-devices", title, reason="no network has both an energy and an ImageNet accuracy")
    figure, panels = plt.subplots(
        1,
        len(scopes),
        figsize=(7.2, 4.6),
        sharey=True,
        squeeze=False,
        width_ratios=[1.7 if s != "model" else 1 for s in scopes],
    )
    shown = [look for look in looks if look.name in set(rows["device"])]
    for axes, scope in zip(panels[0], scopes, strict=True):
        for look in shown:
            own = rows[(rows["device"] == look.name) & (rows["power_scope"] == scope)].reset_index(drop=True)
            if own.empty:
                continue
            front = own.iloc[pareto_front(own["energy_mj"].to_numpy(), own["top1"].to_numpy())]
            face = "none" if look.hollow else look.colour
            axes.scatter(own["energy_mj"], own["top1"], s=7, color=look.colour, alpha=0.25, linewidths=0, zorder=2)
            axes.plot(
                front["energy_mj"],
                front["top1"],
                color=look.colour,
                marker=look.marker,
                markerfacecolor="white" if look.hollow else face,
                markersize=4.5,
                linestyle="--" if look.hollow else "-",
                label=look.title,
                zorder=3,
            )
        log_axis(axes, "x")
        axes.set_xlabel(metric_label("energy_mj"))
        axes.set_title(panel_title(scope, shown))
    figure.legend(loc="outside lower center", ncols=2)
    panels[0][0].set_ylabel("ImageNet top-1 accuracy (%)")
    caption = (
        f"Pareto fronts of {rows['device'].nunique()} devices over {len(rows)} networks (faint). Panels are apart "
        "because energies of different scope are not comparable: wall power includes the supply's losses, a modelled "
        "energy is latency times a constant."
    )
    return Picture("all-devices", title, caption, figure)


def _one_device(look: DeviceLook, networks: pd.DataFrame, chosen: pd.DataFrame, colours: Mapping[str, str]) -> Picture:
    title = f"Accuracy against energy: {look.title}"
    rows = usable(networks, "energy_mj", "top1").sort_values(["energy_mj", "network"]).reset_index(drop=True)
    if rows.empty:
        return Picture(look.name, title, reason="no network of this device has both an energy and an ImageNet accuracy")
    figure, axes = plt.subplots(figsize=(7.2, 4.2))
    scatter_networks(axes, rows, "energy_mj", "top1", colours, look.hollow)
    front = rows.iloc[pareto_front(rows["energy_mj"].to_numpy(), rows["top1"].to_numpy())]
    x, y = front["energy_mj"].to_numpy(), front["top1"].to_numpy()
    axes.plot(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1], color=INK, linewidth=1.1, zorder=2)
    marks = [Line2D([], [], color=INK, linewidth=1.1, label="Pareto front, one network")]
    members = _draw_mixes(axes, chosen, rows)
    if not members.empty:
        marks.append(Line2D([], [], color=MIX_COLOUR, linestyle="--", label="recommended mix of two"))
    log_axis(axes, "x")
    axes.set_xlabel(metric_label("energy_mj"))
    axes.set_ylabel("ImageNet top-1 accuracy (%)")
    axes.set_title(look.title)
    note(axes, look.energy_label)
    handles = [*marks, *legend_families(rows["family"], colours), *legend_precisions(rows["precision"])]
    figure.legend(handles=handles, loc="outside right upper")
    labelled = members if not members.empty else front
    label_points(
        axes, *(labelled[c].tolist() for c in ("energy_mj", "top1")), labelled["network"].map(short_network).tolist()
    )
    return Picture(look.name, title, _caption(look, networks, rows, front, members), figure)


def _draw_mixes(axes: Axes, chosen: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Draw the recommended mixes over all budgets and ring the networks that they are made of; return those."""
    curve = chosen.drop_duplicates("budget_mj").sort_values("mix_energy_mj")
    axes.plot(curve["mix_energy_mj"], curve["mix_top1"], color=MIX_COLOUR, linestyle="--", linewidth=1.3, zorder=4)
    members = rows[rows["network"].isin(chosen["network"])]
    axes.scatter(
        members["energy_mj"], members["top1"], s=62, facecolors="none", edgecolors=MIX_COLOUR, linewidths=1.1, zorder=4
    )
    return members


def _caption(
    look: DeviceLook, networks: pd.DataFrame, rows: pd.DataFrame, front: pd.DataFrame, members: pd.DataFrame
) -> str:
    least, most = front.iloc[0], front.iloc[-1]
    text = (
        f"{len(rows)} of {len(networks)} networks have an energy and an accuracy; {look.energy_label}. "
        f"{len(front)} are on the Pareto front, from {number(least['energy_mj'])} mJ at {least['top1']:.1f} % top-1 to "
        f"{number(most['energy_mj'])} mJ at {most['top1']:.1f} %."
    )
    flagged = int((rows["quality"] == "flagged").sum())
    if flagged:
        text += f" {flagged} of the recordings are flagged."
    if not members.empty:
        text += f" Over all budgets the recommended mixes use the {len(members)} ringed networks."
    return text
