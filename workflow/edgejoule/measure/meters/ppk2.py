"""Nordic's Power Profiler Kit II, by the package ``ppk2-api``: current at 100 kHz, times the declared voltage.

The kit has no voltmeter: power is its current times ``volts``. As an ampere meter it stands in the supply of the
device; with ``supplies: true`` it is the supply, is switched on when it is opened, and stays on, so that the device
keeps running between measurements.
"""

import time
from collections.abc import Mapping

import serial
from ppk2_api.ppk2_api import PPK2_API
from serial.tools import list_ports

from edgejoule.errors import EdgejouleError
from edgejoule.measure.meters.stream import POLL_HZ, Averager

SAMPLE_HZ = 100_000
SAMPLE_BYTES = 4
W_PER_UA_V = 1e-6
#: What the kit can supply and be told to expect (V).
VOLTS = (0.8, 5.0)


def open(settings: Mapping) -> "Ppk2":
    """Return the kit at the serial port ``name``, or the only one that is connected."""
    volts = settings.get("volts")
    if volts is None or not VOLTS[0] <= volts <= VOLTS[1]:
        raise EdgejouleError(
            f"meter 'ppk2': 'meter.volts' is {volts}; it measures current, so give the voltage of the supply, "
            f"{VOLTS[0]} to {VOLTS[1]} V"
        )
    return Ppk2(_port(settings.get("name")), volts, bool(settings.get("supplies")), settings.get("rate_hz"))


def _port(name: str | None) -> str:
    found = sorted(port.device for port in list_ports.comports() if port.product == "PPK2")
    if name:
        return name
    if len(found) != 1:
        there = ", ".join(found) or "none"
        raise EdgejouleError(f"meter 'ppk2': {len(found)} kits are connected ({there}); name one in 'meter.name'")
    return found[0]


class Ppk2:
    """One kit, streaming."""

    rate_hz = POLL_HZ

    def __init__(self, port: str, volts: float, supplies: bool, rate_hz: float | None) -> None:
        self.port, self.volts, self.rest = port, volts, b""
        self.averager = Averager("ppk2", SAMPLE_HZ, rate_hz)
        try:
            self.kit = PPK2_API(port, timeout=1, write_timeout=1)
        except serial.SerialException as error:
            raise EdgejouleError(f"meter 'ppk2': {port} cannot be opened: {error}") from error
        if not self.kit.get_modifiers():
            self.kit.ser.close()
            raise EdgejouleError(f"meter 'ppk2': {port} does not answer with a calibration; is it the kit?")
        if supplies:
            self.kit.use_source_meter()
        else:
            self.kit.use_ampere_meter()
        self.kit.set_source_voltage(round(1000 * volts))
        if supplies:
            self.kit.toggle_DUT_power("ON")
        self.kit.start_measuring()
        self.rails = (self.averager.rail("current x volts"),)

    def read(self) -> list[tuple[str, float, int]]:
        """Return the power (W) of what has come since the last call."""
        try:
            data = self.rest + self.kit.get_data()
        except (OSError, serial.SerialException) as error:
            raise EdgejouleError(f"meter 'ppk2': {self.port} does not answer any more: {error}") from error
        now = time.monotonic_ns()
        # The package takes whole samples only.
        whole = len(data) - len(data) % SAMPLE_BYTES
        self.rest = data[whole:]
        if not whole:
            return []
        microamperes, _ = self.kit.get_samples(data[:whole])
        watts = [value * W_PER_UA_V * self.volts for value in microamperes]
        return [("current x volts", value, stamp) for value, stamp in self.averager.add(watts, now)]

    def close(self) -> None:
        """Stop the stream; a supply stays on."""
        self.kit.stop_measuring()
        self.kit.ser.close()
