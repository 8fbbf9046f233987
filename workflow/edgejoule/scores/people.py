"""The scores as people read them: Markdown and CSV."""

from pathlib import Path

import pandas as pd

from edgejoule.config import Applications
from edgejoule.datasets.applications import OWN
from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.scores.definitions import DEFAULT, DEFINITIONS
from edgejoule.scores.uncertainty import rank_range
from edgejoule.tables import write_text

#: A league with at most this many pairs has them all shown under its scores.
FEW_PAIRS = 12

HEAD = """# Scores

Higher is better; relative scores call the league's reference 100. Intervals hold 90 % of the resamples of networks and
measurement spread; beside them stands the share of resamples in which a device is above the next one. Rank '5 to 8'
says that the orders which are settled allow each of these ranks; a single number is settled. Ranked devices stand in
the order of the score, others below them by name. A pair that was tried and failed counts as the worst; one that was
not measured is left out, and two devices are compared on the pairs that both were tried on. Only devices of one league
(one class of hardware, measured at one place) can be compared. Energies per inference derived from MLPerf recordings
are derived figures, not MLPerf scores. How each score is defined, and why: docs/scores.md.
"""


def write_csv(rows: pd.DataFrame, path: Path) -> None:
    """Write a table for people, atomically; figures keep nine significant digits."""
    write_text(path, rows.to_csv(index=False, float_format="%.9g", lineterminator="\n"))


def scores_markdown(
    scores: pd.DataFrame, comparisons: pd.DataFrame, applications: pd.DataFrame, settings: Applications
) -> str:
    """Return table SCORES as Markdown: the default scores of each league, and the other definitions beside them.

    Args:
        scores: table SCORES.
        comparisons: table COMPARISONS.
        applications: table APPLICATIONS that they were made of; energies of leagues with few pairs are shown.
        settings: the references.
    """
    parts = [HEAD]
    for league, rows in scores.groupby("league", sort=True):
        parts.append(f"## League {league}\n")
        parts.append(_reference(rows["reference"].iloc[0].split("+"), settings.references.get(league, [])))
        parts += [f"Left out, {network}: {why}.\n" for network, why in settings.excluded.get(league, {}).items()]
        for score in ("IECS", "PCS"):
            parts.append(_score_table(rows, comparisons[comparisons["league"] == league], score))
        parts += _energies(applications[applications["league"] == league])
    return "\n".join(parts)


def _energies(rows: pd.DataFrame) -> list[str]:
    """Return energy per inference by device and network as a Markdown table, for a league with few pairs."""
    table = rows.pivot_table(index="device", columns=["network", "slot"], values="energy_mj", observed=True)
    if table.shape[1] > FEW_PAIRS:
        return []
    table.columns = [network if slot == OWN else f"{network} on {slot}" for network, slot in table.columns]
    return ["### Energy per inference (mJ)\n", markdown_table(table.reset_index())]


def _reference(held: list[str], named: list[str]) -> str:
    """Return who the reference is, and which named devices this run lacks."""
    absent = [device for device in named if device not in held]
    text = f"Reference: {', '.join(held)}" if len(held) == 1 else f"Reference: the median of {', '.join(held)}"
    return text + (f"; not in this run: {', '.join(absent)}.\n" if absent else ".\n")


def _score_table(rows: pd.DataFrame, comparisons: pd.DataFrame, score: str) -> str:
    """Return one score of one league as a Markdown table, best device first."""
    rows = rows[rows["score"] == score]
    default = rows[rows["definition"] == DEFAULT].sort_values(["place", "device"], na_position="last")
    if rows["value"].isna().all():
        return f"### {score}\n\nNone: {'; '.join(sorted(set(default['reason'])))}.\n"
    others = [d for d in DEFINITIONS if d.score == score and d.name != DEFAULT]
    heads = ["rank", "device", score, "90 % interval", "above the next", "pairs", "failed", "not measured"]
    heads += [*(f"{d.name} ({d.unit})" for d in others), ""]
    lines = [f"### {score}\n", _row(heads), _row(["---"] * len(heads))]
    beside = rows.set_index(["device", "definition"])["value"]
    above = comparisons[(comparisons["score"] == score) & (comparisons["definition"] == DEFAULT)]
    above = above.set_index(["device", "other"])["probability"]
    for row, following in zip(default.itertuples(), [*default["device"][1:], None], strict=True):
        rank = "" if pd.isna(row.rank) else rank_range(row.rank, row.rank_worst)
        span = "" if pd.isna(row.value) else f"{_end(row.lower)} to {row.upper:.1f}"
        probability = above.get((row.device, following))
        surely = "" if probability is None else f"{100 * probability:.0f} %"
        cells = [rank, row.device, _figure(row.value), span, surely, row.pairs, row.failed]
        cells.append(row.missing - row.failed)
        cells += [_figure(beside[row.device, d.name]) for d in others]
        lines.append(_row([*cells, row.reason]))
    return "\n".join([*lines, ""])


def markdown_table(rows: pd.DataFrame) -> str:
    """Return any small table as Markdown; numbers to about three significant digits."""
    lines = [_row(rows.columns), _row(["---"] * len(rows.columns))]
    lines += [_row(_figure(v) if isinstance(v, float) else v for v in row) for row in rows.itertuples(index=False)]
    return "\n".join([*lines, ""])


def _figure(value: float) -> str:
    if pd.isna(value):
        return ""
    if value == round(value) or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _end(lower: float) -> str:
    """Return the lower end of an interval as people read it; the reason beside it says why there is none."""
    return "none" if pd.isna(lower) else f"{lower:.1f}"


def _row(cells) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def describe_scores(scores: pd.DataFrame, device: str, definition: str) -> str:
    """Return the scores of one device in a few lines.

    Raises:
        EdgejouleError: an unknown device or definition.
    """
    names = set(scores["definition"])
    if definition != "all" and definition not in names:
        raise EdgejouleError(f"no definition '{definition}'; {did_you_mean(definition, names | {'all'})}")
    rows = scores[scores["device"] == device]
    if not len(rows):
        raise EdgejouleError(f"no scores of device '{device}'; {did_you_mean(device, scores['device'])}")
    lines = []
    for row in rows.sort_values(["score", "definition"]).itertuples():
        if definition in ("all", row.definition):
            lines.append(_sentence(row, scores))
    return "\n".join(lines)


def _sentence(row, scores: pd.DataFrame) -> str:
    name = f"{row.score} ({row.definition})"
    if pd.isna(row.value):
        return f"{name}: none; {row.reason}"
    same = ["league", "score", "definition"]
    league = scores[(scores[same] == [getattr(row, key) for key in same]).all(axis=1)]
    text = f"{name}: {_figure(row.value)} [{_end(row.lower)}, {_figure(row.upper)}] {row.score_unit}"
    text += f"; {row.pairs} of {row.pairs + row.missing} pairs"
    states = {"failed": row.failed, "not measured": row.missing - row.failed}
    lacking = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    text += f" ({lacking})" if lacking else ""
    why = f"; {row.reason}" if row.reason else ""
    if pd.isna(row.rank):
        return text + why
    unsure = ", not settled" if row.rank < row.rank_worst else ""
    span = rank_range(row.rank, row.rank_worst)
    return f"{text}; rank {span} of {league['rank'].notna().sum()} in league {row.league}{unsure}{why}"
