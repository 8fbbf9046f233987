"""What a recommendation gives for its budget: energy used and accuracy reached, beside oracles and baselines."""

import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.palette import FAINT, METHODS, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis, note


def draw(devices: Mapping[str, DeviceLook], choices: pd.DataFrame) -> list[Picture]:
    """Draw one picture per device: budget against the share of it that is used, and against accuracy.

    Args:
        devices: how each device is shown.
        choices: every method's choice under every budget, judged on measured energies.
    """
    looks = known(devices, choices["device"], "results/recommendations/validation.parquet")
    return [_one_device(look, choices[choices["device"] == look.name]) for look in looks]


def _one_device(look: DeviceLook, rows: pd.DataFrame) -> Picture:
    title = f"Recommendations under a budget: {look.title}"
    rows = _fair(rows[rows["energy_mj"].notna() & rows["top1"].notna()])
    if rows.empty:
        return Picture(look.name, title, reason="no network of this device fits any budget")
    figure, (used, reached) = plt.subplots(1, 2, figsize=(7.2, 3.6))
    budgets = rows["budget_mj"].nunique()
    sentences = []
    for method, (label, colour, line) in METHODS.items():
        own = rows[rows["method"] == method].sort_values("budget_mj")
        if own.empty:
            continue
        style = {"color": colour, "linestyle": line, "linewidth": 1.3}
        used.plot(own["budget_mj"], 100 * own["energy_mj"] / own["budget_mj"], label=textwrap.fill(label, 30), **style)
        reached.plot(own["budget_mj"], own["top1"], **style)
        sentences.append(_sentence(label, own, budgets))
    used.axhline(100, color=FAINT, linewidth=0.8, zorder=0)
    used.set_ylim(0, min(160, max(110, used.get_ylim()[1])))
    used.set_ylabel("Energy used (% of the budget)")
    reached.set_ylabel("ImageNet top-1 accuracy (%)")
    reached.set_ylim(bottom=max(reached.get_ylim()[0], 0))
    for axes in (used, reached):
        log_axis(axes, "x")
        axes.set_xlabel("Budget (mJ per inference)")
    used.set_title(look.title)
    note(reached, look.energy_label)
    figure.legend(loc="outside lower center", ncols=3)
    source = ", ".join(sorted(set(rows.loc[~rows["method"].str.startswith("oracle"), "energies"]))) or "none"
    caption = (
        f"{budgets} budgets; oracles know the measured energies, the other methods those of: {source}. Share of the "
        f"budget missed on average, and of budgets exceeded: {'; '.join(sentences)}."
    )
    return Picture(look.name, title, caption, figure)


def _fair(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep oracles on measured energies, and every other method on predicted ones where it has been judged on them."""
    oracle = rows["method"].str.startswith("oracle")
    predicted = rows["energies"] != "measured"
    has_predicted = rows["method"].isin(set(rows.loc[predicted, "method"]))
    family_out = rows["energies"] == "leave-one-family-out"
    return rows[(oracle & ~predicted) | (~oracle & has_predicted & family_out) | (~oracle & ~has_predicted)]


def _sentence(label: str, rows: pd.DataFrame, budgets: int) -> str:
    gap, exceeded = 100 * rows["gap"].mean(), 100 * (rows["violation"] > 1e-9).mean()
    some = f" (on the {len(rows)} budgets that it answers)" if len(rows) < budgets else ""
    return f"{label} misses {percent(gap)} and exceeds {percent(exceeded)}{some}"
