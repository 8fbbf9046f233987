"""How well scores agree with published ones, and which pairs make the order differ."""

from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, pearsonr, spearmanr

from edgejoule.config import Applications
from edgejoule.config.applications import WEIGHTS, PublishedTables
from edgejoule.datasets.applications import league_of
from edgejoule.errors import EdgejouleError
from edgejoule.scores.decomposition import pair_contributions, pair_name
from edgejoule.scores.definitions import DEFAULT, DEFINITIONS, Definition, pose
from edgejoule.scores.league import League, build_leagues
from edgejoule.scores.sensitivity import FACTORS, with_failed
from edgejoule.scores.uncertainty import probability_above, rank_range, resample
from edgejoule.tables import empty
from edgejoule.tables.contracts import AGREEMENT, DISAGREEMENTS
from edgejoule.tables.vocabulary import FAILED_RULES

#: Column of the publication's table of devices that holds each score.
PUBLISHED = {"PCS": "published_pcs", "IECS": "published_iecs"}


def published_scores(tables: PublishedTables, root: Path) -> pd.DataFrame:
    """Return the published scores, one row per device with columns PCS and IECS, for publications that give them."""
    path = root / tables.devices
    try:
        devices = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise EdgejouleError(f"{path}: not a readable CSV: {error}") from error
    held = {score: column for score, column in PUBLISHED.items() if column in devices}
    return devices.set_index("device")[list(held.values())].set_axis(list(held), axis=1)


def compare_with_published(
    applications: pd.DataFrame, settings: Applications, draws: int, seed: int, root: Path | str = "."
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare all definitions, and the default with every choice changed, with the published scores.

    Returns:
        Tables AGREEMENT and DISAGREEMENTS (of the default definition).
    """
    agreement, disagreements = [empty(AGREEMENT)], [empty(DISAGREEMENTS)]
    leagues = {league.name: league for league in build_leagues(applications, settings)}
    for tables in settings.published:
        league = leagues.get(league_of(tables.device_class, tables.power_scope))
        published = published_scores(tables, Path(root))
        if league is None:
            continue
        for definition in DEFINITIONS:
            if definition.score not in published:
                continue
            known = published[definition.score].dropna()
            agreement.append(_agreement(league, definition, settings, known))
            if definition.name == DEFAULT:
                disagreements.append(_disagreements(league, definition, settings, known, draws, seed))
    return tuple(
        pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
        for parts in (agreement, disagreements)
    )


def correlations(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """Return Pearson's, Spearman's and Kendall's (tau-b) correlation; NaN with fewer than three devices."""
    if len(ours) < 3:
        return dict.fromkeys(("pearson", "spearman", "kendall"), np.nan)
    return {
        "pearson": float(pearsonr(ours, theirs).statistic),
        "spearman": float(spearmanr(ours, theirs).statistic),
        "kendall": float(kendalltau(ours, theirs).statistic),
    }


def _variants(
    league: League, definition: Definition, settings: Applications
) -> Iterator[tuple[Applications, tuple[str, ...], str]]:
    """Give settings, reference and rule for failed pairs: as configured, then what else was possible."""
    yield settings, league.reference, "worst"
    if definition.name != DEFAULT:
        return
    for weights, factor in product(WEIGHTS, FACTORS):
        if (weights, factor) != (settings.weights, settings.factor):
            yield settings.model_copy(update={"weights": weights, "factor": factor}), league.reference, "worst"
    for device in league.devices:
        if (device,) != league.reference:
            yield settings, (device,), "worst"
    for rule in FAILED_RULES[1:]:
        yield settings, league.reference, rule


def _agreement(league: League, definition: Definition, settings: Applications, published: pd.Series) -> pd.DataFrame:
    rows = []
    for number, (other, reference, rule) in enumerate(_variants(league, definition, settings)):
        values = with_failed(pose(league, definition, other, reference), rule).log_scores()
        ours = pd.Series(np.exp(values), league.devices)[lambda scores: scores > 0]
        both = ours.index.intersection(published.index)
        rows.append(
            {
                "league": league.name,
                "score": definition.score,
                "definition": definition.name,
                "weights": other.weights,
                "factor": other.factor,
                "reference": "+".join(reference),
                "failed_rule": rule,
                "devices": len(both),
                **correlations(ours[both].to_numpy(), published[both].to_numpy(float)),
                "chosen": definition.name == DEFAULT and number == 0,
            }
        )
    return pd.DataFrame(rows)


def _disagreements(
    league: League, definition: Definition, settings: Applications, published: pd.Series, draws: int, seed: int
) -> pd.DataFrame:
    problem = pose(league, definition, settings)
    values = problem.log_scores()
    above = probability_above(problem, resample(problem, draws, seed, league.name))
    rows = []
    for one, two in combinations([d for d in league.devices if d in published.index], 2):
        upper, lower = sorted((one, two), key=lambda device: -values[league.devices.index(device)])
        if not published[upper] < published[lower]:
            continue
        left, right = league.devices.index(upper), league.devices.index(lower)
        if not (np.isfinite(values[left]) and np.isfinite(values[right])):
            continue
        rows.append(
            {
                "league": league.name,
                "score": definition.score,
                "device": upper,
                "other": lower,
                "published": float(published[upper]),
                "published_other": float(published[lower]),
                "value": float(np.exp(values[left])),
                "value_other": float(np.exp(values[right])),
                "probability": float(above[left, right]),
                "causes": _causes(pair_contributions(problem, left), pair_contributions(problem, right)),
            }
        )
    return pd.DataFrame(rows, columns=DISAGREEMENTS.names)


def _causes(upper: pd.DataFrame, lower: pd.DataFrame) -> str:
    """Return the fewest pairs without whose difference the order would turn round, with the ratio of each."""
    gains = (upper["adds"] - lower["adds"]).sort_values(ascending=False, kind="stable")
    needed = int((gains.cumsum() < gains.sum()).sum()) + 1
    names = pair_name(upper)
    told = []
    for row in gains.index[: min(needed, len(gains))]:
        ratio = upper["log_ratio"][row] - lower["log_ratio"][row]
        told.append(f"{names[row]} ({np.exp(ratio):.2g}x)" if np.isfinite(ratio) else f"{names[row]} (failed)")
    return "; ".join(told)


def rank_table(scores: pd.DataFrame, settings: Applications, root: Path | str = ".") -> pd.DataFrame:
    """Return published scores beside every definition's, one row per score and device, best published first.

    Args:
        scores: table SCORES.
        settings: the publications.
        root: folder that their paths are relative to.
    """
    tables = []
    for publication in settings.published:
        league = league_of(publication.device_class, publication.power_scope)
        for score, values in published_scores(publication, Path(root)).items():
            rows = scores[(scores["league"] == league) & (scores["score"] == score)]
            if not len(rows):
                continue
            ours = rows.pivot(index="device", columns="definition", values="value")
            default = rows[rows["definition"] == DEFAULT].set_index("device")
            table = pd.DataFrame({"league": league, "score": score, "device": ours.index})
            table["published"] = values.reindex(ours.index).to_numpy(float)
            table["published place"] = table["published"].rank(ascending=False, method="min")
            table["place here"] = default["place"].reindex(ours.index).astype(float).to_numpy()
            ranked = default["rank"].notna()
            spans = map(rank_range, default.loc[ranked, "rank"], default.loc[ranked, "rank_worst"])
            table["rank here"] = pd.Series(spans, default.index[ranked]).reindex(ours.index).fillna("").to_numpy()
            table = table.join(ours, on="device")
            tables.append(table.sort_values(["published place", "device"], kind="stable"))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
