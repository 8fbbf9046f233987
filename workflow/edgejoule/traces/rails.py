"""What a rail of a recording reads, and over which time each of its readings speaks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean

QUANTITIES = ("power", "energy")
SAMPLINGS = ("instantaneous", "averaged", "counter")

#: A reading later than this many periods after the one before leaves a gap between them that nothing is known about.
GAP_PERIODS = 3.0
#: Readings beyond this are a damaged file or a wrong unit: a megawatt (W), and what it comes to in thirty years (J).
LARGEST = {"power": 1e6, "energy": 1e15}


@dataclass(frozen=True)
class Rail:
    """One supply rail or counter, as ``recording.json`` lists it under ``rails``.

    Attributes:
        name: as in the column ``rail`` of the trace.
        quantity: ``power`` (column ``power_w``) or ``energy`` (column ``energy_j``, cumulative).
        sampling: ``instantaneous``: the power at the stamp; ``averaged``: the mean since the stamp before (meters that
            give the energy of each period are of this kind); ``counter``: energy since some start.
        period_ns: declared time between readings (ns); None where nobody declared it.
        window_ns: averaging window (ns), where it is not the period.
        observed_period_ns: median time between readings (ns); of a counter, between its updates.
        wrap_j: value at which a counter starts again from 0 (J).
        used: whether the rail counts in the energy of events. Two views of one supply must not both count.
        resolution_w: smallest step of the reading (W).
        accuracy_percent: the meter's stated accuracy (% of reading).
        unit: unit of the source before conversion to W or J.
    """

    name: str
    quantity: str
    sampling: str
    period_ns: int | None = None
    window_ns: int | None = None
    observed_period_ns: int | None = None
    wrap_j: float | None = None
    used: bool = True
    resolution_w: float | None = None
    accuracy_percent: float | None = None
    unit: str | None = None

    @property
    def column(self) -> str:
        """The trace's column that holds the readings."""
        return "power_w" if self.quantity == "power" else "energy_j"

    @property
    def reading_ns(self) -> int:
        """Time that one reading speaks for (ns): the larger of declared and observed period, and averaging window."""
        return max(self.period_ns or 0, self.observed_period_ns or 0, self.window_ns or 0)

    @property
    def gap_ns(self) -> float:
        """Time between readings (ns) above which nothing is known of the power between them."""
        return GAP_PERIODS * self.reading_ns

    def to_meta(self) -> dict:
        """Return the rail for ``recording.json``, without what is not known."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_meta(cls, meta: Mapping, where: str) -> "Rail":
        """Return the rail that ``recording.json`` describes.

        Raises:
            EdgejouleError: a key is unknown or missing, or quantity and sampling do not fit each other.
        """
        valid = [field.name for field in fields(cls)]
        for key in meta:
            if key not in valid:
                raise EdgejouleError(f"{where}: a rail has the unknown key '{key}'; {did_you_mean(key, valid)}")
        for key in ("name", "quantity", "sampling"):
            if key not in meta:
                raise EdgejouleError(f"{where}: a rail lacks the key '{key}'")
        rail = cls(**meta)
        for key, value, words in (("quantity", rail.quantity, QUANTITIES), ("sampling", rail.sampling, SAMPLINGS)):
            if value not in words:
                raise EdgejouleError(f"{where}: rail '{rail.name}': {key} is '{value}'; {did_you_mean(value, words)}")
        if (rail.quantity == "energy") != (rail.sampling == "counter"):
            raise EdgejouleError(f"{where}: rail '{rail.name}': a rail of energy is a counter, one of power is not")
        return rail


def with_observed_period(rail: Rail, t_ns: np.ndarray, values: np.ndarray) -> Rail:
    """Return the rail with the median time between these readings, where it states none.

    A counter that is read more often than it is updated stands still in between: the time between its updates is what
    a reading of it speaks for, whatever the rail states, if that is longer.
    """
    counter = rail.sampling == "counter"
    if rail.observed_period_ns is not None and not counter:
        return rail
    if counter:
        t_ns, values = t_ns[~np.isnan(values)], values[~np.isnan(values)]
        t_ns = t_ns[np.diff(values, prepend=np.nan) != 0]
    if len(t_ns) < 2:
        return rail
    return replace(rail, observed_period_ns=max(int(np.median(np.diff(t_ns))), rail.observed_period_ns or 0))


def check_magnitude(rail: Rail, values: np.ndarray, before: int, where: str) -> None:
    """Stop where a reading is larger than any device's power or energy can be; what is infinite is a lost reading.

    Args:
        rail: what the readings are of.
        values: readings (W or J).
        before: number of readings before them, for the message.
        where: the file, for the message.

    Raises:
        EdgejouleError: names the first such reading.
    """
    most = LARGEST[rail.quantity]
    wrong = np.abs(values) > most
    if wrong.any() and (wrong := wrong & np.isfinite(values)).any():
        at, unit = int(np.argmax(wrong)), "W" if rail.quantity == "power" else "J"
        raise EdgejouleError(
            f"{where}: reading {before + at + 1} of rail '{rail.name}' is {values[at]:.3g} {unit}; above {most:.0e} "
            f"{unit} it is no reading of a device: repair the file, or state the right unit"
        )
