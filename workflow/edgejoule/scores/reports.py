"""What scores are made of, worth, and mean to an end user, as Markdown."""

import pandas as pd

from edgejoule.config import Applications
from edgejoule.scores.definitions import DEFAULT
from edgejoule.scores.labels import rate_in_words, typical_footprint
from edgejoule.scores.people import markdown_table

EXPLANATION = """# What drives the scores

Each figure multiplies the score: the factors of a row multiply to the score / 100. A pair further than {factor:g} times
from the device's typical ratio is cut to that distance; a failed pair counts as one cut on the bad side, and one that
was not measured is left out. Networks and pairs one by one, and leagues of one application on one delegate, are in
contributions.csv.
"""

SENSITIVITY = """## One choice changed

Largest change of any device's default score in percent, and of its place (empty where no device is ranked). A change of
the reference is judged with the league's mean held fixed, since it changes the unit.
"""

WILD = """## One wild value

Largest change of any device's score when one of its pairs is 100 times off, in percent.
"""

AGREEMENT = """# Agreement with published scores

The publication gives its scores in words and in numbers, not in formulas. The definitions are argued in docs/scores.md;
they were chosen with these numbers in view, so the agreement is a check of the reading, not a test on unseen data. With
so few devices one swapped pair of neighbours moves Kendall's coefficient by several hundredths.
"""

LABELS = """# Labels

A letter compares a device with its league's reference, which scores 100: {thresholds}; {last} below.

In brackets stand the letters at the ends of the score's 90 % interval, where they differ. Letters of different leagues
have different references: compare within a league only. A letter speaks of the pairs that were measured; how many those
are, and which failed, stands in scores.md. Modelled energies earn no letter.
"""

FOOTPRINT = """## In battery and carbon

The median pair of each application, for the inferences alone: what a device draws between them is not counted. Devices
with another number of pairs have the median of other networks: compare energies network by network then
(footprint.csv). Energies of different leagues are measured at different places: compare within a league only. What a
meter recorded, what a publication states, and what is only modelled stand in tables of their own.

- Battery: {capacity:g} Wh ({battery}); hours at {rate}, left empty where the device is slower than that.
- Carbon of a million inferences: {intensity:g} g CO2 per kWh ({grid}).
"""


#: Score: what its column of letters is called.
LETTERS = {"IECS": "Energy (IECS)", "PCS": "Power (PCS)"}

#: Origin: heading of its energies.
ORIGINS = {
    "measured": "Measured",
    "published": "Published",
    "inferred": "Inferred",
    "estimated": "Modelled: latency times a declared power, nothing was metered",
}


def explanation_markdown(contributions: pd.DataFrame, sensitivity: pd.DataFrame, settings: Applications) -> str:
    """Return tables CONTRIBUTIONS and SENSITIVITY in short, as Markdown."""
    parts = [EXPLANATION.format(factor=settings.factor)]
    groups = contributions[contributions["grouping"].isin(["application", "delegate"])]
    for (league, score, grouping), rows in groups.groupby(["league", "score", "grouping"], sort=True):
        table = rows.pivot(index="device", columns="item", values="factor")
        if table.shape[1] > 1:
            table.insert(0, "score", 100 * table.prod(axis=1))
            table = table.sort_values("score", ascending=False).reset_index()
            parts += [f"## {score}, {league}, by {grouping}\n", markdown_table(table)]
    parts += [SENSITIVITY, markdown_table(_largest(sensitivity[sensitivity["definition"] == DEFAULT]))]
    wild = sensitivity[sensitivity["change"].str.startswith("one pair")]
    table = wild.assign(shift=wild["shift_percent"].abs())
    if len(table):
        table = table.pivot_table(
            index=["league", "score", "definition"], columns="change", values="shift", aggfunc="max"
        )
        parts += [WILD, markdown_table(table.reset_index())]
    return "\n".join(parts)


def _largest(sensitivity: pd.DataFrame) -> pd.DataFrame:
    rows = sensitivity[~sensitivity["change"].str.startswith("one pair")]
    rows = rows.assign(shift=rows["shift_percent"].abs(), places=rows["moved"].astype(float).abs())
    table = rows.groupby(["league", "score", "change"]).agg(percent=("shift", "max"), places=("places", "max"))
    return table.reset_index()


