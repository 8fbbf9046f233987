"""The tables that stages hand to each other. Later work and outside checks rely on every name here."""

from edgejoule.tables import vocabulary as words
from edgejoule.tables.schema import FLAG, REAL, TEXT, WHOLE, Column, Table

# -- columns that several tables share -------------------------------------------------------------------------------

DEVICE = Column("device", TEXT, "processor, runtime with its settings and source of measurements, named once")
BOARD = Column("board", TEXT, "physical hardware; two runtimes on one board are two devices and one board")
NETWORK = Column("network", TEXT, "network, unique within a device")
FAMILY = Column("family", TEXT, "published architecture line; left out together in validation")
PRECISION = Column("precision", TEXT, "precision of the weights", choices=words.PRECISIONS)
RUNTIME = Column("runtime", TEXT, "inference runtime")
ORIGIN = Column("origin", TEXT, "where power and energy are from", choices=words.ORIGINS)
POWER_SCOPE = Column("power_scope", TEXT, "what the meter saw", choices=words.POWER_SCOPES)
METRIC = Column("metric", TEXT, "what is predicted", choices=words.METRICS)
PREDICTOR = Column("predictor", TEXT, "who predicts", choices=words.PREDICTORS)
PROTOCOL = Column("protocol", TEXT, "what was left out of training", choices=words.PROTOCOLS)
METHOD = Column("method", TEXT, "how the choice is made", choices=words.METHODS)

# -- recordings ------------------------------------------------------------------------------------------------------

TRACE = Table(
    "trace",
    "What the meter read over time, one row per reading and rail; each rail is monotonic in time. recording.json says "
    "for each rail whether it is power or a cumulative energy counter; a null in that column is a lost reading.",
    (
        Column("t_ns", WHOLE, "time of the reading on the recording's clock"),
        Column("power_w", REAL, "power, on rails that read power", nullable=True),
        Column("energy_j", REAL, "cumulative energy, on rails that count energy", nullable=True),
        Column("rail", TEXT, "supply rail or counter, as recording.json names it"),
    ),
)

EVENTS = Table(
    "events",
    "What ran when: idle, warm-up, and back-to-back runs of networks, kernels and applications.",
    (
        Column("event", TEXT, "identifier, unique in the recording"),
        Column("start_ns", WHOLE, "start on the recording's clock"),
        Column("end_ns", WHOLE, "end on the recording's clock"),
        Column("kind", TEXT, "what kind of event", choices=words.EVENT_KINDS),
        Column("workload", TEXT, "network, kernel or application; for idle, the workload it belongs to", nullable=True),
        Column("precision", TEXT, "precision of the weights", nullable=True, choices=words.PRECISIONS),
        Column("pass", WHOLE, "which of the interleaved passes, from 0", minimum=0),
        Column("iterations", WHOLE, "inferences in the event; 0 for idle", minimum=0),
        Column("latency_ms", REAL, "mean latency, where the source states it and not each sample", nullable=True),
        Column("latency_p50_ms", REAL, "median latency, where the source states it", nullable=True),
        Column("latency_p90_ms", REAL, "90th percentile of latency, where the source states it", nullable=True),
        Column("top1", REAL, "ImageNet top-1 in percent, where the source states it", nullable=True, unit="%"),
        Column("source", TEXT, "file or address that the event was read from"),
    ),
    key=("event",),
)

SAMPLES = Table(
    "samples",
    "Duration of each inference of an event, where it was recorded.",
    (
        Column("event", TEXT, "event of the recording"),
        Column("iteration", WHOLE, "inference within the event, from 0", minimum=0),
        Column("duration_ns", WHOLE, "how long it took", minimum=0),
    ),
    key=("event", "iteration"),
)

PROBLEMS = Table(
    "problems",
    "What could not be recorded or read, and why. Nothing is dropped in silence.",
    (
        Column("workload", TEXT, "network, kernel or application"),
        Column("kind", TEXT, "kind of workload", choices=words.EVENT_KINDS),
        Column("precision", TEXT, "precision of the weights", nullable=True, choices=words.PRECISIONS),
        Column("source", TEXT, "file that was read, or command that failed"),
        Column("reason", TEXT, "one sentence"),
    ),
)

