"""The files of a recording as an importer sees them: names and contents, from a folder or from archives."""

import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from edgejoule.errors import EdgejouleError


class Files:
    """Files by name (with ``/``, relative to the folder's or archive's root), read when asked for.

    Args:
        roots: folders and ``.zip`` archives; a name that several have is taken from the first.

    Raises:
        EdgejouleError: a root is neither a folder nor a readable archive.
    """

    def __init__(self, roots: Iterable[Path | str]) -> None:
        self.roots = [Path(root) for root in roots]
        self._at: dict[str, Path] = {}
        for root in self.roots:
            for name in _names(root):
                self._at.setdefault(name, root)
        self._archives: dict[Path, zipfile.ZipFile] = {}

    def __str__(self) -> str:
        return ", ".join(map(str, self.roots))

    def names(self) -> list[str]:
        """The names of all files, sorted."""
        return sorted(self._at)

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return name in self._at

    def ending(self, *parts: str) -> list[str]:
        """Return the names of the files whose path ends in ``parts``."""
        return [name for name in self.names() if PurePosixPath(name).parts[-len(parts) :] == parts]

    def read(self, name: str) -> bytes:
        """Return a file's contents.

        Raises:
            EdgejouleError: there is no such file, or it cannot be read.
        """
        root = self._at.get(name)
        if root is None:
            raise EdgejouleError(f"{name}: no such file in {self}")
        try:
            if root.is_dir():
                return (root / name).read_bytes()
            if root not in self._archives:
                self._archives[root] = zipfile.ZipFile(root)
            return self._archives[root].read(name)
        except (OSError, zipfile.BadZipFile) as error:
            raise EdgejouleError(f"{root}: {name} cannot be read: {error}") from error


def _names(root: Path) -> list[str]:
    if root.is_dir():
        return [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file()]
    try:
        with zipfile.ZipFile(root) as archive:
            return [name for name in archive.namelist() if not name.endswith("/")]
    except (OSError, zipfile.BadZipFile) as error:
        raise EdgejouleError(f"{root}: neither a folder nor a readable zip archive: {error}") from error
