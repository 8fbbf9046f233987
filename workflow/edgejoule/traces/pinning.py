"""Making manifests: pinning a system's files and archives by their hashes in a mirror of the upstream repositories."""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean
from edgejoule.traces.importers.registry import members_of
from edgejoule.traces.manifest import (
    ARCHIVES,
    PinnedArchive,
    PinnedFile,
    archive_of,
    read_archives,
    write_rows,
)
from edgejoule.traces.retrieve import retrieve

#: What the index of a mirror must say of each run; it may say in 'precision_source' where the precision is stated.
INDEX = ("run_dir", "repo", "commit", "system", "system_json", "model", "precision")


def pin_system(system: str, kind: str, index: Path | str, mirror: Path | str, output: Path | str) -> None:
    """Write the manifest of one system, and its rows in ``archives.tsv`` beside it.

    Args:
        system: upstream name of the system.
        kind: format of its recordings.
        index: CSV with one row per run and the columns ``INDEX``.
        mirror: folder laid out like the upstream repositories, which the index's paths are relative to.
        output: the manifest.

    Raises:
        EdgejouleError: the index lacks a column or the system, or the mirror lacks its files.
    """
    output = Path(output)
    files = pin(_runs(index, system), mirror, members_of(kind))
    write_rows(output, PinnedFile, files)
    listed = output.with_name(ARCHIVES)
    others = [row for row in read_archives(listed) if row.device != output.stem] if listed.exists() else []
    archives = _pin_archives(output.stem, files, mirror)
    write_rows(listed, PinnedArchive, sorted([*others, *archives], key=lambda row: (row.device, row.archive)))


def _runs(index: Path | str, system: str) -> list[dict[str, str]]:
    with Path(index).open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        lacking = [name for name in INDEX if name not in (reader.fieldnames or [])]
        if lacking:
            raise EdgejouleError(f"{index}: lacks the column(s) {', '.join(lacking)}")
        rows = list(reader)
    runs = [row for row in rows if row["system"] == system]
    if not runs:
        raise EdgejouleError(f"{index}: no runs of '{system}'; {did_you_mean(system, (row['system'] for row in rows))}")
    return runs


def pin(runs: Iterable[Mapping[str, str]], mirror: Path | str, members: Iterable[str]) -> list[PinnedFile]:
    """Return the pinned files of one system's runs.

    Args:
        runs: rows of the index.
        mirror: folder laid out like the repositories.
        members: files of a run that the importer needs, relative to ``run_dir``; those that a run lacks are left out.
    """
    mirror, members, pinned = Path(mirror), list(members), []
    runs = sorted(runs, key=lambda run: run["run_dir"])
    first = min(archive_of(run["model"]) for run in runs)
    systems = {(run["system_json"], run["repo"], run["commit"]) for run in runs if run["system_json"]}
    for name, repository, commit in sorted(systems):
        pinned.append(_pinned(mirror, name, repository, commit, first))
    for run in runs:
        source = run.get("precision_source", "")
        for member in members:
            name = f"{run['run_dir']}/{member}"
            if (mirror / name).is_file():
                about = (archive_of(run["model"]), run["model"], run["precision"], source)
                pinned.append(_pinned(mirror, name, run["repo"], run["commit"], *about))
                source = ""
    return pinned


def _pinned(mirror: Path, name: str, repository: str, commit: str, *about: str) -> PinnedFile:
    try:
        data = (mirror / name).read_bytes()
    except OSError as error:
        raise EdgejouleError(f"{mirror / name}: not in the mirror: {error.strerror}") from error
    path = name.partition("/")[2]
    return PinnedFile(repository, commit, path, hashlib.sha256(data).hexdigest(), len(data), *about)


def _pin_archives(device: str, files: list[PinnedFile], mirror: Path | str) -> list[PinnedArchive]:
    archives = []
    with TemporaryDirectory() as folder:
        for name in sorted({file.archive for file in files}):
            members = [file for file in files if file.archive == name]
            path = Path(folder) / f"{name}.zip"
            retrieve(members, path, mirror=mirror)
            data = path.read_bytes()
            archives.append(PinnedArchive(device, name, len(members), len(data), hashlib.sha256(data).hexdigest()))
    return archives
