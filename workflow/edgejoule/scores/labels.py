"""Scores and energies in an end user's terms: a letter, battery, carbon."""

import pandas as pd

from edgejoule.config import Applications
from edgejoule.scores.definitions import DEFAULT
from edgejoule.tables.contracts import FOOTPRINT, LABELS

J_PER_WH = 3600.0
J_PER_KWH = 3.6e6
SECONDS_PER_HOUR = 3600.0
MODELLED = "modelled, {:g} W x latency"


def letter(value: float, thresholds: dict[str, float]) -> str:
    """Return the best letter whose threshold the value reaches, or the letter after the last.

    >>> letter(150.0, {"A": 200, "B": 141})
    'B'
    >>> letter(1.0, {"A": 200, "B": 141})
    'C'
    """
    for name, least in sorted(thresholds.items()):
        if value >= least:
            return name
    return chr(ord(max(thresholds)) + 1)


def label_scores(scores: pd.DataFrame, settings: Applications) -> pd.DataFrame:
    """Return table LABELS of the ranked default scores; an estimated energy earns no letter.

    An interval without a lower end reaches down to the last letter.
    """
    rows = scores[(scores["definition"] == DEFAULT) & scores["rank"].notna()].reset_index(drop=True)
    named = {
        column: [letter(value, settings.labels) for value in rows[source].fillna(0.0)]
        for column, source in (("label", "value"), ("label_lower", "lower"), ("label_upper", "upper"))
    }
    return rows[["device", "league", "score", "value", "origin"]].assign(**named)[LABELS.names]


def rate_in_words(rate_hz: float) -> str:
    """Return a rate of requests as people say it.

    >>> rate_in_words(1), rate_in_words(0.5)
    ('1 inference a second', '0.5 inferences a second')
    """
    return f"{rate_hz:g} inference{'s' if rate_hz != 1 else ''} a second"


def footprint(applications: pd.DataFrame, settings: Applications) -> pd.DataFrame:
    """Return table FOOTPRINT: every pair that has an energy, in battery and carbon.

    Only the inferences count: what a device draws between them is not in an energy per inference. Where one inference
    after the other is slower than the stated rate there are no hours, and the reason says so.
    """
    rows = applications[applications["energy_mj"] > 0].reset_index(drop=True)
    slow = f"slower than {rate_in_words(settings.battery.rate_hz)}"
    reasons = [
        "; ".join(text for text, holds in ((MODELLED.format(power), origin == "estimated"), (slow, late)) if holds)
        for power, origin, late in zip(rows["power_w"], rows["origin"], _too_slow(rows, settings), strict=True)
    ]
    return _in_user_terms(rows, settings).assign(reason=reasons)[[*FOOTPRINT.names, "latency_ms", "power_w"]]


def typical_footprint(pairs: pd.DataFrame, settings: Applications) -> pd.DataFrame:
    """Return the median pair of each device and application, of what ``footprint`` returned, in battery and carbon.

    Column ``pairs`` says how many it is the median of.
    """
    groups = pairs.groupby(["league", "device", "application", "origin"], sort=True)
    typical = groups[["energy_mj", "latency_ms", "power_w"]].median().assign(pairs=groups.size())
    return _in_user_terms(typical.reset_index(), settings)


def _too_slow(rows: pd.DataFrame, settings: Applications) -> pd.Series:
    return rows["latency_ms"] / 1e3 * settings.battery.rate_hz > 1


def _in_user_terms(rows: pd.DataFrame, settings: Applications) -> pd.DataFrame:
    """Return rows with columns ``energy_mj`` and ``latency_ms`` with battery and carbon beside."""
    energy_j = rows["energy_mj"] / 1e3
    capacity_j = settings.battery.capacity_wh * J_PER_WH
    hours = capacity_j / (energy_j * settings.battery.rate_hz) / SECONDS_PER_HOUR
    return rows.assign(
        inferences_per_battery_percent=capacity_j / 100 / energy_j,
        battery_hours=hours.where(~_too_slow(rows, settings)),
        carbon_g_per_million=1e6 * energy_j / J_PER_KWH * settings.grid.intensity_g_per_kwh,
    )