NODES = Table(
    "nodes",
    "A runtime's own per-node times inside a network.",
    (
        Column("network", TEXT, "network that was profiled"),
        Column("precision", TEXT, "precision of the weights", choices=words.PRECISIONS),
        Column("index", WHOLE, "position in the runtime's order of execution", minimum=0),
        Column("node", TEXT, "the runtime's name of the node"),
        Column("operator", TEXT, "the runtime's operator"),
        Column("pass", WHOLE, "which of the interleaved passes", minimum=0),
        Column("duration_ns", WHOLE, "lower envelope of the node's time over the runs of the pass", minimum=0),
    ),
)

# -- graphs ----------------------------------------------------------------------------------------------------------

KERNELS = Table(
    "graph-kernels",
    "The kernels that each network is made of, as its runtime executes them, in order of execution.",
    (
        NETWORK,
        PRECISION,
        RUNTIME,
        Column("index", WHOLE, "position in the order of execution", minimum=0),
        Column("kind", TEXT, "kernel kind (conv+bn+relu, dwconv+bn+relu, fc, ...), or other:<operator>"),
        Column("kernel", TEXT, "identifier of the unique kernel configuration"),
        Column("name", TEXT, "the node's name in the graph"),
        Column("operator", TEXT, "operator of the node that the kernel is built around"),
        Column("tail", TEXT, "elementwise operators fused behind it, joined by +; empty for none"),
        Column("input_height", WHOLE, "height of the input map, 1 where there is none", minimum=0),
        Column("input_width", WHOLE, "width of the input map, 1 where there is none", minimum=0),
        Column("output_height", WHOLE, "height of the output map", minimum=0),
        Column("output_width", WHOLE, "width of the output map", minimum=0),
        Column("input_channels", WHOLE, "channels in", minimum=0),
        Column("output_channels", WHOLE, "channels out", minimum=0),
        Column("kernel_height", WHOLE, "filter or pooling window, 0 where there is none", minimum=0),
        Column("kernel_width", WHOLE, "filter or pooling window, 0 where there is none", minimum=0),
        Column("stride", WHOLE, "stride, 1 where there is none", minimum=1),
        Column("dilation", WHOLE, "dilation, 1 where there is none", minimum=1),
        Column("groups", WHOLE, "convolution groups, 1 where there is none", minimum=1),
        Column("batch", WHOLE, "batch size", minimum=1),
        Column("inputs", WHOLE, "activation tensors read", minimum=0),
        Column("macs", WHOLE, "multiply-accumulate operations", minimum=0),
        Column("bytes_in", WHOLE, "activation bytes read", minimum=0, unit="byte"),
        Column("bytes_out", WHOLE, "activation bytes written", minimum=0, unit="byte"),
        Column("bytes_weights", WHOLE, "bytes of weights read", minimum=0, unit="byte"),
    ),
    key=("network", "precision", "runtime", "index"),
)

ZOO = Table(
    "zoo",
    "The networks: family, how each is built, its size, its published accuracy and where that figure is from.",
    (
        NETWORK,
        Column("architecture", TEXT, "the network without its precision"),
        FAMILY,
        PRECISION,
        Column("builder", TEXT, "who builds it: timm, torchvision or edgejoule"),
        Column("arguments", TEXT, "the builder's arguments, JSON"),
        Column("input", TEXT, "input shape without the batch, CxHxW"),
        Column("parameters", WHOLE, "parameters", minimum=0),
        Column("top1", REAL, "published ImageNet top-1 in percent; null = never published", nullable=True, unit="%"),
        Column("top1_source", TEXT, "where the accuracy is from", nullable=True),
    ),
    key=("network",),
)

CATALOGUE = Table(
    "catalogue",
    "The unique kernel configurations of the zoo: how often each occurs, and in which families.",
    (
        Column("kernel", TEXT, "identifier of the unique kernel configuration"),
        Column("kind", TEXT, "kernel kind"),
        PRECISION,
        RUNTIME,
        Column("occurrences", WHOLE, "how often it occurs in the zoo", minimum=1),
        Column("networks", WHOLE, "in how many networks", minimum=1),
        Column("families", TEXT, "in which families, joined by a comma"),
        Column("macs", WHOLE, "multiply-accumulate operations", minimum=0),
    ),
    key=("kernel", "runtime"),
)

