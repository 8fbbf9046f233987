"""Two hosts' clocks: offset and drift between them from marks that both saw, or the offset from load and power."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from edgejoule.config.models import Alignment
from edgejoule.errors import EdgejouleError
from edgejoule.traces.segment import Series

#: Most steps of the grid on which load and power are compared.
MOST_STEPS = 20_000_000
#: A drift is one where chance gives as large a one less often than this.
DOUBT = 0.01


@dataclass(frozen=True)
class Offset:
    """What to add to the second clock to get the first one.

    Attributes:
        offset_ns: at ``at_ns`` (ns).
        uncertainty_ns: its standard deviation, the largest at any mark (ns; nan = unknown).
        drift: how much it grows per time on the second clock.
        at_ns: time on the second clock (ns).
    """

    offset_ns: float
    uncertainty_ns: float
    drift: float = 0.0
    at_ns: int = 0

    def shifted(self, t_ns: pd.Series) -> pd.Series:
        """Return times of the second clock (ns) on the first one."""
        return t_ns + round(self.offset_ns) + ((t_ns - self.at_ns) * self.drift).round().astype("int64")


def align_by_marks(first_ns: np.ndarray, second_ns: np.ndarray) -> Offset:
    """Return the offset of two clocks from the times at which both saw the same marks, such as start and end.

    Three marks or more tell whether the clocks drift apart; if they do beyond doubt, the drift is part of the offset.

    Raises:
        EdgejouleError: there are no marks, or not the same number on both sides.
    """
    first_ns, second_ns = np.asarray(first_ns, np.int64), np.asarray(second_ns, np.int64)
    if len(first_ns) != len(second_ns) or not len(first_ns):
        raise EdgejouleError(
            f"{len(first_ns)} marks on one clock and {len(second_ns)} on the other; equally many needed"
        )
    differences = (first_ns - second_ns).astype(float)
    count, middle_ns = len(differences), int(second_ns[0] + round(float((second_ns - second_ns[0]).mean())))
    if count == 1:
        return Offset(float(differences[0]), float("nan"))
    offset_ns = float(differences.mean())
    since_s = (second_ns - middle_ns) * 1e-9
    if count > 2 and np.ptp(since_s) > 0:
        from scipy.stats import linregress

        line = linregress(since_s, differences)
        if line.pvalue < DOUBT:
            farthest_s = np.abs(since_s).max()
            residual = differences - line.intercept - line.slope * since_s
            at_middle = np.sqrt((residual**2).sum() / (count - 2) / count)
            return Offset(
                float(line.intercept),
                float(np.hypot(at_middle, line.stderr * farthest_s)),
                line.slope * 1e-9,
                middle_ns,
            )
    return Offset(offset_ns, float(differences.std(ddof=1) / np.sqrt(count)), at_ns=middle_ns)


def align_by_load(
    power: Iterable[tuple[np.ndarray, np.ndarray]],
    load_t_ns: np.ndarray,
    load: np.ndarray,
    limit_s: float,
    step_s: float,
    blocks: int = 8,
) -> Offset:
    """Return the offset of the load's clock by cross-correlation with power, from how well they agree in each block.

    Clocks that have nothing in common (one counts from its start, one from 1970) are taken to have started together.

    Args:
        power: the power trace in pieces: stamps (ns), power (W, nan = lost).
        load_t_ns: stamps of the load (ns), on the other clock.
        load: load, in any unit (such as the busy share of a processor).
        limit_s: largest offset to look for, either way (s).
        step_s: grid on which both are compared (s).
        blocks: number of equal parts whose own offsets give the uncertainty.

    Raises:
        EdgejouleError: there is no load, the two do not overlap, or either of them never changes.
    """
    if not len(load_t_ns):
        raise EdgejouleError("there is no load to align by")
    start_ns, watts = _on_grid(power, step_s)
    end_ns = start_ns + round(len(watts) * step_s * 1e9)
    have_nothing_in_common = load_t_ns[0] > end_ns or load_t_ns[-1] < start_ns
    apart_ns = start_ns - int(load_t_ns[0]) if have_nothing_in_common else 0
    most = round(limit_s / step_s)
    # Seconds since the power's start, on the grid that the power is on; the load's reaches as far as any shift.
    middle = (np.arange(len(watts)) + 0.5) * step_s
    seconds = (np.asarray(load_t_ns, np.int64) + apart_ns - start_ns) * 1e-9
    known = np.flatnonzero((middle >= seconds[0] + limit_s) & (middle <= seconds[-1] - limit_s))
    if len(known) < 4 * blocks:
        raise EdgejouleError(f"power and load overlap for less than {4 * blocks} steps of {step_s} s beside the limit")
    first, last = known[0], known[-1] + 1
    watts = watts[first:last]
    wide = (np.arange(first - most, last + most) + 0.5) * step_s
    loads = np.interp(wide, seconds, load)
    loads -= loads.mean()
    whole = _best_shift(watts, loads)
    cuts = np.linspace(0, len(watts), blocks + 1).astype(int)
    parts = [_best_shift(watts[a:b], loads[a : b + 2 * most]) for a, b in pairwise(cuts)]
    parts = [part for part in parts if part is not None]
    if whole is None:
        raise EdgejouleError("power or load never changes; there is nothing to align by")
    offset_ns = apart_ns + (most - whole) * step_s * 1e9
    if len(parts) < 2:
        return Offset(offset_ns, float("nan"))
    # Blocks without a change of load find any shift: the median's spread is robust against them.
    spread = 1.4826 * np.median(np.abs(np.array(parts) - np.median(parts))) / np.sqrt(len(parts))
    return Offset(offset_ns, float(np.hypot(spread, 1 / np.sqrt(12)) * step_s * 1e9))


def _on_grid(power: Iterable[tuple[np.ndarray, np.ndarray]], step_s: float) -> tuple[int, np.ndarray]:
    """Return the start of a trace (ns) and its mean power in each step (W); a step without readings is interpolated."""
    sums, counts, start_ns = np.zeros(0), np.zeros(0), None
    for t_ns, values in power:
        if not len(t_ns):
            continue
        start_ns = int(t_ns[0]) if start_ns is None else start_ns
        step = ((t_ns - start_ns) // round(step_s * 1e9)).astype(np.int64)
        known = ~np.isnan(values)
        if step[-1] >= len(sums):
            more = int(step[-1]) + 1 - len(sums)
            if len(sums) + more > MOST_STEPS:
                raise EdgejouleError(f"more than {MOST_STEPS:,} steps of {step_s} s; give a longer step")
            sums, counts = np.append(sums, np.zeros(more)), np.append(counts, np.zeros(more))
        low = int(step[0])
        size = int(step[-1]) + 1 - low
        sums[low : low + size] += np.bincount(step[known] - low, values[known], size)
        counts[low : low + size] += np.bincount(step[known] - low, minlength=size)
    filled = np.flatnonzero(counts)
    if start_ns is None or not len(filled):
        raise EdgejouleError("the trace has no power to align by")
    number = np.arange(len(sums))
    return start_ns, np.interp(number, filled, sums[filled] / counts[filled])


def _best_shift(power: np.ndarray, loads: np.ndarray) -> float | None:
    """Return the place in ``loads`` at which as many values as ``power`` has correlate with it best."""
    from scipy.signal import correlate

    size = len(power)
    power = power - power.mean()
    dot = correlate(loads, power, mode="valid", method="fft")
    sums = np.concatenate([[0.0], np.cumsum(loads)])
    squares = np.concatenate([[0.0], np.cumsum(loads**2)])
    spread = squares[size:] - squares[:-size] - (sums[size:] - sums[:-size]) ** 2 / size
    norm = np.sqrt((power**2).sum() * np.maximum(spread, 0.0))
    if not norm.any():
        return None
    # A stretch in which the load stands still agrees with nothing.
    score = np.where(norm > 1e-6 * norm.max(), dot / np.maximum(norm, 1e-300), -1.0)
    best = int(np.argmax(score))
    if not 0 < best < len(score) - 1:
        return float(best)
    below, at, above = score[best - 1 : best + 2]
    curve = below - 2 * at + above
    return best + (0.5 * (below - above) / curve if curve else 0.0)


def read_offset(power: Series, wanted: Alignment) -> tuple[str, Offset]:
    """Return how the events' clock was aligned with the trace's, and the offset between them.

    Args:
        power: yields the trace in pieces; asked only where the load is used.
        wanted: a CSV of marks on both clocks (``meter_ns,host_ns``), or one of the host's load (``host_ns,load``).

    Raises:
        EdgejouleError: the file cannot be read or lacks a column, or the two cannot be aligned.
    """
    path = Path(wanted.marks or wanted.load)
    columns = (
        {"meter_ns": pa.int64(), "host_ns": pa.int64()}
        if wanted.marks
        else {
            "host_ns": pa.int64(),
            "load": pa.float64(),
        }
    )
    try:
        table = pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(column_types=columns))
    except (pa.ArrowException, OSError) as error:
        raise EdgejouleError(
            f"{path}: not a readable CSV of {', '.join(columns)}: {' '.join(str(error).split())}"
        ) from error
    lacking = [name for name in columns if name not in table.column_names]
    if lacking:
        raise EdgejouleError(f"{path}: lacks the column(s) {', '.join(lacking)}")
    first, second = (table[name].to_numpy() for name in columns)
    if np.isnan(first.astype(float)).any() or not np.isfinite(second.astype(float)).all():
        raise EdgejouleError(f"{path}: a row is not complete")
    try:
        if wanted.marks:
            return "marks", align_by_marks(first, second)
        if (np.diff(first) <= 0).any():
            raise EdgejouleError(f"time does not advance in line {int(np.argmax(np.diff(first) <= 0)) + 3}")
        return "load", align_by_load(power(), first, second, wanted.limit_s, wanted.step_s)
    except EdgejouleError as error:
        raise EdgejouleError(f"{path}: {error}") from error
