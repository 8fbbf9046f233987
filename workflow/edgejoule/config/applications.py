"""What may stand in ``config/applications.yaml``: the application-level dataset, and how devices are scored."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat

from edgejoule.config.load import check, read_yaml
from edgejoule.config.models import CLASSES, Model, Share
from edgejoule.tables.vocabulary import ORIGINS, POWER_SCOPES

WEIGHTS = ("use-case", "application", "network", "pair")


class PublishedTables(Model):
    """Tables typed in from a publication, one column per device and one row per network and delegate."""

    device_class: Literal[CLASSES] = Field(alias="class")
    power_scope: Literal[POWER_SCOPES]
    power: str = Field(description="CSV of average power (W).")
    energy: str = Field(description="CSV of energy per inference (J), same rows and columns; empty = could not run.")
    devices: str = Field(description="CSV of the devices: thermal design power, published scores.")
    networks: str = Field(description="CSV of the networks: application, architecture, precision.")


class Applications(Model):
    """applications.yaml: the application-level dataset, and how devices are scored."""

    default_application: str = Field("image classification", description="Application of a family not listed.")
    families: dict[str, str] = Field({}, description="Application of each family.")
    published: list[PublishedTables] = Field([], description="Figures typed in from publications.")
    references: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(
        {}, description="League: the devices whose median, pair by pair, is 100; default its first device by name."
    )
    weights: Literal[WEIGHTS] = Field("use-case", description="What counts the same: see docs/scores.md.")
    application_weights: dict[str, NonNegativeFloat] = Field(
        {}, description="Applications that count more or less than others; 1 for those not named."
    )
    factor: float = Field(1.5, gt=1, description="A pair further than this from the typical ratio is cut to it.")
    spread: dict[Literal[ORIGINS], Share] = Field(
        dict.fromkeys(ORIGINS, 0.05), description="Least relative standard deviation of a figure, by origin."
    )
    settled: float = Field(0.95, gt=0.5, lt=1, description="Probability from which a rank is settled.")


def load_applications(path: Path | str) -> Applications:
    """Read and check ``config/applications.yaml``."""
    return check(Applications, read_yaml(path), str(path))
