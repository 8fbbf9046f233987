"""What messages about names say: the nearest valid ones, and whether a device that has no results has a file."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

#: So many names that begin as the one that was given are all offered; so many that are valid are all listed.
FEW, MANY = 4, 12
#: Where people keep their devices' files.
DEVICE_FILES = Path("config/devices")


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return the end of an error sentence that names the nearest valid names, or lists some.

    >>> did_you_mean("mobilnet", ["mobilenet", "resnet"])
    "did you mean 'mobilenet'?"
    """
    valid = sorted(set(valid))
    begun = [one for one in valid if name and one.startswith(name)]
    near = begun if len(begun) <= FEW and begun else get_close_matches(name, valid, n=1, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    if not valid:
        return "there is none to choose from"
    listed = ", ".join(valid[:MANY]) + (", ..." if len(valid) > MANY else "")
    return f"valid: {listed}"


def device_file(device: str) -> Path | None:
    """Return the file of a device that people keep, or None: one that has a file may have no results yet."""
    return next((path for path in DEVICE_FILES.glob("*.yaml") if path.stem == device), None)
