"""What a trace file or recording holds, for a person to look at before anything is derived from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from edgejoule.config.models import TraceColumns
from edgejoule.errors import EdgejouleError
from edgejoule.tables import atomic_path, empty
from edgejoule.tables.contracts import EVENTS
from edgejoule.traces.batches import Trace
from edgejoule.traces.importers.formats import read_trace_file, recognise
from edgejoule.traces.importers.registry import CANONICAL
from edgejoule.traces.integrate import counter_power
from edgejoule.traces.rails import Rail
from edgejoule.traces.recording import read_recording
from edgejoule.traces.sample import Sample

#: Most points of a rail that a picture shows; more are drawn as the range within each of so many steps.
POINTS = 4000
#: Endings of pictures.
PICTURES = (".png", ".svg", ".pdf")
INK, SHADE = "#1b4965", "#fbe3cb"
#: Units of the time axis, largest first, in ns.
AXIS = (("h", 3600e9), ("s", 1e9), ("ms", 1e6), ("ns", 1))


@dataclass(frozen=True)
class Inspected:
    """A trace with its format, its rails, whose clock it is on, its events if it has any, and notes."""

    format: str
    trace: Trace
    rails: list[Rail]
    clock: str
    events: pd.DataFrame
    notes: tuple[str, ...] = ()


def inspect(
    path: Path | str, name: str | None = None, columns: TraceColumns | None = None, rate_hz: float | None = None
) -> Inspected:
    """Read a trace file in whatever format, or the folder of a canonical recording.

    Raises:
        EdgejouleError: it cannot be read; the message says where and how.
    """
    path = Path(path)
    if path.is_dir():
        recording = read_recording(path, whole=False)
        if recording.trace is None:
            raise EdgejouleError(
                f"{path}: a recording without a trace: its meter is '{recording.meta['meter']['kind']}'"
            )
        notes = tuple(map(str, recording.meta.get("notes", ())))
        clock = str(recording.meta["clock"])
        return Inspected(CANONICAL, recording.trace, recording.rails, clock, recording.events, notes)
    name = name or recognise(path, columns.separator if columns else ",")
    readings = read_trace_file(path, name, columns, rate_hz)
    return Inspected(name, readings.stream, readings.rails, readings.clock, empty(EVENTS), readings.notes)


class Summary:
    """What one rail's readings are, fed batch by batch."""

    def __init__(self, rail: Rail) -> None:
        self.rail = rail
        self.count, self.lost, self.gaps, self.longest_ns = 0, 0, 0, 0
        self.first_ns, self.last_ns = 0, 0
        self.least, self.most, self.total = np.inf, -np.inf, 0.0
        self._steps, self._values = Sample(), Sample()

    def feed(self, t_ns: np.ndarray, values: np.ndarray) -> None:
        """Add the next readings: stamps (ns), values (W or J, nan = lost)."""
        if not len(t_ns):
            return
        steps = np.diff(t_ns, prepend=self.last_ns) if self.count else np.diff(t_ns)
        self.first_ns = self.first_ns if self.count else int(t_ns[0])
        self.last_ns = int(t_ns[-1])
        self.count += len(t_ns)
        known = values[~np.isnan(values)]
        self.lost += len(values) - len(known)
        gaps = steps[steps > self.rail.gap_ns] if self.rail.gap_ns else steps[:0]
        self.gaps += len(gaps)
        self.longest_ns = max(self.longest_ns, int(gaps.max(initial=0)))
        self._steps.feed(steps)
        self._values.feed(known)
        if len(known):
            self.least, self.most = min(self.least, float(known.min())), max(self.most, float(known.max()))
            self.total += float(known.sum())

    def lines(self) -> list[str]:
        """Return it in words."""
        rail, known = self.rail, self.count - self.lost
        unit = "W" if rail.quantity == "power" else "J"
        median = f"median {np.median(self._values.values):.6g} {unit}" if known else ""
        amount = f"{self.least:.6g} to {self.most:.6g} {unit}, {median}" if known else "no valid reading"
        declared = f"{1e9 / rail.period_ns:.6g} Hz declared" if rail.period_ns else "no rate declared"
        observed = f"{1e9 / np.median(self._steps.values):.6g} Hz observed" if self.count > 1 else "one reading"
        longest = f", the longest {self.longest_ns * 1e-9:.6g} s" if self.gaps else ""
        lines = [
            f"{rail.sampling} {rail.quantity}{'' if rail.used else ', not used'}; {amount}",
            f"{self.count} readings over {(self.last_ns - self.first_ns) * 1e-9:.6g} s; {declared}, {observed}",
            f"{self.lost} lost; {self.gaps} gap(s){longest}",
        ]
        if not known:
            lines.append("WARNING: every reading is lost; nothing can be computed from this rail")
        elif rail.quantity == "power" and self.total < 0:
            mean = self.total / known
            lines.append(f"WARNING: the mean power is negative ({mean:.6g} W); is the meter wired the other way?")
        return lines


def summarise(inspected: Inspected) -> dict[str, Summary]:
    """Return what each rail's readings are."""
    rails = {rail.name: rail for rail in inspected.rails}
    summaries = {name: Summary(rail) for name, rail in rails.items()}
    for name, t_ns, values in inspected.trace.batches(rails):
        summaries[name].feed(t_ns, values)
    return summaries


