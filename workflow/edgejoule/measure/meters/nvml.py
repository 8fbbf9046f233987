"""NVIDIA's NVML: the energy counter and the power of a GPU, as the driver averages it and instantaneous, all recorded.

They can disagree strongly, and on some data-centre GPUs the power reading covers only part of the time (Yang et al.
2024, arXiv 2312.02741: 25 % on A100 and H100), so the counter counts where the card has one, with power beside it.
"""

from collections.abc import Mapping

import pynvml

from edgejoule.errors import EdgejouleError

#: Well above the update rate of either reading, so that both can be observed.
RATE_HZ = 100.0
J_PER_MJ = 1e-3
W_PER_MW = 1e-3


def open(settings: Mapping) -> "Nvml":
    """Return the meter of the GPU that ``name`` gives by index, UUID or name; of the first one where it is absent."""
    return Nvml(pynvml, settings.get("name"), settings.get("rate_hz") or RATE_HZ)


class Nvml:
    """One GPU. ``library`` is ``pynvml``, or what replays a recorded stream of it."""

    def __init__(self, library, gpu: str | None, rate_hz: float) -> None:
        self.library, self.rate_hz = library, rate_hz
        try:
            library.nvmlInit()
            self.handle = self._find(gpu)
            self.counter = self._has_counter()
            self.instant = self._instant_w() is not None
            library.nvmlDeviceGetPowerUsage(self.handle)
        except library.NVMLError as error:
            raise EdgejouleError(
                f"meter 'nvml': {error}; is an NVIDIA driver installed and the GPU visible?"
            ) from error
        period = {"period_ns": int(1e9 / rate_hz)}
        power = {"quantity": "power", "sampling": "instantaneous", "unit": "mW", "used": False}
        rails = [{"name": "power"} | power | period]
        if self.instant:
            rails.insert(0, {"name": "instant"} | power | period)
        if self.counter:
            rails.insert(0, {"name": "counter", "quantity": "energy", "sampling": "counter", "unit": "mJ"} | period)
        # The first is the one to be trusted most.
        rails[0]["used"] = True
        self.rails = tuple(rails)

    def _find(self, gpu: str | None):
        library = self.library
        handles = [library.nvmlDeviceGetHandleByIndex(index) for index in range(library.nvmlDeviceGetCount())]
        names = [
            {str(index), _text(library.nvmlDeviceGetUUID(handle)), _text(library.nvmlDeviceGetName(handle))}
            for index, handle in enumerate(handles)
        ]
        for handle, known in zip(handles, names, strict=True):
            if gpu is None or gpu in known:
                return handle
        there = "; ".join(", ".join(sorted(known)) for known in names) or "none"
        raise EdgejouleError(f"meter 'nvml': no GPU '{gpu or 0}'; there: {there}")

    def _has_counter(self) -> bool:
        try:
            self.library.nvmlDeviceGetTotalEnergyConsumption(self.handle)
        except self.library.NVMLError_NotSupported:
            return False
        return True

    def _instant_w(self) -> float | None:
        """Return the power right now (W), or None where the driver only tells a mean (of a second, since Ampere)."""
        library = self.library
        try:
            (field,) = library.nvmlDeviceGetFieldValues(self.handle, [library.NVML_FI_DEV_POWER_INSTANT])
        except library.NVMLError_NotSupported:
            return None
        return field.value.uiVal * W_PER_MW if field.nvmlReturn == library.NVML_SUCCESS else None

    def read(self) -> list[tuple[str, float, None]]:
        """Return counter (J) and power (W); an instantaneous power that the driver withholds is a lost reading."""
        library, readings = self.library, []
        try:
            if self.counter:
                readings.append(("counter", library.nvmlDeviceGetTotalEnergyConsumption(self.handle) * J_PER_MJ, None))
            if self.instant:
                watts = self._instant_w()
                readings.append(("instant", float("nan") if watts is None else watts, None))
            readings.append(("power", library.nvmlDeviceGetPowerUsage(self.handle) * W_PER_MW, None))
        except library.NVMLError as error:
            raise EdgejouleError(f"meter 'nvml': the GPU does not answer any more: {error}") from error
        return readings

    def close(self) -> None:
        """Let go of the driver."""
        self.library.nvmlShutdown()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
