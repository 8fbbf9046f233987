"""Clocks: the uniform sample clock behind stamps that arrived in bursts, and units of time, in bounded memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.traces.sample import Sample

#: Stamps are bursts where their median step is less than this share of their mean step.
BURST = 0.2
#: Units that a column of time was mistaken for, as the factor between observed and declared rate.
MISTAKEN = (1e3, 1e-3, 1e6, 1e-6)
#: Observed and declared rate agree within this share.
RATE_TOLERANCE = 0.05
#: Parts of a trace whose earliest arrivals the uniform clock is fitted to.
PARTS = 2000


class Stamps:
    """What stamps must be known by before they can be put in order, fed piece by piece.

    Attributes:
        count: number of stamps.
        first: the first one (ns).
        last: the last one (ns).
        least: smallest step between neighbours (ns), negative where time goes back.
        back: number of the first stamp that lies before its neighbour, counted from 1; None where there is none.
        lag: furthest that a stamp lies behind one before it (ns).
    """

    def __init__(self) -> None:
        self.count, self.first, self.last = 0, 0, 0
        self.least: int | None = None
        self.back: int | None = None
        self.lag = 0
        self._latest = 0
        self._steps = Sample()

    def feed(self, t_ns: np.ndarray) -> None:
        """Add the next stamps (ns)."""
        if not len(t_ns):
            return
        if not self.count:
            self.first = self._latest = int(t_ns[0])
            steps, number = np.diff(t_ns), 1
        else:
            steps, number = np.diff(t_ns, prepend=self.last), self.count
        if len(steps):
            least = int(steps.min())
            if least < 0 and self.back is None:
                self.back = number + int(np.argmax(steps < 0)) + 1
            self.least = least if self.least is None else min(least, self.least)
            self._steps.feed(steps)
        if self.least is not None and self.least < 0:
            latest = np.maximum.accumulate(np.maximum(t_ns, self._latest))
            self.lag = max(self.lag, int((latest - t_ns).max()))
        self._latest = max(self._latest, int(t_ns.max()))
        self.count += len(t_ns)
        self.last = int(t_ns[-1])

    @property
    def mean_ns(self) -> float:
        """Mean step (ns)."""
        return (self.last - self.first) / (self.count - 1)

    @property
    def median_ns(self) -> int:
        """Median step (ns); of an even sample of the steps where they are many."""
        return int(np.median(self._steps.values))

    @property
    def in_bursts(self) -> bool:
        """Whether they are times of arrival in bursts rather than times of measurement."""
        if self.count <= 15:
            return False
        # No median of rising stamps' steps is over twice their mean: a sample that says so is in step with the bursts.
        median = np.median(np.abs(self._steps.values))
        return bool(median < BURST * self.mean_ns or (self.back is None and median > 2 * self.mean_ns))

    @property
    def in_disorder(self) -> bool:
        """Whether time goes back by more than from one burst to the one before."""
        if self.back is None or not self.in_bursts:
            return self.back is not None
        steps = self._steps.values
        waits = steps[steps > self.mean_ns]
        return not len(waits) or self.lag > np.median(waits)


@dataclass(frozen=True)
class Uniform:
    """A uniform clock: time of the first reading (ns), period (ns), largest delay of an arrival behind it (ns)."""

    first_ns: int
    shift_ns: float
    period_ns: float
    latest_ns: float

    def at(self, first: int, count: int) -> np.ndarray:
        """Return the stamps (ns) of ``count`` readings from number ``first`` on."""
        clock = np.arange(first, first + count, dtype=float)
        clock *= self.period_ns
        clock += self.shift_ns
        return np.rint(clock, out=clock).astype(np.int64) + self.first_ns


def scan(pieces: Iterable[np.ndarray]) -> Stamps:
    """Return what is to be known of stamps (ns) that come in pieces."""
    stamps = Stamps()
    for piece in pieces:
        stamps.feed(piece)
    return stamps


def rebuild_clock(pieces: Iterable[np.ndarray], stamps: Stamps) -> Uniform:
    """Return the uniform clock of readings that a host stamped on arrival.

    A reading arrives after it was taken, never before, and was taken before its burst began to arrive. So the clock is
    the straight line over the reading's number that lies under all arrivals and is nearest to them on average: the edge
    of their lower convex hull above the middle (Moon, Skelly and Towsley, INFOCOM 1999, for one-way delays).

    Args:
        pieces: times of arrival (ns), in pieces.
        stamps: what ``scan`` says of them.

    Raises:
        EdgejouleError: there are fewer than two readings, or time runs backwards as a whole.
    """
    if stamps.count < 2 or stamps.last <= stamps.first:
        raise EdgejouleError("a clock cannot be rebuilt from stamps that do not advance")
    fit = _Fit(stamps)
    for first, last, t_ns in _bursts(pieces, stamps):
        fit.feed(first, last, t_ns)
    return fit.line()


class _Fit:
    """The earliest arrival in each part of a trace, less the mean rate, and the line under all of them."""

    def __init__(self, stamps: Stamps) -> None:
        self.stamps = stamps
        parts = min(PARTS, stamps.count)
        self.early, self.number = np.full(parts, np.inf), np.zeros(parts)
        self.late, self.late_number = np.full(parts, -np.inf), np.zeros(parts)

    def feed(self, first: np.ndarray, last: np.ndarray, t_ns: np.ndarray) -> None:
        """Add bursts: numbers of their first and last readings, and when each began to arrive (ns)."""
        if not len(first):
            return
        # Stamps relative to the first one, and to the mean rate, keep nanoseconds exact in floating point.
        since, mean = (t_ns - self.stamps.first).astype(float), self.stamps.mean_ns
        late, early = since - mean * first, since - mean * last
        parts = last * len(self.early) // self.stamps.count
        edges = np.concatenate([[0], np.flatnonzero(np.diff(parts)) + 1, [len(parts)]])
        for a, b in pairwise(edges):
            part, least, most = parts[a], a + int(np.argmin(early[a:b])), a + int(np.argmax(late[a:b]))
            if early[least] < self.early[part]:
                self.early[part], self.number[part] = early[least], last[least]
            if late[most] > self.late[part]:
                self.late[part], self.late_number[part] = late[most], first[most]

    def line(self) -> Uniform:
        """Return the line under all arrivals."""
        known = np.isfinite(self.early)
        slope, shift = _line_under(self.number[known], self.early[known], (self.stamps.count - 1) / 2)
        behind = self.late[known] - slope * self.late_number[known] - shift
        return Uniform(self.stamps.first, shift, float(self.stamps.mean_ns + slope), float(behind.max()))


def _bursts(pieces: Iterable[np.ndarray], stamps: Stamps) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the numbers of the first and the last reading of bursts, and their arrivals (ns).

    A burst ends where a step is longer than the mean one; where stamps are not in bursts, each reading is its own.
    """
    longest = stamps.mean_ns if stamps.in_bursts else -np.inf
    done, begun, arrived, before = 0, 0, stamps.first, None
    for t_ns in pieces:
        if not len(t_ns):
            continue
        begins = np.flatnonzero(np.diff(t_ns, prepend=t_ns[0] if before is None else before) > longest)
        begins = begins[begins > 0] if before is None else begins
        if len(begins):
            yield (
                np.concatenate([[begun], done + begins[:-1]]),
                done + begins - 1,
                np.concatenate([[arrived], t_ns[begins[:-1]]]),
            )
            begun, arrived = done + int(begins[-1]), int(t_ns[begins[-1]])
        done, before = done + len(t_ns), t_ns[-1]
    yield np.array([begun]), np.array([done - 1]), np.array([arrived])


