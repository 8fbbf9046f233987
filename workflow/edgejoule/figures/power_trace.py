"""The power trace of one measurement with its recorded phases, as the meter read it."""

import json
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from edgejoule.figures.devices import DeviceLook, known, recording_folders
from edgejoule.figures.palette import number
from edgejoule.figures.picture import Picture
from edgejoule.tables import contracts, read_table

#: Colour of each kind of event that a workload's measurement has.
PHASES = {"idle": "#9ca3af", "warmup": "#E69F00", "network": "#0072B2", "application": "#CC79A7", "tail": "#56B4E9"}
#: What the panel that zooms in shows on either side of the window's start: so many seconds at most, and so much of the
#: window.
AROUND_S, AROUND_SHARE = 20.0, 0.1


def draw(devices: Mapping[str, DeviceLook], recordings: list[Path]) -> list[Picture]:
    """Draw one picture per recording that has a power trace: its network of median duration, idle included.

    Args:
        devices: how each device is shown.
        recordings: the recordings' ``recording.json`` files; the tables are beside them.
    """
    title = "Power trace with its phases"
    if not recordings:
        reason = "every device of this run is a table of figures; devices of source traces or live have recordings"
        return [Picture("none", title, reason=reason)]
    folders = recording_folders(recordings)
    return [_one_device(look, folders[look.name]) for look in known(devices, folders, "results/traces")]


def _one_device(look: DeviceLook, folder: Path) -> Picture:
    title = f"Power trace with its phases: {look.title}"
    if not (folder / "trace.parquet").is_file():
        return Picture(
            look.name, title, reason="the recording has no power trace: its meter is a declared power or none"
        )
    trace = read_table(folder / "trace.parquet", contracts.TRACE)
    events = read_table(folder / "events.parquet", contracts.EVENTS)
    trace = trace[trace["power_w"].notna()]
    # Rails stand in the order of trust; a counter, which has no power of its own, may stand before them.
    rail = next((name for name in rails_of(folder) if name in set(trace["rail"])), "")
    trace = trace[trace["rail"] == rail]
    windows = events[events["kind"] == "network"]
    if trace.empty or windows.empty:
        return Picture(look.name, title, reason="the recording's rails count energy, or it holds no network")
    length = windows["end_ns"] - windows["start_ns"]
    chosen = windows.loc[(length - length.median()).abs().sort_values(kind="stable").index[0]]
    phases = events[(events["workload"] == chosen["workload"]) & (events["pass"] == chosen["pass"])]
    start, end = phases["start_ns"].min(), phases["end_ns"].max()
    shown = trace[trace["t_ns"].between(start, end)]
    if len(shown) < 2:
        return Picture(look.name, title, reason=f"the trace has no readings during '{chosen['workload']}'")
    figure, (whole, zoom) = plt.subplots(2, 1, figsize=(7.2, 4.6), height_ratios=[1.2, 1])
    zero, window_s = chosen["start_ns"], (chosen["end_ns"] - chosen["start_ns"]) / 1e9
    around_s = min(AROUND_S, AROUND_SHARE * window_s)
    seconds = (shown["t_ns"] - zero) / 1e9
    for axes in (whole, zoom):
        _panel(axes, seconds.to_numpy(), shown["power_w"].to_numpy(), phases, zero)
    inside = shown[shown["t_ns"].between(chosen["start_ns"], chosen["end_ns"])]
    mean = inside["power_w"].mean()
    whole.set_xlim(seconds.min(), seconds.max())
    zoom.set_xlim(max(-around_s, seconds.min()), min(around_s, seconds.max()))
    zoom.set_xlabel("Time since the start of the window (s)")
    whole.set_title(chosen["workload"], fontsize=9)
    whole.set_title(f"{look.title}, rail '{rail}'", loc="right", fontsize=7.5, fontweight="normal", color="#6b7280")
    kinds = [kind for kind in PHASES if kind in set(phases["kind"])]
    figure.legend(
        handles=[Patch(color=PHASES[k], alpha=0.25, label=k) for k in kinds], loc="outside lower center", ncols=5
    )
    rate = 1e9 / np.median(np.diff(shown["t_ns"]))
    caption = (
        f"'{chosen['workload']}', the recording's network of median duration: {len(inside)} readings at {number(rate)} "
        f"Hz in a window of {number(window_s)} s, {number(mean)} W on average, {int(chosen['iterations'])} inferences. "
        f"Below, {number(around_s)} s on either side of the start."
    )
    return Picture(look.name, title, caption, figure)


def rails_of(folder: Path) -> list[str]:
    """Return the names of a recording's rails in the order of its description."""
    return [rail["name"] for rail in json.loads((folder / "recording.json").read_text(encoding="utf-8"))["rails"]]


def _panel(axes: Axes, seconds: np.ndarray, power: np.ndarray, phases: pd.DataFrame, zero: int) -> None:
    for row in phases.itertuples():
        axes.axvspan((row.start_ns - zero) / 1e9, (row.end_ns - zero) / 1e9, color=PHASES[row.kind], alpha=0.18, lw=0)
    # A meter's reading holds until its next one: steps, not ramps.
    milliwatts = power.max() < 1
    axes.step(seconds, 1e3 * power if milliwatts else power, where="post", color="#1f2937", linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"Power ({'mW' if milliwatts else 'W'})")
