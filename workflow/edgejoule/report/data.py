"""What the page shows, from the tables: one JSON value, figures rounded to what a reader can use."""

import math
from collections.abc import Mapping

import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import pareto_front, usable
from edgejoule.figures.palette import METHODS, METRICS, PREDICTORS, family_colours
from edgejoule.recommendations.catalogue import licences
from edgejoule.scores.definitions import DEFAULT
from edgejoule.scores.uncertainty import rank_range
from edgejoule.tables.vocabulary import NOT_TRIED

NETWORK_COLUMNS = (
    "device",
    "network",
    "family",
    "precision",
    "top1",
    "energy_mj",
    "energy_above_idle_mj",
    "latency_ms",
    "power_w",
    "licence",
    "origin",
    "quality",
    "reason",
)
ACCURACY_COLUMNS = (
    "device",
    "metric",
    "predictor",
    "protocol",
    "networks",
    "abstained",
    "mape_percent",
    "within5_percent",
    "within10_percent",
    "within15_percent",
    "spearman",
    "coverage_percent",
    "worst_family",
    "worst_mape_percent",
)
SCORE_COLUMNS = (
    "league",
    "score",
    "definition",
    "device",
    "value",
    "lower",
    "upper",
    "score_unit",
    "rank",
    "rank_worst",
    "pairs",
    "missing",
    "failed",
    "origin",
    "reason",
)
DEVICE_CHOICE_COLUMNS = (
    "target_top1",
    "power_scope",
    "rank",
    "device",
    "energy_mj",
    "latency_ms",
    "most_hz",
    "idle_w",
    "networks",
    "shares",
)
TASK_COLUMNS = (
    "task",
    "metric",
    "target",
    "power_scope",
    "rank",
    "device",
    "accuracy",
    "energy_mj",
    "latency_ms",
    "network",
    "precision",
    "reason",
)
#: The protocol and predictor whose error stands on a device's card.
CARD = {"protocol": "leave-one-family-out", "predictor": "edgejoule"}


def significant(value: object, digits: int = 4) -> object:
    """Return a number rounded to ``digits`` significant digits, None for a missing value, anything else as it is."""
    if value is None or value is pd.NA:
        return None
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.{digits}g}")
    return value


def columns(frame: pd.DataFrame, names: tuple[str, ...]) -> dict[str, list]:
    """Return the named columns as lists, rounded, missing values as None."""
    return {name: [significant(value) for value in frame[name].tolist()] for name in names}


def page_data(
    looks: Mapping[str, DeviceLook],
    networks: pd.DataFrame,
    accuracy: pd.DataFrame,
    scores: pd.DataFrame,
    recommendations: pd.DataFrame,
    choices: pd.DataFrame,
    device_choices: pd.DataFrame,
    tasks: pd.DataFrame,
) -> dict:
    """Return everything that the page shows apart from its pictures.

    Args:
        looks: how each device is shown.
        networks: the datasets stage's table.
        accuracy: the validation stage's summary.
        scores: the scores.
        recommendations: the recommendations of all devices.
        choices: every method's choice judged on measured energies.
        device_choices: the least energy at which each device reaches a target accuracy.
        tasks: what each device needs in tasks beside ImageNet.
    """
    shown = known(looks, networks["device"], "results/datasets/networks.parquet")
    shown.sort(key=lambda look: look.origin != "measured")
    ordered = networks.sort_values(["device", "energy_mj", "network"]).reset_index(drop=True)
    ordered["licence"] = licences(ordered["licence"])
    accuracy = accuracy[accuracy["flagged"]].sort_values(["device", "metric", "protocol", "mape_percent", "predictor"])
    scores = scores.sort_values(["league", "score", "definition", "rank", "device"], na_position="last")
    return {
        "devices": [_device(look, ordered[ordered["device"] == look.name], accuracy, scores) for look in shown],
        "families": family_colours(networks["family"]),
        "names": {
            "metric": {key: f"{name} ({unit})" for key, (name, unit) in METRICS.items()},
            "predictor": {key: value[0] for key, value in PREDICTORS.items()},
            "method": {key: value[0] for key, value in METHODS.items()},
        },
        "networks": columns(ordered, NETWORK_COLUMNS),
        "fronts": {look.name: _front(ordered, look.name) for look in shown},
        "recommendations": {look.name: _recommendations(recommendations, look.name) for look in shown},
        "accuracy": columns(accuracy, ACCURACY_COLUMNS),
        "scores": columns(scores, SCORE_COLUMNS),
        "choices": _choices(choices),
        "device_choices": columns(device_choices, DEVICE_CHOICE_COLUMNS),
        "tasks": columns(tasks, TASK_COLUMNS),
    }


