"""Retrieval of pinned files over HTTP or from a mirror, every one checked, into an archive of reproducible bytes."""

import hashlib
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import track

from edgejoule.errors import EdgejouleError
from edgejoule.tables import atomic_path
from edgejoule.traces.manifest import PinnedFile

#: Attempts per file, and the pause before the second one (s), which doubles each time.
ATTEMPTS = 4
PAUSE_S = 1.0
#: Seconds without an answer before an attempt is given up.
TIMEOUT_S = 30
CONNECTIONS = 8

#: Answers that a later attempt may change.
PASSING = {408, 425, 429, 500, 502, 503, 504}


class _PassingError(Exception):
    """What may go better the next time: a refused or broken connection, a busy server, a damaged file."""


def retrieve(
    files: Sequence[PinnedFile],
    output: Path | str,
    address: str | None = None,
    mirror: Path | str | None = None,
    pause_s: float = PAUSE_S,
) -> None:
    """Write an uncompressed zip of exactly these files.

    Args:
        files: what to fetch.
        output: the archive; written as a whole or not at all.
        address: template of a file's address, with ``{repository}``, ``{commit}`` and ``{path}``.
        mirror: folder that holds the repositories, or folders of them; if given, nothing is fetched.
        pause_s: pause after a failed attempt (s); doubles each time.

    Raises:
        EdgejouleError: a file is not there, is not the pinned one, or the server did not answer.
    """
    files = sorted(files, key=lambda file: file.name)
    if not files:
        raise EdgejouleError(f"{output}: the manifest pins no file for this archive")
    if mirror is not None:
        write_archive([(file.name, _from_mirror(file, Path(mirror))) for file in files], output)
        return
    if address is None:
        raise EdgejouleError(f"{output}: neither an address to fetch from nor a mirror is given")
    with requests.Session() as session, ThreadPoolExecutor(CONNECTIONS) as pool:
        jobs = [pool.submit(_fetch, session, file, _address(address, file), pause_s) for file in files]
        try:
            contents = [job.result() for job in _watched(jobs, f"{Path(output).name}: {len(files)} files")]
        except EdgejouleError:
            pool.shutdown(cancel_futures=True)
            raise
    write_archive(list(zip((file.name for file in files), contents, strict=True)), output)


def _watched(jobs: list, title: str) -> object:
    """Show a bar to a person; write one line to a log."""
    if not sys.stderr.isatty():
        print(f"fetching {title}", file=sys.stderr, flush=True)
        return jobs
    return track(jobs, title, console=Console(stderr=True))


def _address(template: str, file: PinnedFile) -> str:
    try:
        return template.format(repository=file.repository, commit=file.commit, path=requests.utils.quote(file.path))
    except (KeyError, IndexError, ValueError) as error:
        raise EdgejouleError(
            f"address '{template}': only {{repository}}, {{commit}}, {{path}} may stand in it"
        ) from error


def _from_mirror(file: PinnedFile, mirror: Path) -> bytes:
    # The repositories may lie in the mirror itself or in folders of it.
    repository = file.name.partition("/")[0]
    homes = [mirror, *sorted(path.parent for path in mirror.glob(f"*/{repository}"))]
    path = next((home / file.name for home in homes if (home / file.name).is_file()), mirror / file.name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EdgejouleError(f"{path}: not in the mirror: {error.strerror}") from error
    problem = _difference(data, file)
    if problem:
        raise EdgejouleError(f"{path}: {problem}; mirror commit {file.commit}")
    return data


def _difference(data: bytes, file: PinnedFile) -> str:
    if len(data) != file.bytes:
        return f"{len(data)} bytes came, {file.bytes} are pinned"
    digest = hashlib.sha256(data).hexdigest()
    return "" if digest == file.sha256 else f"sha256 is {digest}, but {file.sha256} is pinned"


def _fetch(session: requests.Session, file: PinnedFile, address: str, pause_s: float) -> bytes:
    return _again(lambda: _attempt(session, file, address), address, pause_s)


def _again(attempt: Callable[[], bytes], address: str, pause_s: float) -> bytes:
    for number in range(ATTEMPTS - 1):
        try:
            return attempt()
        except _PassingError:
            time.sleep(pause_s * 2**number)
    try:
        return attempt()
    except _PassingError as error:
        raise EdgejouleError(f"{address}: {error}; given up after {ATTEMPTS} attempts, try again later") from error


def _attempt(session: requests.Session, file: PinnedFile, address: str) -> bytes:
    try:
        with session.get(address, timeout=TIMEOUT_S, stream=True) as answer:
            if answer.status_code in PASSING:
                raise _PassingError(f"the server answered {answer.status_code} {answer.reason}")
            if answer.status_code != 200:
                raise EdgejouleError(f"{address}: the server answered {answer.status_code} {answer.reason}")
            data = bytearray()
            for chunk in answer.iter_content(1 << 16):
                data += chunk
                if len(data) > file.bytes:
                    break
    except (requests.RequestException, OSError) as error:
        raise _PassingError(f"the connection failed: {type(error).__name__}") from error
    problem = _difference(bytes(data), file)
    if problem:
        raise _PassingError(problem)
    return bytes(data)


def write_archive(contents: Sequence[tuple[str, bytes]], output: Path | str) -> None:
    """Write an uncompressed zip whose bytes depend on nothing but names and contents."""
    with atomic_path(output) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, data in contents:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, data)
