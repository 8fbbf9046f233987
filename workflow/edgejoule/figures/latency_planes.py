"""Accuracy and energy against latency: is the fastest network also the one that saves most?"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import pareto_front, usable
from edgejoule.figures.palette import number
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, metric_label, note


def draw_accuracy(devices: Mapping[str, DeviceLook], networks: pd.DataFrame) -> list[Picture]:
    """Draw accuracy against latency, every device in one picture; latency is measured on all of them."""
    title = "Accuracy against latency"
    rows = usable(networks, "latency_ms", "top1")
    if rows.empty:
        return [Picture("all-devices", title, reason="no network has both a latency and an ImageNet accuracy")]
    figure, axes = plt.subplots(figsize=(7.2, 4.4))
    looks = known(devices, rows["device"], "results/datasets/networks.parquet")
    for look in looks:
        own = rows[rows["device"] == look.name].reset_index(drop=True)
        front = own.iloc[pareto_front(own["latency_ms"].to_numpy(), own["top1"].to_numpy())]
        axes.scatter(own["latency_ms"], own["top1"], s=7, color=look.colour, alpha=0.25, linewidths=0)
        axes.plot(
            front["latency_ms"], front["top1"], color=look.colour, marker=look.marker, markersize=4.5, label=look.title
        )
    log_axis(axes, "x")
    axes.set_xlabel(metric_label("latency_ms"))
    axes.set_ylabel("ImageNet top-1 accuracy (%)")
    note(axes, "latency measured; Pareto fronts over all networks (faint)")
    figure.legend(loc="outside lower center", ncols=2)
    caption = (
        f"Latency was measured on all {len(looks)} devices ({len(rows)} networks, faint); lines are the Pareto fronts. "
        f"Latencies span {number(rows['latency_ms'].min())} to {number(rows['latency_ms'].max())} ms."
    )
    return [Picture("all-devices", title, caption, figure)]


def draw_energy(devices: Mapping[str, DeviceLook], networks: pd.DataFrame) -> list[Picture]:
    """Draw energy against latency where the energy is not latency times a constant."""
    title = "Energy against latency"
    rows = usable(networks, "latency_ms", "energy_mj")
    if rows.empty:
        return [Picture("all-devices", title, reason="no network has both a latency and an energy")]
    modelled = sorted(set(rows.loc[rows["origin"] == "estimated", "device"]))
    rows = rows[rows["origin"] != "estimated"]
    if rows.empty:
        return [Picture("all-devices", title, reason="every energy of this run is latency times a constant")]
    figure, axes = plt.subplots(figsize=(7.2, 4.4))
    powers = []
    looks = known(devices, rows["device"], "results/datasets/networks.parquet")
    for look in looks:
        own = rows[rows["device"] == look.name]
        powers.append(own["power_w"])
        axes.scatter(
            own["latency_ms"], own["energy_mj"], s=16, marker=look.marker, color=look.colour, linewidths=0.3,
            label=look.title,
        )  # fmt: skip
    power = pd.concat(powers)
    log_axis(axes, "x")
    log_axis(axes, "y")
    span = np.array(axes.get_xlim())
    for watts in (2, 5, 10, 20, 50):
        if power.min() / 1.5 <= watts <= power.max() * 1.5:
            _iso_power(axes, span, watts)
    axes.set_xlabel(metric_label("latency_ms"))
    axes.set_ylabel(metric_label("energy_mj"))
    note(axes, "; ".join(sorted({look.energy_label for look in looks})))
    figure.legend(loc="outside lower center", ncols=2)
    caption = (
        f"Points on one grey line draw the same mean power; over all networks it is {number(power.min())} to "
        f"{number(power.max())} W. Where a device's points cross the lines, latency alone does not tell its energy."
    )
    if modelled:
        caption += f" Left out, since modelled as latency times a constant: {', '.join(modelled)}."
    return [Picture("all-devices", title, caption, figure)]


def _iso_power(axes, span: np.ndarray, watts: float) -> None:
    limits = axes.get_ylim()
    axes.plot(span, span * watts, color="#d1d5db", linewidth=0.8, zorder=0)
    axes.set_xlim(*span)
    axes.set_ylim(*limits)
    x = min(span[1], limits[1] / watts)
    axes.annotate(
        f"{watts} W", (x, x * watts), (-3, -7), textcoords="offset points", ha="right", fontsize=7, color="#6b7280"
    )