def describe(inspected: Inspected, summaries: Mapping[str, Summary]) -> list[tuple[str, str]]:
    """Return format, clock, each rail's rates, gaps and range, and events, as labels and texts."""
    lines = [("format", inspected.format), ("clock", inspected.clock)]
    lines += [(f"rail {name}", text) for name, summary in summaries.items() for text in summary.lines()]
    kinds = inspected.events["kind"].value_counts().sort_index()
    lines.append(("events", ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none"))
    return lines + [("note", note) for note in inspected.notes]


def draw(inspected: Inspected, summaries: Mapping[str, Summary], output: Path | str, title: str) -> None:
    """Draw every rail that reads power over time, with the events behind it, as PNG, SVG or PDF.

    Where none does, the mean power between the readings of each counter is drawn.

    Raises:
        EdgejouleError: the picture's ending is no known format, or its folder does not exist.
    """
    from matplotlib.figure import Figure

    output = Path(output)
    check_picture(output)
    rails = {rail.name: rail for rail in inspected.rails if rail.quantity == "power"}
    rails = rails or {rail.name: rail for rail in inspected.rails}
    envelopes = {name: Envelope(summaries[name].count, rail.gap_ns) for name, rail in rails.items()}
    counters = {name: Counter(rail) for name, rail in rails.items() if rail.quantity == "energy"}
    for name, t_ns, values in inspected.trace.batches(rails):
        envelopes[name].feed(t_ns, counters[name].power_w(t_ns, values) if name in counters else values)
    figure = Figure(figsize=(9, 1.2 + 2.0 * len(rails)), layout="constrained")
    axes = figure.subplots(len(rails), squeeze=False, sharex=True)[:, 0]
    start = min((summaries[name].first_ns for name in rails if summaries[name].count), default=0)
    end = max(summaries[name].last_ns for name in rails)
    unit, scale = next((unit, scale) for unit, scale in AXIS if end - start >= 2 * scale or scale == 1)
    for axis, (name, envelope) in zip(axes, envelopes.items(), strict=True):
        t_ns, low, high = envelope.outline()
        _shade(axis, inspected.events, start, scale)
        axis.fill_between((t_ns - start) / scale, low, high, color=INK, linewidth=0.8, edgecolor=INK)
        axis.set_ylabel(f"{name}, W")
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


class Counter:
    """The mean power since the reading before of a counter's readings, fed batch by batch."""

    def __init__(self, rail: Rail) -> None:
        self._wrap_j = rail.wrap_j
        self._t_ns, self._energy_j = np.empty(0, np.int64), np.empty(0)

    def power_w(self, t_ns: np.ndarray, energy_j: np.ndarray) -> np.ndarray:
        """Return power (W); nan for the first reading, lost ones, and where the counter was reset."""
        first = not len(self._t_ns)
        t_ns, energy_j = np.append(self._t_ns, t_ns), np.append(self._energy_j, energy_j)
        self._t_ns, self._energy_j = t_ns[-1:], energy_j[-1:]
        power = counter_power(t_ns, energy_j, self._wrap_j)
        return np.append(np.nan, power) if first else power


class Envelope:
    """The lowest and the highest power in about ``points`` steps of equal numbers of readings: no peak is lost.

    A step without a valid reading, and every gap longer than ``gap_ns`` between two readings, is nan: nothing is drawn
    where nothing is known.
    """

    def __init__(self, count: int, gap_ns: float, points: int = POINTS) -> None:
        self._size = max(1, -(-count // points))
        steps = -(-count // self._size)
        self._t_ns = np.zeros(steps, np.int64)
        self._low, self._high = np.full(steps, np.inf), np.full(steps, -np.inf)
        self._gap_ns = gap_ns or np.inf
        self._breaks: dict[int, int] = {}
        self._done, self._last_ns = 0, 0

    def feed(self, t_ns: np.ndarray, power_w: np.ndarray) -> None:
        """Add the next readings: stamps (ns), power (W, nan = lost)."""
        if not len(t_ns):
            return
        starts = np.arange(-self._done % self._size, len(t_ns), self._size)
        self._t_ns[(self._done + starts) // self._size] = t_ns[starts]
        cuts = np.union1d([0], starts)
        steps = (self._done + cuts) // self._size
        known = ~np.isnan(power_w)
        low = np.minimum.reduceat(np.where(known, power_w, np.inf), cuts)
        high = np.maximum.reduceat(np.where(known, power_w, -np.inf), cuts)
        self._low[steps] = np.minimum(self._low[steps], low)
        self._high[steps] = np.maximum(self._high[steps], high)
        gaps = np.flatnonzero(np.diff(t_ns, prepend=self._last_ns if self._done else t_ns[0]) > self._gap_ns)
        for gap in gaps[np.unique((self._done + gaps) // self._size, return_index=True)[1]]:
            self._breaks.setdefault(int(self._done + gap) // self._size, int(t_ns[gap]))
        self._done, self._last_ns = self._done + len(t_ns), int(t_ns[-1])

    def outline(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return times (ns), and the lowest and the highest power (W)."""
        breaks = np.array(list(self._breaks.values()), np.int64)
        places = np.searchsorted(self._t_ns, breaks)
        low, high = (
            np.insert(np.where(np.isinf(part), np.nan, part), places, np.nan) for part in (self._low, self._high)
        )
        return np.insert(self._t_ns, places, breaks), low, high


def table_of(lines: Sequence[tuple[str, str]]) -> str:
    """Return label and text in two columns; a label stands once for the lines that share it."""
    width = max(len(label) for label, _ in lines)
    shown, last = [], None
    for label, text in lines:
        shown.append(f"{'' if label == last else label:<{width}}  {text}")
        last = label
    return "\n".join(shown)