def _device(look: DeviceLook, rows: pd.DataFrame, accuracy: pd.DataFrame, scores: pd.DataFrame) -> dict:
    energies = usable(rows, "energy_mj")
    ranked = usable(rows, "energy_mj", "top1")
    errors = accuracy[(accuracy["device"] == look.name)]
    for key, value in CARD.items():
        errors = errors[errors[key] == value]
    metric = "energy_mj" if (errors["metric"] == "energy_mj").any() else "latency_ms"
    error = errors[errors["metric"] == metric].iloc[:1]
    idle = rows["idle_before_w"].dropna()
    failed = rows["quality"] == "failed"
    untried = failed & rows["reason"].fillna("").str.startswith(NOT_TRIED)
    ranks = scores[(scores["device"] == look.name) & (scores["definition"] == DEFAULT) & scores["rank"].notna()]
    return {
        "name": look.name,
        "title": look.title,
        "board": look.board,
        "meter": look.meter,
        "colour": look.colour,
        "origin": look.origin,
        "scope": look.power_scope,
        "energy_label": look.energy_label,
        "note": look.note,
        "networks": len(rows),
        "flagged": int((rows["quality"] == "flagged").sum()),
        "failed": int((failed & ~untried).sum()),
        "untried": int(untried.sum()),
        "idle_w": significant(float(idle.median()), 3) if len(idle) else None,
        "energy_mj": [significant(float(energies["energy_mj"].agg(how)), 3) for how in ("min", "max")]
        if len(energies)
        else None,
        "top1": [significant(float(ranked["top1"].agg(how)), 3) for how in ("min", "max")] if len(ranked) else None,
        "error": {
            "metric": METRICS[metric][0],
            "mape": significant(float(error["mape_percent"].iloc[0]), 2),
            "within10": significant(float(error["within10_percent"].iloc[0]), 2),
        }
        if len(error)
        else None,
        "ranks": [
            {"score": row.score, "rank": rank_range(row.rank, row.rank_worst), "league": row.league}
            for row in ranks[["score", "rank", "rank_worst", "league"]].itertuples(index=False)
        ],
    }


def _front(networks: pd.DataFrame, device: str) -> list[int]:
    """Return the rows of ``networks`` on the device's Pareto front, in order of energy."""
    rows = usable(networks[networks["device"] == device], "energy_mj", "top1")
    if rows.empty:
        return []
    return [int(i) for i in rows.index[pareto_front(rows["energy_mj"].to_numpy(), rows["top1"].to_numpy())]]


def _recommendations(recommendations: pd.DataFrame, device: str) -> dict[str, list[dict]]:
    """Return, by method, the choice under each budget in order of budget; energies counted gross."""
    own = recommendations[(recommendations["device"] == device) & (recommendations["accounting"] == "gross")]
    result: dict[str, list[dict]] = {}
    for (method, budget), rows in own.groupby(["method", "budget_mj"], sort=True):
        first = rows.iloc[0]
        choice = {
            "budget": significant(float(budget), 5),
            "energy": significant(float(first["mix_energy_mj"])),
            "latency": significant(float(first["mix_latency_ms"])),
            "top1": significant(float(first["mix_top1"])),
            "networks": [
                [row.network, significant(row.share, 3), significant(row.energy_mj), significant(row.top1)]
                for row in rows.sort_values("share", ascending=False).itertuples()
            ],
        }
        result.setdefault(method, []).append(choice)
    return {method: result[method] for method in METHODS if method in result}


def _choices(choices: pd.DataFrame) -> dict[str, list]:
    """Summarise the judged choices per device, method and kind of energies known to the chooser."""
    groups = choices.groupby(["device", "method", "energies"], sort=True)
    summary = groups.agg(
        budgets=("budget_mj", "size"),
        answered=("top1", "count"),
        gap=("gap", "mean"),
        violations=("violation", lambda values: float((values.dropna() > 1e-9).mean())),
        worst_violation=("violation", "max"),
        regret_top1=("regret_top1", "mean"),
        measurements=("measurements", "mean"),
    ).reset_index()
    summary[["gap", "violations", "worst_violation"]] *= 100
    return columns(summary, tuple(summary.columns))
