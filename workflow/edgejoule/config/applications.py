"""What may stand in ``config/applications.yaml``: the application-level dataset, and how devices are scored."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

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


class Battery(Model):
    """A battery and how hard it is used, to say energies in a user's terms."""

    capacity_wh: PositiveFloat = Field(17.3, description="Capacity (Wh).")
    rate_hz: PositiveFloat = Field(1.0, description="Inferences a second (Hz).")
    source: str = Field("4500 mAh at 3.85 V, a common phone battery", description="Where the capacity is from.")


class Grid(Model):
    """The electricity that pays for inferences."""

    intensity_g_per_kwh: NonNegativeFloat = Field(436.0, description="Carbon intensity (g CO2 per kWh).")
    source: str = Field("Ember, Global Electricity Review 2023: world mean of 2022", description="Where it is from.")


class Applications(Model):
    """applications.yaml: the application-level dataset, and how devices are scored."""

    default_application: str = Field("image classification", description="Application of a family not listed.")
    families: dict[str, str] = Field({}, description="Application of each family.")
    published: list[PublishedTables] = Field([], description="Figures typed in from publications.")
    references: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(
        {}, description="League: the devices whose median, pair by pair, is 100; default its first device by name."
    )
    excluded: dict[str, dict[str, str]] = Field(
        {}, description="League: networks that are no pair in it, each with the reason."
    )
    weights: Literal[WEIGHTS] = Field("use-case", description="What counts the same: see docs/scores.md.")
    application_weights: dict[str, NonNegativeFloat] = Field(
        {}, description="Applications that count more or less than others; 1 for those not named."
    )
    factor: float = Field(1.5, gt=1, description="A pair further than this from the typical ratio is cut to it.")
    spread: dict[Literal[ORIGINS], Share] = Field(
        dict.fromkeys(ORIGINS, 0.05), description="Least relative standard deviation of a figure, by origin."
    )
    labels: dict[Annotated[str, Field(pattern="^[A-Y]$")], PositiveFloat] = Field(
        {"A": 200, "B": 141, "C": 100, "D": 71, "E": 50, "F": 35},
        min_length=1,
        description="Least score of each letter; the letter after the last is for all below.",
    )
    battery: Battery = Battery()
    grid: Grid = Grid()
    settled: float = Field(0.95, gt=0.5, lt=1, description="Probability from which a rank is settled.")

    @model_validator(mode="after")
    def _letters_fall(self) -> "Applications":
        letters = sorted(self.labels)
        if letters != [chr(ord("A") + place) for place in range(len(letters))]:
            raise ValueError(f"labels should be letters from A without a gap, not {', '.join(letters)}")
        least = [self.labels[letter] for letter in letters]
        if any(low >= high for high, low in pairwise(least)):
            raise ValueError("labels should have thresholds that fall from A on")
        return self


def load_applications(path: Path | str) -> Applications:
    """Read and check ``config/applications.yaml``."""
    return check(Applications, read_yaml(path), str(path))
