"""Tables of the scores and of what they are worth."""

from edgejoule.tables import vocabulary as words
from edgejoule.tables.contracts.columns import DEVICE, NETWORK, ORIGIN
from edgejoule.tables.schema import FLAG, REAL, TEXT, WHOLE, Column, Table

SCORE = Column("score", TEXT, "PCS or IECS", choices=("PCS", "IECS"))
LEAGUE = Column("league", TEXT, "devices that may be ranked in one list")
DEFINITION = Column("definition", TEXT, "which formula")

SCORES = Table(
    "scores",
    "PCS and IECS of each device, by definition, within its league. Higher is better.",
    (
        DEVICE,
        LEAGUE,
        SCORE,
        DEFINITION,
        Column("value", REAL, "the score", nullable=True, unit="by definition"),
        Column("lower", REAL, "lower end of the 90 % interval; null = there is none", True, unit="by definition"),
        Column("upper", REAL, "upper end of the 90 % interval", nullable=True, unit="by definition"),
        Column("rank", WHOLE, "1 + devices of the league settled to be above; null = not ranked", True, minimum=1),
        Column("pairs", WHOLE, "pairs that entered", minimum=0),
        Column("missing", WHOLE, "pairs of the league that the device lacks: failed, or not measured", minimum=0),
        Column("failed", WHOLE, "missing pairs that were tried and did not run: each counts as the worst", minimum=0),
        ORIGIN,
        Column("rank_worst", WHOLE, "ranked devices - devices that are settled to be below", nullable=True, minimum=1),
        Column("place", WHOLE, "place by value alone, settled or not; null = not ranked", True, minimum=1),
        Column("reference", TEXT, "devices whose median, pair by pair, is 100, joined by +"),
        Column("score_unit", TEXT, "unit of value, lower and upper"),
        Column("reason", TEXT, "why there is no value, no rank or no lower end; empty if there is"),
    ),
    key=("device", "league", "score", "definition"),
)

COMPARISONS = Table(
    "score-comparisons",
    "How probable it is that one device truly ranks above another of its league.",
    (
        LEAGUE,
        SCORE,
        DEFINITION,
        DEVICE,
        Column("other", TEXT, "the device that it is compared with"),
        Column("probability", REAL, "share of the resamples in which the device is above", minimum=0, unit="1"),
        Column("settled", FLAG, "the probability, or that of the opposite, reaches the stated limit"),
    ),
    key=("league", "score", "definition", "device", "other"),
)

CONTRIBUTIONS = Table(
    "score-contributions",
    "What a default score is made of. The factors of the items of one grouping multiply to the score / 100.",
    (
        DEVICE,
        LEAGUE,
        SCORE,
        Column("grouping", TEXT, "what the pairs are grouped by", choices=words.GROUPINGS),
        Column("item", TEXT, "application, delegate, network or pair"),
        Column("factor", REAL, "what the item multiplies the score by; above 1 it helps", minimum=0, unit="1"),
        Column("ratio", REAL, "its own merit / the reference's, uncut; null = missing", True, minimum=0, unit="1"),
        Column("weight", REAL, "share of the weights of all pairs that it has or failed", minimum=0, unit="1"),
        Column("pairs", WHOLE, "pairs of the item that the device has", minimum=0),
        Column("missing", WHOLE, "pairs of the item that it lacks: failed, or not measured", minimum=0),
        Column("failed", WHOLE, "missing pairs that were tried and did not run: each lies at the lower cut", minimum=0),
        Column("cut", WHOLE, "pairs so far from the device's typical ratio that they were cut", minimum=0),
    ),
    key=("device", "league", "score", "grouping", "item"),
)

SENSITIVITY = Table(
    "score-sensitivity",
    "What scores and their order become when one choice is changed.",
    (
        DEVICE,
        LEAGUE,
        SCORE,
        DEFINITION,
        Column("change", TEXT, "what kind of change", choices=words.CHANGES),
        Column("what", TEXT, "which one"),
        Column("value", REAL, "the score after the change", nullable=True, unit="by definition"),
        Column("shift_percent", REAL, "change of the score; with other references, within a league held fixed", True),
        Column("place", WHOLE, "place by value after the change; null = not ranked", nullable=True, minimum=1),
        Column("moved", WHOLE, "places gained (+) or lost (-)", nullable=True),
    ),
    key=("device", "league", "score", "definition", "change", "what"),
)

AGREEMENT = Table(
    "score-agreement",
    "How well scores agree with published ones, for every definition, and for the default with each choice changed.",
    (
        LEAGUE,
        SCORE,
        DEFINITION,
        Column("weights", TEXT, "what counts the same"),
        Column("factor", REAL, "where pairs are cut", unit="1"),
        Column("reference", TEXT, "devices whose median, pair by pair, is 100, joined by +"),
        Column("failed_rule", TEXT, "how failed pairs count", choices=words.FAILED_RULES),
        Column("devices", WHOLE, "devices compared", minimum=0),
        Column("pearson", REAL, "linear correlation with the published score", nullable=True, unit="1"),
        Column("spearman", REAL, "rank correlation with the published score", nullable=True, unit="1"),
        Column("kendall", REAL, "rank correlation (tau-b) with the published score", nullable=True, unit="1"),
        Column("chosen", FLAG, "this is the default definition as configured"),
    ),
    key=("league", "score", "definition", "weights", "factor", "reference", "failed_rule"),
)

DISAGREEMENTS = Table(
    "score-disagreements",
    "Devices that the publication orders the other way, and the pairs of network and delegate that cause it.",
    (
        LEAGUE,
        SCORE,
        DEVICE,
        Column("other", TEXT, "the device that is below here and above in the publication"),
        Column("published", REAL, "published score of the device", unit="the publication's"),
        Column("published_other", REAL, "published score of the other", unit="the publication's"),
        Column("value", REAL, "default score of the device", unit="reference = 100"),
        Column("value_other", REAL, "default score of the other", unit="reference = 100"),
        Column("probability", REAL, "probability that the device truly ranks above", minimum=0, unit="1"),
        Column("causes", TEXT, "fewest pairs whose difference makes the order, joined by '; '"),
    ),
    key=("league", "score", "device", "other"),
)

LABELS = Table(
    "score-labels",
    "Default scores as letters, by the stated thresholds.",
    (
        DEVICE,
        LEAGUE,
        SCORE,
        Column("value", REAL, "the default score", unit="reference = 100"),
        Column("label", TEXT, "letter of the score; A is best"),
        Column("label_lower", TEXT, "letter of the lower end of its 90 % interval"),
        Column("label_upper", TEXT, "letter of the upper end"),
        ORIGIN,
    ),
    key=("device", "league", "score"),
)

FOOTPRINT = Table(
    "footprint",
    "Each pair in the user's terms: battery and carbon of the inferences alone.",
    (
        DEVICE,
        LEAGUE,
        Column("application", TEXT, "application"),
        NETWORK,
        Column("delegate", TEXT, "what executes it"),
        Column("energy_mj", REAL, "energy per inference", minimum=0),
        Column("inferences_per_battery_percent", REAL, "inferences on 1 % of the stated battery", minimum=0, unit="1"),
        Column("battery_hours", REAL, "how long the stated battery lasts at the stated rate", True, unit="h"),
        Column("carbon_g_per_million", REAL, "CO2 of a million inferences at the stated grid", minimum=0, unit="g"),
        ORIGIN,
        Column("reason", TEXT, "why there are no hours, and that an energy is modelled; else empty"),
    ),
    key=("device", "application", "network", "delegate"),
)