PLAN = Table(
    "kernel-plan",
    "The kernels to measure on a device: from the zoo, and from a synthetic sample that knows nothing of it.",
    (
        Column("order", WHOLE, "order of measurement; sources and kinds are interleaved", minimum=0),
        Column("source", TEXT, "where the configuration is from", choices=("zoo", "synthetic")),
        RUNTIME,
        Column("kernel", TEXT, "identifier of the unique kernel configuration"),
        Column("kind", TEXT, "kernel kind"),
        PRECISION,
        Column("macs", WHOLE, "multiply-accumulate operations", minimum=0),
    ),
    key=("kernel",),
)

COVERAGE = Table(
    "coverage",
    "How much of each network is made of kernels of a known kind, and whether its description adds up.",
    (
        NETWORK,
        PRECISION,
        RUNTIME,
        Column("told_by", TEXT, "who said what the kernels are", choices=("runtime", "rules")),
        Column("nodes", WHOLE, "nodes of the graph before fusion", minimum=0),
        Column("views", WHOLE, "nodes that only change a shape and cost nothing on this runtime", minimum=0),
        Column("kernels", WHOLE, "kernels", minimum=0),
        Column("other_kernels", WHOLE, "kernels of kind other:<operator>", minimum=0),
        Column("known_kernels_percent", REAL, "kernels of a known kind"),
        Column("known_macs_percent", REAL, "multiply-accumulates in kernels of a known kind"),
        Column("known_bytes_percent", REAL, "bytes in kernels of a known kind", unit="%"),
        Column("macs", WHOLE, "multiply-accumulates of the kernels", minimum=0),
        Column("parameters", WHOLE, "parameters in the graph", minimum=0),
        Column("zoo_parameters", WHOLE, "parameters that the zoo states", minimum=0),
        Column(
            "rules_disagree", WHOLE, "kernels that only the rules or only the runtime has; null = not compared", True
        ),
    ),
    key=("network", "precision", "runtime"),
)

# -- datasets --------------------------------------------------------------------------------------------------------

COSTS = (
    Column("latency_ms", REAL, "window / inferences", nullable=True, minimum=0),
    Column("latency_p50_ms", REAL, "median latency", nullable=True, minimum=0),
    Column("latency_p90_ms", REAL, "90th percentile of latency", nullable=True, minimum=0),
    Column("power_w", REAL, "mean power in the window", nullable=True),
    Column("idle_before_w", REAL, "idle power before the window", nullable=True),
    Column("idle_after_w", REAL, "idle power after the window", nullable=True),
    Column("energy_mj", REAL, "gross energy per inference", nullable=True),
    Column("energy_above_idle_mj", REAL, "energy per inference above the idle baseline", nullable=True),
    Column("energy_std_mj", REAL, "standard deviation of energy per inference over ten blocks of the window", True),
    Column("drift", REAL, "power in the last third of the window / in its first third - 1", nullable=True, unit="1"),
    Column("iterations", WHOLE, "inferences in the window", nullable=True, minimum=0),
)
JUDGED = (
    ORIGIN,
    POWER_SCOPE,
    Column("source", TEXT, "recording, file or publication that the row was derived from"),
    Column("quality", TEXT, "ok, flagged or failed", choices=words.QUALITIES),
    Column("reason", TEXT, "why it is not ok; empty if it is"),
)

NETWORKS = Table(
    "networks",
    "What each network costs on each device, per inference.",
    (
        DEVICE,
        BOARD,
        NETWORK,
        Column("architecture", TEXT, "the network without its precision"),
        FAMILY,
        PRECISION,
        RUNTIME,
        *COSTS,
        Column("top1", REAL, "ImageNet top-1 in percent; null where the task is not ImageNet", True, unit="%"),
        *JUDGED,
    ),
    key=("device", "network"),
)

PASSES = Table(
    "passes",
    "The same per interleaved pass: their disagreement is the noise floor.",
    (
        DEVICE,
        Column("kind", TEXT, "kind of workload", choices=words.EVENT_KINDS),
        Column("workload", TEXT, "network, kernel or application"),
        Column("precision", TEXT, "precision of the weights", nullable=True, choices=words.PRECISIONS),
        Column("pass", WHOLE, "which of the interleaved passes, from 0", minimum=0),
        Column("iterations", WHOLE, "inferences in the pass", minimum=0),
        Column("latency_ms", REAL, "window / inferences", nullable=True, minimum=0),
        Column("latency_min_ms", REAL, "fastest inference, where each was recorded", nullable=True, minimum=0),
        Column("latency_p50_ms", REAL, "median latency", nullable=True, minimum=0),
        Column("power_w", REAL, "mean power", nullable=True),
        Column("energy_mj", REAL, "gross energy per inference", nullable=True),
    ),
)

