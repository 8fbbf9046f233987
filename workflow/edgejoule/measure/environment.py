"""What a measurement ran on and under: processor, clock, affinity, other load, temperature. Linux's own files."""

import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

#: Above this many cores used by other processes, a measurement is flagged.
OTHER_CORES = 0.2
#: Time that has to pass without disturbance to call the machine quiet (s); a counter's tick is 10 ms.
QUIET_S = 0.2
#: Above this share of time taken by the hypervisor, a measurement is flagged.
STEAL = 0.02


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def describe(root: Path | str = "/") -> dict:
    """Return the machine's description; what it does not tell is None. No host name, no user, no address.

    Args:
        root: root of the ``proc`` and ``sys`` trees.
    """
    root = Path(root)
    fields: dict[str, str] = {}
    for line in (_read(root / "proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags", "").split()
    vector = [flag for flag in flags if flag.startswith(("avx", "amx", "f16"))]
    memory = (_read(root / "proc/meminfo") or "").split()
    return {
        "cpu": fields.get("model name") or fields.get("Model") or fields.get("Hardware"),
        "cpu_family": fields.get("cpu family"),
        "cpu_model": fields.get("model"),
        "cpu_stepping": fields.get("stepping"),
        "cpu_flags": " ".join(vector) or fields.get("Features"),
        "board": (_read(root / "proc/device-tree/model") or "").rstrip("\0") or None,
        "hypervisor": "hypervisor" in flags,
        "logical_cpus": os.cpu_count(),
        "affinity": sorted(os.sched_getaffinity(0)),
        "governor": _read(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "frequency_hz": frequency_hz(root),
        "memory_kb": int(memory[1]) if len(memory) > 1 else None,
        "kernel": platform.release().split("-")[0],
        "machine": platform.machine(),
        "python": sys.version.split()[0],
        "load_1min": os.getloadavg()[0],
        "temperature_c": temperature_c(root),
    }


def frequency_hz(root: Path | str = "/") -> float | None:
    """Return the mean clock of the processors now (Hz), or None where it cannot be read."""
    files = sorted(Path(root).glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq"))
    values = [float(text) * 1e3 for text in map(_read, files) if text and text.isdigit()]
    return sum(values) / len(values) if values else None


def temperature_c(root: Path | str = "/") -> float | None:
    """Return the hottest thermal zone (degrees Celsius), or None where there is none."""
    texts = map(_read, sorted(Path(root).glob("sys/class/thermal/thermal_zone*/temp")))
    values = [int(text) / 1000 for text in texts if text and text.lstrip("-").isdigit()]
    return max(values, default=None)


def throttle_count(root: Path | str = "/") -> int | None:
    """Return how often the processors were throttled so far, or None where the kernel does not count it."""
    texts = map(_read, sorted(Path(root).glob("sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count")))
    values = [int(text) for text in texts if text and text.isdigit()]
    return sum(values) if values else None


@dataclass(frozen=True)
class Usage:
    """Processor time so far (s): of all processes, stolen by the hypervisor, and of this process."""

    busy_s: float
    steal_s: float
    own_s: float
    throttled: int | None

    @classmethod
    def now(cls, root: Path | str = "/") -> "Usage | None":
        """Read the counters, or return None where there is no ``/proc/stat``."""
        first = (_read(Path(root) / "proc/stat") or "").partition("\n")[0].split()
        if len(first) < 9 or first[0] != "cpu":
            return None
        user, nice, system, _, _, irq, softirq, steal = (int(ticks) for ticks in first[1:9])
        ticks = os.sysconf("SC_CLK_TCK")
        own = os.times()
        return cls((user + nice + system + irq + softirq) / ticks, steal / ticks, own.user + own.system,
                   throttle_count(root))  # fmt: skip


def wait_until_quiet(limit_s: float) -> None:
    """Wait until other processes use little of the processor, but no longer than ``limit_s``."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        before, started = Usage.now(), time.monotonic()
        time.sleep(QUIET_S)
        if disturbances(before, Usage.now(), time.monotonic() - started)["flag"] == "":
            return


def disturbances(before: Usage | None, after: Usage | None, wall_s: float) -> dict:
    """Return what else happened between two readings.

    Returns:
        ``other_cores`` (cores that other processes used), ``steal`` (share of the time that the hypervisor took) and
        ``flag`` (one sentence where a limit was passed, else empty). The first two are None where unknown.
    """
    if before is None or after is None or wall_s <= 0:
        return {"other_cores": None, "steal": None, "flag": ""}
    own = after.own_s - before.own_s
    other = max(0.0, (after.busy_s - before.busy_s - own) / wall_s)
    steal = max(0.0, (after.steal_s - before.steal_s) / wall_s)
    reasons = []
    if other > OTHER_CORES:
        reasons.append(f"other processes used {other:.1f} cores")
    if steal > STEAL:
        reasons.append(f"the hypervisor took {steal:.0%} of the time")
    if before.throttled is not None and after.throttled is not None and after.throttled > before.throttled:
        reasons.append("the processor was throttled")
    return {"other_cores": other, "steal": steal, "flag": "; ".join(reasons)}
