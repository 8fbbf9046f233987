"""Kernels one by one: between two others by the runtime's profiler, or alone in a window that a meter can see.

A meter cannot tell a kernel from its neighbours, so a metered kernel runs alone and back to back, for long against the
meter's period. That is how the energy of kernels is measured in the field (Tu et al., SEC 2023). What it costs then is
what it costs with warm caches; where the runtime can time it between neighbours with cold caches too, both are kept.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgejoule.errors import EdgejouleError
from edgejoule.measure.cold import has_sandwiches, measure_kernel
from edgejoule.measure.load import load
from edgejoule.measure.plan import METER, Workload
from edgejoule.measure.protocol import run_until_known, warm_up
from edgejoule.measure.runtimes import Runtime, Session
from edgejoule.measure.windows import Clock, Diary, measure_session

#: Readings of the meter that a kernel's window lasts for at least: its edges are each known to a part of one.
READINGS = 10
#: Idle before and after the loads under which a meter is observed, and between them, as shares of the longest load.
OBSERVED_IDLE, PAUSE = 0.5, 0.1


def measure_alone(workload: Workload, runtime: Runtime, clock: Clock, isolated: bool) -> dict:
    """Return one part of a kernel: its event spans sandwich and flushes, so it states the kernel's latency itself.

    With ``isolated``, it states beside it what naive isolation would have given.
    """
    start = clock.now()
    durations = measure_kernel(workload.configuration, runtime)
    event = {"kind": "kernel", "start_ns": start, "end_ns": clock.now(), "iterations": len(durations)}
    event["latency_ms"] = float(durations.min()) / 1e6
    if isolated:
        event["isolated_ms"] = profiled_ms(workload, runtime, isolated=True)
    return {"events": [event], "durations": durations.tolist()} | _about(workload)


def measure_metered(workload: Workload, runtime: Runtime, protocol: Mapping, reading_s: float, clock: Clock) -> dict:
    """Return one part of a kernel that runs alone, back to back, with idle on both sides, as networks do.

    Its event states, where the runtime's profiler can tell: ``isolated_ms``, the kernel's own time in such a run, which
    leaves out what the runtime puts around it; ``between_ms``, its time between neighbours with cold caches.

    Args:
        workload: the kernel.
        runtime: what runs it.
        protocol: that of the device file.
        reading_s: time that one reading of the meter speaks for (s).
        clock: of the recording.

    Raises:
        EdgejouleError: it cannot be built, or alone it is executed as something else.
    """
    stated = {}
    if has_sandwiches(runtime):
        stated["isolated_ms"] = float(measure_kernel(workload.configuration, runtime, isolated=True).min()) / 1e6
        stated["between_ms"] = profiled_ms(workload, runtime, isolated=False)
    session = load(workload, Path(), runtime)
    repeats = session.repeats
    window_s = max(protocol["kernel_s"], READINGS * reading_s)
    window = {**protocol, "minimum_s": window_s, "maximum_s": window_s}
    events, durations = measure_session("kernel", session, window, clock, reading_s)
    # A kernel runs up to a million times in its window: its distribution is kept, not each run.
    middle, slow = np.quantile(durations / repeats / 1e6, [0.5, 0.9])
    stated |= {"latency_p50_ms": float(middle), "latency_p90_ms": float(slow)}
    for event in events:
        if event["kind"] == "kernel":
            event.update(stated)
    return {"events": events, "durations": []} | _about(workload)


def _about(workload: Workload) -> dict:
    return {"kernel_kind": workload.configuration["kind"], "kernel_source": workload.configuration["source"]}


def profiled_ms(workload: Workload, runtime: Runtime, isolated: bool) -> float | None:
    """Return a kernel's latency by the runtime's profiler (ms), or None where it is executed as something else."""
    try:
        return float(measure_kernel(workload.configuration, runtime, isolated=isolated).min()) / 1e6
    except EdgejouleError:
        return None


def longest_reading_s(rails: Sequence[Mapping], observed: Mapping[str, int]) -> float:
    """Return the time that one reading of a meter speaks for (s), on the slowest rail that counts; 0 without a meter.

    It is the meter's declared period or averaging window, or what lay between two updates when the meter was observed
    (ns, by rail), whichever is longest.
    """
    longest_ns = [
        max(rail.get("period_ns") or 0, rail.get("window_ns") or 0, observed.get(rail["name"], 0))
        for rail in rails
        if rail.get("used", True)
    ]
    return max(longest_ns, default=0) / 1e9


def observe_meter(session: Session, protocol: Mapping, clock: Clock) -> dict:
    """Return the part in which the meter itself is looked at: idle, one load for each of ``meter_s``, idle."""
    diary, longest_s = Diary(clock), max(protocol["meter_s"])
    try:
        diary.idle(OBSERVED_IDLE * longest_s)
        for seconds in protocol["meter_s"]:
            warm = diary.timed("warmup", lambda: warm_up(session))
            span = {**protocol, "minimum_s": seconds, "maximum_s": seconds}
            diary.timed(METER, lambda span=span, warm=warm: run_until_known(session, span, float(warm.min())))
            diary.idle(PAUSE * longest_s)
        diary.idle(OBSERVED_IDLE * longest_s)
    finally:
        session.close()
    for event in diary.events:
        event["iterations"] *= session.repeats
    return {"events": diary.events, "durations": []}


def updates_ns(trace: Path) -> dict[str, int]:
    """Return for each rail the median time between two changes of its reading (ns), from a sampler's file."""
    changes: dict[str, tuple[list[int], str]] = {}
    with trace.open(encoding="utf-8") as lines:
        for line in lines:
            stamp, rail, value = line.rstrip("\n").split(",")
            times, last = changes.get(rail, ([], ""))
            if value != last:
                times.append(int(stamp))
            changes[rail] = times, value
    return {rail: int(np.median(np.diff(times))) for rail, (times, _) in changes.items() if len(times) > 1}
