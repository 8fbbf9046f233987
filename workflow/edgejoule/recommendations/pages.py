"""Recommendations for people: Markdown beside the Parquet and CSV tables."""

import numpy as np
import pandas as pd

from edgejoule.recommendations.catalogue import Catalogue
from edgejoule.recommendations.front import Mixes
from edgejoule.recommendations.sweep import Sweep

#: Methods that are shown with more than their name.
LABELS = {"single": "single: one network (Hanafy et al. 2021, as we read it)"}


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table of ready texts."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def device_page(result: Sweep, fronts: pd.DataFrame, title: str) -> str:
    """Return one device's page: what was ranked, the choice under every budget, the front, and what is left out."""
    catalogue = result.catalogue
    parts = [f"# What to run on {title}", _opening(catalogue)]
    if len(catalogue):
        unfit = int((result.single < 0).sum())
        gain = result.gain[result.single >= 0]
        sentence = (
            f"Mixing two networks adds {gain.mean():.2f} points of accuracy on average over these budgets, "
            f"and {gain.max():.2f} at most."
            if len(gain)
            else "No budget is as large as the energy of the cheapest network."
        )
        if unfit and len(gain):
            sentence += f" {unfit} budget(s) are below the cheapest network and have no choice."
        parts += ["## Under each budget", sentence, _choices(result)]
        parts += ["## The front", _front_opening(catalogue), _front(fronts)]
    if len(catalogue.excluded):
        rows = [[row.network, row.reason] for row in catalogue.excluded.itertuples()]
        parts += ["## Left out", markdown_table(["network", "reason"], rows)]
    return "\n\n".join(parts) + "\n"


def _opening(catalogue: Catalogue) -> str:
    if not len(catalogue):
        return (
            f"Nothing can be recommended on `{catalogue.device}`: no network of it has both an energy and an ImageNet "
            "accuracy. What it needs in other tasks stands in tasks.md."
        )
    text = (
        f"Device `{catalogue.device}`; {len(catalogue)} networks. Energy per inference: {catalogue.label}; "
        f"accounting: {catalogue.accounting}."
    )
    if catalogue.origin == "estimated":
        text += " It is in proportion to latency, so this ranks by latency, and never beside measured devices."
    if catalogue.flagged:
        names = ", ".join(f"`{name}`" for name in catalogue.flagged)
        text += f" Their recordings are flagged in the dataset, and used all the same: {names}."
    return text


def _choices(result: Sweep) -> str:
    catalogue = result.catalogue
    single, energy, top1 = result.single, result.mix.mean(catalogue.energy_mj), result.mix.mean(catalogue.top1)
    rows = []
    for k in np.flatnonzero(single >= 0):
        network = single[k]
        rows.append(
            [
                f"{result.budgets[k]:.4g}",
                f"`{catalogue.network[network]}`",
                f"{catalogue.energy_mj[network]:.4g}",
                f"{catalogue.top1[network]:.2f}",
                describe_mix(catalogue, result.mix, k),
                f"{energy[k]:.4g}",
                f"{top1[k]:.2f}",
                f"{result.gain[k]:+.2f}",
            ]
        )
    header = ["budget (mJ)", "best single network", "mJ", "top-1 (%)", "best mix", "mJ", "top-1 (%)", "gain (points)"]
    return markdown_table(header, rows)


def describe_mix(catalogue: Catalogue, mix: Mixes, k: int) -> str:
    """Return the k-th mix in words, the dearer network first."""
    low, high, share = mix.low[k], mix.high[k], mix.share[k]
    if low == high:
        return f"`{catalogue.network[high]}`"
    return f"{100 * share:.1f} % `{catalogue.network[high]}`, {100 * (1 - share):.1f} % `{catalogue.network[low]}`"


def _front_opening(catalogue: Catalogue) -> str:
    return (
        "No other network of the device is at least as accurate for no more energy. *Envelope*: best mixes are made of "
        "these; mJ per point is the energy of each further point of accuracy since the envelope's member before. "
        "*Front*: a mix of the two named is more accurate for the same energy."
    )


