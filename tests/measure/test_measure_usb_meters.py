"""USB meters by their vendors' packages, each against a stand-in that speaks as the device does."""

import contextlib
import os
import pty
import struct
import threading
import time
from array import array
from types import SimpleNamespace

import numpy as np
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.measure.meters import open_meter
from edgejoule.measure.meters.stream import Averager
from edgejoule.traces import Rail

MS = 1_000_000


def collect(meter, seconds=0.4):
    """Return rails, values and stamps of what a meter reads in some time; close it."""
    rails = [Rail.from_meta(rail, "test") for rail in meter.rails]
    readings, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        readings += meter.read()
        time.sleep(0.02)
    meter.close()
    names, values, stamps = zip(*readings, strict=True)
    assert set(names) == {rail.name for rail in rails}
    assert (np.diff(stamps) > 0).all()
    return rails, np.array(values), np.array(stamps)


# -- the clock -------------------------------------------------------------------------------------------------------


def test_bursts_are_put_on_a_steady_clock():
    """1 kHz in bursts that are up to 30 ms late: stamps are evenly apart, and late by the least of that."""
    averager = Averager("test", 1000, 500)
    random = np.random.default_rng(0)
    readings = []
    for burst in range(50):
        arrival = 10**9 + (burst + 1) * 10 * MS + (int(random.uniform(1, 30) * MS) if burst else 5 * MS)
        readings += averager.add(np.full(10, float(burst)), arrival)
    stamps = np.array([stamp for _, stamp in readings])
    late = stamps - (10**9 + 2 * MS * np.arange(1, len(stamps) + 1))
    assert (np.diff(stamps)[200:] == 2 * MS).all()
    assert 1 * MS <= late[-1] < 2 * MS
    assert len(readings) == 250 and readings[0][0] == 0 and readings[-1][0] == 49


def test_groups_go_on_from_burst_to_burst():
    averager = Averager("test", 1000, 100)
    values = [reading for size in (7, 7, 16) for reading in averager.add(np.ones(size), 10**9)]
    assert [value for value, _ in values] == [1.0] * 3
    assert averager.add([], 10**9) == []
    assert averager.rail("x")["window_ns"] == 10 * MS


def test_a_stream_cannot_be_read_faster_than_it_is():
    with pytest.raises(EdgejouleError, match="'rate_hz' is 5000, but it samples at 1000 Hz"):
        Averager("test", 1000, 5000)


# -- PPK2: a serial line ---------------------------------------------------------------------------------------------

#: What the kit answers to GET_META_DATA, shortened. Then it sends frames of four bytes: 14 bits of the converter and 3
#: of the range.
METADATA = "Calibrated: 0\nR0: 1031.64\nR4: 0.05\nGS4: 0\nGI4: 1\nO4: 0\nHW: 9173\nIA: 56\nEND"
ADC, RANGE = 1000, 4
AMPERES = 4 * ADC * (1.8 / 163840) / 0.05


class Kit(threading.Thread):
    """The device's side of a serial line."""

    def __init__(self, metadata=METADATA):
        super().__init__(daemon=True)
        self.master, self.slave = pty.openpty()
        self.port, self.metadata, self.commands = os.ttyname(self.slave), metadata, []
        self.streaming, self.ending = False, threading.Event()
        os.set_blocking(self.master, False)

    def run(self):
        frame = struct.pack("<I", ADC | RANGE << 14)
        # An odd first byte count: samples do not come in whole frames.
        pending = b""
        while not self.ending.wait(0.001):
            try:
                command = os.read(self.master, 64)
            except OSError:
                command = b""
            if command:
                self.commands.append(command)
            if command.startswith(b"\x19"):
                os.write(self.master, self.metadata.encode())
            self.streaming = command.endswith(b"\x06") or (self.streaming and command != b"\x07")
            if self.streaming:
                pending += frame * 101
                sent = len(pending) - 3
                with contextlib.suppress(BlockingIOError):
                    pending = pending[os.write(self.master, pending[:sent]) :]

    def close(self):
        self.ending.set()
        self.join()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def kit():
    pytest.importorskip("ppk2_api", reason="needs edgejoule[ppk2]")
    made = Kit()
    made.start()
    yield made
    made.close()


def test_ppk2_gives_current_times_the_declared_voltage(kit):
    meter = open_meter({"kind": "ppk2", "name": kit.port, "volts": 5.0, "rate_hz": 500})
    (rail,), watts, _ = collect(meter)
    assert (rail.quantity, rail.sampling, rail.used) == ("power", "averaged", True)
    assert len(watts) > 10
    assert watts == pytest.approx(5.0 * AMPERES, rel=1e-6)
    sent = b"".join(kit.commands)
    assert b"\x11\x01" in sent and b"\x0c\x01" not in sent, "an ampere meter switches no supply"


