"""Clocks: the uniform sample clock behind stamps that arrived in bursts, units of time, two hosts' clocks."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgejoule.errors import EdgejouleError

#: Stamps are bursts where their median step is less than this share of their mean step.
BURST = 0.2
#: Units that a column of time was mistaken for, as the factor between observed and declared rate.
MISTAKEN = (1e3, 1e-3, 1e6, 1e-6)
#: Observed and declared rate agree within this share.
RATE_TOLERANCE = 0.05
#: Pieces of a trace whose earliest arrivals the uniform clock is fitted to.
PIECES = 2000


@dataclass(frozen=True)
class Uniform:
    """A uniform clock: stamps (ns), period (ns), and the largest delay of an arrival behind it (ns)."""

    t_ns: np.ndarray
    period_ns: float
    latest_ns: float


def in_bursts(t_ns: np.ndarray) -> bool:
    """Whether stamps are times of arrival in bursts rather than times of measurement."""
    count = len(t_ns) - 1
    if count < 15:
        return False
    # A sample of the steps tells as well as all of them; its stride is odd, so as not to fall in step with the bursts.
    first = np.arange(0, count, 2 * (count // 200_000) + 1)
    return bool(np.median(np.abs(t_ns[first + 1] - t_ns[first])) < BURST * (t_ns[-1] - t_ns[0]) / count)


def rebuild_clock(t_ns: np.ndarray) -> Uniform:
    """Return the uniform clock of readings that a host stamped on arrival.

    A reading arrives after it was taken, never before, and was taken before its burst began to arrive. So the clock is
    the straight line over the reading's number that lies under all arrivals and is nearest to them on average: the edge
    of their lower convex hull above the middle (Moon, Skelly and Towsley, INFOCOM 1999, for one-way delays).

    Args:
        t_ns: times of arrival (ns), shape (readings,).

    Raises:
        EdgejouleError: there are fewer than two readings, or time runs backwards as a whole.
    """
    count = len(t_ns)
    if count < 2 or t_ns[-1] <= t_ns[0]:
        raise EdgejouleError("a clock cannot be rebuilt from stamps that do not advance")
    first, last = _bursts(t_ns)
    mean = (t_ns[-1] - t_ns[0]) / (count - 1)
    # Stamps relative to the first one, and to the mean rate, keep nanoseconds exact in floating point.
    late = (t_ns[first] - t_ns[0]) - mean * last
    pieces = np.unique(np.linspace(0, len(late), min(PIECES, len(late)) + 1).astype(int))
    earliest = pieces[:-1] + [int(np.argmin(late[a:b])) for a, b in pairwise(pieces)]
    slope, shift = _line_under(last[earliest].astype(float), late[earliest], (count - 1) / 2)
    behind = (t_ns[first] - t_ns[0]) - (mean + slope) * first - shift
    clock = np.arange(count, dtype=float)
    clock *= mean + slope
    clock += shift
    return Uniform(np.rint(clock, out=clock).astype(np.int64) + t_ns[0], float(mean + slope), float(behind.max()))


def _bursts(t_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the first and the last reading of each burst; each is its own where there are none."""
    if not in_bursts(t_ns):
        number = np.arange(len(t_ns))
        return number, number
    steps = np.diff(t_ns)
    begins = np.flatnonzero(steps > (t_ns[-1] - t_ns[0]) / len(steps)) + 1
    return np.concatenate([[0], begins]), np.concatenate([begins - 1, [len(t_ns) - 1]])


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


@dataclass(frozen=True)
class Offset:
    """What must be added to the second clock's times to get the first one's (ns), and one standard deviation (ns)."""

    offset_ns: float
    uncertainty_ns: float


def align_by_marks(first_ns: np.ndarray, second_ns: np.ndarray) -> Offset:
    """Return the offset of two clocks from the times at which both saw the same marks, such as start and end.

    Raises:
        EdgejouleError: there are no marks, or not the same number on both sides.
    """
    first_ns, second_ns = np.asarray(first_ns, np.int64), np.asarray(second_ns, np.int64)
    if len(first_ns) != len(second_ns) or not len(first_ns):
        raise EdgejouleError(
            f"{len(first_ns)} marks on one clock and {len(second_ns)} on the other; equally many needed"
        )
    differences = (first_ns - second_ns).astype(float)
    if len(differences) == 1:
        return Offset(float(differences[0]), float("nan"))
    spread = differences.std(ddof=1) / np.sqrt(len(differences))
    return Offset(float(differences.mean()), float(spread))


def align_by_load(
    power_t_ns: np.ndarray,
    power_w: np.ndarray,
    load_t_ns: np.ndarray,
    load: np.ndarray,
    limit_s: float,
    step_s: float,
    blocks: int = 8,
) -> Offset:
    """Return the offset of the load's clock by cross-correlation with power, from how well they agree in each block.

    Args:
        power_t_ns: stamps of the power trace (ns).
        power_w: power (W).
        load_t_ns: stamps of the load (ns), on the other clock.
        load: load, in any unit (such as the busy share of a processor).
        limit_s: largest offset to look for, either way (s).
        step_s: grid on which both are compared (s).
        blocks: number of equal parts whose own offsets give the uncertainty.

    Raises:
        EdgejouleError: the two do not overlap, or either of them never changes.
    """
    origin = int(power_t_ns[0])
    t, u = (power_t_ns - origin) * 1e-9, (load_t_ns - origin) * 1e-9
    grid = np.arange(max(t[0], u[0]) + limit_s, min(t[-1], u[-1]) - limit_s, step_s)
    if len(grid) < 4 * blocks:
        raise EdgejouleError(f"power and load overlap for less than {4 * blocks} steps of {step_s} s beside the limit")
    shifts = np.arange(-round(limit_s / step_s), round(limit_s / step_s) + 1)
    power = np.interp(grid, t, power_w)
    loads = np.array([np.interp(grid - shift * step_s, u, load) for shift in shifts])
    whole = _best_shift(power, loads)
    parts = [_best_shift(power[part], loads[:, part]) for part in np.array_split(np.arange(len(grid)), blocks)]
    parts = [part for part in parts if part is not None]
    if whole is None or len(parts) < 2:
        raise EdgejouleError("power or load never changes; there is nothing to align by")
    # Blocks without a change of load find any shift: the median's spread is robust against them.
    spread = 1.4826 * np.median(np.abs(np.array(parts) - np.median(parts))) / np.sqrt(len(parts))
    centre = whole - round(limit_s / step_s)
    return Offset(centre * step_s * 1e9, float(np.hypot(spread, 1 / np.sqrt(12)) * step_s * 1e9))


def _best_shift(power: np.ndarray, loads: np.ndarray) -> float | None:
    power = power - power.mean()
    loads = loads - loads.mean(axis=1, keepdims=True)
    norm = np.sqrt((power**2).sum() * (loads**2).sum(axis=1))
    if not norm.any() or not (norm > 0).all():
        return None
    score = loads @ power / norm
    best = int(np.argmax(score))
    if not 0 < best < len(score) - 1:
        return float(best)
    below, at, above = score[best - 1 : best + 2]
    curve = below - 2 * at + above
    return best + (0.5 * (below - above) / curve if curve else 0.0)
