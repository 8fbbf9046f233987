"""Noise floor against predictor error: no predictor agrees with half of the passes better than the other half does."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import grid, origin_of
from edgejoule.figures.palette import FAINT, INK, METRICS, PREDICTORS, number, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, note
from edgejoule.validation.noise import PREDICTOR, PROTOCOL, disagreement

MOST = 40


def draw(
    devices: Mapping[str, DeviceLook], passes: pd.DataFrame, validation: pd.DataFrame, noise_floor: pd.DataFrame
) -> list[Picture]:
    """Draw the noise floor of every device beside its predictions' error, and the distributions where passes tell both.

    Args:
        devices: how each device is shown.
        passes: the datasets stage's passes.
        validation: the validation stage's networks.
        noise_floor: the validation stage's noise floors.
    """
    return [_summary(devices, noise_floor), _distributions(devices, passes, validation)]


def _summary(devices: Mapping[str, DeviceLook], noise_floor: pd.DataFrame) -> Picture:
    name, title = "summary", "Noise floor beside predictor error, every device"
    looks = known(devices, noise_floor["device"], "results/validation/noise-floor.parquet")
    if not looks:
        return Picture(name, title, reason="no device of this run has a noise floor")
    rows = noise_floor.sort_values(["device", "metric"]).reset_index(drop=True)
    figure, axes = plt.subplots(figsize=(7.2, 1.5 + 0.32 * len(rows)))
    for i, row in rows.iterrows():
        colour = devices[row["device"]].colour
        for up, start, colour_of, fill in ((-0.13, "floor", FAINT, "white"), (0.13, "error", colour, colour)):
            median, p95 = row[f"{start}_median_percent"], row[f"{start}_p95_percent"]
            axes.plot([median, p95], [i + up] * 2, color=colour_of, linewidth=1.6, solid_capstyle="butt")
            axes.plot(p95, i + up, marker="|", color=colour_of, markersize=6)
            axes.plot(median, i + up, marker="o", color=colour_of, markerfacecolor=fill, markersize=5.5)
    log_axis(axes, "x")
    external = rows["floor_source"].str.startswith("external").tolist()
    names = [
        f"{devices[device].title}\n{METRICS[metric][0]}, floor {'external' if outside else 'its own'}"
        for device, metric, outside in zip(rows["device"], rows["metric"], external, strict=True)
    ]
    axes.set_yticks(range(len(rows)), names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("Difference (%): median, and 95th percentile of the networks")
    note(axes, origin_of(rows["metric"], looks))
    floor = Line2D([], [], color=FAINT, marker="o", markerfacecolor="white", label="noise floor")
    error = Line2D([], [], color=INK, marker="o", label="error of predictions, families left out (device's colour)")
    figure.legend(handles=[floor, error], loc="outside lower center", ncols=2)
    ratio = rows["error_median_percent"] / rows["floor_median_percent"]
    sources = "; ".join(f"{source} ({count})" for source, count in rows["floor_source"].value_counts().items())
    caption = (
        "How far a recording agrees with itself, beside how far predictions of unseen families are off. The median "
        f"error is {number(ratio.min())} to {number(ratio.max())} times the median floor. "
        f"Floors, by devices: {sources}."
    )
    return Picture(name, title, caption, figure)


def _distributions(devices: Mapping[str, DeviceLook], passes: pd.DataFrame, validation: pd.DataFrame) -> Picture:
    title = "Noise floor against predictor error"
    noise = disagreement(passes[passes["kind"] == "network"])
    looks = known(devices, noise["device"], "results/datasets/passes.parquet")
    if not looks:
        return Picture("all-devices", title, reason="no device of this run was recorded in two passes or more")
    rows = validation[
        (validation["protocol"] == PROTOCOL)
        & (validation["predictor"] == PREDICTOR)
        & (validation["metric"] == "latency_ms")
    ]
    figure, panels = grid(len(looks), 2.6, "Difference up to (%)", "Networks (%)")
    sentences = []
    for axes, look in zip(panels, looks, strict=True):
        floor = noise.loc[noise["device"] == look.name, "disagreement_percent"]
        own = rows[rows["device"] == look.name]
        errors = 100 * (own["predicted"] / own["measured"] - 1).abs()
        _line(axes, floor, color=INK, linestyle="--", label="half of the passes against the other")
        _line(axes, errors.dropna(), color=PREDICTORS[PREDICTOR][1], linestyle="-", label="predicted against measured")
        axes.set_xlim(0, MOST)
        axes.set_ylim(0, 101)
        axes.set_title(look.title.replace(", ", "\n", 1), fontsize=8)
        sentences.append(f"{look.title}: its halves differ by {percent(floor.median())} at the median")
        if errors.notna().any():
            sentences[-1] += f", predictions by {percent(errors.median())}"
    figure.suptitle("Differences in latency (measured)", x=0.01, ha="left")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    caption = f"Latency; whole families left out of training. {'; '.join(sentences)}."
    return Picture("all-devices", title, caption, figure)


def _line(axes: plt.Axes, values: pd.Series, **style: object) -> None:
    at = np.sort(values.to_numpy())
    if len(at):
        axes.step(np.concatenate([[0], at]), np.linspace(0, 100, len(at) + 1), where="post", **style)
