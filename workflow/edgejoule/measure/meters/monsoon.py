"""Monsoon's High Voltage Power Monitor, by the vendor's package ``Monsoon``: current and voltage at 5 kHz.

The monitor is the device's supply. ``volts`` sets its main output when it is opened, and nothing switches it off, so
that the device keeps running between measurements.
"""

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping

import usb.core
import usb.util
from Monsoon import HVPM, sampleEngine
from Monsoon.sampleEngine import channels

from edgejoule.errors import EdgejouleError
from edgejoule.measure.meters.stream import POLL_HZ, Averager

SAMPLE_HZ = 5000
#: Samples that are taken over at a time; the package drops a packet of three between two blocks, and calibrates.
BLOCK = 500
W_PER_MA_V = 1e-3
#: Longest wait for the first block, calibration included (s).
PATIENCE_S = 10.0


def open(settings: Mapping) -> "Monsoon":
    """Return the monitor of the serial number ``name``, or the first one."""
    monitor = HVPM.Monsoon()
    # The package prints what it finds odd; the sampler's own output is a protocol.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            monitor.setup_usb(settings.get("name"))
        except (usb.core.NoBackendError, usb.core.USBError, ValueError) as error:
            raise EdgejouleError(f"meter 'monsoon': the monitor cannot be opened: {error}") from error
    if monitor.Protocol.DEVICE is None:
        raise EdgejouleError(
            f"meter 'monsoon': no monitor{' ' + settings['name'] if settings.get('name') else ''} is connected by USB"
        )
    return Monsoon(monitor, settings.get("volts"), settings.get("rate_hz"))


class Monsoon:
    """One monitor, sampling on a thread of its own."""

    rate_hz = POLL_HZ

    def __init__(self, monitor, volts: float | None, rate_hz: float | None) -> None:
        self.monitor, self.blocks = monitor, deque()
        self.error: Exception | None = None
        self.averager = Averager("monsoon", SAMPLE_HZ, rate_hz, gapless=False)
        self.rails = (self.averager.rail("main"),)
        self.ending = threading.Event()
        with contextlib.redirect_stdout(sys.stderr):
            try:
                if volts is not None:
                    monitor.setVout(volts)
                self.engine = sampleEngine.SampleEngine(monitor)
                self.engine.ConsoleOutput(False)
                started = self.engine.periodicStartSampling()
            except (usb.core.USBError, ValueError) as error:
                raise EdgejouleError(f"meter 'monsoon': the monitor does not start: {error}") from error
        if started is False:
            raise EdgejouleError("meter 'monsoon': the monitor did not calibrate; is its output on?")
        self.thread = threading.Thread(target=self._collect, daemon=True)
        self.thread.start()
        end = time.monotonic() + PATIENCE_S
        while not self.blocks and self.error is None:
            if time.monotonic() > end:
                self.close()
                raise EdgejouleError(f"meter 'monsoon': no sample came within {PATIENCE_S:.0f} s")
            time.sleep(0.01)

    def _collect(self) -> None:
        try:
            while not self.ending.is_set():
                samples = self.engine.periodicCollectSamples(BLOCK)
                currents, voltages = (samples[channel] for channel in (channels.MainCurrent, channels.MainVoltage))
                watts = [current * W_PER_MA_V * volts for current, volts in zip(currents, voltages, strict=True)]
                self.blocks.append((watts, time.monotonic_ns()))
        except (usb.core.USBError, ValueError) as error:
            self.error = error

    def read(self) -> list[tuple[str, float, int]]:
        """Return the power (W) of the blocks that have come since the last call."""
        readings = []
        for _ in range(len(self.blocks)):
            watts, arrival = self.blocks.popleft()
            readings += [("main", value, stamp) for value, stamp in self.averager.add(watts, arrival)]
        if self.error is not None or not self.thread.is_alive():
            reason = self.error or "the package's sampling ended"
            raise EdgejouleError(f"meter 'monsoon': the monitor does not answer any more: {reason}")
        return readings

    def close(self) -> None:
        """Stop sampling; the output stays on."""
        self.ending.set()
        self.thread.join(PATIENCE_S)
        with contextlib.redirect_stdout(sys.stderr):
            self.engine.periodicStopSampling()
        usb.util.dispose_resources(self.monitor.Protocol.DEVICE)
