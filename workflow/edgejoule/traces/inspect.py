"""What a trace file or recording holds, for a person to look at before anything is derived from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.config.models import TraceColumns
from edgejoule.errors import EdgejouleError
from edgejoule.tables import atomic_path, empty
from edgejoule.tables.contracts import EVENTS
from edgejoule.traces.importers.formats import read_trace_file, recognise
from edgejoule.traces.importers.readings import Readings
from edgejoule.traces.importers.registry import CANONICAL
from edgejoule.traces.recording import read_recording

#: Most points of a rail that a picture shows; more are drawn as the range within each of so many steps.
POINTS = 4000
#: Endings of pictures.
PICTURES = (".png", ".svg", ".pdf")
INK, SHADE = "#1b4965", "#fbe3cb"
#: Units of the time axis, largest first, in ns.
AXIS = (("h", 3600e9), ("s", 1e9), ("ms", 1e6), ("ns", 1))


@dataclass(frozen=True)
class Inspected:
    """A trace with its format and its events, if it has any."""

    format: str
    readings: Readings
    events: pd.DataFrame


def inspect(
    path: Path | str, name: str | None = None, columns: TraceColumns | None = None, rate_hz: float | None = None
) -> Inspected:
    """Read a trace file in whatever format, or the folder of a canonical recording.

    Raises:
        EdgejouleError: it cannot be read; the message says where and how.
    """
    path = Path(path)
    if path.is_dir():
        recording = read_recording(path)
        if recording.trace is None:
            raise EdgejouleError(
                f"{path}: a recording without a trace: its meter is '{recording.meta['meter']['kind']}'"
            )
        readings = Readings(recording.trace, recording.rails, str(recording.meta["clock"]))
        return Inspected(CANONICAL, readings, recording.events)
    return Inspected(name or recognise(path), read_trace_file(path, name, columns, rate_hz), empty(EVENTS))


def describe(inspected: Inspected) -> list[tuple[str, str]]:
    """Return format, clock, each rail's rates, gaps and range, and events, as labels and texts."""
    readings = inspected.readings
    lines = [("format", inspected.format), ("clock", readings.clock)]
    for rail in readings.rails:
        part = readings.trace[readings.trace["rail"] == rail.name]
        lines += [(f"rail {rail.name}", text) for text in _describe_rail(part, rail)]
    kinds = inspected.events["kind"].value_counts().sort_index()
    lines.append(("events", ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none"))
    return lines + [("note", note) for note in readings.notes]


def _describe_rail(part: pd.DataFrame, rail) -> list[str]:
    t_ns, values = part["t_ns"].to_numpy(), part[rail.column].to_numpy(float)
    steps = np.diff(t_ns)
    declared = f"{1e9 / rail.period_ns:.6g} Hz declared" if rail.period_ns else "no rate declared"
    observed = f"{1e9 / np.median(steps):.6g} Hz observed" if len(steps) else "one reading"
    span = (t_ns[-1] - t_ns[0]) * 1e-9 if len(t_ns) else 0.0
    gaps = steps[steps > rail.gap_ns] if rail.gap_ns else steps[:0]
    lost = int(np.isnan(values).sum())
    unit = "W" if rail.quantity == "power" else "J"
    known = values[~np.isnan(values)]
    amount = (
        f"{known.min():.6g} to {known.max():.6g} {unit}, median {np.median(known):.6g} {unit}" if len(known) else ""
    )
    quality = [
        f"{rail.sampling} {rail.quantity}{'' if rail.used else ', not used'}; {amount or 'no valid reading'}",
        f"{len(t_ns)} readings over {span:.6g} s; {declared}, {observed}",
        f"{lost} lost; {len(gaps)} gap(s)" + (f", the longest {gaps.max() * 1e-9:.6g} s" if len(gaps) else ""),
    ]
    if not len(known):
        quality.append("WARNING: every reading is lost; nothing can be computed from this rail")
    elif rail.quantity == "power" and known.mean() < 0:
        quality.append(f"WARNING: the mean power is negative ({known.mean():.6g} W); is the meter wired the other way?")
    return quality


def draw(inspected: Inspected, output: Path | str, title: str) -> None:
    """Draw every rail that reads power over time, with the events behind it, as PNG or SVG.

    Raises:
        EdgejouleError: no rail reads power, the picture's ending is no known format, or its folder does not exist.
    """
    from matplotlib.figure import Figure

    output = Path(output)
    check_picture(output)
    readings = inspected.readings
    rails = [rail for rail in readings.rails if rail.quantity == "power"]
    if not rails:
        raise EdgejouleError(f"{title}: no rail reads power; there is nothing to draw")
    figure = Figure(figsize=(9, 1.2 + 2.0 * len(rails)), layout="constrained")
    axes = figure.subplots(len(rails), squeeze=False, sharex=True)[:, 0]
    start, end = int(readings.trace["t_ns"].min()), int(readings.trace["t_ns"].max())
    unit, scale = next((unit, scale) for unit, scale in AXIS if end - start >= 2 * scale or scale == 1)
    for axis, rail in zip(axes, rails, strict=True):
        part = readings.trace[readings.trace["rail"] == rail.name]
        gap = rail.gap_ns / scale or np.inf
        times, low, high = envelope((part["t_ns"].to_numpy() - start) / scale, part["power_w"].to_numpy(float), gap)
        _shade(axis, inspected.events, start, scale)
        axis.fill_between(times, low, high, color=INK, linewidth=0.8, edgecolor=INK)
        axis.set_ylabel(f"{rail.name}, W")
        if not (low < 0).any():
            axis.set_ylim(bottom=0)
        axis.margins(x=0)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel(f"{unit} since the first reading")
    axes[0].set_title(title, loc="left", fontsize=10)
    with atomic_path(output) as temporary:
        figure.savefig(temporary, format=output.suffix[1:], dpi=120, metadata=_undated(output.suffix))


def check_picture(output: Path) -> None:
    """Stop unless a picture can be written there: a known ending, in a folder that exists."""
    if output.suffix not in PICTURES:
        raise EdgejouleError(f"{output}: a picture ends in .png, .svg or .pdf")
    if not output.parent.is_dir():
        raise EdgejouleError(f"{output}: there is no folder {output.parent}; make it first")


def _undated(suffix: str) -> dict:
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix, {})


def _shade(axis, events: pd.DataFrame, start_ns: int, scale: float) -> None:
    for event in events[events["kind"] != "idle"].itertuples():
        axis.axvspan((event.start_ns - start_ns) / scale, (event.end_ns - start_ns) / scale, color=SHADE, lw=0)


def envelope(
    seconds: np.ndarray, power_w: np.ndarray, gap_s: float = np.inf, points: int = POINTS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times, and the lowest and highest power, in about ``points`` steps of equal numbers of readings.

    No peak is lost, however many readings there are. A step without a valid reading, and every gap longer than
    ``gap_s`` between two readings, is nan: nothing is drawn where nothing is known.
    """
    size = max(1, -(-len(power_w) // points))
    gaps = np.flatnonzero(np.diff(seconds) > gap_s) + 1
    starts = np.union1d(np.arange(0, len(power_w), size), gaps)
    known = ~np.isnan(power_w)
    low = np.minimum.reduceat(np.where(known, power_w, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, power_w, -np.inf), starts)
    breaks = np.searchsorted(starts, gaps)
    low, high = (np.insert(np.where(np.isinf(part), np.nan, part), breaks, np.nan) for part in (low, high))
    return np.insert(seconds[starts], breaks, seconds[gaps]), low, high


def table_of(lines: Sequence[tuple[str, str]]) -> str:
    """Return label and text in two columns; a label stands once for the lines that share it."""
    width = max(len(label) for label, _ in lines)
    shown, last = [], None
    for label, text in lines:
        shown.append(f"{'' if label == last else label:<{width}}  {text}")
        last = label
    return "\n".join(shown)