def _front(fronts: pd.DataFrame) -> str:
    rows = []
    for row in fronts[fronts["standing"].isin(["envelope", "front"])].itertuples():
        marginal = "" if np.isnan(row.marginal_mj_per_point) else f"{row.marginal_mj_per_point:.3g}"
        beaten = ""
        if row.beaten_by:
            beaten = " with ".join(f"`{name}`" for name in row.beaten_by.split("+"))
            beaten += f" (+{row.beaten_by_points:.2f} points)"
        rows.append(
            [
                f"`{row.network}`",
                f"{row.energy_mj:.4g}",
                f"{row.latency_ms:.4g}",
                f"{row.top1:.2f}",
                row.standing,
                marginal,
                beaten,
            ]
        )
    header = ["network", "mJ", "ms", "top-1 (%)", "standing", "mJ per point", "beaten by a mix of"]
    return markdown_table(header, rows)


def devices_page(chosen: pd.DataFrame, changes: pd.DataFrame, left_out: dict[str, str]) -> str:
    """Return the page that compares devices: the cheapest for each target, and at which rates that changes."""
    parts = [
        "# Which device for which accuracy",
        "Only devices whose energy was measured, with one scope of power, stand in one list. Energies derived from "
        "MLPerf recordings are derived figures, not MLPerf scores.",
        "## Least energy per inference",
        "One inference after the other, mixes allowed; idle power is one figure per board.",
    ]
    rows = [
        [
            f"{row.target_top1:g}",
            f"`{row.device}`",
            "" if pd.isna(row.rank) else str(row.rank),
            "out of reach" if pd.isna(row.energy_mj) else f"{row.energy_mj:.4g}",
            "" if pd.isna(row.energy_mj) else f"{row.latency_ms:.4g}",
            "" if pd.isna(row.energy_mj) else f"{row.most_hz:.4g}",
            _in_words(row.networks, row.shares),
        ]
        for row in chosen.sort_values(["target_top1", "rank", "device"], na_position="last").itertuples()
    ]
    parts.append(markdown_table(["top-1 (%)", "device", "rank", "mJ", "ms", "most requests/s", "mix"], rows))
    parts += [
        "## Break-even rates",
        "With idle power between requests counted, the first device needs less power below the rate, the second above "
        "it. Cause *capacity*: the first can serve no more.",
    ]
    rows = [
        [f"{r.target_top1:g}", f"`{r.below}`", f"`{r.above}`", f"{r.rate_hz:.4g}", f"{r.power_w:.4g}", r.cause]
        for r in changes.itertuples()
    ]
    parts.append(
        markdown_table(["top-1 (%)", "below", "above", "requests/s", "W", "cause"], rows) if rows else "There are none."
    )
    if left_out:
        rows = [[f"`{device}`", label] for device, label in sorted(left_out.items())]
        parts += ["## Not compared", markdown_table(["device", "energy"], rows)]
    return "\n\n".join(parts) + "\n"


def tasks_page(table: pd.DataFrame, tasks: pd.DataFrame) -> str:
    """Return the page of tasks beside ImageNet: the device with the least energy that reaches each one's target."""
    parts = [
        "# Which device for which task",
        "Tasks beside ImageNet. Ranked by energy per inference, one after the other, are the devices that were stated "
        "to reach the task's target; devices of different power scopes are never ranked in one list. Energies derived "
        "from MLPerf recordings are derived figures, not MLPerf scores.",
    ]
    if table.empty:
        return "\n\n".join([*parts, "No device has a recording of these tasks."]) + "\n"
    sources = dict(zip(tasks["task"], tasks["source"], strict=True))
    for (task, scope), rows in table.groupby(["task", "power_scope"], sort=True):
        first = rows.iloc[0]
        least = rows["energy_mj"].where(rows["rank"].notna()).min()
        parts += [
            f"## {str(task).capitalize()}, {scope} power",
            f"Target: {first.target:g}, {first.metric}. Source: {sources[task]}.",
        ]
        lines = [
            [
                "" if pd.isna(row.rank) else str(row.rank),
                f"`{row.device}`",
                f"`{row.network}`",
                "" if pd.isna(row.accuracy) else f"{row.accuracy:g}",
                "" if pd.isna(row.energy_mj) else f"{row.energy_mj:.4g}",
                "" if pd.isna(row.rank) else f"{row.energy_mj / least:.3g}",
                "" if pd.isna(row.latency_ms) else f"{row.latency_ms:.4g}",
                row.reason,
            ]
            for row in rows.itertuples()
        ]
        header = ["rank", "device", "network", "accuracy", "mJ", "times the least", "ms", "why not ranked"]
        parts.append(markdown_table(header, lines))
    return "\n\n".join(parts) + "\n"