def _line_under(x: np.ndarray, y: np.ndarray, middle: float) -> tuple[float, float]:
    """Return slope and intercept of the edge of the points' lower convex hull above or nearest to ``middle``."""
    hull: list[int] = []
    for point in range(len(x)):
        while len(hull) > 1 and _is_above(x, y, hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    if len(hull) < 2:
        return 0.0, float(y[hull[0]])
    right = min(max(1, int(np.searchsorted(x[hull], middle))), len(hull) - 1)
    a, b = hull[right - 1], hull[right]
    slope = (y[b] - y[a]) / (x[b] - x[a])
    return float(slope), float(y[a] - slope * x[a])


def _is_above(x: np.ndarray, y: np.ndarray, a: int, b: int, c: int) -> bool:
    return (y[b] - y[a]) * (x[c] - x[a]) >= (y[c] - y[a]) * (x[b] - x[a])


def mistaken_unit(observed_hz: float, declared_hz: float) -> float:
    """Return the factor that stamps must be multiplied by so that their rate is the declared one; 1 if it is.

    A column headed ``Time(ms)`` was seen to hold microseconds: its rate is then a thousandth of the declared one.

    Raises:
        EdgejouleError: the rates differ by something else than a unit.
    """
    ratio = observed_hz / declared_hz
    for factor in (1.0, *MISTAKEN):
        if abs(ratio / factor - 1) <= RATE_TOLERANCE:
            return factor
    raise EdgejouleError(
        f"{observed_hz:.6g} readings a second by their stamps, but {declared_hz:.6g} are declared: state the right "
        "'rate_hz' or the right unit of time"
    )
