"""One workload in its windows: idle, warm-up, back-to-back runs, idle. Networks and metered kernels alike."""

import gc
import time
from collections.abc import Callable, Mapping

import numpy as np

from edgejoule.measure.environment import Usage, disturbances, frequency_hz, temperature_c, wait_until_quiet
from edgejoule.measure.protocol import run_for, run_until_known, warm_up
from edgejoule.measure.runtimes import Session

#: Windows that are measured, at most, to get one that nothing disturbed.
WINDOWS = 3
#: Readings of the meter that the workload runs for before its window, and on behind it.
BESIDE = 2


class Clock:
    """The recording's clock: the monotonic clock of this session, shifted behind what was recorded before it."""

    def __init__(self, offset_ns: int) -> None:
        self.shift = offset_ns - time.monotonic_ns()

    def now(self) -> int:
        """Return the time on the recording's clock (ns)."""
        return time.monotonic_ns() + self.shift


class Diary:
    """The events of one part, in order of time."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.events = clock, []

    def timed(self, kind: str, act: Callable[[], np.ndarray | None]) -> np.ndarray | None:
        """Do something as an event of a kind; return the durations of its runs, if it has any."""
        start = self.clock.now()
        durations = act()
        count = 0 if durations is None else len(durations)
        self.events.append({"kind": kind, "start_ns": start, "end_ns": self.clock.now(), "iterations": count})
        return durations

    def idle(self, seconds: float) -> None:
        """Do nothing, as an event."""
        self.timed("idle", lambda: time.sleep(seconds))


def measure_session(
    kind: str, session: Session, protocol: Mapping, clock: Clock, reading_s: float = 0.0
) -> tuple[list[dict], np.ndarray]:
    """Return the events of one workload, with what disturbed them, and the duration of each run of its window (ns).

    The session is closed. Where one run holds several inferences (``Session.repeats``), events count inferences.

    A reading of a meter speaks for a time; one that lies across an edge of the window would mix two levels of power.
    So, where there is a meter, the workload runs before its window and on behind it (event ``tail``) for ``BESIDE``
    readings each.

    Args:
        kind: kind of event that the window is.
        session: the workload.
        protocol: that of the device file.
        clock: of the recording.
        reading_s: time that one reading of the meter speaks for (s); 0 without a meter.
    """
    diary, beside_s = Diary(clock), BESIDE * reading_s
    gc.collect()
    gc.disable()
    try:
        diary.idle(protocol["idle_s"])
        expected_ns = float(diary.timed("warmup", lambda: warm_up(session)).min())
        best, around, durations = None, [], None
        for attempt in range(1, WINDOWS + 1):
            wait_until_quiet(protocol["quiet_s"])
            tried = Diary(clock)
            if beside_s:
                tried.timed("warmup", lambda: run_for(session, beside_s, expected_ns))
            before, started = Usage.now(), time.monotonic()
            now = tried.timed(kind, lambda: run_until_known(session, protocol, expected_ns))
            after, stopped = Usage.now(), time.monotonic()
            if beside_s:
                tried.timed("tail", lambda: run_for(session, beside_s, expected_ns))
            window = next(event for event in tried.events if event["kind"] == kind)
            window |= disturbances(before, after, stopped - started) | {"attempts": attempt}
            if best is None or window["other_cores"] < best["other_cores"]:
                best, around, durations = window, tried.events, now
            if not best["flag"] or not protocol["quiet_s"]:
                break
        best |= {"frequency_hz": frequency_hz(), "temperature_c": temperature_c()} | session.condition()
        diary.events += around
        diary.idle(protocol["idle_s"])
    finally:
        gc.enable()
        session.close()
    for event in diary.events:
        event["iterations"] *= session.repeats
    return diary.events, durations