KERNEL_COSTS = Table(
    "kernels",
    "What each unique kernel configuration costs on each device, per execution.",
    (
        DEVICE,
        BOARD,
        Column("kernel", TEXT, "identifier of the unique kernel configuration"),
        Column("kind", TEXT, "kernel kind"),
        PRECISION,
        RUNTIME,
        *COSTS,
        *JUDGED,
        Column("lower_mj", REAL, "lower end of the 90 % interval of energy, where it is inferred", nullable=True),
        Column("upper_mj", REAL, "upper end of the 90 % interval of energy, where it is inferred", nullable=True),
    ),
    key=("device", "kernel"),
)

APPLICATIONS = Table(
    "applications",
    "What each reference network of each application costs on each device and delegate, per inference.",
    (
        DEVICE,
        BOARD,
        Column("league", TEXT, "devices that may be ranked in one list: one class of device, one power scope"),
        Column("application", TEXT, "application"),
        NETWORK,
        Column("delegate", TEXT, "what executes it: CPU1, CPU4, GPU, NNAPI, ..."),
        Column("slot", TEXT, "delegate that is compared across devices; own = the delegate is part of the device"),
        PRECISION,
        Column("latency_ms", REAL, "latency per inference; null = the pair is missing", nullable=True, minimum=0),
        Column("power_w", REAL, "average power", nullable=True, minimum=0),
        Column("energy_mj", REAL, "energy per inference", nullable=True, minimum=0),
        Column("spread", REAL, "relative standard error of the energy, where known", True, minimum=0, unit="1"),
        Column("tdp_w", REAL, "thermal design power of the chip, where known", nullable=True, minimum=0),
        *JUDGED,
    ),
    key=("device", "application", "network", "delegate"),
)

# -- validation ------------------------------------------------------------------------------------------------------

VALIDATION = Table(
    "validation",
    "Predicted against measured, for networks that the predictor has not seen.",
    (
        DEVICE,
        BOARD,
        ORIGIN,
        METRIC,
        PREDICTOR,
        PROTOCOL,
        FAMILY,
        NETWORK,
        Column("measured", REAL, "the measured value, in the metric's unit", unit="the metric's"),
        Column("predicted", REAL, "the prediction; null = the predictor abstains", True, unit="the metric's"),
        Column("lower", REAL, "lower end of the 90 % interval", nullable=True, unit="the metric's"),
        Column("upper", REAL, "upper end of the 90 % interval", nullable=True, unit="the metric's"),
        Column("flagged", FLAG, "the recording breaks a stated rule; shown with and without"),
    ),
    key=("device", "metric", "predictor", "protocol", "network"),
)

SPLITS = Table(
    "splits",
    "Which networks each fold of a protocol left out of training: written, seeded, the same for every predictor.",
    (
        DEVICE,
        PROTOCOL,
        Column("fold", TEXT, "what was left out together: a family, or the number of a random fold"),
        FAMILY,
        NETWORK,
    ),
    key=("device", "protocol", "network"),
)

ACCURACY = Table(
    "accuracy",
    "How well each predictor does: errors per device, metric and protocol.",
    (
        DEVICE,
        ORIGIN,
        METRIC,
        PREDICTOR,
        PROTOCOL,
        Column("networks", WHOLE, "networks judged", minimum=0),
        Column("abstained", WHOLE, "networks that the predictor declined", minimum=0),
        Column("mape_percent", REAL, "mean absolute relative error, macro-averaged over families", nullable=True),
        Column("mape_networks_percent", REAL, "the same, averaged over networks", nullable=True),
        Column("mape_lower_percent", REAL, "lower end of its 95 % bootstrap interval", nullable=True),
        Column("mape_upper_percent", REAL, "upper end of its 95 % bootstrap interval", nullable=True),
        Column("within5_percent", REAL, "networks within 5 %", nullable=True),
        Column("within10_percent", REAL, "networks within 10 %", nullable=True),
        Column("within15_percent", REAL, "networks within 15 %", nullable=True),
        Column("rmspe_percent", REAL, "root mean square relative error", nullable=True),
        Column("spearman", REAL, "rank correlation", nullable=True, unit="1"),
        Column("kendall", REAL, "rank correlation (tau-b)", nullable=True, unit="1"),
        Column("coverage_percent", REAL, "measured values inside the 90 % interval", nullable=True),
        Column("worst_family", TEXT, "family with the largest error", nullable=True),
        Column("worst_mape_percent", REAL, "its mean absolute relative error", nullable=True),
        Column("flagged", FLAG, "true = flagged recordings included"),
    ),
    key=("device", "metric", "predictor", "protocol", "flagged"),
)

