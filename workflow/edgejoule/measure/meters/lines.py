"""Meters that are programs and print lines: any program (``command``), and Jetson's ``tegrastats``."""

import math
import selectors
import shlex
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from edgejoule.errors import EdgejouleError
from edgejoule.jetson import counted, rails_in

#: How often the lines that have come are taken over; each carries its own stamp.
POLL_HZ = 20.0
#: Longest wait for a line, or this many times the declared period, if that is longer (s).
PATIENCE_S = 10.0
PATIENCE_PERIODS = 3
#: A program that has closed its output is given this long to end with a status (s).
LAST_WORDS_S = 1.0
#: More bytes than this without the end of a line are no reading.
LONGEST_LINE = 4096
NS_PER_S = 1_000_000_000

TEGRA_MS = 100


def open(settings: Mapping) -> "Lines":
    """Return the meter of a device file: its ``command``, or tegrastats."""
    if settings["kind"] == "tegrastats":
        rate = settings.get("rate_hz") or 1000 / TEGRA_MS
        command = shlex.split(settings.get("command") or "tegrastats")
        return Lines([*command, "--interval", str(round(1000 / rate))], tegrastats, rate)
    if not settings.get("command"):
        raise EdgejouleError(
            "meter 'command': key 'meter.command' is missing; it names the program that prints readings"
        )
    return Lines(shlex.split(settings["command"]), StampedWatts(), settings.get("rate_hz"))


class StampedWatts:
    """Lines of ``timestamp,watts`` on the program's own clock, in seconds, put on the monotonic clock of this machine.

    The shift between the two clocks is how far the first line came behind its stamp, so a program should print each
    line as soon as it has read it (no buffering).
    """

    def __init__(self) -> None:
        self.shift_ns: int | None = None
        self.last_ns = -1

    def __call__(self, line: str, now_ns: int) -> list[tuple[str, float, int]]:
        """Return the reading in a line."""
        try:
            stamp, watts = (float(part) for part in line.split(","))
        except ValueError:
            stamp = watts = math.nan
        if not (math.isfinite(stamp) and math.isfinite(watts)):
            raise EdgejouleError(
                f"meter 'command': printed '{line.strip()[:60]}'; each line is two numbers, the time in seconds and "
                "the power in watts, such as '12.50,3.71', and there is no heading"
            )
        stamp_ns = int(stamp * NS_PER_S)
        if self.shift_ns is None:
            self.shift_ns = now_ns - stamp_ns
        on_our_clock = stamp_ns + self.shift_ns
        if on_our_clock <= self.last_ns:
            raise EdgejouleError(f"meter 'command': time does not advance at '{line.strip()[:60]}'")
        self.last_ns = on_our_clock
        return [("command", watts, on_our_clock)]


def tegrastats(line: str, now_ns: int) -> list[tuple[str, float, int]]:
    """Return the readings (W) in a line of tegrastats, stamped with its arrival: it prints whole seconds at best."""
    return [(rail, watts, now_ns) for rail, watts in rails_in(line).items()]


class Lines:
    """A program whose lines are readings. It is started with the meter and ended with it."""

    def __init__(
        self, command: list[str], parse: Callable[[str, int], list[tuple[str, float, int]]], rate_hz: float | None
    ) -> None:
        self.name, self.parse, self.rate_hz = Path(command[0]).name, parse, POLL_HZ
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        except OSError as error:
            raise EdgejouleError(f"meter program '{self.name}' does not start: {error.strerror}") from error
        self.rest = b""
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.waiting: deque = deque()
        self.patience_s = max(PATIENCE_S, PATIENCE_PERIODS / rate_hz) if rate_hz else PATIENCE_S
        self.last = time.monotonic()
        while not self.waiting:
            self._take(0.1)
        names = list(dict.fromkeys(rail for rail, _, _ in self.waiting))
        used = counted(names)
        period = {"period_ns": int(NS_PER_S / rate_hz)} if rate_hz else {}
        self.rails = tuple(
            {"name": name, "quantity": "power", "sampling": "instantaneous", "used": name in used} | period
            for name in names
        )

    def _take(self, wait_s: float) -> None:
        """Take over what has come, or comes within ``wait_s``; end the program where this fails."""
        try:
            self._read(wait_s)
        except EdgejouleError:
            self.close()
            raise

    def _read(self, wait_s: float) -> None:
        known = len(self.waiting)
        if self.selector.select(wait_s):
            self._parse()
        now = time.monotonic()
        if len(self.waiting) > known:
            self.last = now
        elif now - self.last > self.patience_s:
            raise EdgejouleError(f"meter program '{self.name}' printed no reading within {self.patience_s:g} s")

    def _parse(self) -> None:
        data = self.process.stdout.read1(65536)
        now = time.monotonic_ns()
        if not data:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(LAST_WORDS_S)
            status = self.process.returncode
            what = "closed its output" if status is None else f"ended with status {status}"
            raise EdgejouleError(f"meter program '{self.name}' {what}")
        *lines, self.rest = (self.rest + data).split(b"\n")
        if len(self.rest) > LONGEST_LINE:
            raise EdgejouleError(
                f"meter program '{self.name}' printed {len(self.rest)} bytes without the end of a line"
            )
        for line in lines:
            self.waiting.extend(self.parse(line.decode("utf-8", "replace"), now))

    def read(self) -> list[tuple[str, float, int]]:
        """Return the readings of all lines that have come since the last call."""
        self._take(0)
        readings = list(self.waiting)
        self.waiting.clear()
        return readings

    def close(self) -> None:
        """End the program."""
        self.selector.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
