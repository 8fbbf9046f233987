"""Tables of cost per inference: networks, passes, kernels, applications."""

from edgejoule.tables import vocabulary as words
from edgejoule.tables.contracts.columns import (
    BOARD,
    DEVICE,
    FAMILY,
    LICENCE,
    NETWORK,
    ORIGIN,
    POWER_SCOPE,
    PRECISION,
    RUNTIME,
)
from edgejoule.tables.schema import FLAG, REAL, TEXT, WHOLE, Column, Table

COSTS = (
    Column(
        "latency_ms",
        REAL,
        "window / inferences; with passes steadied, the mean over windows of the fastest inference, slow drift removed",
        nullable=True,
        minimum=0,
    ),
    Column("latency_p50_ms", REAL, "median latency; with passes steadied, slow drift removed", True, minimum=0),
    Column("latency_p90_ms", REAL, "90th percentile of latency, likewise", nullable=True, minimum=0),
    Column("power_w", REAL, "mean power in the window", nullable=True),
    Column("idle_before_w", REAL, "idle power before the window", nullable=True),
    Column("idle_after_w", REAL, "idle power after the window", nullable=True),
    Column("energy_mj", REAL, "gross energy per inference", nullable=True),
    Column("energy_above_idle_mj", REAL, "energy per inference above the idle baseline", nullable=True),
    Column("energy_std_mj", REAL, "standard deviation of energy per inference over ten blocks of the window", True),
    Column(
        "drift",
        REAL,
        "power (without a meter: latency) in the last third of the window / in its first third - 1",
        nullable=True,
        unit="1",
    ),
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
        Column(
            "latency_mean_ms",
            REAL,
            "window / inferences over all passes, whatever latency_ms is; null = not stated",
            nullable=True,
            minimum=0,
        ),
        Column("top1", REAL, "ImageNet top-1 in percent; null where the task is not ImageNet", True, unit="%"),
        LICENCE,
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
        Column(
            "slowdown",
            REAL,
            "how much slower the machine was than usual, told by its neighbours; null = not asked",
            True,
        ),
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
        Column("kernel_source", TEXT, "where its configuration is from; null = unknown", True, words.KERNEL_SOURCES),
        *COSTS,
        *JUDGED,
        Column("between_ms", REAL, "latency between neighbours, caches cold, if latency_ms is warm", True, minimum=0),
        Column("isolated_ms", REAL, "latency alone, caches warm, by the runtime's profiler", True, minimum=0),
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
        Column("tried", FLAG, "false = nobody tried to run the pair, and no score of the device counts it"),
        *JUDGED,
    ),
    key=("device", "application", "network", "delegate"),
)