# -- scores and recommendations --------------------------------------------------------------------------------------

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
        Column("lower", REAL, "lower end of the 90 % interval", nullable=True, unit="by definition"),
        Column("upper", REAL, "upper end of the 90 % interval", nullable=True, unit="by definition"),
        Column("rank", WHOLE, "rank in the league, ties share the better; null = not ranked", True, minimum=1),
        Column("pairs", WHOLE, "pairs that entered", minimum=0),
        Column("missing", WHOLE, "pairs of the league that the device lacks", minimum=0),
        ORIGIN,
        Column("rank_best", WHOLE, "1 + devices that are settled to be above", nullable=True, minimum=1),
        Column("rank_worst", WHOLE, "ranked devices - devices that are settled to be below", nullable=True, minimum=1),
        Column("place", WHOLE, "place by value alone, settled or not; null = not ranked", True, minimum=1),
        Column("reference", TEXT, "devices whose median, pair by pair, is 100, joined by +"),
        Column("score_unit", TEXT, "unit of value, lower and upper"),
        Column("reason", TEXT, "why there is no value or no rank; empty if there is"),
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
        Column("weight", REAL, "share of all weights", minimum=0, unit="1"),
        Column("pairs", WHOLE, "pairs of the item that the device has", minimum=0),
        Column("missing", WHOLE, "pairs of the item that it lacks", minimum=0),
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
        Column("missing_rule", TEXT, "how missing pairs count", choices=words.MISSING_RULES),
        Column("devices", WHOLE, "devices compared", minimum=0),
        Column("pearson", REAL, "linear correlation with the published score", nullable=True, unit="1"),
        Column("spearman", REAL, "rank correlation with the published score", nullable=True, unit="1"),
        Column("kendall", REAL, "rank correlation (tau-b) with the published score", nullable=True, unit="1"),
        Column("chosen", FLAG, "this is the default definition as configured"),
    ),
    key=("league", "score", "definition", "weights", "factor", "reference", "missing_rule"),
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

RECOMMENDATIONS = Table(
    "recommendations",
    "What to run under each budget: one row per chosen network.",
    (
        DEVICE,
        METHOD,
        Column("accounting", TEXT, "how energy is counted", choices=words.ACCOUNTINGS),
        Column("budget_mj", REAL, "energy budget per inference", minimum=0),
        NETWORK,
        Column("share", REAL, "share of the requests given to it", minimum=0, unit="1"),
        Column("energy_mj", REAL, "its energy per inference", minimum=0),
        Column("latency_ms", REAL, "its latency", nullable=True, minimum=0),
        Column("top1", REAL, "its ImageNet top-1 in percent", unit="%"),
        Column("mix_energy_mj", REAL, "energy per inference of the whole choice", minimum=0),
        Column("mix_latency_ms", REAL, "mean latency of the whole choice", nullable=True, minimum=0),
        Column("mix_top1", REAL, "expected ImageNet top-1 of the whole choice", unit="%"),
    ),
    key=("device", "method", "accounting", "budget_mj", "network"),
)

