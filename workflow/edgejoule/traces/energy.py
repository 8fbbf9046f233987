"""Energy of events: the integral of power between start and end, with its spread, drift and uncertainty."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from edgejoule.traces.batches import BATCH, Batch, batches_of
from edgejoule.traces.integrate import NS, RailIntegrator, Windows
from edgejoule.traces.rails import Rail, with_observed_period
from edgejoule.traces.recording import Recording
from edgejoule.traces.uncertainty import energy_uncertainty

#: Each event is integrated in this many equal parts: they make up ten blocks, and three thirds.
PARTS = 30
BLOCKS = 10
#: An event shorter than this many readings of the meter has no energy: its two edges would decide the figure.
LEAST_READINGS = 2.0
#: Least share of an event that readings must speak for; the rest is then taken to be like it.
LEAST_OBSERVED = 0.9
#: Idle power is that of the quietest stretch of this many neighbouring parts (a fifth of the span): loading and tidying
#: up stand in the same span and are not idle.
IDLE_PARTS = 6


def event_energy(recording: Recording, rows: int = BATCH) -> pd.DataFrame:
    """Return energy, power, spread and drift of each event of a recording.

    Memory does not grow with a trace that is streamed, as ``read_recording(folder, whole=False)`` gives it.

    Args:
        recording: as ``read_recording`` or an importer gives it.
        rows: readings in memory at a time, of a trace that is streamed.

    Returns:
        One row per event, indexed like ``recording.events``, columns: ``event``; ``duration_s``; ``energy_j`` (gross,
        whole event); ``power_w`` (mean); ``power_std_w`` (standard deviation over ten blocks of the event);
        ``energy_std_mj`` (the same as energy per inference; null without iterations); ``drift`` (power in the last
        third / power in the first third - 1); ``idle_w`` (power in the quietest fifth of an idle event, null for
        others); ``observed`` (share of the event that readings speak for); ``samples`` (readings in it, on the rail
        that has fewest); ``uncertainty_j`` (one standard deviation, see ``uncertainty``); ``reason`` (why there is no
        energy; empty if there is).

    Raises:
        EdgejouleError: time does not advance in a trace that is streamed.
    """
    used = {rail.name: rail for rail in recording.rails if rail.used}
    events = recording.events
    start, end = events["start_ns"].to_numpy(), events["end_ns"].to_numpy()
    if used:
        rails = [_RailFigures(rail, start, end) for rail in used.values()]
        figures = _sum_rails(rails, batches_of(recording.trace, used, rows), events["kind"].to_numpy() != "idle")
    else:
        figures = _without_trace(recording.meta["meter"], (end - start) * NS)
    table = pd.DataFrame({"event": events["event"], "duration_s": (end - start) * NS} | figures, index=events.index)
    iterations = events["iterations"].where(events["iterations"] > 0)
    table["energy_std_mj"] = 1e3 * table["power_std_w"] * table["duration_s"] / iterations
    table["idle_w"] = table["idle_w"].where(events["kind"] == "idle")
    return table


def _without_trace(meter: dict, duration_s: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures of a declared constant power, or of no meter at all.

    A declared power is that of work: nobody measured what such a device draws when idle.
    """
    constant = meter["kind"] == "constant"
    power = np.full(len(duration_s), meter["watts"] if constant else np.nan)
    unknown = np.full(len(duration_s), np.nan)
    return {
        "energy_j": power * duration_s,
        "power_w": power,
        "power_std_w": unknown,
        "drift": unknown,
        "idle_w": unknown,
        "observed": np.full(len(duration_s), float(constant)),
        "samples": np.zeros(len(duration_s), np.int64),
        "uncertainty_j": unknown,
        "reason": np.full(len(duration_s), "" if constant else "the recording has no power meter", object),
    }


