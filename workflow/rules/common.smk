"""What every rules file uses: the checked configuration, the code that a stage depends on, wildcard constraints."""

import os
import re
import sys
from pathlib import Path

from edgejoule.config import check_files, device_files, load_run
from edgejoule.errors import EdgejouleError
from snakemake.exceptions import WorkflowError

# Jobs find the commands of the environment that runs Snakemake, activated or not.
os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]

CONFIG_FILES = ", ".join(map(os.path.relpath, workflow.configfiles))
try:
    RUN, DEVICES = load_run(config, CONFIG_FILES)
    check_files(RUN, DEVICES, CONFIG_FILES)
    DEVICE_FILES = device_files(RUN.device_folders)
except EdgejouleError as error:
    raise WorkflowError(str(error)) from None

PACKAGE = Path(workflow.basedir) / "workflow" / "edgejoule"
FLOORS = ("config", "tables", "errors", "jetson", "names")


def code(*parts):
    """Return the files of these subpackages and of the floors below: inputs that re-run a rule when they change.

    Snakemake sees a changed command, not a changed module that the command imports.
    """
    files = []
    for part in (*parts, *FLOORS):
        path = PACKAGE / part
        found = sorted(path.rglob("*.*")) if path.is_dir() else [path.with_suffix(".py")]
        files += [os.path.relpath(file) for file in found if file.is_file() and "__pycache__" not in file.parts]
    return files


def devices_of(*kinds):
    """Return the names of the devices whose source is of one of these kinds (live, traces, table)."""
    return [name for name, device in DEVICES.items() if device.source.kind in kinds]


# Devices whose networks have graphs; the others have no predictor, and so no proof of one.
IN_ZOO = [name for name, device in DEVICES.items() if device.in_zoo]


def device_file(wildcards):
    """Return the device's YAML file, so that a change in it re-runs that device and no other."""
    return str(DEVICE_FILES[wildcards.device])


wildcard_constraints:
    device="|".join(map(re.escape, sorted(DEVICES))) or "none",
