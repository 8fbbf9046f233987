"""Words with one meaning, used as the allowed values of columns and configuration keys."""

#: Where a power or energy figure is from: integrated from a meter's trace; typed from a publication; latency times a
#: declared power; a kernel's share recovered from network totals.
ORIGINS = ("measured", "published", "estimated", "inferred")

#: An inferred power of a kernel is possible up to this many times the power of the device's dearest network.
BEYOND_DEAREST = 1.5

#: What the meter saw: the wall plug, one or more supply rails, the board's DC input, or nothing but a power model.
POWER_SCOPES = ("wall", "rail", "dc", "model")

PRECISIONS = ("fp32", "fp16", "int8")

#: How the passes of a recording become one value.
PASS_RULES = ("pooled", "steadied")

#: What an event of a recording is, around its windows and as a window: a workload runs on as ``tail``, so that the
#: window's end is not the end of the load; ``meter`` is a load under which the meter itself is observed.
AROUND_KINDS = ("idle", "warmup", "tail")
EVENT_KINDS = (*AROUND_KINDS, "network", "kernel", "application", "meter")

#: Where a kernel's configuration is from: a network of the zoo, or drawn without knowing it.
KERNEL_SOURCES = ("zoo", "synthetic")

#: ok; usable but a stated rule found something odd; no value, and the reason says why.
QUALITIES = ("ok", "flagged", "failed")

#: How the reason of a failed row begins where nobody tried to run the workload: the device file asks for others, or
#: this project does not export it so. The second is what recordings of earlier versions say.
NOT_TRIED = (
    "the device file asks for other precisions",
    "a live measurement exports networks in FP32 only",
    "networks for the runtime",
    "PyTorch's networks are run in",
)

#: What predictors predict, per inference.
METRICS = ("latency_ms", "power_w", "energy_mj", "energy_above_idle_mj")

PREDICTORS = (
    "edgejoule",
    "random-forest-per-kernel",
    "random-forest-network",
    "gbm-network",
    "macs-linear",
    "macs-bytes-linear",
)

PROTOCOLS = (
    "leave-one-family-out",
    "leave-one-superfamily-out",
    "ten-fold",
    "leave-one-board-out",
    "transfer-k5",
    "transfer-k10",
    "transfer-k20",
    "synthetic-only",
)

#: How recommendations count energy: all of it; what exceeds idle; all of it, idle between requests included.
ACCOUNTINGS = ("gross", "above-idle", "duty-cycle")

METHODS = (
    "single",
    "mix",
    "mix-margin",
    "refine",
    "accuracy-per-joule",
    "nearest-budget",
    "oracle-single",
    "oracle-mix",
)

#: What the pairs of a score are grouped by when it is taken apart.
GROUPINGS = ("application", "delegate", "network", "pair")

#: Choices behind a score that are changed one at a time.
CHANGES = (
    "leave out network",
    "leave out application",
    "reference",
    "weights",
    "factor",
    "failed pairs",
    "one pair 100 times better",
    "one pair 100 times worse",
)

#: How a pair that a device failed to run enters a score: as the worst; not at all; as the same network's worst
#: delegate.
FAILED_RULES = ("worst", "left-out", "worst-delegate")
