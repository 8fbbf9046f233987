"""Tables of predicted against measured."""

from edgejoule.tables.contracts.columns import BOARD, DEVICE, FAMILY, METRIC, NETWORK, ORIGIN, PREDICTOR, PROTOCOL
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
