"""Readings of one trace file, before they become a recording: stamps put in order, rails declared."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.traces.clock import in_bursts, mistaken_unit, rebuild_clock
from edgejoule.traces.rails import Rail

#: A trace that spans more than this has a wrong unit of time somewhere (ns): 100 years.
LONGEST_NS = 100 * 366 * 86400 * 10**9


@dataclass(frozen=True)
class Readings:
    """What a trace file holds.

    Attributes:
        trace: table ``trace``.
        rails: what each rail reads.
        clock: whose clock the stamps are on.
        notes: what a reader should know: lines left out, a unit corrected, a clock rebuilt.
    """

    trace: pd.DataFrame
    rails: list[Rail]
    clock: str
    notes: tuple[str, ...] = ()


def make_readings(
    t_ns: np.ndarray,
    rails: Mapping[Rail, np.ndarray],
    where: str,
    clock: str,
    rate_hz: float | None = None,
    notes: tuple[str, ...] = (),
) -> Readings:
    """Return the readings of rails that share their stamps.

    Stamps that come in bursts, or stand still, become a uniform clock; stamps in another unit than they claim are
    corrected by the declared rate. Both are noted.

    Args:
        t_ns: stamps (ns), shape (readings,).
        rails: readings (W, or J of a counter) of each rail, nan = lost; shape (readings,).
        where: the file, for messages.
        clock: whose clock it is.
        rate_hz: declared rate (Hz), if any.
        notes: what was noted before.

    Raises:
        EdgejouleError: there are fewer than two readings, time runs backwards, or the rate is not the declared one.
    """
    if len(t_ns) < 2:
        raise EdgejouleError(f"{where}: {len(t_ns)} reading(s); at least two are needed")
    try:
        t_ns, period_ns, more = _in_order(t_ns, rate_hz)
    except EdgejouleError as error:
        raise EdgejouleError(f"{where}: {error}") from error
    if not 0 < t_ns[-1] - t_ns[0] < LONGEST_NS:
        raise EdgejouleError(f"{where}: spans {(t_ns[-1] - t_ns[0]) * 1e-9:.3g} s; the unit of its time is wrong")
    declared = round(1e9 / rate_hz) if rate_hz else None
    parts, known = [], []
    for rail, values in rails.items():
        if np.isinf(values).any():
            values = np.where(np.isfinite(values), values, np.nan)
        power, energy = (values, np.nan) if rail.quantity == "power" else (np.nan, values)
        name = pd.Categorical.from_codes(np.zeros(len(t_ns), np.int8), [rail.name])
        columns = {"t_ns": t_ns, "power_w": power, "energy_j": energy, "rail": name}
        parts.append(pd.DataFrame(columns, copy=False))
        known.append(replace(rail, period_ns=declared, observed_period_ns=period_ns))
    trace = parts[0] if len(parts) == 1 else pd.concat([part.astype({"rail": "str"}) for part in parts])
    return Readings(trace.reset_index(drop=True), known, clock, (*notes, *more))


def _in_order(t_ns: np.ndarray, rate_hz: float | None) -> tuple[np.ndarray, int, list[str]]:
    """Return strictly rising stamps, their period (ns), and what was corrected."""
    notes = []
    steps = np.diff(t_ns)
    least = int(steps.min())
    if least < 0 and not in_bursts(np.sort(t_ns)):
        raise EdgejouleError(f"time goes back in reading {int(np.argmax(steps < 0)) + 2}")
    if rate_hz is not None:
        span_ns = max(int(t_ns[-1]) - int(t_ns[0]), 1)
        factor = mistaken_unit(1e9 * len(steps) / span_ns, rate_hz)
        if factor != 1.0:
            t_ns = t_ns[0] + np.round((t_ns - t_ns[0]) * factor).astype(np.int64)
            notes.append(
                f"its times are in a unit {1 / factor:g} times smaller than it says: {rate_hz:g} Hz are declared"
            )
    if least > 0 and not in_bursts(t_ns):
        return t_ns, int(np.median(np.diff(t_ns))), notes
    uniform = rebuild_clock(t_ns)
    notes.append(
        f"stamped in bursts; a uniform clock of {uniform.period_ns:.6g} ns was rebuilt, "
        f"which stamps lag by up to {uniform.latest_ns * 1e-6:.3g} ms"
    )
    if uniform.period_ns < 2:
        raise EdgejouleError("readings come faster than one in two nanoseconds; the unit of its time is wrong")
    return uniform.t_ns, round(uniform.period_ns), notes
