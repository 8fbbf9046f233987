"""Tests of the built data: what must hold of every row whoever recorded it. They are a rule, and gate everything."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

#: Products and quotients of stored figures may differ by rounding, no more.
RELATIVE = 1e-6


@dataclass(frozen=True)
class Check:
    """A named check: ``broken`` returns the rows of the networks table that break it."""

    name: str
    meaning: str
    broken: Callable[[pd.DataFrame], pd.DataFrame]


def _usable(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["quality"] != "failed"]


def _differs(left: pd.Series, right: pd.Series) -> pd.Series:
    return (left - right).abs() > RELATIVE * right.abs()


def _energy_agrees(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[_differs(rows["energy_mj"], rows["power_w"] * rows["latency_ms"])]


def _above_idle_is_less(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["energy_above_idle_mj"] > rows["energy_mj"] * (1 + RELATIVE)]


def _percentiles_are_ordered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["latency_p50_ms"] > rows["latency_p90_ms"] * (1 + RELATIVE)]


def _top1_is_percent(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[(rows["top1"] < 0) | (rows["top1"] > 100)]


def _top1_is_not_a_fraction(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["top1"] < 1]


def _usable_rows_have_latency(rows: pd.DataFrame) -> pd.DataFrame:
    usable = _usable(rows)
    return usable[usable["latency_ms"].isna() | (usable["latency_ms"] <= 0)]


def _measured_rows_have_energy(rows: pd.DataFrame) -> pd.DataFrame:
    usable = _usable(rows)
    return usable[(usable["origin"] == "measured") & ~(usable["energy_mj"] > 0)]


def _estimates_follow_latency(rows: pd.DataFrame) -> pd.DataFrame:
    modelled = rows[rows["origin"] == "estimated"]
    watts = modelled.groupby("device")["power_w"].transform("median")
    return modelled[_differs(modelled["power_w"], watts)]


def _reasons_are_given(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[(rows["quality"] == "ok") != (rows["reason"] == "")]


def _one_board_per_device(rows: pd.DataFrame) -> pd.DataFrame:
    boards = rows.groupby("device")["board"].transform("nunique")
    scopes = rows.groupby("device")["power_scope"].transform("nunique")
    return rows[(boards > 1) | (scopes > 1)]


CHECKS = (
    Check("energy-is-power-times-latency", "gross energy = power x latency", _energy_agrees),
    Check("above-idle-below-gross", "energy above idle never exceeds gross energy", _above_idle_is_less),
    Check("percentiles-ordered", "median latency <= 90th percentile", _percentiles_are_ordered),
    Check("top1-in-percent", "top-1 lies between 0 and 100", _top1_is_percent),
    Check("top1-no-fraction", "top-1 is in percent, not a fraction of one", _top1_is_not_a_fraction),
    Check("latency-present", "every usable row has a latency", _usable_rows_have_latency),
    Check("energy-present", "every usable measured row has an energy", _measured_rows_have_energy),
    Check("estimates-are-labelled", "an estimated energy is latency times one constant", _estimates_follow_latency),
    Check("reasons-given", "a row has a reason if and only if its quality is not ok", _reasons_are_given),
    Check("one-board-one-scope", "a device is on one board and read at one place", _one_board_per_device),
)


def check_networks(rows: pd.DataFrame) -> pd.DataFrame:
    """Run every check on the networks table.

    Returns:
        One row per check: ``check, meaning, rows`` (looked at), ``broken`` (how many), ``first`` (device and network
        of the first that breaks it, else empty).
    """
    results = []
    for check in CHECKS:
        broken = check.broken(rows)
        first = f"{broken.iloc[0]['device']}: {broken.iloc[0]['network']}" if len(broken) else ""
        results.append((check.name, check.meaning, len(rows), len(broken), first))
    return pd.DataFrame(results, columns=["check", "meaning", "rows", "broken", "first"])
