"""How many networks must be measured on a new board: error against measurements, other boards' knowledge as prior."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import origin_of
from edgejoule.figures.palette import PREDICTORS, number, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, note

#: Protocol: networks measured on the new board.
MEASURED = {"leave-one-board-out": 0, "transfer-k5": 5, "transfer-k10": 10, "transfer-k20": 20}
PREDICTOR = "edgejoule"


def draw(devices: Mapping[str, DeviceLook], accuracy: pd.DataFrame, networks: pd.DataFrame) -> list[Picture]:
    """Draw the error in energy against the networks (and minutes) measured on the new board.

    Args:
        devices: how each device is shown.
        accuracy: the validation stage's summary.
        networks: the datasets stage's table; window = iterations x latency gives the minutes.
    """
    title = "Error on a new board against networks measured on it"
    rows = accuracy[accuracy["protocol"].isin(MEASURED) & accuracy["flagged"] & accuracy["mape_percent"].notna()]
    rows = rows[(rows["metric"] == "energy_mj") & (rows["predictor"] == PREDICTOR)]
    if rows.empty:
        reason = (
            f"the run's protocols have none of {', '.join(MEASURED)} for predictor '{PREDICTOR}' with measured energy"
        )
        return [Picture("all-devices", title, reason=reason)]
    rows = rows.assign(measured=rows["protocol"].map(MEASURED)).sort_values(["device", "measured"])
    figure, axes = plt.subplots(figsize=(7.2, 4.0))
    looks = known(devices, rows["device"], "results/validation/accuracy.parquet")
    for look in looks:
        own = rows[rows["device"] == look.name]
        axes.plot(own["measured"], own["mape_percent"], color=look.colour, marker=look.marker, label=look.title)
        if own[["mape_lower_percent", "mape_upper_percent"]].notna().all(axis=None):
            axes.fill_between(
                own["measured"],
                own["mape_lower_percent"],
                own["mape_upper_percent"],
                color=look.colour,
                alpha=0.1,
                lw=0,
            )
    axes.set_xticks(sorted(set(rows["measured"])))
    log_axis(axes, "y")
    axes.set_xlabel("Networks measured on the new board")
    axes.set_ylabel("Error in energy, MAPE (%)")
    minutes = _minutes_per_network(networks, set(rows["device"]))
    if minutes is not None:
        above = axes.secondary_xaxis("top", functions=(lambda k: k * minutes, lambda m: m / minutes))
        above.set_xlabel("Minutes of measurement", fontsize=8)
    note(axes, origin_of(["energy_mj"], looks))
    figure.legend(loc="outside lower center", ncols=2)
    mean = rows.groupby("measured")["mape_percent"].mean()
    said = ", ".join(f"{percent(value)} after {k}" for k, value in mean.items())
    caption = f"'{PREDICTORS[PREDICTOR][0]}', other boards as prior; mean error over devices: {said}."
    if minutes is not None:
        caption += f" One network's window took {number(minutes)} minutes (median of the recordings)."
    return [Picture("all-devices", title, caption, figure)]


def _minutes_per_network(networks: pd.DataFrame, names: set[str]) -> float | None:
    own = networks[networks["device"].isin(names)]
    windows = (own["iterations"] * own["latency_ms"]).dropna() / 60_000
    return float(windows.median()) if len(windows) else None
