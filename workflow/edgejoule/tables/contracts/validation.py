"""Tables of predicted against measured."""

from edgejoule.tables import vocabulary as words
from edgejoule.tables.contracts.columns import (
    BOARD,
    DEVICE,
    FAMILY,
    LOWER,
    METRIC,
    NETWORK,
    ORIGIN,
    PRECISION,
    PREDICTOR,
    PROTOCOL,
    UPPER,
)
from edgejoule.tables.schema import FLAG, REAL, TEXT, WHOLE, Column, Table

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
        LOWER,
        UPPER,
        Column("stated", FLAG, "the interval is one that users get: the network is like those of the training"),
        Column("flagged", FLAG, "the recording breaks a stated rule; shown with and without"),
    ),
    key=("device", "metric", "predictor", "protocol", "network"),
)

PREDICTIONS = Table(
    "predictions",
    "What networks will cost on a new board of which few were measured, the devices of other boards as prior.",
    (
        DEVICE,
        BOARD,
        NETWORK,
        FAMILY,
        PRECISION,
        METRIC,
        Column("measured", REAL, "the measured value; null = not measured", nullable=True, unit="the metric's"),
        Column("predicted", REAL, "the prediction; null = it needs an idle power", nullable=True, unit="the metric's"),
        LOWER,
        UPPER,
    ),
    key=("device", "network", "metric"),
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
        Column("stated", WHOLE, "networks whose interval users get: those like the training networks", minimum=0),
        Column("coverage_stated_percent", REAL, "measured values inside these intervals", nullable=True),
        Column("worst_family", TEXT, "family with the largest error", nullable=True),
        Column("worst_mape_percent", REAL, "its mean absolute relative error", nullable=True),
        Column("flagged", FLAG, "true = flagged recordings included"),
    ),
    key=("device", "metric", "predictor", "protocol", "flagged"),
)

SUBSETS = Table(
    "subsets",
    "The same errors for parts of a device's networks, so that many alike do not swamp the others.",
    (
        *ACCURACY.columns,
        Column("subset", TEXT, "2 ms and more; width and resolution series (one architecture at many sizes); the rest"),
    ),
    key=(*ACCURACY.key, "subset"),
)

PAIRED = Table(
    "paired",
    "Whether the predictor edgejoule beats a baseline on the same networks, with families as the unit.",
    (
        DEVICE,
        METRIC,
        PROTOCOL,
        Column("subset", TEXT, "all, or 2 ms and more"),
        Column("baseline", TEXT, "the predictor that is compared", choices=words.PREDICTORS),
        Column("networks", WHOLE, "networks that both predict", minimum=0),
        Column("families", WHOLE, "their families", minimum=0),
        Column("mape_percent", REAL, "error of edgejoule, macro-averaged over families", nullable=True),
        Column("baseline_mape_percent", REAL, "error of the baseline, likewise", nullable=True),
        Column("difference_percent", REAL, "baseline's error minus ours, in points", nullable=True),
        Column("lower_percent", REAL, "lower end of its 95 % interval, families and networks resampled", nullable=True),
        Column("upper_percent", REAL, "upper end of its 95 % interval", nullable=True),
        Column("p_families", REAL, "Wilcoxon signed-rank p, one pair per family", nullable=True, unit="1"),
        Column("p_networks", REAL, "the same, one pair per network: alike networks make it too small", True, unit="1"),
    ),
    key=("device", "metric", "protocol", "subset", "baseline"),
)

NOISE_FLOOR = Table(
    "noise-floor",
    "How far a recording agrees with itself, beside how far predictions of unseen families are off.",
    (
        DEVICE,
        METRIC,
        Column("floor_median_percent", REAL, "difference between two halves of the recording, median over networks"),
        Column("floor_p95_percent", REAL, "the same, 95th percentile"),
        Column("floor_source", TEXT, "what was compared; external where the device was recorded once"),
        Column("networks", WHOLE, "networks judged", minimum=1),
        Column("error_median_percent", REAL, "error of edgejoule, families left out, median over networks"),
        Column("error_p95_percent", REAL, "the same, 95th percentile"),
        Column("mape_percent", REAL, "the same, averaged within families and then over them"),
    ),
    key=("device", "metric"),
)

