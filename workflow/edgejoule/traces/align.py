"""Two hosts' clocks: the offset between them, from marks that both saw or from load and power."""

from dataclasses import dataclass

import numpy as np

from edgejoule.errors import EdgejouleError


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
