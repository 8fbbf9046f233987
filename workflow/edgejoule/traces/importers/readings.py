"""Readings of one trace file, before they become a recording: stamps put in order, rails declared."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.traces.clock import Pace, Stamps, mistaken_unit, rebuild_clock, scan, spread
from edgejoule.traces.rails import Rail, check_magnitude
from edgejoule.traces.spool import Spool, SpooledTrace

#: A trace that spans more than this has a wrong unit of time somewhere (ns): 100 years.
LONGEST_NS = 100 * 366 * 86400 * 10**9

#: A counter that falls in more than this share of its steps, and more than so many times, is none: it wraps seldom.
FALLS, LEAST_FALLS = 0.05, 3

#: Stamps (ns), and one array of readings for each rail: W, or J of a counter; nan = lost.
Piece = tuple[np.ndarray, Sequence[np.ndarray]]
#: From the number of a reading, its stamp and the following ones, to their times (ns).
Clock = Callable[[int, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Readings:
    """What a trace file holds.

    Attributes:
        stream: the rows of table ``trace``, to be read in batches.
        rails: what each rail reads.
        clock: whose clock the stamps are on.
        notes: what a reader should know: lines left out, a unit corrected, a clock rebuilt.
    """

    stream: SpooledTrace
    rails: list[Rail]
    clock: str
    notes: tuple[str, ...] = ()

    @cached_property
    def trace(self) -> pd.DataFrame:
        """Table ``trace`` as a whole, in memory."""
        parts = list(self.stream.frames())
        if len(self.rails) > 1:
            parts = [part.astype({"rail": "str"}) for part in parts]
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Rate:
    """How often readings come (Hz): as somebody declared, or as the meter reads where it does not average."""

    declared_hz: float | None = None
    usual_hz: float | None = None

    def factor(self, stamps: Stamps) -> tuple[float, float | None]:
        """Return what stamps must be multiplied by, and the rate that they have then, where it is known (Hz).

        Raises:
            EdgejouleError: neither a unit of time nor averaging explains the observed rate.
        """
        hz = self.declared_hz or self.usual_hz
        if hz is None:
            return 1.0, None
        observed_hz = 1e9 / max(stamps.mean_ns, 1e-9)
        try:
            return mistaken_unit(observed_hz, hz), hz
        except EdgejouleError:
            pace = stamps.pace()
            # Gaps make the mean rate a smaller one.
            with suppress(EdgejouleError):
                return mistaken_unit(1e9 / max(pace.period_ns, 1e-9), hz), hz
            # Stamps of the meter's own clock tell its rate; stamps of arrival, in bursts, do not tell their unit.
            if self.declared_hz is not None or pace.in_bursts or stamps.least <= 0 or observed_hz > hz:
                raise
            return 1.0, None


class _Falls:
    """How often a counter falls without wrapping, fed piece by piece."""

    def __init__(self, rail: Rail) -> None:
        self.rail = rail
        self.steps, self.falls, self._last = 0, 0, np.empty(0)

    def feed(self, energy_j: np.ndarray) -> None:
        """Add the next readings (J, nan = lost)."""
        known = np.concatenate([self._last, energy_j[~np.isnan(energy_j)]])
        steps = np.diff(known)
        fell = (steps < 0) & (steps >= -(self.rail.wrap_j or np.inf) / 2)
        self.steps, self.falls = self.steps + len(steps), self.falls + int(fell.sum())
        self._last = known[-1:]

    def check(self, where: str) -> None:
        """Stop if this is no counter.

        Raises:
            EdgejouleError: it falls far more often than one that wraps.
        """
        if self.falls > max(LEAST_FALLS, FALLS * self.steps):
            raise EdgejouleError(
                f"{where}: '{self.rail.name}' falls in {self.falls} of its {self.steps} steps, so it is no cumulative "
                "counter; if each reading is the energy since the one before, import their running sum, or their power"
            )


def make_readings(
    pieces: Iterable[Piece],
    rails: Sequence[Rail],
    where: str,
    clock: str,
    rate: "Rate | None" = None,
    notes: Callable[[], tuple[str, ...]] = tuple,
    grain_ns: int = 0,
) -> Readings:
    """Return the readings of rails that share their stamps, in memory that does not grow with them.

    Stamps that come in bursts, or are cut to a whole unit, become a uniform clock between gaps; stamps in another unit
    than they claim are corrected by the declared rate. Both are noted.

    Args:
        pieces: the readings, in order.
        rails: what the arrays of each piece are.
        where: the file, for messages.
        clock: whose clock it is.
        rate: what is known of how often readings come.
        notes: returns what was noted before, when all pieces were read.
        grain_ns: unit that the stamps are known to be cut to (ns).

    Raises:
        EdgejouleError: there are fewer than two readings, time runs backwards, a reading is beyond any device's power,
            a counter often falls, the rate is not the declared one, or stamps stand still and no clock explains them.
    """
    spool, stamps = Spool(len(rails)), Stamps()
    counters = {number: _Falls(rail) for number, rail in enumerate(rails) if rail.sampling == "counter"}
    for t_ns, values in pieces:
        for rail, readings in zip(rails, values, strict=True):
            check_magnitude(rail, readings, stamps.count, where)
        for number, falls in counters.items():
            falls.feed(values[number])
        spool.add(t_ns, values)
        stamps.feed(t_ns)
    if stamps.count < 2:
        noted = "".join(f"; {note}" for note in notes())
        raise EdgejouleError(f"{where}: {stamps.count} reading(s); at least two are needed{noted}")
    for falls in counters.values():
        falls.check(where)
    try:
        put, period_ns, hz, more = _in_order(spool, stamps, rate or Rate(), grain_ns)
    except EdgejouleError as error:
        raise EdgejouleError(f"{where}: {error}") from error
    declared = round(1e9 / hz) if hz else None
    known = [replace(rail, period_ns=declared, observed_period_ns=period_ns) for rail in rails]
    return Readings(SpooledTrace(spool, tuple(known), put), known, clock, (*notes(), *more))


def _in_order(spool: Spool, stamps: Stamps, rate: Rate, grain_ns: int) -> tuple[Clock, int, float | None, list[str]]:
    """Return the clock that gives rising times, their period (ns), their rate if it is known, what was corrected."""
    notes = []
    put: Clock = _as_stamped
    factor, hz = rate.factor(stamps)
    if factor != 1.0:
        put = _in_unit(stamps.first, factor)
        stamps = scan(put(0, piece) for piece in spool.times.batches())
        times = f"{factor:g} times larger" if factor > 1 else f"{1 / factor:g} times smaller"
        notes.append(f"its times are in a unit {times} than it says: the meter reads at {hz:g} Hz")
    pace = stamps.pace(1e9 / hz if hz else None, grain_ns)
    if stamps.in_disorder(pace):
        raise EdgejouleError(f"time goes back in reading {stamps.back}")
    if stamps.least > 0 and not pace.in_bursts and not pace.grain_ns:
        _check_span(stamps.last - stamps.first)
        return put, round(pace.median_ns), hz, notes
    put, period_ns, more = _rebuilt(spool, put, stamps, pace)
    return put, period_ns, hz, [*notes, *more]


def _rebuilt(spool: Spool, put: Clock, stamps: Stamps, pace: Pace) -> tuple[Clock, int, list[str]]:
    """Return the clock behind stamps of arrival or cut ones, its period (ns), and notes on it."""

    def stamped() -> Iterator[np.ndarray]:
        return (put(0, piece) for piece in spool.times.batches())

    uniform = rebuild_clock(stamped, stamps, pace)
    # A burst may be late once in a while; a stamp that was cut is never early by more than its unit.
    lag_ns = uniform.lags_ns.max() if pace.grain_ns else np.median(uniform.lags_ns)
    if lag_ns > pace.gap_ns:
        return _uneven(spool, put, stamps, pace)
    _check_span(uniform.period_ns * (stamps.count - 1))
    if uniform.period_ns < 2:
        raise EdgejouleError("readings come faster than one in two nanoseconds; the unit of its time is wrong")
    kind, side = (_cut(pace), "are early by") if pace.grain_ns else ("stamped in bursts", "lag by")
    notes = [
        f"{kind}; a uniform clock of {uniform.period_ns:.6g} ns was rebuilt, "
        f"which stamps {side} up to {uniform.lags_ns.max() * 1e-6:.3g} ms"
    ]
    if len(uniform.lost_ns):
        lost_s = uniform.lost_ns.sum() * 1e-9
        notes.append(f"{len(uniform.lost_ns)} gap(s) without readings, {lost_s:.3g} s in all, are left as they are")
    return (lambda first, t_ns: uniform.at(first, len(t_ns))), round(uniform.period_ns), notes


def _uneven(spool: Spool, put: Clock, stamps: Stamps, pace: Pace) -> tuple[Clock, int, list[str]]:
    """Return the same for stamps that no uniform clock explains: what each of them says of its own readings."""
    if pace.grain_ns:
        spool.retime(spread((put(0, piece) for piece in spool.times.batches()), pace))
        note = f"{_cut(pace)}, and readings come unevenly: those of one stamp are spread evenly over it"
        return _as_stamped, round(pace.period_ns), [note]
    if stamps.least > 0:
        note = (
            f"stamps come unevenly, mostly {pace.median_ns * 1e-6:.3g} ms apart but by up to {stamps.most * 1e-6:.3g} "
            "ms, which no uniform clock explains: they are kept, and nothing is known in the longer steps"
        )
        return put, round(pace.median_ns), [note]
    raise EdgejouleError(
        f"stamps stand still and then advance by up to {stamps.most * 1e-9:.3g} s, which no uniform clock explains; "
        "export a stamp for each reading, or split the file where its rate changes"
    )


def _cut(pace: Pace) -> str:
    return f"stamps are cut to {pace.grain_ns * 1e-9:g} s"


def _check_span(span_ns: float) -> None:
    if not 0 < span_ns < LONGEST_NS:
        raise EdgejouleError(f"spans {span_ns * 1e-9:.3g} s; the unit of its time is wrong")


def _as_stamped(_: int, t_ns: np.ndarray) -> np.ndarray:
    return t_ns


def _in_unit(first_ns: int, factor: float) -> Clock:
    return lambda _, t_ns: first_ns + np.round((t_ns - first_ns) * factor).astype(np.int64)
