"""Tests of the built data: what must hold of every row whoever recorded it. They are a rule, and gate everything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.tables.vocabulary import BEYOND_DEAREST

#: Products and quotients of stored figures may differ by rounding, no more.
RELATIVE = 1e-6
FIGURES = ("latency_ms", "power_w", "energy_mj")


@dataclass(frozen=True)
class Check:
    """A named check.

    Attributes:
        name: its name.
        meaning: what holds, in words.
        broken: returns the rows of a table that break it.
        columns: of a check that looks at one row at a time, the figures that it looks at.
        remedy: what to do beside correcting them.
    """

    name: str
    meaning: str
    broken: Callable[[pd.DataFrame], pd.DataFrame]
    columns: tuple[str, ...] = ()
    remedy: str = ""


def _usable(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["quality"] != "failed"]


def _differs(left: pd.Series, right: pd.Series) -> pd.Series:
    return (left - right).abs() > RELATIVE * right.abs()


def _energy_agrees(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[_differs(rows["energy_mj"], rows["power_w"] * rows["latency_ms"])]


def _figures_are_positive(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[(rows[list(FIGURES)] <= 0).any(axis=1)]


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


def _inferred_powers_are_possible(rows: pd.DataFrame) -> pd.DataFrame:
    inferred = rows[rows["origin"] == "inferred"]
    impossible = (inferred["energy_above_idle_mj"] <= 0) | (
        inferred["power_w"] > BEYOND_DEAREST * (1 + RELATIVE) * inferred["dearest_w"]
    )
    return inferred[impossible | (inferred["power_w"].isna() & (inferred["quality"] == "ok"))]


def _inferred_figures_are_not_zero(rows: pd.DataFrame) -> pd.DataFrame:
    return _figures_are_positive(rows[rows["origin"] == "inferred"])


CHECKS = (
    Check("figures-positive", "latency, power and energy are more than 0", _figures_are_positive, FIGURES),
    Check(
        "energy-is-power-times-latency",
        "gross energy = power x latency",
        _energy_agrees,
        FIGURES,
        ", or leave out the column power_w, which is then energy / latency",
    ),
    Check(
        "above-idle-below-gross",
        "energy above idle never exceeds gross energy",
        _above_idle_is_less,
        ("energy_above_idle_mj", "energy_mj"),
    ),
    Check(
        "percentiles-ordered",
        "median latency <= 90th percentile",
        _percentiles_are_ordered,
        ("latency_p50_ms", "latency_p90_ms"),
    ),
    Check("top1-in-percent", "top-1 lies between 0 and 100", _top1_is_percent, ("top1",)),
    Check("top1-no-fraction", "top-1 is in percent, not a fraction of one", _top1_is_not_a_fraction, ("top1",)),
    Check("latency-present", "every usable row has a latency", _usable_rows_have_latency, ("quality", "latency_ms")),
    Check(
        "energy-present",
        "every usable measured row has an energy",
        _measured_rows_have_energy,
        ("quality", "origin", "energy_mj"),
    ),
    Check("estimates-are-labelled", "an estimated energy is latency times one constant", _estimates_follow_latency),
    Check(
        "reasons-given",
        "a row has a reason if and only if its quality is not ok",
        _reasons_are_given,
        ("quality", "reason"),
    ),
    Check("one-board-one-scope", "a device is on one board and read at one place", _one_board_per_device),
)

#: Of the kernels table, each row with the power of its device's dearest network (``dearest_w``).
KERNEL_CHECKS = (
    *(check for check in CHECKS if check.name in ("energy-is-power-times-latency", "above-idle-below-gross")),
    Check(
        "inferred-power-possible",
        f"an inferred power lies above idle and at most {BEYOND_DEAREST} times that of the device's dearest network; "
        "where it does not, it is null and the row flagged",
        _inferred_powers_are_possible,
    ),
    Check("inferred-not-zero", "no inferred latency, power or energy is zero", _inferred_figures_are_not_zero),
    *(check for check in CHECKS if check.name == "reasons-given"),
)


def demand_sound(rows: pd.DataFrame, where: Sequence[str]) -> None:
    """Stop at the first row of table NETWORKS that contradicts itself; what spans several rows is not looked at.

    Args:
        rows: table NETWORKS.
        where: where each row is from, for the message.

    Raises:
        EdgejouleError: a row breaks a check of single rows.
    """
    rows = rows.reset_index(drop=True)
    for check in CHECKS:
        if check.columns and len(broken := check.broken(rows)):
            row = broken.iloc[0]
            found = ", ".join(f"{name} is {_said(row[name])}" for name in check.columns)
            what = f"{where[broken.index[0]]}: {check.meaning}, but here {found}; correct it"
            raise EdgejouleError(what + check.remedy)


def _said(value: object) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    return "empty" if pd.isna(value) else f"{value:.10g}"


def check_networks(rows: pd.DataFrame) -> pd.DataFrame:
    """Run every check on the networks table.

    Returns:
        One row per check: ``check, meaning, rows`` (looked at), ``broken`` (how many), ``first`` (device and network
        of the first that breaks it, else empty).
    """
    return _results(CHECKS, rows, "network")


def check_kernels(rows: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """Run every check on the kernels table; returns what ``check_networks`` does, ``first`` with a kernel.

    Args:
        rows: columns of results/datasets/kernels.parquet.
        networks: those of the same devices, columns of results/datasets/networks.parquet.
    """
    dearest_w = networks.groupby("device")["power_w"].max()
    return _results(KERNEL_CHECKS, rows.assign(dearest_w=rows["device"].map(dearest_w).astype(float)), "kernel")


def _results(checks: Sequence[Check], rows: pd.DataFrame, name: str) -> pd.DataFrame:
    results = []
    for check in checks:
        broken = check.broken(rows)
        first = f"{broken.iloc[0]['device']}: {broken.iloc[0][name]}" if len(broken) else ""
        results.append((check.name, check.meaning, len(rows), len(broken), first))
    return pd.DataFrame(results, columns=["check", "meaning", "rows", "broken", "first"])
