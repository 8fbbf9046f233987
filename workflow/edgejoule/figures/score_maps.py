"""Average power and energy per inference of every pair, with the scores beside them.

The form of the PCS and IECS tables of Tu et al., SEC 2023: a row per device, a column per network and delegate.
"""

import re
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm

from edgejoule.figures.devices import DeviceLook
from edgejoule.figures.palette import FAINT, INK, number
from edgejoule.figures.picture import Picture
from edgejoule.scores.definitions import DEFAULT

#: Score: the column that it aggregates, what that is called.
COLUMNS = {"PCS": ("power_w", "Average power"), "IECS": ("energy_mj", "Energy per inference")}
#: Colours end at this factor from the league's median.
MOST = 4.0
#: With more columns than this, networks are not named one by one.
NAMED = 40


def draw(devices: Mapping[str, DeviceLook], applications: pd.DataFrame, scores: pd.DataFrame) -> list[Picture]:
    """Draw one heat map per league and score.

    Args:
        devices: how each device is shown; devices of publications go by their own name.
        applications: the application-level dataset.
        scores: the scores.
    """
    pictures = []
    scored = scores[scores["value"].notna()]["league"].value_counts()
    for league in sorted(set(applications["league"]), key=lambda league: (-scored.get(league, 0), league)):
        for score in COLUMNS:
            rows = applications[applications["league"] == league]
            own = scores[(scores["league"] == league) & (scores["score"] == score) & (scores["definition"] == DEFAULT)]
            pictures.append(_map(league, score, rows, own, devices))
    return pictures


def title_of(devices: Mapping[str, DeviceLook], name: str) -> str:
    """Return a device's title, or the publication's name of it in plain words."""
    return devices[name].title if name in devices else name.replace("_", " ").title()


def origin_note(rows: pd.DataFrame) -> str:
    """Return where the energies of these rows are from, such as ``energy published``."""
    return "energy " + ", ".join(sorted(set(rows["origin"].replace("estimated", "modelled"))))


def _map(
    league: str, score: str, rows: pd.DataFrame, scores: pd.DataFrame, devices: Mapping[str, DeviceLook]
) -> Picture:
    column, what = COLUMNS[score]
    name, title = f"{league}-{score.lower()}", f"{score} of league {league}: {what.lower()} per pair"
    if set(rows["origin"]) == {"estimated"}:
        return Picture(
            name, title, reason="every energy of this league is latency times a constant: nothing to compare"
        )
    rows = rows.assign(pair=rows["slot"] + " · " + rows["network"])
    table = rows.pivot_table(index="device", columns="pair", values=column, aggfunc="median")
    if len(table) < 2:
        return Picture(name, title, reason="fewer than two devices of this league have a value")
    value = scores.set_index("device")["value"].reindex(table.index)
    order = value.fillna(-np.inf).sort_values(ascending=False, kind="stable").index
    table, value = table.loc[order], value.loc[order]
    pairs = sorted(set(rows["pair"]), key=_natural)
    ratio = table.reindex(columns=pairs) / table.median()
    figure, axes = plt.subplots(figsize=(7.2, 1.9 + 0.26 * len(table)))
    image = axes.pcolormesh(
        np.log2(ratio.clip(1 / MOST, MOST).to_numpy(dtype=float)),
        cmap="PuOr_r",
        norm=TwoSlopeNorm(0, -np.log2(MOST), np.log2(MOST)),
        edgecolors="white",
        linewidth=0.4 if len(pairs) <= NAMED else 0,
    )
    axes.set_facecolor("#d1d5db")
    axes.invert_yaxis()
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_yticks(np.arange(len(table)) + 0.5, [title_of(devices, device) for device in table.index], fontsize=7.5)
    axes.tick_params(length=0)
    _columns(axes, pairs)
    for i, number_of in enumerate(value):
        said = number(number_of) if pd.notna(number_of) else "–"
        axes.annotate(said, (len(pairs) * 1.01, i + 0.5), annotation_clip=False, va="center", fontsize=8, color=INK)
    axes.annotate(score, (len(pairs) * 1.01, -0.25), annotation_clip=False, va="center", fontsize=8, fontweight="bold")
    axes.set_title(f"{what}, {league}", pad=20)
    axes.set_title(origin_note(rows), loc="right", pad=20, fontsize=7.5, fontweight="normal", color=FAINT)
    # The layout engine does not see how far the longest device name reaches to the left.
    figure.get_layout_engine().set(rect=(0.03, 0, 0.97, 1))
    ticks = [-2, -1, 0, 1, 2]
    bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.08, ticks=ticks, aspect=12)
    bar.ax.set_yticklabels([f"{2.0**tick:g}x" for tick in ticks], fontsize=7)
    bar.outline.set_visible(False)
    bar.set_label("of the pair's median", fontsize=7.5)
    missing = int(ratio.isna().sum().sum())
    best = value.first_valid_index()
    caption = (
        f"{what} of {len(table)} devices on {len(pairs)} pairs of delegate and network, relative to the pair's median "
        f"over the league; orange is more. {missing} cells are missing (grey). At the right {score}, definition "
        f"{DEFAULT}: "
    )
    unit = f" ({scores['score_unit'].iloc[0]})" if len(scores) else ""
    caption += (
        f"highest {title_of(devices, best)} with {number(value[best])}{unit}."
        if best is not None
        else f"none, since {_reason(scores)}."
    )
    return Picture(name, title, caption, figure)


def _natural(text: str) -> list[tuple[int, str]]:
    """Return a sort key in which DNN2 comes before DNN10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def _reason(scores: pd.DataFrame) -> str:
    reasons = sorted({reason for reason in scores["reason"] if reason})
    return "; ".join(reasons) if reasons else "the league has no score of this kind"


def _columns(axes: Axes, pairs: list[str]) -> None:
    """Name the columns one by one where they are few, else by slot and count."""
    slots = [pair.split(" · ")[0] for pair in pairs]
    if len(pairs) <= NAMED:
        names = [pair.split(" · ")[1] for pair in pairs]
        axes.set_xticks(np.arange(len(pairs)) + 0.5, names, rotation=90, fontsize=6.5)
    else:
        axes.set_xticks([])
    for slot in dict.fromkeys(slots):
        first, count = slots.index(slot), slots.count(slot)
        if first:
            axes.axvline(first, color="white", linewidth=3)
        said = "each device's own delegate" if slot == "own" else slot
        said = said if len(pairs) <= NAMED else f"{said}: {count} networks"
        axes.annotate(said, (first + count / 2, -0.25), annotation_clip=False, ha="center", va="center", fontsize=7.5)