def test_ppk2_as_supply_switches_on_and_never_off(kit):
    collect(open_meter({"kind": "ppk2", "name": kit.port, "volts": 3.3, "supplies": True}), 0.1)
    time.sleep(0.05)
    sent = b"".join(kit.commands)
    assert b"\x11\x02" in sent and b"\x0c\x01" in sent and b"\x0c\x00" not in sent
    assert sent.endswith(b"\x07"), "the stream is stopped"


def test_ppk2_says_what_is_missing(kit):
    with pytest.raises(EdgejouleError, match=r"'meter.volts' is None; it measures current"):
        open_meter({"kind": "ppk2", "name": kit.port})
    with pytest.raises(EdgejouleError, match=r"0 kits are connected \(none\)"):
        open_meter({"kind": "ppk2", "volts": 5.0})
    with pytest.raises(EdgejouleError, match="cannot be opened"):
        open_meter({"kind": "ppk2", "volts": 5.0, "name": "/dev/no-such-port"})


def test_ppk2_is_told_from_another_serial_device():
    pytest.importorskip("ppk2_api", reason="needs edgejoule[ppk2]")
    other = Kit(metadata="hello\n")
    other.start()
    try:
        with pytest.raises(EdgejouleError, match="does not answer with a calibration"):
            open_meter({"kind": "ppk2", "volts": 5.0, "name": other.port})
    finally:
        other.close()


# -- Monsoon: a USB device -------------------------------------------------------------------------------------------

#: Values behind the monitor's operation codes: model, firmware, voltage references, scales.
MEMORY = {0x45: 2, 0xC0: 32, 0xC1: 1, 0x89: 0xCC00, 0x88: 0xE000, 0x1A: 36500, 0x1B: 6400}
ZERO, REFERENCE, MEASUREMENT = 0x10, 0x30, 0x00
#: Fine range: 900 counts above zero of 1000 at the reference, that is 0.9 x 36.5 mA; 4.0 V.
MILLIAMPERES, VOLTS = 0.9 * 36500 / 1000, 4.0


def packet(kind, fine):
    """Return a packet of three observations as the monitor sends it: big-endian counts, type in the last byte."""
    counts = struct.pack(">8H", 500, fine, 500, fine, 500, fine, round(VOLTS / 4 / 62.5e-6), 0)
    return array("B", (struct.pack("<HBB", 0, 0, 3) + (counts + bytes([0, kind])) * 3).ljust(64, b"\0"))


class Monitor:
    """A stand-in for pyusb's device."""

    def __init__(self):
        self.sent, self.packets = [], [packet(ZERO, 100)] * 4 + [packet(REFERENCE, 1100)] * 4

    def ctrl_transfer(self, request_type, request, value, index, data, timeout):
        if request_type == 0xC0:
            return struct.pack("<I", MEMORY.get(index & 0xFF, 0))
        self.sent.append((request, index & 0xFF, value))
        return None

    def read(self, endpoint, size, timeout):
        if self.packets:
            return self.packets.pop(0)
        time.sleep(0.0005)
        return packet(MEASUREMENT, 1000)

    def detach_kernel_driver(self, interface):
        pass

    def set_configuration(self):
        pass

    def get_active_configuration(self):
        return {(0, 0): []}


@pytest.fixture
def monitor(monkeypatch):
    pytest.importorskip("Monsoon", reason="needs edgejoule[monsoon]")
    import usb.core
    import usb.util

    device = Monitor()
    monkeypatch.setattr(usb.core, "find", lambda **_: device)
    monkeypatch.setattr(usb.util, "dispose_resources", lambda _: None)
    return device


def test_monsoon_gives_current_times_voltage_and_leaves_the_output_on(monitor):
    (rail,), watts, _ = collect(open_meter({"kind": "monsoon", "volts": 4.0}), 0.6)
    assert (rail.name, rail.sampling, rail.window_ns) == ("main", "averaged", MS)
    assert watts == pytest.approx(MILLIAMPERES * VOLTS / 1000, rel=1e-3)
    assert len(watts) > 100
    voltages = [value for request, code, value in monitor.sent if code == 0x41]
    assert len(voltages) == 1, "the output is set once and never switched off"
    assert monitor.sent[-1][0] == 0x03, "sampling is stopped"


