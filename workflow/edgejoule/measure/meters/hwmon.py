"""Power sensors under Linux's hwmon: INA219, INA3221 (Jetson), INA238, SCMI and others.

A channel has ``power<n>_input`` (uW), or voltage and current, of which power is the product (INA3221: ``in<n>_input``
in mV and ``curr<n>_input`` in mA, kernel documentation hwmon/ina3221).
"""

from collections.abc import Mapping
from pathlib import Path

from edgejoule.errors import EdgejouleError
from edgejoule.measure.meters.sysfs import Number, read_text
from edgejoule.names import did_you_mean

RATE_HZ = 50.0
W_PER_UW = 1e-6
NS_PER_MS = 1_000_000


def open(settings: Mapping) -> "Hwmon":
    """Return a meter of the sensors below ``root``/sys/class/hwmon, or of the one that ``name`` says."""
    return Hwmon(Path(settings.get("root", "/")), settings.get("rate_hz") or RATE_HZ, settings.get("name"))


class Hwmon:
    """One rail per channel, named ``<sensor>:<label>``.

    All rails count in the energy of events, unless one is labelled as the total input of the board (``VDD_IN``): then
    it is the only one that does, since the others are views into it.
    """

    def __init__(self, root: Path, rate_hz: float, sensor: str | None) -> None:
        self.rate_hz = rate_hz
        folder = root / "sys/class/hwmon"
        self.channels: dict[str, tuple[Number, ...]] = {}
        rails, seen = [], []
        for path in sorted(folder.glob("hwmon*")):
            name = read_text(path / "name") or path.name
            channels = _channels(path)
            if channels:
                seen.append(name)
            if not channels or (sensor and name != sensor):
                continue
            update = read_text(path / "update_interval")
            for label, files in channels.items():
                rail = f"{name}:{label}"
                if rail in self.channels:
                    rail = f"{name}:{label}@{path.name}"
                self.channels[rail] = tuple(map(Number, files))
                rails.append(
                    {
                        "name": rail,
                        "quantity": "power",
                        "sampling": "instantaneous",
                        "period_ns": int(1e9 / rate_hz),
                        "unit": "uW" if len(files) == 1 else "mV x mA",
                    }
                    | ({"window_ns": int(update) * NS_PER_MS} if update and update.isdigit() else {})
                )
        if not rails:
            there = did_you_mean(sensor, seen) if sensor and seen else "no sensor of power is there"
            raise EdgejouleError(f"{folder}: cannot read power{f' of {sensor!r}' if sensor else ''}; {there}")
        inputs = [rail["name"] for rail in rails if rail["name"].split(":")[1].upper() == "VDD_IN"]
        self.rails = tuple(rail | {"used": not inputs or rail["name"] in inputs} for rail in rails)

    def read(self) -> list[tuple[str, float, None]]:
        """Return the power of each channel (W)."""
        readings = []
        for rail, factors in self.channels.items():
            value = 1
            for factor in factors:
                value *= factor.read()
            # mV x mA is uW, too.
            readings.append((rail, value * W_PER_UW, None))
        return readings

    def close(self) -> None:
        """Close the channels' files."""
        for factors in self.channels.values():
            for factor in factors:
                factor.close()


def _channels(path: Path) -> dict[str, tuple[Path, ...]]:
    """Return the files of each channel's power by its label: one file of power, or two of voltage and current."""
    channels = {}
    for file in sorted(path.glob("power[0-9]*_input")):
        number = file.name.removeprefix("power").removesuffix("_input")
        channels[read_text(path / f"power{number}_label") or f"power{number}"] = (file,)
    if channels:
        return channels
    for file in sorted(path.glob("curr[0-9]*_input")):
        number = file.name.removeprefix("curr").removesuffix("_input")
        voltage = path / f"in{number}_input"
        if voltage.exists():
            channels[read_text(path / f"in{number}_label") or f"channel{number}"] = (voltage, file)
    return channels
