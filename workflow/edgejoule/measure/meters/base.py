"""What a meter declares about itself, and how it is read."""

import importlib
from collections.abc import Mapping
from typing import Protocol

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean

#: Meter: the module that reads it, and the package that it needs.
METERS = {
    "none": ("edgejoule.measure.meters.silent", None),
    "constant": ("edgejoule.measure.meters.silent", None),
    "rapl": ("edgejoule.measure.meters.rapl", None),
    "hwmon": ("edgejoule.measure.meters.hwmon", None),
    "command": ("edgejoule.measure.meters.lines", None),
    "tegrastats": ("edgejoule.measure.meters.lines", None),
    "nvml": ("edgejoule.measure.meters.nvml", "nvml"),
    "monsoon": ("edgejoule.measure.meters.monsoon", "monsoon"),
    "ppk2": ("edgejoule.measure.meters.ppk2", "ppk2"),
    "joulescope": ("edgejoule.measure.meters.joulescope", "joulescope-live"),
}


#: Rail, value (W or J), and when it was read (ns, monotonic clock); None = now.
Reading = tuple[str, float, int | None]


class Meter(Protocol):
    """A meter that is open. ``read`` is called at ``rate_hz`` by the sampler, never by the workload's process.

    ``rails`` declares what it reads, each rail as ``recording.json`` lists it (see ``edgejoule.traces.Rail``).
    """

    rails: tuple[dict, ...]
    rate_hz: float

    def read(self) -> list[Reading]:
        """Return what was read since the last call: rail, W or J, and the meter's own stamp where it has one.

        Raises:
            EdgejouleError: the meter does not answer any more.
        """

    def close(self) -> None:
        """Let go of the hardware.

        Raises:
            EdgejouleError: what was read was not the meter any more.
        """


def open_meter(settings: Mapping) -> Meter:
    """Return the meter that a device file's ``meter`` section describes.

    Raises:
        EdgejouleError: no such meter, its package is not installed, or the hardware does not answer.
    """
    kind = settings["kind"]
    if kind not in METERS:
        raise EdgejouleError(f"meter '{kind}' cannot be read live; {did_you_mean(kind, METERS)}")
    module, extra = METERS[kind]
    try:
        driver = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise EdgejouleError(
            f"meter '{kind}' needs the package '{error.name}'; run: pip install 'edgejoule[{extra}]'"
        ) from error
    return driver.open(settings)
