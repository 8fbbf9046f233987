"""Reading numbers from the kernel's files."""

from pathlib import Path

from edgejoule.errors import EdgejouleError


def read_text(path: Path) -> str | None:
    """Return a file's text without surrounding blanks, or None where there is no such file."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_number(path: Path) -> int:
    """Return the whole number that a sensor's file holds.

    Raises:
        EdgejouleError: the file cannot be read (RAPL is readable for root only on most systems), or holds no number.
    """
    try:
        return int(path.read_text(encoding="utf-8"))
    except PermissionError as error:
        raise EdgejouleError(f"{path}: may not be read; run as root, or: sudo chmod a+r {path}") from error
    except OSError as error:
        raise EdgejouleError(f"{path}: the sensor does not answer: {error.strerror}") from error
    except ValueError as error:
        raise EdgejouleError(f"{path}: the sensor gave no whole number") from error
