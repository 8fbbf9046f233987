"""Integration of a rail's readings over windows, exact for what each kind of meter means, streaming in bounded memory.

Readings make *cells*: between two neighbouring readings the power is a straight line (instantaneous power), or constant
(averaged power, which speaks of the time before its stamp; counters, whose difference is the energy of the cell). The
energy of a window is the difference of the cells' running sum at its two edges, interpolated inside the cell that an
edge falls into. So windows add up, however they are split. Where nothing is known (lost readings, gaps) a cell has no
energy and no time: what is returned is the energy *and* the time that it was observed for, never a silent zero.
"""

from dataclasses import dataclass

import numpy as np

from edgejoule.traces.rails import Rail

#: Seconds in a nanosecond.
NS = 1e-9


@dataclass
class Windows:
    """Windows to integrate over, and what was found in them so far.

    Attributes:
        start_ns: starts, int64, shape (windows,).
        end_ns: ends, int64, shape (windows,).
        energy_j: energy in the observed part of each window (J), float64, shape (windows,).
        observed_s: time of each window that readings speak for (s), float64, shape (windows,).
        readings: valid readings stamped inside each window, int64, shape (windows,).
    """

    start_ns: np.ndarray
    end_ns: np.ndarray

    def __post_init__(self) -> None:
        self.start_ns = np.asarray(self.start_ns, np.int64)
        self.end_ns = np.asarray(self.end_ns, np.int64)
        self.energy_j = np.zeros(len(self.start_ns))
        self.observed_s = np.zeros(len(self.start_ns))
        self.readings = np.zeros(len(self.start_ns), np.int64)

    def between(self, first_ns: int, last_ns: int) -> np.ndarray:
        """Return the indices of the windows that overlap the span from ``first_ns`` to ``last_ns``."""
        return np.flatnonzero((self.start_ns < last_ns) & (self.end_ns > first_ns))


@dataclass(frozen=True)
class Cells:
    """Neighbouring cells: edges (n + 1) in ns, power (W) at the left and right end of each (n), nan where unknown."""

    edges_ns: np.ndarray
    left_w: np.ndarray
    right_w: np.ndarray


