"""Freezing: a live recording becomes one that ships with the project, and its device file a replay of it."""

import re
from pathlib import Path

from edgejoule.config import load_device
from edgejoule.config.load import check, read_yaml
from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.tables import write_text
from edgejoule.traces import read_recording, write_recording

#: The top-level key ``source`` of a device file, with all that is indented below it.
SOURCE = re.compile(r"^source:.*\n(?:(?:[ \t].*|#.*)?\n)*?(?=^\S|\Z)", re.MULTILINE)


def freeze(device_file: Path | str, recording: Path | str, folder: Path | str) -> None:
    """Copy a recording to ``folder`` and turn the device file into a replay of it.

    The recording is read, checked and written anew, so a frozen one is a whole one. The device file keeps its comments;
    only its ``source`` changes. What it was measured with stays in ``recording.json`` (protocol, settings, sessions).

    Args:
        device_file: of a device whose source is ``live``.
        recording: folder of the live recording.
        folder: where it will ship, usually ``resources/traces/<device>``.

    Raises:
        EdgejouleError: the device is not live, or the recording is not one of this device.
    """
    device_file, folder = Path(device_file), Path(folder)
    device = load_device(device_file)
    if device.source.kind != "live":
        raise EdgejouleError(f"{device_file}: source is '{device.source.kind}' already; only a live device is frozen")
    content = read_recording(recording)
    if content.meta["device"] != device.name:
        raise EdgejouleError(f"{recording}: a recording of '{content.meta['device']}', not of '{device.name}'")
    text = device_file.read_text(encoding="utf-8")
    replay = f"source:\n  kind: traces\n  format: canonical\n  folder: {folder.as_posix()}\n"
    changed, count = SOURCE.subn(lambda _: replay, text if text.endswith("\n") else text + "\n")
    if count != 1:
        raise EdgejouleError(f"{device_file}: key 'source' should stand once at the beginning of a line")
    write_recording(content, folder)
    write_text(device_file, changed)
    check(Device, read_yaml(device_file), str(device_file))
