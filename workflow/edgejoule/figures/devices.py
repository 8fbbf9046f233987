"""What figures and report say of a device: its title, colour and marker, and where its energy is from."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from edgejoule.config import Device, load_device
from edgejoule.errors import EdgejouleError
from edgejoule.figures.palette import device_look, number
from edgejoule.names import did_you_mean
from edgejoule.tables import write_json

SCOPES = {"wall": "at the wall", "rail": "at the supply rails", "dc": "at the DC input"}
#: Backends that run on a graphics processor; the others that ship run on the processor or a microcontroller.
GRAPHICS = ("opencl", "vulkan", "cuda", "tensorrt", "gpu")
ORIGINS = {"measured": "measured", "published": "as published", "inferred": "inferred"}


@dataclass(frozen=True)
class DeviceLook:
    """One device as it is shown; ``watts`` is the declared power (W) of a device whose energy is estimated."""

    name: str
    title: str
    board: str
    device_class: str
    runtime: str
    origin: str
    power_scope: str
    meter: str
    watts: float | None
    note: str
    colour: str
    marker: str
    backend: str

    @property
    def energy_label(self) -> str:
        """Where its power and energy are from, in a few words.

        An estimated energy is latency times a constant: it is called modelled and never measured.
        """
        if self.origin == "estimated":
            watts = f"{number(self.watts)} W" if self.watts is not None else "a constant"
            return f"energy modelled, {watts} × latency"
        return f"energy {ORIGINS[self.origin]} {SCOPES.get(self.power_scope, '')}".strip()

    @property
    def processor(self) -> str:
        """What executes the kernels: ``CPU`` or ``GPU``."""
        return "GPU" if self.backend in GRAPHICS else "CPU"

    @property
    def hollow(self) -> bool:
        """Whether its markers are hollow: its energy was not measured."""
        return self.origin != "measured"


def look_at(files: Iterable[Path]) -> list[DeviceLook]:
    """Read device files and say how each is shown, in order of name."""
    return [_look(device) for device in sorted((load_device(file) for file in files), key=lambda device: device.name)]


def _look(device: Device) -> DeviceLook:
    colour, marker = device_look(device.name)
    return DeviceLook(
        name=device.name,
        title=device.title,
        board=device.board,
        device_class=device.device_class,
        runtime=device.runtime.name,
        origin=device.origin,
        power_scope=device.power_scope,
        meter=device.meter.name or device.meter.kind,
        watts=device.meter.watts,
        note=device.note.strip(),
        colour=colour,
        marker=marker,
        backend=device.runtime.backend,
    )


def write_devices(files: Iterable[Path], path: Path) -> None:
    """Write how the devices of ``files`` are shown, as JSON, for all figures and the report."""
    write_json(path, [asdict(device) for device in look_at(files)])


def read_devices(path: Path) -> dict[str, DeviceLook]:
    """Read what ``write_devices`` wrote, by device name."""
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
        return {entry["name"]: DeviceLook(**entry) for entry in entries}
    except OSError as error:
        raise EdgejouleError(f"{path}: cannot be read ({error.strerror}); run 'edgejoule figures devices'") from error
    except (ValueError, TypeError, KeyError) as error:
        raise EdgejouleError(f"{path}: not a list of devices ({error}); run 'edgejoule figures devices'") from error


def recording_folders(files: Iterable[Path]) -> dict[str, Path]:
    """Return the folder of each recording by its device, from the ``recording.json`` files."""
    folders = {}
    for file in files:
        try:
            folders[json.loads(Path(file).read_text(encoding="utf-8"))["device"]] = Path(file).parent
        except OSError as error:
            raise EdgejouleError(f"{file}: cannot be read ({error.strerror}); the stage traces has not run") from error
        except (ValueError, TypeError, KeyError) as error:
            raise EdgejouleError(f"{file}: not a recording.json with a 'device'; import the recording again") from error
    return folders


def known(devices: dict[str, DeviceLook], names: Iterable[str], where: str) -> list[DeviceLook]:
    """Return the looks of ``names``, in order of name; stop at a device that has none."""
    wanted = sorted(set(names))
    for name in wanted:
        if name not in devices:
            raise EdgejouleError(f"{where}: device '{name}' has no file; {did_you_mean(name, devices)}")
    return [devices[name] for name in wanted]
