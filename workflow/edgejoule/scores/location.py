"""Robust centre of log ratios in which a pair that failed to run is the worst conceivable one."""

import numpy as np

#: Relative to the largest possible value of the estimating function; below it a sum counts as zero.
TOLERANCE = 1e-12


def huber_centre(x: np.ndarray, weights: np.ndarray, k: float) -> np.ndarray:
    """Return Huber's M-estimate of location with a fixed corner, along the last axis.

    The centre m solves ``sum_i w_i psi(x_i - m) = 0`` with ``psi(u) = min(max(u, -k), k)``. A failed value is -inf: it
    pulls as any value further than ``k`` below the centre does, and no harder. An unknown value is NaN, and is left
    out. Where every m of an interval solves the equation, its middle is returned. The centre lies between the median
    (k -> 0) and the mean (k -> inf).

    It rises with every x_i, moves with all of them by the same amount, and one value alone moves it by a bounded
    amount. Source: P. J. Huber, Robust Estimation of a Location Parameter, Ann. Math. Statist. 35 (1964) 73-101.

    Args:
        x: values, shape (..., n); -inf where failed, NaN where unknown.
        weights: non-negative weights, shape broadcastable to ``x``.
        k: corner, positive, in the unit of ``x``.

    Returns:
        Centres, shape (...); -inf where failed values carry half of the weight of the known ones or more.
    """
    x, weights = np.broadcast_arrays(np.asarray(x, float), np.asarray(weights, float))
    present = np.isfinite(x) & (weights > 0)
    held = np.where(present, weights, 0.0)
    total = np.where(np.isnan(x), 0.0, weights).sum(axis=-1)
    lacking = total - held.sum(axis=-1)
    usable = held.sum(axis=-1) > lacking * (1 + TOLERANCE)
    # Other values have no corner of their own: park them at zero, where a slope of zero changes nothing.
    placed = np.where(present, x, 0.0)

    # The estimating function is piecewise linear and falls: its corners are x - k (slope begins) and x + k (it ends).
    corners = np.concatenate([placed - k, placed + k], axis=-1)
    slopes = np.concatenate([held, -held], axis=-1)
    order = np.argsort(corners, axis=-1, kind="stable")
    corners = np.take_along_axis(corners, order, axis=-1)
    slopes = np.cumsum(np.take_along_axis(slopes, order, axis=-1), axis=-1)
    falls = slopes[..., :-1] * np.diff(corners, axis=-1)
    first = k * (held.sum(axis=-1) - lacking)[..., None]
    heights = np.concatenate([first, first - np.cumsum(falls, axis=-1)], axis=-1)

    tolerance = TOLERANCE * k * total[..., None]
    last_above = corners.shape[-1] - 1 - np.argmax((heights > tolerance)[..., ::-1], axis=-1)
    first_below = np.argmax(heights < -tolerance, axis=-1)
    low = _crossing(corners, heights, slopes, last_above, last_above)
    high = _crossing(corners, heights, slopes, first_below, first_below - 1)
    return np.where(usable, (low + high) / 2, -np.inf)


def _crossing(corners, heights, slopes, at, segment) -> np.ndarray:
    """Return where the line through corner ``at`` with the slope of ``segment`` is zero."""

    def pick(values, index):
        return np.take_along_axis(values, np.clip(index, 0, values.shape[-1] - 1)[..., None], axis=-1)[..., 0]

    slope = pick(slopes, segment)
    return pick(corners, at) + np.divide(pick(heights, at), slope, out=np.zeros_like(slope), where=slope > 0)


def pseudo_values(x: np.ndarray, centre: np.ndarray, k: float) -> np.ndarray:
    """Return the values cut to ``k`` around the centre (failed ones to its lower end); their mean is the centre.

    Args:
        x: values, shape (n,); -inf where failed, NaN where unknown, which stays.
        centre: what ``huber_centre`` returned, a number.
        k: the same corner.
    """
    return np.clip(x, centre - k, centre + k)