KERNEL_VALIDATION = Table(
    "kernel-validation",
    "Predicted against measured, for single kernels inside networks of families that the predictor has not seen (left "
    "out in five groups): one row per network and configuration.",
    (
        DEVICE,
        BOARD,
        ORIGIN,
        METRIC,
        PREDICTOR,
        PROTOCOL,
        FAMILY,
        NETWORK,
        PRECISION,
        Column("kind", TEXT, "kernel kind"),
        Column("kernel", TEXT, "identifier of the kernel configuration"),
        Column("executions", WHOLE, "how often the network executes it", minimum=1),
        Column("shared", FLAG, "a family of the training part has the same configuration"),
        Column("measured", REAL, "mean over the executions of the profiler's least time", unit="the metric's"),
        Column("predicted", REAL, "the prediction", unit="the metric's"),
        LOWER,
        UPPER,
        Column("flagged", FLAG, "the network's recording breaks a stated rule"),
    ),
    key=("device", "metric", "predictor", "protocol", "network", "precision", "kernel"),
)

KERNEL_ACCURACY = Table(
    "kernel-accuracy",
    "How well single kernels' times are predicted, by kind: inside networks of families that the predictor has not "
    "seen (left out in five groups).",
    (
        DEVICE,
        PREDICTOR,
        Column("kind", TEXT, "kernel kind; all = every kernel that the runtime's profile tells"),
        Column("kernels", WHOLE, "configurations, once per network that has them", minimum=1),
        Column("share_percent", REAL, "their share of the time that was told"),
        Column("mape_percent", REAL, "mean absolute relative error"),
        Column("median_percent", REAL, "median absolute relative error"),
        Column("within10_percent", REAL, "kernels within 10 %"),
        Column("weighted_mape_percent", REAL, "mean absolute relative error, weighted by time"),
        Column("long_mape_percent", REAL, "the mean of those that take 20 µs or more", nullable=True),
        Column("new_mape_percent", REAL, "the mean of those that no training network has", nullable=True),
    ),
    key=("device", "predictor", "kind"),
)

_KERNEL_ERRORS = (
    Column("networks", WHOLE, "networks judged: those of 2 ms and more", minimum=0),
    Column("mape_percent", REAL, "mean absolute relative error of latency, macro-averaged over families"),
    Column("within5_percent", REAL, "networks within 5 %"),
    Column("within10_percent", REAL, "networks within 10 %"),
    Column("within15_percent", REAL, "networks within 15 %"),
)

EVIDENCE = Table(
    "evidence",
    "What each sort of times of kernels is worth: latency of networks whose families were left out, predicted from "
    "kernels alone that were timed in this way.",
    (
        DEVICE,
        Column("evidence", TEXT, "what kernels' times are from: nodes, zoo, synthetic, joined by +"),
        Column("kernels", WHOLE, "kernel configurations with such a time", minimum=0),
        *_KERNEL_ERRORS,
        Column("worst_family", TEXT, "family with the largest error"),
        Column("worst_mape_percent", REAL, "its mean absolute relative error"),
    ),
    key=("device", "evidence"),
)

ABLATION = Table(
    "ablation",
    "What stands in the way of a smaller error: latency of networks whose families were left out, by predictors that "
    "lack something, or know something that nobody can know beforehand, down to the noise of the recording itself.",
    (
        DEVICE,
        Column("variant", TEXT, "what the predictor lacks or knows"),
        *_KERNEL_ERRORS,
        Column("worst_family", TEXT, "family with the largest error"),
        Column("worst_mape_percent", REAL, "its mean absolute relative error"),
    ),
    key=("device", "variant"),
)

LEARNING_CURVE = Table(
    "learning-curve",
    "Error in latency against minutes of measuring kernels alone: how few minutes a new device needs.",
    (
        DEVICE,
        Column("source", TEXT, "where the kernels are from", choices=("zoo", "synthetic", "mixed")),
        Column("choice", TEXT, "which are measured first", choices=("random", "design")),
        Column("kernels", WHOLE, "kernels measured", minimum=1),
        Column("minutes", REAL, "what measuring them took, all passes", minimum=0, unit="min"),
        Column("draws", WHOLE, "random orders that the errors are averaged over", minimum=1),
        *_KERNEL_ERRORS,
        Column("mape_low_percent", REAL, "least error among the draws"),
        Column("mape_high_percent", REAL, "largest error among the draws"),
        Column("near", FLAG, "the error is at most a tenth above that of all kernels of this source"),
    ),
    key=("device", "source", "choice", "kernels"),
)