def add_cells(windows: Windows, cells: Cells) -> None:
    """Add to each window the energy and the observed time of its share of the cells."""
    edges = cells.edges_ns
    if len(edges) < 2:
        return
    inside = windows.between(edges[0], edges[-1])
    if not len(inside):
        return
    width_s = np.diff(edges) * NS
    energy = (cells.left_w + cells.right_w) * (0.5 * width_s)
    sums = np.empty(len(edges))
    sums[0] = 0.0
    np.cumsum(energy, out=sums[1:])
    left, right = cells.left_w, cells.right_w
    # A running sum that ends in a number met no nan on its way: the common case needs no second pass.
    complete = not np.isnan(sums[-1])
    if not complete:
        known = ~np.isnan(energy)
        np.cumsum(np.where(known, energy, 0.0), out=sums[1:])
        left, right = np.where(known, left, 0.0), np.where(known, right, 0.0)
        observed = np.concatenate([[0.0], np.cumsum(np.where(known, width_s, 0.0))])

    def at(times_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cell = np.clip(np.searchsorted(edges, times_ns, side="right") - 1, 0, len(edges) - 2)
        into = (times_ns - edges[cell]) * NS
        slope = (right[cell] - left[cell]) / width_s[cell]
        energy_j = sums[cell] + into * (left[cell] + 0.5 * slope * into)
        if complete:
            return energy_j, (times_ns - edges[0]) * NS
        return energy_j, observed[cell] + into * known[cell]

    energy_end, time_end = at(np.minimum(windows.end_ns[inside], edges[-1]))
    energy_start, time_start = at(np.maximum(windows.start_ns[inside], edges[0]))
    windows.energy_j[inside] += energy_end - energy_start
    windows.observed_s[inside] += time_end - time_start


def count_readings(windows: Windows, t_ns: np.ndarray, values: np.ndarray) -> None:
    """Count the valid readings that are stamped inside each window (after its start, up to its end)."""
    inside = windows.between(t_ns[0] - 1, t_ns[-1] + 1)
    if not len(inside):
        return
    lost = np.isnan(values)
    if lost.any():
        t_ns = t_ns[~lost]
    windows.readings[inside] += np.searchsorted(t_ns, windows.end_ns[inside], side="right")
    windows.readings[inside] -= np.searchsorted(t_ns, windows.start_ns[inside], side="right")


def counter_power(t_ns: np.ndarray, energy_j: np.ndarray, wrap_j: float | None) -> np.ndarray:
    """Return the mean power (W) from each reading of a counter to the next; shape (readings - 1,).

    A counter that falls without being known to wrap, or by less than half of where it wraps, was reset: what it counted
    meanwhile is unknown (nan).
    """
    steps = np.diff(energy_j)
    if wrap_j is not None:
        steps = np.where(steps < -wrap_j / 2, steps + wrap_j, steps)
    return np.where(steps < 0, np.nan, steps) / (np.diff(t_ns) * NS)


class RailIntegrator:
    """Feeds a rail's readings, batch by batch and in order of time, into windows.

    Args:
        rail: what the readings mean.
        windows: where to add to.
    """

    def __init__(self, rail: Rail, windows: Windows) -> None:
        self.rail = rail
        self.windows = windows
        self._t = np.empty(0, np.int64)
        self._values = np.empty(0)

    def feed(self, t_ns: np.ndarray, values: np.ndarray) -> None:
        """Add the next readings: stamps (ns, strictly rising, after those before) and values (W or J, nan = lost)."""
        if not len(t_ns):
            return
        count_readings(self.windows, t_ns, values)
        if self.rail.sampling == "counter":
            t_ns, values = self._counter_updates(t_ns, values)
        first = not len(self._t)
        t_ns, values = np.concatenate([self._t, t_ns]), np.concatenate([self._values, values])
        if not len(t_ns):
            return
        match self.rail.sampling:
            case "instantaneous":
                cells = self._lines(t_ns, values)
            case "averaged":
                cells = self._steps(t_ns, values, first)
            case _:
                cells = self._differences(t_ns, values)
        add_cells(self.windows, cells)
        self._t, self._values = t_ns[-1:], values[-1:]

    def _lines(self, t_ns: np.ndarray, power_w: np.ndarray) -> Cells:
        left, right = power_w[:-1], power_w[1:]
        gaps = np.diff(t_ns) > self.rail.gap_ns
        if gaps.any():
            left = np.where(gaps, np.nan, left)
        return Cells(t_ns, left, right)

    def _steps(self, t_ns: np.ndarray, power_w: np.ndarray, first: bool) -> Cells:
        # After a gap, a reading speaks for one period, not for the gap; the very first one likewise.
        after = np.flatnonzero(np.diff(t_ns) > self.rail.gap_ns) + 1
        if first:
            after = np.concatenate([[0], after])
        if len(after):
            begins = t_ns[after] - max(self.rail.reading_ns, 1)
            t_ns, power_w = np.insert(t_ns, after, begins), np.insert(power_w, after, np.nan)
        return Cells(t_ns, power_w[1:], power_w[1:])

    def _differences(self, t_ns: np.ndarray, energy_j: np.ndarray) -> Cells:
        power = counter_power(t_ns, energy_j, self.rail.wrap_j)
        return Cells(t_ns, power, power)

    def _counter_updates(self, t_ns: np.ndarray, energy_j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # A counter that is read more often than it is updated stands still, then steps: energy accrues from update to
        # update, so only the first reading of each value is an edge.
        keep = ~np.isnan(energy_j)
        t_ns, energy_j = t_ns[keep], energy_j[keep]
        if not len(t_ns):
            return t_ns, energy_j
        last = self._values[-1] if len(self._values) else np.nan
        new = np.diff(energy_j, prepend=last) != 0
        return t_ns[new], energy_j[new]