FRONTS = Table(
    "fronts",
    "Where each network stands in its device's plane of accuracy against energy, and what beats it.",
    (
        DEVICE,
        Column("accounting", TEXT, "how energy is counted", choices=words.ACCOUNTINGS),
        NETWORK,
        Column("energy_mj", REAL, "energy per inference under the accounting", nullable=True),
        Column("latency_ms", REAL, "its latency", nullable=True, minimum=0),
        Column("top1", REAL, "its ImageNet top-1 in percent", nullable=True, unit="%"),
        Column(
            "standing",
            TEXT,
            "envelope: part of best mixes; front: a best single choice; dominated; excluded",
            choices=("envelope", "front", "dominated", "excluded"),
        ),
        Column("beaten_by", TEXT, "network, or two networks joined by +, that give more accuracy for its energy"),
        Column("beaten_by_points", REAL, "how much more accuracy that gives", nullable=True, unit="%"),
        Column(
            "marginal_mj_per_point",
            REAL,
            "on the envelope: energy of each further point of accuracy since the member before",
            nullable=True,
            unit="mJ/%",
        ),
        Column("latency_front", FLAG, "whether it is on the front of accuracy against latency"),
        Column("reason", TEXT, "why it is excluded; empty if it is not"),
    ),
    key=("device", "accounting", "network"),
)

DEVICE_CHOICES = Table(
    "device-choices",
    "The least energy at which each device reaches a target accuracy, ranked among devices that may be compared.",
    (
        Column("target_top1", REAL, "expected ImageNet top-1 to reach, in percent", unit="%"),
        DEVICE,
        BOARD,
        POWER_SCOPE,
        Column("networks", TEXT, "the mix, joined by +; empty = the device cannot reach the target"),
        Column("shares", TEXT, "its shares, joined by +"),
        Column("energy_mj", REAL, "gross energy per inference, one after the other", nullable=True, minimum=0),
        Column("latency_ms", REAL, "mean latency", nullable=True, minimum=0),
        Column("idle_w", REAL, "the device's idle power", nullable=True, minimum=0),
        Column("most_hz", REAL, "most requests a second that it can serve at the target", nullable=True, minimum=0),
        Column("rank", WHOLE, "by energy, ties share the better; null = cannot reach the target", True, minimum=1),
    ),
    key=("target_top1", "device"),
)

BREAK_EVENS = Table(
    "break-evens",
    "Rates of requests at which the cheaper of two devices changes, idle power between requests included.",
    (
        Column("target_top1", REAL, "expected ImageNet top-1 to reach, in percent", unit="%"),
        Column("below", TEXT, "the device that needs less power just below the rate"),
        Column("above", TEXT, "the device that needs less power, or alone can serve, just above it"),
        Column("rate_hz", REAL, "the rate", minimum=0),
        Column("power_w", REAL, "average power of the device below, at the rate", minimum=0),
        Column(
            "cause",
            TEXT,
            "power: both need the same; capacity: the device below can serve no more",
            choices=("power", "capacity"),
        ),
    ),
)

RECOMMENDATION_VALIDATION = Table(
    "recommendation-validation",
    "Each choice judged on measured energies.",
    (
        DEVICE,
        METHOD,
        Column("energies", TEXT, "measured, or the protocol whose predictions were used"),
        Column("budget_mj", REAL, "energy budget per inference", minimum=0),
        Column("networks", TEXT, "the chosen networks, joined by +; empty = none fits"),
        Column("shares", TEXT, "their shares, joined by +"),
        Column("energy_mj", REAL, "measured energy per inference of the choice", nullable=True, minimum=0),
        Column("top1", REAL, "expected ImageNet top-1 of the choice", nullable=True, unit="%"),
        Column("gap", REAL, "|energy used - budget| / budget", nullable=True, unit="1"),
        Column("violation", REAL, "(energy used - budget) / budget where positive, else 0", nullable=True, unit="1"),
        Column("regret_top1", REAL, "points of accuracy lost against the oracle mix", nullable=True, unit="%"),
        Column("measurements", WHOLE, "networks measured to settle the choice", minimum=0),
    ),
    key=("device", "method", "energies", "budget_mj"),
)

ALL = (
    TRACE,
    EVENTS,
    SAMPLES,
    PROBLEMS,
    NODES,
    ZOO,
    KERNELS,
    CATALOGUE,
    COVERAGE,
    PLAN,
    NETWORKS,
    PASSES,
    KERNEL_COSTS,
    APPLICATIONS,
    VALIDATION,
    SPLITS,
    ACCURACY,
    SCORES,
    COMPARISONS,
    CONTRIBUTIONS,
    SENSITIVITY,
    AGREEMENT,
    DISAGREEMENTS,
    LABELS,
    FOOTPRINT,
    RECOMMENDATIONS,
    FRONTS,
    DEVICE_CHOICES,
    BREAK_EVENS,
    RECOMMENDATION_VALIDATION,
)
