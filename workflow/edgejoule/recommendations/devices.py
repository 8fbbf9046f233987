"""Across devices: which reaches a target accuracy with the least energy, and from which rate on another does."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from edgejoule.recommendations.catalogue import Catalogue
from edgejoule.recommendations.solve import Choice, Limit, solve_mix
from edgejoule.tables import empty
from edgejoule.tables.contracts import BREAK_EVENS, DEVICE_CHOICES

#: Lowest rate that is looked at, in requests a second, and how many rates the search for break-evens starts from.
SLOWEST_HZ, RATES = 1e-3, 40
#: Relative precision of a break-even.
PRECISION = 1e-6


def comparable(catalogues: list[Catalogue]) -> list[list[Catalogue]]:
    """Return the devices in groups that may stand in one list: energy measured, with one scope of power."""
    scopes = sorted({c.power_scope for c in catalogues if c.origin == "measured" and len(c)})
    return [[c for c in catalogues if c.origin == "measured" and len(c) and c.power_scope == s] for s in scopes]


def with_board_idle(catalogues: list[Catalogue], boards: dict[str, str]) -> list[Catalogue]:
    """Return the catalogues with one idle power per board, the median over its devices.

    A board between requests is the same whatever runtime waits on it; what its recordings differ by is temperature
    and time of day, which would otherwise decide between two runtimes at low rates.
    """
    idle: dict[str, list[float]] = {}
    for catalogue in catalogues:
        if np.isfinite(catalogue.idle_w):
            idle.setdefault(boards[catalogue.device], []).append(catalogue.idle_w)
    medians = {board: float(np.median(values)) for board, values in idle.items()}
    return [replace(c, idle_w=medians.get(boards[c.device], float("nan"))) for c in catalogues]


def span_targets(group: list[Catalogue], step: float = 5.0) -> list[float]:
    """Return the multiples of ``step`` points between the group's least and greatest accuracy."""
    low, high = min(c.top1.min() for c in group), max(c.top1.max() for c in group)
    return [float(target) for target in np.arange(np.ceil(low / step) * step, high + 1e-9, step)]


def cheapest(
    catalogue: Catalogue, target_top1: float, cost: np.ndarray, longest_ms: float | None = None
) -> Choice | None:
    """Return the mix that reaches an accuracy with the least mean cost, and a mean latency where one is given."""
    limits = [Limit("accuracy", -catalogue.top1, -target_top1)]
    if longest_ms is not None:
        limits.append(Limit("rate", catalogue.latency_mean_ms, longest_ms))
    return solve_mix([cost, catalogue.latency_ms], limits)


def power_at(catalogue: Catalogue, target_top1: float) -> Callable[[float], float]:
    """Return the function from a rate (1/s) to the least average power (W) at which the device reaches the target.

    P(r) = P_idle + r min sum s (E - P_idle l), over mixes that reach the target and answer within 1/r on average;
    infinite where none does. As long as the cheapest mix keeps up, it is a straight line.
    """
    above_idle = catalogue.energy_mj - catalogue.idle_w * catalogue.latency_ms
    free = cheapest(catalogue, target_top1, above_idle)

    def power(rate_hz: float) -> float:
        choice = free
        if choice is not None and choice.mean(catalogue.latency_mean_ms) * rate_hz > 1e3:
            choice = cheapest(catalogue, target_top1, above_idle, 1e3 / rate_hz)
        return np.inf if choice is None else catalogue.idle_w + rate_hz * 1e-3 * choice.mean(above_idle)

    return power


def most_hz(catalogue: Catalogue, target_top1: float) -> float:
    """Return the most requests a second that the device can serve at the target; 0 where it cannot reach it."""
    fastest = cheapest(catalogue, target_top1, catalogue.latency_mean_ms)
    return 0.0 if fastest is None else 1e3 / fastest.mean(catalogue.latency_mean_ms)


def choice_table(group: list[Catalogue], boards: dict[str, str], targets: list[float]) -> pd.DataFrame:
    """Return table ``device-choices`` for devices that may be compared."""
    parts = []
    for target in targets:
        rows = [_choice_row(catalogue, target, boards[catalogue.device]) for catalogue in group]
        part = pd.DataFrame(rows)
        parts.append(part.assign(rank=part["energy_mj"].rank(method="min").astype("Int64")))
    return pd.concat(parts, ignore_index=True) if parts else empty(DEVICE_CHOICES)


def _choice_row(catalogue: Catalogue, target: float, board: str) -> dict:
    row = {
        "target_top1": target,
        "device": catalogue.device,
        "board": board,
        "power_scope": catalogue.power_scope,
        "networks": "",
        "shares": "",
        "energy_mj": np.nan,
        "latency_ms": np.nan,
        "idle_w": catalogue.idle_w,
        "most_hz": np.nan,
    }
    choice = cheapest(catalogue, target, catalogue.energy_mj)
    if choice is None:
        return row
    return row | {
        "networks": "+".join(catalogue.network[list(choice.networks)]),
        "shares": "+".join(f"{share:.6g}" for share in choice.shares),
        "energy_mj": choice.mean(catalogue.energy_mj),
        "latency_ms": choice.mean(catalogue.latency_ms),
        "most_hz": most_hz(catalogue, target),
    }


def break_even_table(group: list[Catalogue], targets: list[float]) -> pd.DataFrame:
    """Return table ``break-evens`` for devices that may be compared; those without idle power are left out."""
    rows = []
    for target in targets:
        able = [c for c in group if np.isfinite(c.idle_w) and most_hz(c, target) > 0]
        powers = {c.device: power_at(c, target) for c in able}
        limits = {c.device: most_hz(c, target) for c in able}
        for one, other in combinations(able, 2):
            names = (one.device, other.device)
            for rate in _changes(*(powers[name] for name in names), max(limits[name] for name in names)):
                just_below, just_above = rate * (1 - 2 * PRECISION), rate * (1 + 2 * PRECISION)
                below = min(names, key=lambda name: powers[name](just_below))
                above = min(names, key=lambda name: powers[name](just_above))
                ended = not np.isfinite(powers[below](just_above))
                rows.append(
                    {
                        "target_top1": target,
                        "below": below,
                        "above": above,
                        "rate_hz": rate,
                        "power_w": powers[below](just_below),
                        "cause": "capacity" if ended else "power",
                    }
                )
    return pd.DataFrame(rows) if rows else empty(BREAK_EVENS)


def _changes(one: Callable[[float], float], other: Callable[[float], float], most: float) -> list[float]:
    """Return the rates up to ``most`` at which the device with the lower power changes."""

    def first_is_cheaper(rate: float) -> bool:
        return one(rate) <= other(rate)

    grid = np.geomspace(SLOWEST_HZ, most * (1 - PRECISION), RATES)
    states = [first_is_cheaper(rate) for rate in grid]
    changes = []
    for low, high, before, after in zip(grid[:-1], grid[1:], states[:-1], states[1:], strict=True):
        if before == after:
            continue
        while high / low > 1 + PRECISION:
            middle = np.sqrt(low * high)
            low, high = (middle, high) if first_is_cheaper(middle) == before else (low, middle)
        changes.append(float(np.sqrt(low * high)))
    return changes
