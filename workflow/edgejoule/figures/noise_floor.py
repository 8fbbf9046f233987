"""Noise floor against predictor error: no predictor agrees with half of the passes better than the other half does."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import grid
from edgejoule.figures.palette import INK, PREDICTORS, percent
from edgejoule.figures.picture import Picture
from edgejoule.validation.noise import PREDICTOR, PROTOCOL, disagreement

MOST = 40


def draw(devices: Mapping[str, DeviceLook], passes: pd.DataFrame, validation: pd.DataFrame) -> list[Picture]:
    """Draw, for each device with two passes or more, how far passes disagree and how far predictions are off.

    Args:
        devices: how each device is shown.
        passes: the datasets stage's passes.
        validation: the validation stage's networks.
    """
    title = "Noise floor against predictor error"
    noise = disagreement(passes[passes["kind"] == "network"])
    looks = known(devices, noise["device"], "results/datasets/passes.parquet")
    if not looks:
        return [Picture("all-devices", title, reason="no device of this run was recorded in two passes or more")]
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
    return [Picture("all-devices", title, caption, figure)]


def _line(axes: plt.Axes, values: pd.Series, **style: object) -> None:
    at = np.sort(values.to_numpy())
    if len(at):
        axes.step(np.concatenate([[0], at]), np.linspace(0, 100, len(at) + 1), where="post", **style)
