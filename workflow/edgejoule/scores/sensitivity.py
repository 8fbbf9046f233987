"""What becomes of scores and their order when one choice behind them is changed."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from edgejoule.config import Applications
from edgejoule.config.applications import WEIGHTS
from edgejoule.scores.definitions import DEFAULT, DEFINITIONS, Definition, Problem, pose
from edgejoule.scores.league import League, build_leagues
from edgejoule.tables import empty
from edgejoule.tables.contracts import SENSITIVITY
from edgejoule.tables.vocabulary import FAILED_RULES

#: Cuts to try beside the configured one; the last is as good as none.
FACTORS = (1.25, 1.5, 1.75, 2.0, 3.0, 10.0)
WILD = 100.0
#: Decimals of a shift in percent that are more than rounding.
ROUNDED = 9


def analyse_sensitivity(applications: pd.DataFrame, settings: Applications) -> pd.DataFrame:
    """Return table SENSITIVITY: the default scores under every change, and wild values under every definition."""
    parts = [empty(SENSITIVITY)]
    for league in build_leagues(applications, settings):
        for definition in DEFINITIONS:
            base = pose(league, definition, settings).log_scores()
            if not np.isfinite(base).any():
                continue
            ranked = np.array(league.origins) != "estimated"
            changes = _wild_values(league, definition, settings)
            if definition.name == DEFAULT:
                changes = [*_changes(league, definition, settings), *changes]
            for change, what, values in changes:
                parts.append(_rows(league, definition, ranked, change, what, base, values))
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return rows.sort_values(list(SENSITIVITY.key), kind="stable", ignore_index=True)


def _changes(league: League, definition: Definition, settings: Applications) -> Iterator[tuple[str, str, np.ndarray]]:
    """Give each change, which one, and the log scores after it, shape (devices,)."""
    for kind in ("network", "application"):
        names = league.pairs[kind].unique()
        for name in names if len(names) > 1 else ():
            kept = subset(league, (league.pairs[kind] != name).to_numpy())
            yield f"leave out {kind}", name, pose(kept, definition, settings).log_scores()
    for device in league.devices:
        yield "reference", device, pose(league, definition, settings, (device,)).log_scores()
    for weights in WEIGHTS:
        other = settings.model_copy(update={"weights": weights})
        yield "weights", weights, pose(league, definition, other).log_scores()
    for factor in FACTORS:
        other = settings.model_copy(update={"factor": factor})
        yield "factor", f"{factor:g}", pose(league, definition, other).log_scores()
    problem = pose(league, definition, settings)
    for rule in FAILED_RULES[1:]:
        yield "failed pairs", rule, with_failed(problem, rule).log_scores()


def subset(league: League, kept: np.ndarray) -> League:
    """Return the league with only these pairs."""
    matrices = {name: getattr(league, name)[kept] for name in ("energy_j", "power_w", "latency_s", "spread", "failed")}
    return replace(league, pairs=league.pairs[kept].reset_index(drop=True), **matrices)


def with_failed(problem: Problem, rule: str) -> Problem:
    """Return the problem under another rule for pairs that failed to run.

    ``left-out`` drops them, device by device, as pairs that were not measured are; ``worst-delegate`` gives them the
    merit of the same network's worst delegate on the same device, and leaves them failed where it has none. Under both
    a device can gain by failing.
    """
    failed = np.isneginf(problem.log_merit)
    if rule == "worst":
        return problem
    if rule == "left-out":
        return replace(problem, log_merit=np.where(failed, np.nan, problem.log_merit))
    ratio = problem.log_merit - problem.log_reference
    filled = problem.log_merit.copy()
    for network in problem.pairs["network"].unique():
        here = (problem.pairs["network"] == network).to_numpy()
        worst = np.where(np.isfinite(ratio[:, here]), ratio[:, here], np.inf).min(axis=1, keepdims=True)
        worst = np.where(np.isfinite(worst), worst, -np.inf)
        filled[:, here] = np.where(failed[:, here], problem.log_reference[here] + worst, filled[:, here])
    return replace(problem, log_merit=filled)


def _wild_values(
    league: League, definition: Definition, settings: Applications
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Give the log scores of devices each of which has its most influential pair 100 times off."""
    problem = pose(league, definition, settings)
    base = problem.log_scores()
    for change, gain in (("better", np.log(WILD)), ("worse", -np.log(WILD))):
        worst = base.copy()
        for pair in range(len(problem.pairs)):
            noise = np.zeros(len(problem.pairs))
            noise[pair] = gain
            moved = problem.log_scores(noise=noise)
            with np.errstate(invalid="ignore"):
                worst = np.where(np.abs(moved - base) > np.abs(worst - base), moved, worst)
        yield f"one pair {WILD:g} times {change}", "its most influential pair", worst


def _rows(league, definition, ranked, change, what, base, values) -> pd.DataFrame:
    known, before = np.isfinite(values), np.isfinite(base)
    shift = np.where(known & before, values, np.nan) - np.where(known & before, base, np.nan)
    if change == "reference" and np.isfinite(shift).any():
        shift = shift - np.nanmean(shift)
    # One device's wild value is judged against the others' true ones.
    wild = change.startswith("one pair")
    place = _places(values, base if wild else values, ranked)
    moved = _places(base, base, ranked) - place
    return pd.DataFrame(
        {
            "device": league.devices,
            "league": league.name,
            "score": definition.score,
            "definition": definition.name,
            "change": change,
            "what": what,
            "value": np.where(known, np.exp(values), np.nan),
            "shift_percent": (100 * np.expm1(shift)).round(ROUNDED),
            "place": pd.array(place, dtype="Int64"),
            "moved": pd.array(moved, dtype="Int64"),
        }
    )


def _places(values: np.ndarray, others: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """Return each device's place among the others' values; NaN where it has none or is not ranked."""
    judged = ranked & np.isfinite(others)
    above = (others[None, :] > values[:, None]) & judged[None, :] & ~np.eye(len(values), dtype=bool)
    return np.where(ranked & np.isfinite(values), 1.0 + above.sum(axis=1), np.nan)
