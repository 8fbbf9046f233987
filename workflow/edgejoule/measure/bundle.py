"""A folder that records devices on a machine without this project: made here, run there, collected here."""

from pathlib import Path
from tempfile import TemporaryDirectory

from edgejoule.errors import EdgejouleError
from edgejoule.measure.collect import collect
from edgejoule.measure.live import live_device, plan_device
from edgejoule.measure.parts import replace, replace_bytes
from edgejoule.measure.plan import PROBLEMS, Plan
from edgejoule.measure.recorder import Progress
from edgejoule.measure.remote import bundle
from edgejoule.measure.steps import ORDER, PLAN, unpack
from edgejoule.traces import write_recording

SCRIPT = '''\
"""Measure what this folder plans: python3 record.py --minutes 9. Run it again until it says that all is finished."""

import sys
from pathlib import Path

root = Path(__file__).resolve().parent
sys.path.insert(0, str(root / "code"))

from edgejoule.measure.steps import main  # noqa: E402

main(root, sys.argv[1:])
'''


def write_bundle(
    device_files: list[Path],
    zoo: Path,
    output: Path,
    seed: int = 0,
    kernels: Path | None = None,
    references: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Plan]:
    """Write the folder that measures live devices, one after the other, by ``python3 record.py``.

    Args:
        device_files: YAML files of live devices, in the order in which they are measured.
        zoo: table of networks.
        output: the folder; what was measured in it before stays.
        seed: seed of the random weights.
        kernels: kernel plan, for devices that ask for kernels.
        references: table of the applications' reference networks.
        progress: told before each network that is exported.

    Returns:
        The plan of each device.

    Raises:
        EdgejouleError: a device is not live or not measured on the machine itself, or cannot be planned.
    """
    plans = {}
    for device_file in device_files:
        device = live_device(device_file)
        if device.source.host != "local":
            raise EdgejouleError(
                f"{device_file}: 'source.host' is '{device.source.host}'; a bundle is run where it is: leave 'host' out"
            )
        plan, problems = plan_device(device, device_file, zoo, output / "models", seed, kernels, references, progress)
        for name, content in bundle(plan, output / "models").items():
            if name.startswith("code/"):
                replace_bytes(output / name, content.read_bytes())
        replace(output / device.name / PLAN, plan.to_json())
        replace(output / device.name / PROBLEMS, problems.to_dict("records"))
        plans[device.name] = plan
    replace(output / ORDER, list(plans))
    replace_bytes(output / "record.py", SCRIPT.encode())
    return plans


def collect_packed(device_file: Path, results: Path, output: Path) -> None:
    """Write the canonical recording of what a bundle measured, whole or as far as it came.

    Args:
        device_file: YAML file of the live device.
        results: folder with the packed files, one folder per device in it.
        output: folder of the recording.

    Raises:
        EdgejouleError: there are no packed files of this device, one is damaged, or nothing could be measured.
    """
    device = live_device(device_file)
    with TemporaryDirectory() as folder:
        if not unpack(results / device.name, Path(folder)):
            raise EdgejouleError(f"{results / device.name}: no packed results of device '{device.name}' here")
        write_recording(collect(device, folder), output)
