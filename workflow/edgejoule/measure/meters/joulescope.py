"""Joulescope JS220, by the package ``pyjoulescope_driver``: the instrument's own energy counter.

The instrument integrates power at a million samples a second and sends its accumulator some times a second, with the
time that it belongs to, which the driver keeps in step with this machine's clock.
"""

import time
from collections import deque
from collections.abc import Mapping

import pyjoulescope_driver
from pyjoulescope_driver import time64

from edgejoule.errors import EdgejouleError
from edgejoule.measure.meters.stream import POLL_HZ

SAMPLE_HZ = 1_000_000
RATE_HZ = 50.0
#: Longest wait for the first value (s).
PATIENCE_S = 5.0
NS_PER_S = 1_000_000_000


def open(settings: Mapping) -> "Joulescope":
    """Return the instrument of the path or serial number ``name``, or the only one that is connected."""
    return Joulescope(pyjoulescope_driver.Driver, settings.get("name"), settings.get("rate_hz") or RATE_HZ)


class Joulescope:
    """One instrument. ``driver`` is the package's class, or a stand-in of the same interface."""

    rate_hz = POLL_HZ

    def __init__(self, driver, name: str | None, rate_hz: float) -> None:
        self.values: deque = deque()
        # The instrument stamps in UTC; the recording's clock is monotonic.
        self.shift_ns = time.monotonic_ns() - time.time_ns()
        try:
            self.driver = driver()
        except (RuntimeError, TimeoutError) as error:
            raise EdgejouleError(f"meter 'joulescope': the driver does not start: {error}") from error
        try:
            self.path = self._find(name)
            self.driver.open(self.path)
            self.driver.publish(f"{self.path}/s/i/range/mode", "auto")
            self.driver.publish(f"{self.path}/s/stats/scnt", round(SAMPLE_HZ / rate_hz))
            self.driver.publish(f"{self.path}/s/stats/ctrl", 1)
            self.driver.subscribe(f"{self.path}/s/stats/value", "pub", self._take)
            self._wait()
        except (RuntimeError, TimeoutError) as error:
            self.driver.finalize()
            raise EdgejouleError(f"meter 'joulescope': the instrument does not answer: {error}") from error
        except EdgejouleError:
            self.driver.finalize()
            raise
        counter = {"quantity": "energy", "sampling": "counter", "unit": "J", "used": True}
        self.rails = ({"name": "energy", **counter, "period_ns": round(NS_PER_S / rate_hz)},)

    def _find(self, name: str | None) -> str:
        paths = self.driver.device_paths()
        chosen = [path for path in paths if name is None or name in (path, path.rpartition("/")[2])]
        there = ", ".join(paths) or "none"
        if len(chosen) != 1:
            raise EdgejouleError(
                f"meter 'joulescope': {len(chosen)} instruments fit {name or 'any name'}; there: {there}; name one in "
                "'meter.name'"
            )
        if "js220" not in chosen[0].lower():
            raise EdgejouleError(
                f"meter 'joulescope': {chosen[0]} is no JS220; record it with the vendor's program and replay the file"
            )
        return chosen[0]

    def _take(self, topic: str, value: Mapping) -> None:
        end = value["time"]["utc"]["value"][1]
        stamp = round((end / time64.SECOND + time64.EPOCH) * NS_PER_S) + self.shift_ns
        self.values.append((value["accumulators"]["energy"]["value"], stamp))

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self.values:
            if time.monotonic() > end:
                raise EdgejouleError(f"meter 'joulescope': {self.path} sent no value within {PATIENCE_S:.0f} s")
            time.sleep(0.01)

    def read(self) -> list[tuple[str, float, int]]:
        """Return the accumulator (J) as often as it came since the last call."""
        return [("energy", *self.values.popleft()) for _ in range(len(self.values))]

    def close(self) -> None:
        """Stop the statistics and let go of the instrument."""
        self.driver.unsubscribe(f"{self.path}/s/stats/value", self._take)
        self.driver.publish(f"{self.path}/s/stats/ctrl", 0)
        self.driver.close(self.path)
        self.driver.finalize()