def _sum_rails(rails: "list[_RailFigures]", batches: Iterable[Batch], works: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures of the sum of some rails; ``works`` says in which events something ran."""
    by_name = {figures.rail.name: figures for figures in rails}
    for name, t_ns, values in batches:
        by_name[name].feed(t_ns, values)
    reason = rails[0].reasons()
    for figures in rails[1:]:
        reason = np.where(reason == "", figures.reasons(), reason)
    parts = sum(figures.parts_w() for figures in rails)
    duration_s = rails[0].duration_s
    power = sum(figures.power_w() for figures in rails)
    reason = np.where((reason == "") & works & (power <= 0), [_without_power(each) for each in power], reason)
    resolved = np.min([figures.resolved(BLOCKS) for figures in rails], axis=0)
    blocks = parts.reshape(-1, BLOCKS, PARTS // BLOCKS).mean(axis=2)
    thirds = parts.reshape(-1, 3, PARTS // 3).mean(axis=2)
    figures = {
        "energy_j": power * duration_s,
        "power_w": power,
        "power_std_w": np.where(resolved, np.std(blocks, axis=1, ddof=1), np.nan),
        "drift": _ratio(thirds[:, 2], thirds[:, 0]) - 1,
        "idle_w": sliding_window_view(parts, IDLE_PARTS, axis=1).mean(axis=2).min(axis=1),
        "uncertainty_j": np.sqrt(sum(figures.uncertainty_j() ** 2 for figures in rails)),
    }
    figures = {name: np.where(reason == "", values, np.nan) for name, values in figures.items()}
    figures["observed"] = np.min([figures.observed() for figures in rails], axis=0)
    figures["samples"] = np.min([figures.samples for figures in rails], axis=0)
    return figures | {"reason": reason}


def _without_power(power_w: float) -> str:
    return (
        f"its mean power is {power_w:.6g} W, and nothing runs on that: the meter is wired the other way, or does not "
        "see the supply"
    )


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below != 0)


class _RailFigures:
    """One rail's power in the parts of each event, and just before and after it."""

    def __init__(self, rail: Rail, start_ns: np.ndarray, end_ns: np.ndarray) -> None:
        self.rail = rail
        self.start_ns, self.end_ns = start_ns.astype(np.int64), end_ns.astype(np.int64)
        self.duration_s = (end_ns - start_ns) * NS
        self._windows: Windows | None = None
        self._integrator: RailIntegrator | None = None

    def feed(self, t_ns: np.ndarray, values: np.ndarray) -> None:
        """Add the next readings of the rail."""
        if self._integrator is None:
            self.rail = with_observed_period(self.rail, t_ns, values)
            self._windows = Windows(*self._edges())
            self._integrator = RailIntegrator(self.rail, self._windows)
        self._integrator.feed(t_ns, values)

    def _edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and ends of the parts of every event, and of one reading before and one after it."""
        steps = np.arange(PARTS + 1)
        edges = self.start_ns[:, None] + (self.end_ns - self.start_ns)[:, None] * steps // PARTS
        beside = self.rail.reading_ns
        starts = np.column_stack([edges[:, :-1], self.start_ns - beside, self.end_ns])
        ends = np.column_stack([edges[:, 1:], self.start_ns, self.end_ns + beside])
        return starts.ravel(), ends.ravel()

    def _shaped(self, name: str) -> np.ndarray:
        if self._windows is None:
            return np.zeros((len(self.start_ns), PARTS + 2))
        return getattr(self._windows, name).reshape(-1, PARTS + 2)

    @property
    def samples(self) -> np.ndarray:
        """Valid readings inside each event."""
        return self._shaped("readings")[:, :PARTS].sum(axis=1).astype(np.int64)

    def observed(self) -> np.ndarray:
        """Share of each event that readings speak for."""
        return np.clip(self._shaped("observed_s")[:, :PARTS].sum(axis=1) / self.duration_s, 0, 1)

    def power_w(self) -> np.ndarray:
        """Mean power of each event over the time that readings speak for."""
        seconds = self._shaped("observed_s")[:, :PARTS].sum(axis=1)
        return _ratio(self._shaped("energy_j")[:, :PARTS].sum(axis=1), seconds)

    def parts_w(self) -> np.ndarray:
        """Mean power of each part; a part without readings is taken to be like its event. Shape (events, parts)."""
        energy, seconds = self._shaped("energy_j")[:, :PARTS], self._shaped("observed_s")[:, :PARTS]
        power = np.divide(energy, seconds, out=np.full(energy.shape, np.nan), where=seconds > 0)
        return np.where(np.isnan(power), self.power_w()[:, None], power)

    def resolved(self, parts: int) -> np.ndarray:
        """Whether a ``parts``-th of each event is at least one reading long."""
        return self.duration_s / parts >= self.rail.reading_ns * NS

    def uncertainty_j(self) -> np.ndarray:
        """Return one standard deviation of each event's energy."""
        energy, seconds = self._shaped("energy_j"), self._shaped("observed_s")
        power = np.divide(energy, seconds, out=np.full(energy.shape, np.nan), where=seconds > 0)
        spread = np.std(self.parts_w().reshape(-1, BLOCKS, PARTS // BLOCKS).mean(axis=2), axis=1, ddof=1)
        steps = power[:, 0] - power[:, PARTS], power[:, PARTS + 1] - power[:, PARTS - 1]
        return energy_uncertainty(self.rail, self.power_w() * self.duration_s, self.duration_s, *steps, spread, BLOCKS)

    def reasons(self) -> np.ndarray:
        """Return why each event has no energy on this rail, or an empty text."""
        name, reading_s = self.rail.name, self.rail.reading_ns * NS
        observed = self.observed()
        if self._windows is None:
            return np.full(len(self.start_ns), f"rail '{name}' has no readings", object)
        texts = []
        for duration, share in zip(self.duration_s, observed, strict=True):
            if duration < LEAST_READINGS * reading_s:
                texts.append(f"too short for the meter: {duration:.6g} s, but one reading of rail '{name}' speaks for "
                             f"{reading_s:.6g} s and {LEAST_READINGS:g} are needed")  # fmt: skip
            elif share == 0:
                texts.append(f"no reading of rail '{name}' speaks for it: it lies outside the trace, or in a gap of "
                             "it; are the marks on another clock? see 'alignment'")  # fmt: skip
            elif share < LEAST_OBSERVED:
                texts.append(f"readings of rail '{name}' cover {100 * share:.3g} % of it; at least "
                             f"{100 * LEAST_OBSERVED:g} % are needed")  # fmt: skip
            else:
                texts.append("")
        return np.array(texts, object)
