"""Reading numbers from the kernel's files."""

import os
from pathlib import Path

from edgejoule.errors import EdgejouleError

#: Bytes of the longest number that a kernel prints.
LONGEST = 64


def read_text(path: Path) -> str | None:
    """Return a file's text without surrounding blanks, or None where there is no such file."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_number(path: Path) -> int:
    """Return the whole number that a sensor's file holds.

    By system calls alone: Python's file objects would be half of what sampling costs.

    Raises:
        EdgejouleError: the file cannot be read (RAPL is readable for root only on most systems), or holds no number.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            return int(os.read(handle, LONGEST))
        finally:
            os.close(handle)
    except PermissionError as error:
        raise EdgejouleError(f"{path}: may not be read; run as root, or: sudo chmod a+r {path}") from error
    except OSError as error:
        raise EdgejouleError(f"{path}: the sensor does not answer: {error.strerror}") from error
    except ValueError as error:
        raise EdgejouleError(f"{path}: the sensor gave no whole number") from error