def agreement_markdown(agreement: pd.DataFrame, disagreements: pd.DataFrame, ranks: pd.DataFrame) -> str:
    """Return tables AGREEMENT and DISAGREEMENTS and the rank table, as Markdown."""
    parts = [AGREEMENT]
    measures = ["pearson", "spearman", "kendall"]
    as_configured = agreement[agreement["chosen"] | (agreement["definition"] != DEFAULT)]
    for (league, score), rows in as_configured.groupby(["league", "score"], sort=True):
        parts += [f"## {score}, {league}\n", markdown_table(_rounded(rows[["definition", "devices", *measures]]))]
        beside = ranks[(ranks["league"] == league) & (ranks["score"] == score)]
        beside = beside.drop(columns=["league", "score"]).dropna(axis=1, how="all")
        parts.append(markdown_table(beside))
        tried = agreement[(agreement["league"] == league) & (agreement["score"] == score)]
        tried = tried[tried["definition"] == DEFAULT]
        parts += [f"Default with other choices ({len(tried)} tried; every one is in agreement.csv):\n"]
        parts.append(markdown_table(_rounded(_spans(tried, measures))))
        causes = disagreements[(disagreements["league"] == league) & (disagreements["score"] == score)]
        parts += ["Ordered the other way than published, and the pairs that cause it (ratio of their merits):\n"]
        parts.append(
            markdown_table(causes.drop(columns=["league", "score"]).assign(causes=causes["causes"].map(_short)))
        )
    return "\n".join(parts)


def _spans(tried: pd.DataFrame, measures: list[str]) -> pd.DataFrame:
    """Return the least, middle and largest agreement of the default with other choices."""
    chosen = tried[tried["chosen"]].iloc[0]
    same = {key: tried[key] == chosen[key] for key in ("weights", "factor", "reference", "failed_rule")}
    held = {
        "weights": same["factor"] & same["reference"] & same["failed_rule"],
        "factor": same["weights"] & same["reference"] & same["failed_rule"],
        "reference": same["weights"] & same["factor"] & same["failed_rule"],
        "failed_rule": same["weights"] & same["factor"] & same["reference"],
    }
    rows = []
    for choice, kept in held.items():
        for measure in measures[1:]:
            values = tried.loc[kept, measure]
            rows.append((choice, len(values), measure, values.min(), values.median(), values.max()))
    return pd.DataFrame(rows, columns=["choice", "tried", "measure", "least", "median", "largest"])


def labels_markdown(labels: pd.DataFrame, footprint: pd.DataFrame, settings: Applications) -> str:
    """Return tables LABELS and FOOTPRINT in short, as Markdown."""
    letters = sorted(settings.labels)
    thresholds = ", ".join(f"{letter} from {settings.labels[letter]:g}" for letter in letters)
    parts = [LABELS.format(thresholds=thresholds, last=chr(ord(letters[-1]) + 1))]
    shown = labels.assign(label=[_letters(row) for row in labels.itertuples()])
    for (league, origin), rows in shown.groupby(["league", "origin"], sort=True):
        table = rows.pivot(index="device", columns="score", values="label").fillna("").reset_index()
        table = table.rename(columns={"device": "Device"} | LETTERS)
        parts += [f"## League {league}, {origin}\n", markdown_table(table)]
    battery, grid = settings.battery, settings.grid
    parts.append(
        FOOTPRINT.format(
            capacity=battery.capacity_wh,
            battery=battery.source,
            rate=rate_in_words(battery.rate_hz),
            intensity=grid.intensity_g_per_kwh,
            grid=grid.source,
        )
    )
    typical = typical_footprint(footprint, settings)
    heads = {
        "league": "League",
        "device": "Device",
        "application": "Application",
        "pairs": "Pairs",
        "power_w": "Declared power (W)",
        "energy_mj": "Energy (mJ)",
        "inferences_per_battery_percent": "Inferences on 1 % of the battery",
        "battery_hours": f"Hours at {rate_in_words(battery.rate_hz)}",
        "carbon_g_per_million": "CO2 (g per million inferences)",
    }
    for origin, heading in ORIGINS.items():
        rows = typical[typical["origin"] == origin]
        if len(rows):
            kept = [name for name in heads if name != "power_w" or origin == "estimated"]
            parts += [f"### {heading}\n", markdown_table(rows[kept].rename(columns=heads))]
    return "\n".join(parts)


def _letters(row) -> str:
    ends = sorted({row.label_lower, row.label_upper})
    return row.label if ends == [row.label] else f"{row.label} ({' to '.join(ends)})"


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its numbers as text of three decimals, as correlations are read."""
    numbers = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].map("{:.3f}".format) for name in numbers})


def _short(causes: str, most: int = 4) -> str:
    told = causes.split("; ")
    return causes if len(told) <= most else "; ".join(told[:most]) + f"; and {len(told) - most} more"
