"""What a default score is made of: by application, delegate, network and pair."""

import numpy as np
import pandas as pd

from edgejoule.config import Applications
from edgejoule.datasets.applications import OWN
from edgejoule.scores.definitions import DEFAULT, DEFINITIONS, SCALE, Problem, pose
from edgejoule.scores.league import build_leagues
from edgejoule.scores.location import pseudo_values
from edgejoule.tables import empty
from edgejoule.tables.contracts import CONTRIBUTIONS


def decompose(applications: pd.DataFrame, settings: Applications) -> pd.DataFrame:
    """Return table CONTRIBUTIONS: the default scores of all devices, taken apart."""
    parts = [empty(CONTRIBUTIONS)]
    for league in build_leagues(applications, settings):
        for definition in DEFINITIONS:
            if definition.name != DEFAULT:
                continue
            problem = pose(league, definition, settings)
            values = problem.log_scores()
            for column in np.flatnonzero(np.isfinite(values)):
                pairs = pair_contributions(problem, int(column))
                parts.append(
                    _groups(pairs).assign(device=league.devices[column], league=league.name, score=definition.score)
                )
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return rows.sort_values(list(CONTRIBUTIONS.key), kind="stable", ignore_index=True)


def pair_contributions(problem: Problem, column: int) -> pd.DataFrame:
    """Return one device's pairs: log ratio, the same cut, weight, and what the pair adds to the log of score / 100.

    The robust mean is the weighted mean of the log ratios cut to the factor around it (a failed pair lies at the lower
    cut), so the additions sum to it exactly. A pair that was not measured has no weight.
    """
    ratio = problem.log_merit[column] - problem.log_reference
    centre = problem.log_scores()[column] - np.log(SCALE)
    corner = np.log(problem.factor)
    cut = pseudo_values(ratio, centre, corner)
    measured = ~np.isnan(ratio)
    held = np.where(measured, problem.weights, 0.0)
    held = held / held.sum()
    return problem.pairs.assign(
        log_ratio=ratio,
        log_cut=cut,
        weight=held,
        adds=held * np.where(measured, cut, 0.0),
        missing=~np.isfinite(ratio),
        failed=np.isneginf(ratio),
        is_cut=np.isfinite(ratio) & (np.abs(ratio - centre) > corner),
    )


def pair_name(pairs: pd.DataFrame) -> pd.Series:
    """Return 'network on delegate', or the network alone where the delegate is part of the device."""
    return pairs["network"].where(pairs["slot"] == OWN, pairs["network"] + " on " + pairs["slot"])


def _groups(pairs: pd.DataFrame) -> pd.DataFrame:
    keys = {
        "application": pairs["application"],
        "delegate": pairs["slot"],
        "network": pairs["network"],
        "pair": pair_name(pairs),
    }
    tables = []
    for grouping, key in keys.items():
        groups = pairs.assign(
            item=key, ratio_weight=pairs["weight"].where(~pairs["missing"], 0.0), here=~pairs["missing"]
        ).groupby("item", sort=True)
        table = groups.agg(
            adds=("adds", "sum"),
            weight=("weight", "sum"),
            pairs=("here", "sum"),
            missing=("missing", "sum"),
            failed=("failed", "sum"),
            cut=("is_cut", "sum"),
        )
        tables.append(table.assign(ratio=groups.apply(_mean_ratio), grouping=grouping).reset_index())
    rows = pd.concat(tables, ignore_index=True)
    return rows.assign(factor=np.exp(rows["adds"])).drop(columns="adds")


def _mean_ratio(group: pd.DataFrame) -> float:
    """Return the weighted geometric mean of the uncut ratios, NaN where the device has none."""
    total = group["ratio_weight"].sum()
    if not total > 0:
        return np.nan
    present = group[group["ratio_weight"] > 0]
    return float(np.exp((present["log_ratio"] * present["ratio_weight"]).sum() / total))
