"""Columns that several tables share."""

from edgejoule.tables import vocabulary as words
from edgejoule.tables.schema import REAL, TEXT, Column

DEVICE = Column("device", TEXT, "processor, runtime with its settings and source of measurements, named once")
BOARD = Column("board", TEXT, "physical hardware; two runtimes on one board are two devices and one board")
NETWORK = Column("network", TEXT, "network, unique within a device")
FAMILY = Column("family", TEXT, "published architecture line; left out together in validation")
PRECISION = Column("precision", TEXT, "precision of the weights", choices=words.PRECISIONS)
RUNTIME = Column("runtime", TEXT, "inference runtime")
ORIGIN = Column("origin", TEXT, "where power and energy are from", choices=words.ORIGINS)
POWER_SCOPE = Column("power_scope", TEXT, "what the meter saw", choices=words.POWER_SCOPES)
LICENCE = Column(
    "licence", TEXT, "licence of the pretrained weights; null = their publisher states none", nullable=True
)
METRIC = Column("metric", TEXT, "what is predicted", choices=words.METRICS)
PREDICTOR = Column("predictor", TEXT, "who predicts", choices=words.PREDICTORS)
PROTOCOL = Column("protocol", TEXT, "what was left out of training", choices=words.PROTOCOLS)
METHOD = Column("method", TEXT, "how the choice is made", choices=words.METHODS)
LOWER, UPPER = (
    Column(name, REAL, f"{name} end of the 90 % interval; null = none is stated", nullable=True, unit="the metric's")
    for name in ("lower", "upper")
)
