"""Manifests of public recordings: which files of which commit, with their sha256, and what each run is.

``<device>.tsv`` has one row per file; ``archives.tsv`` beside it has one row per archive into which they are retrieved.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from edgejoule.errors import EdgejouleError
from edgejoule.tables import write_text

ARCHIVES = "archives.tsv"

#: Networks of these lines share an archive; any other network has its own.
LINES = re.compile(r"(mobilenet-v\d|efficientnet-lite)")


@dataclass(frozen=True)
class PinnedFile:
    """One file of a public repository.

    Attributes:
        repository: owner and name on GitHub.
        commit: 40 hexadecimal digits.
        path: inside the repository.
        sha256: of its contents.
        bytes: its size.
        archive: into which archive it is retrieved.
        network: which network's run it belongs to; empty for files about the system.
        precision: precision of that network's weights, as the submitter states it; empty where it is not stated.
        precision_source: upstream path of that statement, on the run's first file only.
    """

    repository: str
    commit: str
    path: str
    sha256: str
    bytes: int
    archive: str
    network: str = ""
    precision: str = ""
    precision_source: str = ""

    @property
    def name(self) -> str:
        """Its name in archives and mirrors: the repository without its owner, then the path."""
        return f"{self.repository.split('/')[-1]}/{self.path}"


@dataclass(frozen=True)
class PinnedArchive:
    """One archive: uncompressed zip of a device's pinned files, the same bytes wherever it is made."""

    device: str
    archive: str
    files: int
    bytes: int
    sha256: str


def read_manifest(path: Path | str) -> list[PinnedFile]:
    """Read the manifest of one device.

    Raises:
        EdgejouleError: a column is missing, or a row is not complete.
    """
    rows = _read(path, PinnedFile)
    for row in rows:
        if not re.fullmatch(r"[0-9a-f]{40}", row.commit) or not re.fullmatch(r"[0-9a-f]{64}", row.sha256):
            raise EdgejouleError(f"{path}: {row.path}: commit or sha256 is not hexadecimal of full length")
    return rows


def read_archives(path: Path | str) -> list[PinnedArchive]:
    """Read ``archives.tsv``."""
    return _read(path, PinnedArchive)


def archives_of(manifest: Path | str) -> dict[str, str]:
    """Return the sha256 of a device's archives by name, from the ``archives.tsv`` beside its manifest."""
    manifest = Path(manifest)
    rows = read_archives(manifest.with_name(ARCHIVES))
    return {row.archive: row.sha256 for row in rows if row.device == manifest.stem}


def _read(path: Path | str, kind: type) -> list:
    path = Path(path)
    if not path.is_file():
        raise EdgejouleError(f"{path}: no such manifest; 'edgejoule traces pin' writes one")
    names = [field.name for field in fields(kind)]
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle, delimiter="\t")
            if reader.fieldnames != names:
                raise EdgejouleError(f"{path}: the columns should be {', '.join(names)}")
            return [_row(kind, row, f"{path}: line {reader.line_num}") for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise EdgejouleError(f"{path}: not a table of text: {error}") from error


def _row(kind: type, row: dict, where: str) -> PinnedFile | PinnedArchive:
    try:
        numbers = {key: int(row[key]) for key in ("bytes", "files") if key in row}
        return kind(**(row | numbers))
    except (TypeError, ValueError) as error:
        raise EdgejouleError(f"{where} is not complete: {error}") from error


def write_rows(path: Path | str, kind: type, rows: Iterable[PinnedFile | PinnedArchive]) -> None:
    """Write a manifest or a list of archives."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(kind)], delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    write_text(path, text.getvalue())


def archive_of(network: str) -> str:
    """Return the archive that a network's files go into.

    >>> archive_of("mobilenet-v2-1.4-224-quantized"), archive_of("resnet50")
    ('mobilenet-v2', 'resnet50')
    """
    match = LINES.match(network)
    return match[0] if match else network
