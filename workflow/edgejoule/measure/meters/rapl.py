"""RAPL: the processor's own energy counters, by Linux's powercap (also on AMD since Zen)."""

from collections.abc import Mapping
from pathlib import Path

from edgejoule.errors import EdgejouleError
from edgejoule.measure.meters.sysfs import Number, read_number, read_text

#: The counters are updated about every millisecond (Intel SDM, volume 3B, 16.10.3), so 100 Hz misses nothing.
RATE_HZ = 100.0
J_PER_UJ = 1e-6


def open(settings: Mapping) -> "Rapl":
    """Return a meter of all domains below ``root``/sys/class/powercap."""
    return Rapl(Path(settings.get("root", "/")), settings.get("rate_hz") or RATE_HZ)


class Rapl:
    """One counter per domain. Only packages count in the energy of events: core and uncore are views into them."""

    def __init__(self, root: Path, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        folder = root / "sys/class/powercap"
        domains = [path for path in sorted(folder.glob("*-rapl:*")) if (path / "energy_uj").exists()]
        if not domains:
            raise EdgejouleError(f"{folder}: no RAPL domain here; load the module intel_rapl_msr, or use another meter")
        self.counters: dict[str, Counter] = {}
        rails = []
        for path in domains:
            name = read_text(path / "name") or path.name
            # Several packages have a core each, so a name alone is not unique.
            unique = name if name not in self.counters else f"{name}@{path.name}"
            counter = self.counters[unique] = Counter(path)
            rails.append(
                {
                    "name": unique,
                    "quantity": "energy",
                    "sampling": "counter",
                    "period_ns": int(1e9 / rate_hz),
                    "wrap_j": counter.range_uj * J_PER_UJ,
                    "used": name.startswith("package"),
                    "unit": "uJ",
                }
            )
        self.rails = tuple(rails)

    def read(self) -> list[tuple[str, float, None]]:
        """Return the counters (J) as they stand, wrapped where they wrapped: the integration undoes it."""
        return [(name, counter.read_uj() * J_PER_UJ, None) for name, counter in self.counters.items()]

    def close(self) -> None:
        """Close the counters' files."""
        for counter in self.counters.values():
            counter.number.close()


class Counter:
    """The counter of one domain (uJ), and the range in which it counts."""

    def __init__(self, domain: Path) -> None:
        self.range_uj = read_number(domain / "max_energy_range_uj")
        self.number = Number(domain / "energy_uj")
        self.last_uj = 0

    def read_uj(self) -> int:
        """Return the counter.

        Raises:
            EdgejouleError: it cannot be read, or was set back: it is lower than before, by less than half its range.
        """
        now = self.number.read()
        if 0 < self.last_uj - now < self.range_uj // 2:
            raise EdgejouleError(
                f"{self.number.path}: the counter went back from {self.last_uj} to {now} uJ, far from where it wraps"
            )
        self.last_uj = now
        return now
