"""Tables of a recording: what the meter read, and what ran when."""

from edgejoule.tables import vocabulary as words
from edgejoule.tables.schema import REAL, TEXT, WHOLE, Column, Table

TRACE = Table(
    "trace",
    "What the meter read over time, one row per reading and rail; each rail is monotonic in time. recording.json says "
    "for each rail whether it is power or a cumulative energy counter; a null in that column is a lost reading.",
    (
        Column("t_ns", WHOLE, "time of the reading on the recording's clock", encoding="DELTA_BINARY_PACKED"),
        Column("power_w", REAL, "power, on rails that read power", True, encoding="BYTE_STREAM_SPLIT"),
        Column("energy_j", REAL, "cumulative energy, on rails that count energy", True, encoding="BYTE_STREAM_SPLIT"),
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
