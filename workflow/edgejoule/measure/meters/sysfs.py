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


class Number:
    """A sensor's file that holds a whole number, kept open: a reading is one system call.

    A read at offset 0 makes the kernel fill the file again (Linux documentation, filesystems/sysfs.rst); opening and
    closing it for each reading would take two and a half times as long. The kernel refuses the file of a sensor that
    has gone. Another file system would go on with the old content, so ``close`` looks whether the file is still there.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            EdgejouleError: it is not there, or may not be read (RAPL is readable for root only on most systems).
        """
        self.path = path
        try:
            self.file = path.open("rb", buffering=0)
        except OSError as error:
            raise self._failed(error) from error
        self.handle = self.file.fileno()

    def read(self) -> int:
        """Return the number that the file holds now.

        Raises:
            EdgejouleError: the sensor has gone, or its file holds no number.
        """
        try:
            return int(os.pread(self.handle, LONGEST, 0))
        except OSError as error:
            raise self._failed(error) from error
        except ValueError as error:
            raise EdgejouleError(f"{self.path}: the sensor gave no whole number") from error

    def _failed(self, error: OSError) -> EdgejouleError:
        if isinstance(error, PermissionError):
            return EdgejouleError(f"{self.path}: may not be read; run as root, or: sudo chmod a+r {self.path}")
        return EdgejouleError(f"{self.path}: the sensor does not answer: {error.strerror}")

    def close(self) -> None:
        """Close the file.

        Raises:
            EdgejouleError: it was removed or made anew meanwhile, so what was read was not the sensor any more.
        """
        with self.file:
            if not os.fstat(self.handle).st_nlink:
                raise EdgejouleError(f"{self.path}: the sensor does not answer: its file was removed or made anew")


def read_number(path: Path) -> int:
    """Return the whole number that a sensor's file holds; raises as ``Number`` does."""
    number = Number(path)
    try:
        return number.read()
    finally:
        number.close()
