"""A GPU that there is not: NVML of a device that draws 50 W, and 100 W more for each core that its user's process uses.

Its user is the parent of the process that samples it. The counter
is updated every 40 ms, as real ones are; what it would say without that goes to the file in EDGEJOULE_TRUTH.
"""

import os
import time
from pathlib import Path
from types import SimpleNamespace

IDLE_W, BUSY_W, UPDATE_NS = 50.0, 100.0, 40_000_000
NVML_SUCCESS, NVML_FI_DEV_POWER_INSTANT = 0, 186


class NVMLError(Exception):
    """What the library raises."""


class NVMLError_NotSupported(NVMLError):  # noqa: N801, N818
    """What it raises for what a GPU lacks."""


_start = time.monotonic_ns()
_state = {"t": _start, "busy": 0.0, "shown": 0.0, "shown_t": 0, "watts": IDLE_W}


def _busy_s() -> float:
    """Return the processor time of the process that started this one."""
    return int(Path(f"/proc/{os.getppid()}/schedstat").read_text().split()[0]) / 1e9


_first = _busy_s()


def _now() -> float:
    """Return the energy (J) so far, and let the counter show it if an update is due."""
    now, busy = time.monotonic_ns(), _busy_s() - _first
    joules = IDLE_W * (now - _start) / 1e9 + BUSY_W * busy
    if now // UPDATE_NS != _state["t"] // UPDATE_NS:
        seconds = max((now - _state["shown_t"]) / 1e9, 1e-9)
        _state["watts"] = IDLE_W + BUSY_W * (busy - _state["busy"]) / seconds
        _state.update(busy=busy, shown=joules, shown_t=now)
    _state["t"] = now
    truth = os.environ.get("EDGEJOULE_TRUTH")
    if truth:
        with Path(truth).open("a") as log:
            log.write(f"{now},{joules}\n")
    return joules


def nvmlInit() -> None:  # noqa: N802
    _now()


def nvmlShutdown() -> None:  # noqa: N802
    pass


def nvmlDeviceGetCount() -> int:  # noqa: N802
    return 1


def nvmlDeviceGetHandleByIndex(index):  # noqa: N802
    return index


def nvmlDeviceGetUUID(handle):  # noqa: N802
    return "GPU-simulated"


def nvmlDeviceGetName(handle):  # noqa: N802
    return "Simulated GPU"


def nvmlDeviceGetPowerUsage(handle):  # noqa: N802
    return round(_state["watts"] * 1e3)


def nvmlDeviceGetTotalEnergyConsumption(handle):  # noqa: N802
    _now()
    return round(_state["shown"] * 1e3)


def nvmlDeviceGetFieldValues(handle, wanted):  # noqa: N802
    return [SimpleNamespace(nvmlReturn=NVML_SUCCESS, value=SimpleNamespace(uiVal=round(_state["watts"] * 1e3)))]
