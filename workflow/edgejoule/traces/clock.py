"""Clocks: the uniform sample clock behind stamps of arrival or cut ones, and units of time, in bounded memory.

A meter's own stamps are times of measurement, however uneven, and stay. Others say less than that: a host stamps
readings as they arrive, in bursts, so *late*; or stamps are *cut* to a whole unit, so early, by less than it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.traces.rails import GAP_PERIODS
from edgejoule.traces.sample import Runs

#: Stamps are bursts where their median step is less than this share of the period.
BURST = 0.05
#: No transport holds readings back for longer (ns): longer waits among stamps that mostly advance by less are pauses.
LONGEST_WAIT_NS = 10**9
#: Fewer stamps than this do not tell whether they are bursts.
LEAST = 16
#: So many of the longest steps may be pauses, which say nothing about how readings usually come.
HANDFUL = 8
#: A step of more usual waits than this is a gap; bursts that usually lag by more do not come from one uniform clock.
GAP_WAITS = 3.0
#: Units that stamps are cut to (ns): a minute, a second and its decimal parts down to a microsecond.
GRAINS_NS = (60 * 10**9, *(10**power for power in range(9, 2, -1)))
#: Units that a column of time was mistaken for, as the factor between observed and declared rate.
MISTAKEN = (1e3, 1e-3, 1e6, 1e-6)
#: Observed and declared rate agree within this share.
RATE_TOLERANCE = 0.05
#: Parts of a trace whose earliest arrivals the uniform clock is fitted to.
PARTS = 2000


@dataclass(frozen=True)
class Pace:
    """How stamps advance.

    Attributes:
        median_ns: median step, whichever its sign (ns).
        wait_ns: usual step of those that are no step inside a burst (ns).
        period_ns: mean step without gaps: the time between readings, if they come evenly (ns).
        grain_ns: the unit that stamps are cut to (ns); 0 where they are not.
        in_bursts: whether they are times of arrival in bursts rather than times of measurement.
    """

    median_ns: float
    wait_ns: float
    period_ns: float
    grain_ns: int
    in_bursts: bool

    @property
    def gap_ns(self) -> float:
        """Step above which readings are missing (ns)."""
        return self.grain_ns + GAP_PERIODS * self.period_ns if self.grain_ns else GAP_WAITS * self.wait_ns

    @property
    def lost_ns(self) -> float:
        """Time without readings (ns) up to which none are taken to be missing."""
        return GAP_PERIODS * self.period_ns if self.grain_ns else self.wait_ns


class Stamps:
    """What stamps must be known by before they can be put in order, fed piece by piece.

    Attributes:
        count: number of stamps.
        first: the first one (ns).
        last: the last one (ns).
        least: smallest step between neighbours (ns), negative where time goes back.
        most: largest step (ns).
        back: number of the first stamp that lies before its neighbour, counted from 1; None where there is none.
        lag: furthest that a stamp lies behind one before it (ns).
    """

    def __init__(self) -> None:
        self.count, self.first, self.last = 0, 0, 0
        self.least: int | None = None
        self.most = 0
        self.back: int | None = None
        self.lag = 0
        self._latest = 0
        self._steps = Runs()

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
            self.most = max(self.most, int(steps.max()))
            self._steps.feed(steps)
        if self.least is not None and self.least < 0:
            latest = np.maximum.accumulate(np.maximum(t_ns, self._latest))
            self.lag = max(self.lag, int((latest - t_ns).max()))
        self._latest = max(self._latest, int(t_ns.max()))
        self.count += len(t_ns)
        self.last = int(t_ns[-1])

    @property
    def mean_ns(self) -> float:
        """Mean step, gaps included (ns)."""
        return (self.last - self.first) / (self.count - 1)

    def pace(self, period_ns: float | None = None, grain_ns: int = 0) -> Pace:
        """Return how they advance, by an even sample of their steps where they are many.

        Args:
            period_ns: time between readings, where somebody knows it (ns).
            grain_ns: the unit that they are known to be cut to (ns).
        """
        steps = self._steps.values
        rising = np.sort(steps[steps > 0])
        # Where nobody knows the period, a mean step without the longest ones tells waits from steps inside a burst.
        handful = min(HANDFUL, len(rising) // HANDFUL)
        border_ns = period_ns or rising[: len(rising) - handful].sum() / max(len(steps) - handful, 1)
        waits = rising[rising > border_ns / 2]
        wait_ns = float(np.median(waits)) if len(waits) else border_ns
        median_ns, advance_ns = float(np.median(np.abs(steps))), float(np.median(rising)) if len(rising) else 0.0
        if period_ns is None and wait_ns > max(LONGEST_WAIT_NS, GAP_WAITS * advance_ns):
            wait_ns = advance_ns
        period_ns = float(period_ns or steps[steps <= GAP_WAITS * wait_ns].mean())
        in_bursts = self.count >= LEAST and median_ns < BURST * period_ns
        grain_ns = grain_ns or (_grain(rising) if self.least == 0 else 0)
        return Pace(median_ns, wait_ns, period_ns, grain_ns, in_bursts)

    def in_disorder(self, pace: Pace) -> bool:
        """Whether time goes back by more than from one burst to the one before."""
        return self.back is not None and not (pace.in_bursts and self.lag <= pace.wait_ns)


def _grain(rising: np.ndarray) -> int:
    """Return the unit that stamps are cut to (ns) by their steps that advance, mostly by one unit; else 0."""
    usual = float(np.median(rising)) if len(rising) else 0.0
    return int(usual) if usual in GRAINS_NS and not (rising % int(usual)).any() else 0


@dataclass(frozen=True)
class Uniform:
    """A uniform clock, one for each stretch of readings between gaps.

    Attributes:
        first_ns: the first stamp (ns).
        begins: number of the first reading of each stretch, shape (stretches,).
        shifts_ns: time of reading 0 after ``first_ns``, by the clock of each stretch (ns), shape (stretches,).
        period_ns: time between readings (ns).
        lags_ns: largest distance of stamps from it in each part of the trace (ns).
    """

    first_ns: int
    begins: np.ndarray
    shifts_ns: np.ndarray
    period_ns: float
    lags_ns: np.ndarray

    def at(self, first: int, count: int) -> np.ndarray:
        """Return the stamps (ns) of ``count`` readings from number ``first`` on."""
        clock = np.arange(first, first + count, dtype=float)
        low, high = np.searchsorted(self.begins, [first, first + count - 1], side="right") - 1
        if low == high:
            shift = self.shifts_ns[low]
        else:
            shift = self.shifts_ns[np.searchsorted(self.begins, clock, side="right") - 1]
        clock *= self.period_ns
        clock += shift
        return np.rint(clock, out=clock).astype(np.int64) + self.first_ns

    @property
    def lost_ns(self) -> np.ndarray:
        """Times without readings between the stretches (ns)."""
        return np.diff(self.shifts_ns)


def scan(pieces: Iterable[np.ndarray]) -> Stamps:
    """Return what is to be known of stamps (ns) that come in pieces."""
    stamps = Stamps()
    for piece in pieces:
        stamps.feed(piece)
    return stamps


def rebuild_clock(pieces: Callable[[], Iterable[np.ndarray]], stamps: Stamps, pace: Pace) -> Uniform:
    """Return the uniform clock of readings whose stamps are late or early.

    A reading arrives after it was taken, never before, and was taken before its burst began to arrive. So the clock is
    the straight line over the reading's number that lies under all arrivals and is nearest to them on average: the edge
    of their lower convex hull above the middle (Moon, Skelly and Towsley, INFOCOM 1999, for one-way delays). Stamps
    that were cut are early: the line lies above them. Behind a gap nobody knows how many readings were lost, so each
    stretch between gaps has a line of its own, parallel to that of the longest one.

    Args:
        pieces: yields the stamps (ns) in pieces; asked once, or twice where there are gaps.
        stamps: what ``scan`` says of them.
        pace: how they advance.

    Raises:
        EdgejouleError: there are fewer than two readings, or time runs backwards as a whole.
    """
    if stamps.count < 2 or stamps.last <= stamps.first:
        raise EdgejouleError("a clock cannot be rebuilt from stamps that do not advance")
    begins, gaps_ns = _stretches(pieces(), pace.gap_ns) if stamps.most > pace.gap_ns else (np.zeros(1, np.int64), 0)
    mean_ns = (stamps.last - stamps.first - gaps_ns) / max(stamps.count - len(begins), 1)
    fit = _Fit(stamps, begins, mean_ns, early=pace.grain_ns > 0)
    # A burst ends where a step is longer than a period; where stamps are not in bursts, each reading is its own.
    longest = 0 if pace.grain_ns else pace.period_ns if pace.in_bursts else -np.inf
    for first, last, t_ns in _bursts(pieces(), stamps, longest):
        fit.feed(first, last, t_ns)
    return fit.clock(pace.lost_ns)


def spread(pieces: Iterable[np.ndarray], pace: Pace) -> Iterator[np.ndarray]:
    """Yield times (ns) for stamps that were cut: the readings of one stamp, evenly over the unit it was cut to."""
    rest = np.empty(0, np.int64)
    for piece in pieces:
        t_ns = np.concatenate([rest, piece])
        held = int(np.searchsorted(t_ns, t_ns[-1])) if len(t_ns) else 0
        yield _spread(t_ns[:held], pace)
        rest = t_ns[held:]
    yield _spread(rest, pace)


def _spread(t_ns: np.ndarray, pace: Pace) -> np.ndarray:
    _, first, counts = np.unique(t_ns, return_index=True, return_counts=True)
    number = np.arange(len(t_ns)) - np.repeat(first, counts)
    # Fewer readings than usual, as in the unit in which a trace begins, stand in the middle of theirs.
    steps = np.repeat(np.minimum(pace.grain_ns / counts, pace.period_ns), counts)
    counts = np.repeat(counts, counts)
    return t_ns + np.rint(pace.grain_ns / 2 + (number - (counts - 1) / 2) * steps).astype(np.int64)


def _stretches(pieces: Iterable[np.ndarray], gap_ns: float) -> tuple[np.ndarray, int]:
    """Return the number of the first reading of each stretch between gaps, and the sum of the gaps (ns)."""
    begins, total, done, before = [np.zeros(1, np.int64)], 0, 0, None
    for t_ns in pieces:
        if not len(t_ns):
            continue
        steps = np.diff(t_ns, prepend=t_ns[0] if before is None else before)
        gaps = np.flatnonzero(steps > gap_ns)
        begins.append(done + gaps)
        total += int(steps[gaps].sum())
        done, before = done + len(t_ns), t_ns[-1]
    return np.concatenate(begins), total


class _Fit:
    """The tightest bound in each part of a trace, less the mean rate, and the lines that keep to all of them.

    An arrival bounds its burst's last reading from above; a stamp that was cut, the first one that has it, from below.
    Turned upside down, that is the same task.
    """

    def __init__(self, stamps: Stamps, begins: np.ndarray, mean_ns: float, early: bool) -> None:
        self.stamps, self.begins, self.mean_ns, self.early = stamps, begins, mean_ns, early
        self.sign = -1.0 if early else 1.0
        self.parts = min(PARTS, stamps.count)
        # A part that a gap cuts is two.
        slots = self.parts + len(begins)
        self.bound, self.number = np.full(slots, np.inf), np.zeros(slots)
        self.far, self.far_number = np.full(slots, -np.inf), np.zeros(slots)

    def feed(self, first: np.ndarray, last: np.ndarray, t_ns: np.ndarray) -> None:
        """Add bursts: numbers of their first and last readings, and their stamps (ns)."""
        if not len(first):
            return
        # Stamps relative to the first one, and to the mean rate, keep nanoseconds exact in floating point.
        since = (t_ns - self.stamps.first).astype(float)
        tight, loose = (first, last) if self.early else (last, first)
        bound, far = self.sign * (since - self.mean_ns * tight), self.sign * (since - self.mean_ns * loose)
        slots = last * self.parts // self.stamps.count + np.searchsorted(self.begins, first, side="right") - 1
        edges = np.concatenate([[0], np.flatnonzero(np.diff(slots)) + 1, [len(slots)]])
        for a, b in pairwise(edges):
            slot, least, most = slots[a], a + int(np.argmin(bound[a:b])), a + int(np.argmax(far[a:b]))
            if bound[least] < self.bound[slot]:
                self.bound[slot], self.number[slot] = bound[least], tight[least]
            if far[most] > self.far[slot]:
                self.far[slot], self.far_number[slot] = far[most], loose[most]

    def clock(self, least_ns: float) -> Uniform:
        """Return the clock whose lines keep to all bounds; stretches less than ``least_ns`` apart share a line."""
        _, lines, _ = self._lines(self.begins)
        # A burst that came late behind a long wait is no loss: the stretches around it are one.
        begins = self.begins[np.append(True, np.diff(self.sign * lines) > least_ns)]
        period_ns, lines, lags_ns = self._lines(begins)
        return Uniform(self.stamps.first, begins, self.sign * lines, period_ns, lags_ns)

    def _lines(self, begins: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the period (ns), the line of each stretch at reading 0, upside down for early stamps, and the lags."""
        known = np.isfinite(self.bound)
        bound, number = self.bound[known], self.number[known]
        stretch = np.searchsorted(begins, number, side="right") - 1
        ends = np.append(begins[1:], self.stamps.count)
        longest = int(np.argmax(ends - begins))
        inside, middle = stretch == longest, (begins[longest] + ends[longest] - 1) / 2
        slope = _slope_under(number[inside], bound[inside], middle)
        lines = np.full(len(begins), np.inf)
        np.minimum.at(lines, stretch, bound - slope * number)
        # What was lost only ever adds to the time between two stretches, so a bound on one holds for those before it.
        order = slice(None) if self.early else slice(None, None, -1)
        lines = np.minimum.accumulate(lines[order])[order]
        lags_ns = self.far[known] - slope * self.far_number[known] - lines[stretch]
        return float(self.mean_ns + self.sign * slope), lines, lags_ns


def _bursts(
    pieces: Iterable[np.ndarray], stamps: Stamps, longest: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the numbers of the first and the last reading of bursts, whose steps are ``longest`` (ns) at most, and
    the first stamp of each (ns)."""
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


def _slope_under(x: np.ndarray, y: np.ndarray, middle: float) -> float:
    """Return the slope of the edge of the points' lower convex hull above or nearest to ``middle``."""
    hull: list[int] = []
    for point in range(len(x)):
        while len(hull) > 1 and _is_above(x, y, hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    if len(hull) < 2:
        return 0.0
    right = min(max(1, int(np.searchsorted(x[hull], middle))), len(hull) - 1)
    a, b = hull[right - 1], hull[right]
    return float((y[b] - y[a]) / (x[b] - x[a]))


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
