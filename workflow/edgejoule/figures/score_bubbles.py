"""PCS against performance, with IECS as colour and the thermal design power as size (after Tu et al., SEC 2023)."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from edgejoule.figures.devices import DeviceLook
from edgejoule.figures.labels import AROUND_BUBBLES, label_points
from edgejoule.figures.palette import number
from edgejoule.figures.picture import Picture
from edgejoule.figures.score_maps import origin_note, title_of
from edgejoule.figures.style import log_axis, note
from edgejoule.scores.definitions import DEFAULT


def draw(devices: Mapping[str, DeviceLook], applications: pd.DataFrame, scores: pd.DataFrame) -> list[Picture]:
    """Draw one picture per league.

    Args:
        devices: how each device is shown; devices of publications go by their own name.
        applications: the application-level dataset, for performance and thermal design power.
        scores: the scores.
    """
    wide = (
        scores[scores["definition"] == DEFAULT]
        .pivot_table(index=["league", "device"], columns="score", values="value")
        .reindex(columns=["PCS", "IECS"])
        .join(performance(applications))
        .join(applications.groupby(["league", "device"])["tdp_w"].median())
    )
    leagues = sorted(set(applications["league"]))
    return [
        _league(league, wide, scores, devices, applications[applications["league"] == league]) for league in leagues
    ]


def performance(applications: pd.DataFrame) -> pd.Series:
    """Return each device's throughput relative to its league: geometric mean of median latency / latency over pairs.

    Only pairs that all devices of the league have count, so that nobody gains by failing to run one.
    """
    table = applications.assign(pair=applications["slot"] + applications["network"])
    result = {}
    for league, rows in table.groupby("league"):
        latency = rows.pivot_table(index="device", columns="pair", values="latency_ms").dropna(axis=1)
        relative = latency.median() / latency
        for device, value in np.exp(np.log(relative).mean(axis=1)).items():
            result[(league, device)] = 100 * float(value) if latency.shape[1] else np.nan
    index = pd.MultiIndex.from_tuples(result, names=["league", "device"])
    return pd.Series(list(result.values()), index=index, name="performance")


def _league(
    league: str,
    wide: pd.DataFrame,
    scores: pd.DataFrame,
    devices: Mapping[str, DeviceLook],
    applications: pd.DataFrame,
) -> Picture:
    title = f"PCS against performance, league {league}"
    leagues = wide.index.get_level_values("league")
    rows = wide[leagues == league].droplevel("league").dropna(subset=["PCS", "IECS", "performance"])
    if len(rows) < 2:
        of_league = scores[(scores["league"] == league) & (scores["score"] == "PCS")]
        reasons = sorted({reason for reason in of_league["reason"] if reason})
        reason = reasons[0] if reasons else "fewer than two devices have both scores"
        return Picture(league, title, reason=reason.rstrip("."))
    figure, axes = plt.subplots(figsize=(7.2, 4.2))
    size = 60 * rows["tdp_w"].fillna(rows["tdp_w"].median()).fillna(1.0)
    size = 260 * size / size.max()
    marks = axes.scatter(
        rows["performance"], rows["PCS"], s=size, c=rows["IECS"], cmap="viridis", edgecolors="white", linewidths=0.8
    )
    axes.margins(0.14)
    log_axis(axes, "x")
    axes.set_title(league)
    note(axes, origin_note(applications))
    axes.set_xlabel("Performance: throughput over common pairs (league's median = 100)")
    axes.set_ylabel("PCS, power consumption score (reference = 100)")
    bar = figure.colorbar(marks, ax=axes, pad=0.02)
    bar.set_label("IECS, inference energy score (reference = 100)")
    bar.outline.set_visible(False)
    order = rows.sort_values("performance")
    label_points(
        axes,
        order["performance"].tolist(),
        order["PCS"].tolist(),
        [title_of(devices, device) for device in order.index],
        most=len(order),
        places=AROUND_BUBBLES,
    )
    best = rows["IECS"].idxmax()
    caption = (
        f"{len(rows)} devices; size is the thermal design power where known. Definition {DEFAULT}; higher is better "
        f"on both axes. Highest IECS: {title_of(devices, best)} with {number(rows.loc[best, 'IECS'])}."
    )
    return Picture(league, title, caption, figure)