def _in_words(networks: str, shares: str) -> str:
    if not networks:
        return ""
    pairs = zip(networks.split("+"), shares.split("+"), strict=True)
    return ", ".join(f"{100 * float(share):.1f} % `{network}`" for network, share in pairs)


def validation_page(summary: pd.DataFrame, devices: list[str]) -> str:
    """Return the summary of the validation: over all devices, then one table per device."""
    parts = [
        "# How good the recommendations are",
        "Every choice is judged on measured energies, under budgets evenly spaced in log inside the span of each "
        "device's envelope. *Unserved*: budgets under which nothing seemed to fit. Over the others, *gap*: |energy "
        "used - budget| / budget; *exceeded*: share of the budgets that the choice exceeds (by more than 1 %); "
        "*regret*: points of accuracy lost against the best mix. *With unserved*: mean regret over all budgets, where "
        "no choice loses all the accuracy of the best mix. A small gap alone proves little: `nearest-budget` has one. "
        "*Measured*: networks measured to settle the choice. *One network*: of those within the budget the most "
        "accurate, ties by energy; so we read Hanafy et al. (2021), whose text is not public.",
    ]
    if summary.empty:
        return "\n\n".join([*parts, "No device has measured energies."]) + "\n"
    judged = list(summary["device"].unique())
    numbers = summary.drop(columns="device").groupby(["energies", "method"], as_index=False)
    worst = {name: "max" for name in summary if name.endswith("_max")}
    rest = {name: "mean" for name in summary.columns[3:] if name not in worst} | {"budgets": "sum", "unserved": "sum"}
    parts += [f"## Mean of {len(judged)} devices", _validation_table(numbers.agg(worst | rest))]
    for device in judged:
        parts += [f"## {device}", _validation_table(summary[summary["device"] == device])]
    silent = [device for device in devices if device not in judged]
    if silent:
        names = ", ".join(f"`{device}`" for device in silent)
        parts += ["## Not judged", f"Energy of these devices is not measured, so it can prove nothing: {names}."]
    return "\n\n".join(parts) + "\n"


def _validation_table(summary: pd.DataFrame) -> str:
    header = [
        "energies",
        "method",
        "budgets",
        "unserved",
        "gap, mean (%)",
        "gap, most (%)",
        "exceeded (%)",
        "by over 1 % (%)",
        "regret, mean",
        "regret, most",
        "with unserved",
        "measured, mean",
        "measured, most",
    ]
    rows = [
        [
            row.energies,
            LABELS.get(row.method, row.method),
            str(int(row.budgets)),
            str(int(row.unserved)),
            _figure(100 * row.gap_mean, 2),
            _figure(100 * row.gap_max, 2),
            _figure(100 * row.violations, 1),
            _figure(100 * row.violations_1, 1),
            _figure(row.regret_mean, 3),
            _figure(row.regret_max, 2),
            _figure(row.regret_all_mean, 3),
            f"{row.measurements_mean:.2f}" if row.method == "refine" else "",
            str(int(row.measurements_max)) if row.method == "refine" else "",
        ]
        for row in summary.itertuples()
    ]
    return markdown_table(header, rows)


def _figure(value: float, digits: int) -> str:
    """Return a figure; a dash where no budget was served and there is none."""
    return "–" if np.isnan(value) else f"{value:.{digits}f}"