def test_monsoon_that_is_not_there_is_named(monkeypatch):
    pytest.importorskip("Monsoon", reason="needs edgejoule[monsoon]")
    import usb.core

    monkeypatch.setattr(usb.core, "find", lambda **_: None)
    with pytest.raises(EdgejouleError, match="no monitor 12345 is connected by USB"):
        open_meter({"kind": "monsoon", "name": "12345"})


def test_monsoon_that_is_pulled_out_is_an_error(monitor):
    import usb.core

    meter = open_meter({"kind": "monsoon"})
    monitor.read = lambda *_, **__: (_ for _ in ()).throw(usb.core.USBError("no such device"))
    meter.thread.join(5)
    with pytest.raises(EdgejouleError, match=r"does not answer any more: .*no such device"):
        meter.read()
    meter.close()


# -- Joulescope: a driver that publishes -----------------------------------------------------------------------------


class Driver:
    """A stand-in for the driver: one JS220 that draws 2 W, by the messages that the driver documents."""

    paths = ("u/js220/000123",)

    def __init__(self):
        self.published, self.ending = {}, threading.Event()

    def device_paths(self):
        return list(self.paths)

    def open(self, path):
        self.opened = path

    def publish(self, topic, value):
        self.published[topic] = value

    def subscribe(self, topic, flags, function):
        assert self.published[f"{self.opened}/s/stats/ctrl"] == 1 and flags == "pub"
        period = self.published[f"{self.opened}/s/stats/scnt"] / 1e6

        def send():
            count = 0
            while not self.ending.wait(period):
                count += 1
                now = round((time.time() - EPOCH) * 2**30)
                function(
                    topic,
                    {
                        "time": {"utc": {"value": [now - round(period * 2**30), now], "units": "time64"}},
                        "accumulators": {"energy": {"value": 2.0 * count * period, "units": "J"}},
                    },
                )

        self.thread = threading.Thread(target=send, daemon=True)
        self.thread.start()

    def unsubscribe(self, topic, function):
        self.ending.set()
        self.thread.join()

    def close(self, path):
        pass

    def finalize(self):
        self.finalized = True


EPOCH = 1_514_764_800  # 2018-01-01, where the driver's time begins


@pytest.fixture
def joulescope(monkeypatch):
    return pytest.importorskip("edgejoule.measure.meters.joulescope", reason="needs edgejoule[joulescope-live]")


def test_joulescope_counts_energy_on_the_clock_of_the_recording(joulescope):
    meter = joulescope.Joulescope(Driver, None, 50.0)
    (rail,), joules, stamps = collect(meter)
    assert (rail.quantity, rail.sampling) == ("energy", "counter")
    assert len(joules) >= 10 and (np.diff(joules) > 0).all()
    assert abs(stamps[-1] - time.monotonic_ns()) < 0.2e9
    assert meter.driver.published["u/js220/000123/s/stats/scnt"] == 20_000
    assert meter.driver.published["u/js220/000123/s/stats/ctrl"] == 0 and meter.driver.finalized


@pytest.mark.parametrize(
    ("paths", "name", "message"),
    [
        ([], None, "0 instruments fit any name; there: none"),
        (["u/js220/1", "u/js220/2"], None, "2 instruments fit any name"),
        (["u/js220/1"], "7", "0 instruments fit 7; there: u/js220/1"),
        (["u/js110/1"], None, "u/js110/1 is no JS220"),
    ],
)
def test_joulescope_says_what_is_missing(joulescope, monkeypatch, paths, name, message):
    monkeypatch.setattr(Driver, "paths", paths)
    with pytest.raises(EdgejouleError, match=message):
        joulescope.Joulescope(Driver, name, 50.0)


def test_joulescope_that_sends_nothing_is_an_error(joulescope, monkeypatch):
    monkeypatch.setattr(joulescope, "PATIENCE_S", 0.05)
    monkeypatch.setattr(Driver, "subscribe", lambda *_: None)
    with pytest.raises(EdgejouleError, match="sent no value within"):
        joulescope.Joulescope(Driver, None, 50.0)


@pytest.mark.parametrize("kind", ["ppk2", "monsoon", "joulescope"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, kind):
    package = {"ppk2": "serial", "monsoon": "usb", "joulescope": "pyjoulescope_driver"}[kind]
    gone = SimpleNamespace(import_module=lambda _: (_ for _ in ()).throw(ModuleNotFoundError(name=package)))
    monkeypatch.setattr("edgejoule.measure.meters.base.importlib", gone)
    with pytest.raises(EdgejouleError, match=rf"meter '{kind}' needs the package '{package}'; run: pip install"):
        open_meter({"kind": kind})
