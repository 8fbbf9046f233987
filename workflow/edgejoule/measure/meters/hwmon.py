"""Power sensors under Linux's hwmon: INA219, INA3221 (Jetson), INA238, SCMI and others.

A channel has ``power<n>_input`` (uW), or voltage and current, of which power is the product (INA3221: ``in<n>_input``
in mV and ``curr<n>_input`` in mA, n = 1 to 3; behind them stand the shunts' voltages and the sum of the currents:
kernel documentation hwmon/ina3221).
"""

from collections.abc import Mapping
from pathlib import Path

from edgejoule.errors import EdgejouleError
from edgejoule.jetson import counted
from edgejoule.measure.meters.sysfs import Number, read_text
from edgejoule.names import did_you_mean

RATE_HZ = 50.0
W_PER_UW = 1e-6
NS_PER_MS = 1_000_000
#: Channels of a sensor whose further files are something else: ``curr4`` is no current at the voltage ``in4``.
CHANNELS = {"ina3221": ("1", "2", "3")}


def open(settings: Mapping) -> "Hwmon":
    """Return a meter of the sensors below ``root``/sys/class/hwmon, or of the one that ``name`` says."""
    return Hwmon(Path(settings.get("root", "/")), settings.get("rate_hz") or RATE_HZ, settings.get("name"))


class Hwmon:
    """One rail per channel, named ``<sensor>:<label>``.

    All rails count in the energy of events, unless one is labelled as the total input of the board: then it is the only
    one that does, since the others are views into it (``edgejoule.jetson``).
    """

    def __init__(self, root: Path, rate_hz: float, sensor: str | None) -> None:
        self.rate_hz = rate_hz
        folder = root / "sys/class/hwmon"
        self.channels: dict[str, tuple[Number, ...]] = {}
        rails, seen = [], []
        for path in sorted(folder.glob("hwmon*")):
            name = read_text(path / "name") or path.name
            channels = _channels(path, CHANNELS.get(name))
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
        labels = [rail["name"].split(":", 1)[1].upper() for rail in rails]
        used = counted(labels)
        self.rails = tuple(rail | {"used": label in used} for rail, label in zip(rails, labels, strict=True))

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


def _channels(path: Path, numbers: tuple[str, ...] | None) -> dict[str, tuple[Path, ...]]:
    """Return the files of each channel's power by its label: one file of power, or two of voltage and current.

    Of voltages and currents, only the channels of these numbers are taken where some are given.
    """
    channels = {}
    for file in sorted(path.glob("power[0-9]*_input")):
        number = file.name.removeprefix("power").removesuffix("_input")
        channels[read_text(path / f"power{number}_label") or f"power{number}"] = (file,)
    if channels:
        return channels
    for file in sorted(path.glob("curr[0-9]*_input")):
        number = file.name.removeprefix("curr").removesuffix("_input")
        voltage = path / f"in{number}_input"
        if voltage.exists() and (numbers is None or number in numbers):
            channels[read_text(path / f"in{number}_label") or f"channel{number}"] = (voltage, file)
    return channels
