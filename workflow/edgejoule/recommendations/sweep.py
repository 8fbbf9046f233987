"""What to run on a device under each of a sweep of budgets: tables ``recommendations`` and ``fronts``."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from edgejoule.recommendations.catalogue import Catalogue
from edgejoule.recommendations.front import (
    Mixes,
    best_mix,
    best_single,
    concave_envelope,
    dominated_by,
    marginal_cost,
    pareto_front,
)
from edgejoule.tables import empty
from edgejoule.tables.contracts import FRONTS, RECOMMENDATIONS


def spread_budgets(energy_mj: np.ndarray, count: int) -> np.ndarray:
    """Return ``count`` budgets evenly spaced in log between the least and the greatest energy, both included (mJ)."""
    if not len(energy_mj):
        return np.empty(0)
    budgets = np.geomspace(energy_mj.min(), energy_mj.max(), count)
    budgets[0] = energy_mj.min()
    if count > 1:
        budgets[-1] = energy_mj.max()
    return budgets


@dataclass(frozen=True)
class Sweep:
    """Best single networks and best mixes of a catalogue under each budget; indices into the catalogue."""

    catalogue: Catalogue
    budgets: np.ndarray
    front: np.ndarray
    envelope: np.ndarray
    single: np.ndarray
    mix: Mixes

    @property
    def gain(self) -> np.ndarray:
        """Points of accuracy that mixing adds to the single choice; NaN where nothing fits; shape (budgets,)."""
        return self.mix.mean(self.catalogue.top1) - as_mixes(self.single).mean(self.catalogue.top1)


def as_mixes(single: np.ndarray) -> Mixes:
    """Return single choices as mixes of one network."""
    return Mixes(single, single, np.where(single >= 0, 1.0, np.nan))


def sweep(catalogue: Catalogue, budgets: np.ndarray) -> Sweep:
    """Choose under every budget (mJ per inference)."""
    energy, top1 = catalogue.energy_mj, catalogue.top1
    front = pareto_front(energy, top1, catalogue.latency_ms)
    envelope = concave_envelope(energy, top1, front)
    return Sweep(
        catalogue,
        np.asarray(budgets, float),
        front,
        envelope,
        best_single(energy, front, budgets),
        best_mix(energy, envelope, budgets),
    )


def recommendation_table(result: Sweep) -> pd.DataFrame:
    """Return table ``recommendations``: methods ``single`` and ``mix``, one row per chosen network.

    A budget below the cheapest network has no row: nothing fits it.
    """
    parts = [
        _rows(result, method, chosen) for method, chosen in (("single", as_mixes(result.single)), ("mix", result.mix))
    ]
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        return empty(RECOMMENDATIONS)
    return table.sort_values(["method", "budget_mj", "network"], kind="stable", ignore_index=True)


def _rows(result: Sweep, method: str, chosen: Mixes) -> pd.DataFrame:
    catalogue = result.catalogue
    means = {f"mix_{name}": chosen.mean(getattr(catalogue, name)) for name in ("energy_mj", "latency_ms", "top1")}
    two = chosen.low != chosen.high
    sides = ((chosen.high, np.where(two, chosen.share, 1.0), chosen.high >= 0), (chosen.low, 1 - chosen.share, two))
    parts = []
    for network, share, present in sides:
        at = network[present]
        parts.append(
            pd.DataFrame(
                {
                    "device": catalogue.device,
                    "method": method,
                    "accounting": catalogue.accounting,
                    "budget_mj": result.budgets[present],
                    "network": catalogue.network[at],
                    "share": share[present],
                    "energy_mj": catalogue.energy_mj[at],
                    "latency_ms": catalogue.latency_ms[at],
                    "top1": catalogue.top1[at],
                    **{name: mean[present] for name, mean in means.items()},
                    "origin": catalogue.origin,
                    "power_scope": catalogue.power_scope,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def front_table(result: Sweep, networks: pd.DataFrame) -> pd.DataFrame:
    """Return table ``fronts``: the standing of every network of the device, excluded ones with their reason.

    Args:
        result: a sweep over any budgets.
        networks: the device's rows of table ``networks``, for the figures of excluded ones.
    """
    catalogue, front, envelope = result.catalogue, result.front, result.envelope
    energy, top1 = catalogue.energy_mj, catalogue.top1
    fastest = pareto_front(catalogue.latency_ms, top1, energy)
    marginal = pd.Series(marginal_cost(energy, top1, envelope), index=envelope, dtype=float)
    mixes = best_mix(energy, envelope, energy)
    single = dominated_by(energy, top1, front)
    rows = []
    for i in range(len(catalogue)):
        standing = "envelope" if i in envelope else "front" if i in front else "dominated"
        beaten_by, points = "", np.nan
        if standing == "dominated":
            beaten_by, points = catalogue.network[single[i]], top1[single[i]] - top1[i]
        elif standing == "front":
            beaten_by = "+".join(catalogue.network[[mixes.low[i], mixes.high[i]]])
            points = mixes.mean(top1)[i] - top1[i]
        rows.append(
            {
                "device": catalogue.device,
                "accounting": catalogue.accounting,
                "network": catalogue.network[i],
                "energy_mj": energy[i],
                "latency_ms": catalogue.latency_ms[i],
                "top1": top1[i],
                "standing": standing,
                "beaten_by": beaten_by,
                "beaten_by_points": points,
                "marginal_mj_per_point": marginal.get(i, np.nan),
                "latency_front": bool(i in fastest),
                "reason": "",
            }
        )
    columns = ["network", "energy_mj", "latency_ms", "top1"]
    excluded = catalogue.excluded.merge(networks[columns], on="network", how="left", validate="one_to_one")
    fixed = {"device": catalogue.device, "accounting": catalogue.accounting, "standing": "excluded", "beaten_by": ""}
    excluded = excluded.assign(**fixed, beaten_by_points=np.nan, marginal_mj_per_point=np.nan, latency_front=False)
    if catalogue.accounting != "gross":
        excluded["energy_mj"] = np.nan
    parts = [part for part in (pd.DataFrame(rows), excluded) if len(part)]
    if not parts:
        return empty(FRONTS)
    table = pd.concat([part[FRONTS.names] for part in parts], ignore_index=True)
    order = table["standing"].map({"envelope": 0, "front": 0, "dominated": 1, "excluded": 2})
    return (
        table.assign(order=order)
        .sort_values(["order", "energy_mj", "network"], kind="stable", ignore_index=True)
        .drop(columns="order")
    )
