"""Tables of what to run, and of the proof."""

from edgejoule.tables import vocabulary as words
from edgejoule.tables.contracts.columns import BOARD, DEVICE, METHOD, NETWORK, POWER_SCOPE, PRECISION
from edgejoule.tables.schema import FLAG, REAL, TEXT, WHOLE, Column, Table

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

TASK_CHOICES = Table(
    "task-choices",
    "What each device needs in a task beside ImageNet, ranked among those that reach the task's target accuracy.",
    (
        Column("task", TEXT, "the task"),
        Column("metric", TEXT, "what accuracy is in it"),
        Column("target", REAL, "accuracy that the task asks for"),
        DEVICE,
        BOARD,
        POWER_SCOPE,
        NETWORK,
        PRECISION,
        Column("accuracy", REAL, "what the device was stated to reach; null = not stated", True),
        Column("energy_mj", REAL, "gross energy per inference", nullable=True, minimum=0),
        Column("latency_ms", REAL, "latency", nullable=True, minimum=0),
        Column("rank", WHOLE, "by energy within task and power scope; null = not ranked", True, minimum=1),
        Column("reason", TEXT, "why it is not ranked; empty if it is"),
        Column("source", TEXT, "where the accuracy is stated; empty where it is not"),
    ),
    key=("task", "device", "network"),
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
        Column(
            "regret_top1",
            REAL,
            "points of accuracy lost against the oracle mix, all where nothing fits; null = nor has the oracle any",
            nullable=True,
            unit="%",
        ),
        Column("measurements", WHOLE, "networks measured to settle the choice", minimum=0),
    ),
    key=("device", "method", "energies", "budget_mj"),
)
