"""Meters that send a steady stream of samples in bursts: their clock rebuilt, and samples averaged to a given rate.

What a host can see is when a burst came, not when its samples were taken. A sample's own time is its number times the
period, counted from an origin; each burst says that the origin is no later than its arrival minus that, so the earliest
origin that any burst gives is the best. Where samples are lost between bursts, each burst has an origin of its own.
"""

from collections.abc import Sequence

import numpy as np

from edgejoule.errors import EdgejouleError

NS_PER_S = 1_000_000_000
#: What the sampler asks streaming meters for new bursts at.
POLL_HZ = 20.0
#: Readings a second that a stream is averaged to.
RATE_HZ = 1000.0


class Averager:
    """Samples of power in, readings out: the mean of each whole group of samples, stamped with the group's end.

    Args:
        meter: its kind, for messages.
        sample_hz: rate of the stream.
        rate_hz: wanted rate of readings; the nearest whole share of the stream's is taken.
        gapless: whether no sample is lost between two bursts.
    """

    def __init__(self, meter: str, sample_hz: float, rate_hz: float | None, gapless: bool = True) -> None:
        wanted = rate_hz or RATE_HZ
        if wanted > sample_hz:
            raise EdgejouleError(f"meter '{meter}': 'rate_hz' is {wanted:g}, but it samples at {sample_hz:g} Hz")
        self.group = max(1, round(sample_hz / wanted))
        self.period_ns = NS_PER_S / sample_hz
        self.count, self.gapless = 0, gapless
        self.origin_ns: float | None = None
        self.last_ns = -1
        self.rest = np.empty(0)

    def rail(self, name: str) -> dict:
        """Return the rail that the readings are of."""
        window = round(self.group * self.period_ns)
        averaged = {"quantity": "power", "sampling": "averaged", "unit": "W", "used": True}
        return {"name": name, **averaged, "period_ns": window, "window_ns": window}

    def add(self, watts: Sequence[float], arrival_ns: int) -> list[tuple[float, int]]:
        """Return the readings (W, time in ns) that these samples, which came at ``arrival_ns``, complete."""
        if not len(watts):
            return []
        samples = np.concatenate([self.rest, np.asarray(watts, float)])
        first = self.count - len(self.rest)
        self.count += len(watts)
        origin = arrival_ns - self.count * self.period_ns
        known = self.gapless and self.origin_ns is not None
        self.origin_ns = min(self.origin_ns, origin) if known else origin
        whole = len(samples) // self.group
        means = samples[: whole * self.group].reshape(whole, self.group).mean(axis=1)
        self.rest = samples[whole * self.group :]
        readings = []
        for index, mean in enumerate(means):
            end = self.origin_ns + (first + (index + 1) * self.group) * self.period_ns
            # An earlier origin may not turn time back.
            self.last_ns = max(int(end), self.last_ns + 1)
            readings.append((float(mean), self.last_ns))
        return readings
