"""How one workload is run: warmed up until it is stable, then back to back until enough is known.

Durations come from the session itself, so these functions hold no clock and can be tested without one.
"""

from collections.abc import Mapping
from math import ceil

import numpy as np

from edgejoule.measure.runtimes.base import Session

#: Time that one call of ``Session.run`` aims at (ns): long against the loop's own cost, short against the minimum time.
CHUNK_NS = 50_000_000
#: Warm-up ends when a chunk's fastest run is no more than this much faster than the reference, twice in a row.
STABLE = 0.02
#: Most warm-up (s), for workloads that never settle.
WARM_UP_S = 3.0
#: Student's t, 97.5 %, nine degrees of freedom: the interval of a mean of ten blocks.
T_TEN_BLOCKS = 2.262


def chunk_size(duration_ns: float) -> int:
    """Return how many runs of this duration fill one chunk, at least one."""
    return max(1, int(CHUNK_NS / max(duration_ns, 1.0)))


def warm_up(session: Session) -> np.ndarray:
    """Run until the lower envelope of latency stops falling; return the durations (ns), shape (runs,).

    Two chunks in a row have to stay within ``STABLE`` of the last marked fall: caches, lazy allocation and clock ramps
    are over then, however many runs that takes, and a slow ramp of small steps is not taken for the end.
    """
    durations = [session.run(1)]
    reference, settled = float(durations[0].min()), 0
    while settled < 2 and sum(chunk.sum() for chunk in durations) < WARM_UP_S * 1e9:
        chunk = session.run(chunk_size(float(durations[-1].min())))
        durations.append(chunk)
        if chunk.min() > reference * (1 - STABLE):
            settled += 1
        else:
            reference, settled = float(chunk.min()), 0
    return np.concatenate(durations)


def run_for(session: Session, seconds: float, expected_ns: float) -> np.ndarray:
    """Run back to back for a time (s), at ``expected_ns`` a run; return the durations of the runs (ns)."""
    return session.run(max(1, ceil(seconds * 1e9 / max(expected_ns, 1.0))))


def half_width(durations: np.ndarray) -> float:
    """Return the relative half-width of the 95 % confidence interval of the mean.

    Successive runs are correlated, so the interval is that of ten blocks' means (method of batch means), not of single
    runs. Infinite below twenty runs.
    """
    if len(durations) < 20:
        return float("inf")
    usable = len(durations) - len(durations) % 10
    blocks = durations[-usable:].reshape(10, -1).mean(axis=1)
    return float(T_TEN_BLOCKS * blocks.std(ddof=1) / np.sqrt(10) / blocks.mean())


def run_until_known(session: Session, protocol: Mapping, expected_ns: float) -> np.ndarray:
    """Run back to back until minimum time and relative half-width are reached, or the cap.

    Args:
        session: the workload.
        protocol: ``minimum_s``, ``maximum_s`` and ``half_width`` of the device file.
        expected_ns: duration of one run, from the warm-up; sets how often the rule is looked at.

    Returns:
        Duration of each run (ns), shape (runs,).
    """
    size = chunk_size(expected_ns)
    durations = session.run(size)
    while True:
        spent = durations.sum() / 1e9
        if spent >= protocol["maximum_s"]:
            return durations
        if spent >= protocol["minimum_s"] and half_width(durations) <= protocol["half_width"]:
            return durations
        durations = np.concatenate([durations, session.run(size)])
