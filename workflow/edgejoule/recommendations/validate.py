"""Every method's choice under every budget, judged on measured energies: table ``recommendation-validation``."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from edgejoule.recommendations.catalogue import Catalogue
from edgejoule.recommendations.front import (
    Mixes,
    best_mix,
    best_single,
    concave_envelope,
    most_efficient,
    nearest_cost,
    pareto_front,
)
from edgejoule.recommendations.predicted import Prediction
from edgejoule.recommendations.refine import Policy, refine
from edgejoule.recommendations.solve import SLACK, Choice, Limit, solve_mix, solve_single
from edgejoule.recommendations.sweep import as_mixes, spread_budgets, sweep

Choices = list[Choice | None]


def validate_device(
    catalogue: Catalogue,
    predictions: dict[str, Prediction],
    budgets: int = 100,
    confidence: float = 0.9,
    policy: Policy | None = None,
) -> pd.DataFrame:
    """Judge every method on one device.

    From measured energies: ``single``, ``mix``, the baselines, and the oracles, which HiGHS finds by integer and linear
    programming, independently of the envelope that ``single`` and ``mix`` use. From each protocol's predictions:
    ``single``, ``mix``, ``mix-margin`` (each network taken at the energy that it does not exceed with ``confidence``),
    ``refine`` and the baselines.

    Args:
        catalogue: measured networks of the device.
        predictions: per protocol, what was predicted for them.
        budgets: how many, evenly spaced in log between the least and the greatest energy.
        confidence: of ``mix-margin``.
        policy: of ``refine``.

    Returns:
        Rows of table ``recommendation-validation`` and ``inside``: the budget is inside the span of the measured
        envelope, so that a mix can use it up exactly.
    """
    asked = spread_budgets(catalogue.energy_mj, budgets)
    best = sweep(catalogue, asked)
    oracle = best.mix.mean(catalogue.top1)
    span = catalogue.energy_mj[best.envelope]
    inside = (asked >= span[0]) & (asked <= span[-1])

    def judge(method: str, energies: str, source: Catalogue, choices: Choices, counts: Iterable[int]) -> pd.DataFrame:
        place = {name: i for i, name in enumerate(catalogue.network)}
        at = np.array([place[name] for name in source.network], dtype=int)
        rows = [
            _row(choice, source, catalogue.energy_mj[at], catalogue.top1[at], budget, ideal) | {"measurements": count}
            for choice, budget, ideal, count in zip(choices, asked, oracle, counts, strict=True)
        ]
        table = pd.DataFrame(rows)
        return table.assign(device=catalogue.device, method=method, energies=energies, budget_mj=asked, inside=inside)

    none = [0] * len(asked)
    parts = [
        judge(method, "measured", catalogue, choices, none)
        for method, choices in (_plain(catalogue, asked) | _oracles(catalogue, asked)).items()
    ]
    for protocol, prediction in predictions.items():
        source = prediction.catalogue
        parts += [judge(method, protocol, source, chosen, none) for method, chosen in _plain(source, asked).items()]
        cautious = _best_mixes(prediction.quantile_mj(confidence), source.top1, asked)
        parts.append(judge("mix-margin", protocol, source, cautious, none))
        even = prediction.with_one_spread()
        settled = [refine(even, budget, even.measured_mj.__getitem__, policy) for budget in asked]
        choices, counts = [r.choice for r in settled], [r.measurements for r in settled]
        parts.append(judge("refine", protocol, source, choices, counts))
    return pd.concat(parts, ignore_index=True)


def _plain(source: Catalogue, budgets: np.ndarray) -> dict[str, Choices]:
    """Return the choices that take the given energies at their word."""
    cost, top1 = source.energy_mj, source.top1
    return {
        # This is also how we read Hanafy et al. (2021), whose text is not public.
        "single": _as_choices(as_mixes(best_single(cost, pareto_front(cost, top1, source.latency_ms), budgets))),
        "mix": _best_mixes(cost, top1, budgets),
        "accuracy-per-joule": _as_choices(as_mixes(most_efficient(cost, top1, budgets))),
        "nearest-budget": _as_choices(as_mixes(nearest_cost(cost, top1, budgets))),
    }


def _oracles(catalogue: Catalogue, budgets: np.ndarray) -> dict[str, Choices]:
    objectives = [-catalogue.top1, catalogue.energy_mj, catalogue.latency_ms]
    limits = [[Limit("budget", catalogue.energy_mj, budget)] for budget in budgets]
    return {
        "oracle-single": [solve_single(objectives, limit) for limit in limits],
        "oracle-mix": [solve_mix(objectives, limit) for limit in limits],
    }


def _best_mixes(cost: np.ndarray, top1: np.ndarray, budgets: np.ndarray) -> Choices:
    return _as_choices(best_mix(cost, concave_envelope(cost, top1, pareto_front(cost, top1)), budgets))


def _as_choices(mixes: Mixes) -> Choices:
    choices: Choices = []
    for low, high, share in zip(mixes.low.tolist(), mixes.high.tolist(), mixes.share.tolist(), strict=True):
        if low < 0:
            choices.append(None)
        elif low == high:
            choices.append(Choice((high,), (1.0,)))
        else:
            choices.append(Choice((high, low), (share, 1 - share)))
    return choices


def _row(
    choice: Choice | None, source: Catalogue, measured: np.ndarray, top1: np.ndarray, budget: float, ideal: float
) -> dict:
    """Judge one choice; differences within the solver's slack are rounding and count as none.

    No choice answers no request, so it loses all the accuracy that the best mix would have had.
    """
    if choice is None:
        nothing = dict.fromkeys(("energy_mj", "top1", "gap", "violation"), np.nan)
        return {"networks": "", "shares": "", "regret_top1": ideal} | nothing
    energy, accuracy = choice.mean(measured), choice.mean(top1)
    over = (energy - budget) / budget
    lost = ideal - accuracy
    return {
        "networks": "+".join(source.network[list(choice.networks)]),
        "shares": "+".join(f"{share:.6g}" for share in choice.shares),
        "energy_mj": energy,
        "top1": accuracy,
        "gap": abs(over) if abs(over) > SLACK else 0.0,
        "violation": over if over > SLACK else 0.0,
        "regret_top1": lost if lost > SLACK else 0.0,
    }


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return per device, energies and method what its choices come to, over budgets inside the front's span.

    Columns: ``budgets``; ``unserved``, under how many of them nothing was chosen; over the served ones ``gap_mean``,
    ``gap_max``, ``violations`` (share of budgets exceeded), ``violations_1`` (by more than 1 %), ``violation_max``,
    ``regret_mean``, ``regret_max`` (points), all NaN where none was; over all of them ``regret_all_mean``;
    ``measurements_mean``, ``measurements_max``.
    """
    rows = table[table["inside"]]
    served = rows["networks"] != ""
    rows = rows.assign(
        unserved=~served,
        exceeded=(rows["violation"] > 0).astype(float).where(served),
        exceeded_1=(rows["violation"] > 0.01).astype(float).where(served),
        regret_served=rows["regret_top1"].where(served),
    )
    groups = rows.groupby(["device", "energies", "method"], sort=True)
    return groups.agg(
        budgets=("budget_mj", "size"),
        unserved=("unserved", "sum"),
        gap_mean=("gap", "mean"),
        gap_max=("gap", "max"),
        violations=("exceeded", "mean"),
        violations_1=("exceeded_1", "mean"),
        violation_max=("violation", "max"),
        regret_mean=("regret_served", "mean"),
        regret_max=("regret_served", "max"),
        regret_all_mean=("regret_top1", "mean"),
        measurements_mean=("measurements", "mean"),
        measurements_max=("measurements", "max"),
    ).reset_index()
