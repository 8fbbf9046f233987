"""Scores of all leagues: value, interval, rank, and the probability behind every rank."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from edgejoule.config import Applications
from edgejoule.scores.definitions import DEFINITIONS, Problem, pose
from edgejoule.scores.league import League, build_leagues
from edgejoule.scores.uncertainty import interval, probability_above, ranks, resample, resampled_scores
from edgejoule.tables import empty
from edgejoule.tables.contracts import COMPARISONS, SCORES

UNMETERED = "its energy is not measured: shown, never ranked"
ESTIMATED = "modelled, {:g} W x latency: shown, never ranked"
NO_LOWER_END = "no lower end: in {:.0f} % of the resamples too few pairs are left for a score"
TOO_FEW = (
    "too few pairs: {} of {} have a figure ({} failed, {} not measured), and a score needs more than half of the weight"
)


def compute_scores(
    applications: pd.DataFrame, settings: Applications, draws: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every device under every definition.

    Args:
        applications: table APPLICATIONS.
        settings: references, weights, spreads.
        draws: resamples behind each interval.
        seed: seed of the resamples.

    Returns:
        Tables SCORES and COMPARISONS.
    """
    scores, comparisons = [empty(SCORES)], [empty(COMPARISONS)]
    for league, definition in product(build_leagues(applications, settings), DEFINITIONS):
        problem = pose(league, definition, settings)
        resamples = resample(problem, draws, seed, league.name)
        sampled = resampled_scores(problem, resamples)
        values = problem.log_scores()
        eligible = np.isfinite(values) & (np.array(league.origins) != "estimated")
        above = probability_above(problem, resamples)
        scores.append(_score_rows(league, problem, values, sampled, eligible, above, settings.settled))
        comparisons.append(_comparison_rows(league, problem, eligible, above, settings.settled))
    return _stack(scores, SCORES), _stack(comparisons, COMPARISONS)


def _stack(parts: list[pd.DataFrame], table) -> pd.DataFrame:
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return rows.sort_values(list(table.key), kind="stable", ignore_index=True)


def _score_rows(league: League, problem: Problem, values, sampled, eligible, above, settled) -> pd.DataFrame:
    known = np.isfinite(values)
    lower, upper = interval(sampled)
    pairs, failed = np.isfinite(problem.log_merit).sum(axis=1), np.isneginf(problem.log_merit).sum(axis=1)
    without = np.isneginf(sampled).mean(axis=0)
    rank = ranks(above, eligible, settled)
    place = np.where(eligible, 1 + (values[None, :] > values[:, None])[:, eligible].sum(axis=1), np.nan)
    return pd.DataFrame(
        {
            "device": league.devices,
            "league": league.name,
            "score": problem.definition.score,
            "definition": problem.definition.name,
            "value": np.where(known, np.exp(values), np.nan),
            "lower": np.where(known, lower, np.nan),
            "upper": np.where(known, upper, np.nan),
            "rank": pd.array(rank[:, 0], dtype="Int64"),
            "pairs": pairs,
            "missing": len(problem.pairs) - pairs,
            "failed": failed,
            "origin": league.origins,
            "reference": "+".join(league.reference),
            "rank_worst": pd.array(rank[:, 1], dtype="Int64"),
            "place": pd.array(place, dtype="Int64"),
            "score_unit": problem.definition.unit,
            "reason": [
                "; ".join(_caveats(league, column, lower[column], without[column]))
                if known[column]
                else _no_score(league, problem, column)
                for column in range(len(league.devices))
            ],
        }
    )


def _caveats(league: League, column: int, lower: float, without: float) -> Iterator[str]:
    """Give why a device that has a score has no rank, or no lower end of its interval."""
    if league.origins[column] == "estimated":
        power = league.power_w[:, column]
        yield ESTIMATED.format(np.nanmedian(power)) if np.isfinite(power).any() else UNMETERED
    if np.isnan(lower):
        yield NO_LOWER_END.format(100 * without)


def _no_score(league: League, problem: Problem, column: int) -> str:
    if problem.definition.score == "PCS" and not np.isfinite(league.tdp_w[column]):
        return "no thermal design power is stated for the device (key 'tdp_w' of its file)"
    if not len(problem.pairs):
        return "the reference of the league has no pair for this score"
    merit = problem.log_merit[column]
    if not np.isfinite(merit).any():
        return "it shares no pair with the reference of the league"
    return TOO_FEW.format(np.isfinite(merit).sum(), len(merit), np.isneginf(merit).sum(), np.isnan(merit).sum())


def _comparison_rows(league: League, problem: Problem, eligible, above, settled) -> pd.DataFrame:
    positions = np.flatnonzero(eligible)
    rows = [
        (league.devices[left], league.devices[right], above[left, right])
        for left, right in product(positions, positions)
        if left != right
    ]
    table = pd.DataFrame(rows, columns=["device", "other", "probability"])
    return table.assign(
        league=league.name,
        score=problem.definition.score,
        definition=problem.definition.name,
        settled=(table["probability"] >= settled) | (table["probability"] <= 1 - settled),
    )
