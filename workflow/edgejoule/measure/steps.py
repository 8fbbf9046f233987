"""Recording what a bundle plans in steps of limited length, on a machine that has nothing else of this project.

Each step begins with what earlier ones brought back and leaves a few packed files behind, so the machine may be another
one each time, and may forget everything in between.
"""

import argparse
import json
import sys
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

from edgejoule.errors import EdgejouleError
from edgejoule.measure.plan import PROBLEMS, Plan
from edgejoule.measure.recorder import record

#: New parts are packed at least this often (s), so that a step that is killed loses little.
PACK_S = 120.0
#: What the bundle holds besides ``code`` and ``models``.
ORDER, PLAN, RESULTS, WORK = "devices.json", "plan.json", "results", "work"
ENDING = ".tar.xz"


class Packer:
    """Packs what is new in a folder of parts into files of increasing name.

    Args:
        work: folder of the parts.
        results: where the packed files go.
        known: file of the folder and its time of change (ns): what is packed already.
    """

    def __init__(self, work: Path, results: Path, known: dict[Path, int]) -> None:
        self.work, self.results, self.known = work, results, known
        self.begun, self.count, self.last = datetime.now(UTC), 0, time.monotonic()

    def pack(self) -> None:
        """Write one file with all that is new."""
        now = files_of(self.work)
        new = [path for path, changed in sorted(now.items()) if self.known.get(path) != changed]
        self.known, self.last = now, time.monotonic()
        if not new:
            return
        self.results.mkdir(parents=True, exist_ok=True)
        self.count += 1
        path = self.results / f"{self.begun:%Y%m%dT%H%M%S}-{self.count:03d}{ENDING}"
        unfinished = path.with_name(f".{path.name}")
        with tarfile.open(unfinished, "w:xz") as archive:
            for file in new:
                archive.add(file, file.relative_to(self.work).as_posix())
        unfinished.replace(path)

    def pack_if_due(self) -> None:
        """Write one if the last was written long ago."""
        if time.monotonic() - self.last >= PACK_S:
            self.pack()


def files_of(work: Path) -> dict[Path, int]:
    """Return the finished files below a folder and when each was changed (ns)."""
    paths = [path for path in work.rglob("*") if path.is_file() and not path.name.startswith((".", "in-flight"))]
    return {path: path.stat().st_mtime_ns for path in paths}


def unpack(results: Path, work: Path) -> int:
    """Unpack all packed files of a folder in the order of their names; return how many there are.

    What the folder of parts has in a newer version stays: a step that was killed packed nothing more.

    Raises:
        EdgejouleError: one of them is damaged.
    """
    packs = sorted(results.glob(f"[!.]*{ENDING}"))
    for pack in packs:
        try:
            with tarfile.open(pack, "r:xz") as archive:
                archive.extractall(work, [member for member in archive if _newer(member, work)], filter="data")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise EdgejouleError(
                f"{pack}: is damaged ({error}); copy it again, or delete it to measure anew"
            ) from error
    return len(packs)


def _newer(member: tarfile.TarInfo, work: Path) -> bool:
    there = work / member.name
    return not there.exists() or there.stat().st_mtime < member.mtime


def record_step(root: Path, output: Path, until: float) -> bool:
    """Measure until a time what the bundle in ``root`` plans and no packed file holds; return whether all is done.

    Args:
        root: the bundle.
        output: where packed files go; those in ``results`` of the bundle are read too.
        until: no workload is begun at or after this time of ``time.monotonic()``.
    """
    for device in json.loads((root / ORDER).read_text(encoding="utf-8")):
        work = root / WORK / device
        work.mkdir(parents=True, exist_ok=True)
        for folder in dict.fromkeys((root / RESULTS, output)):
            unpack(folder / device, work)
        known = files_of(work)
        copyfile(root / device / PROBLEMS, work / PROBLEMS)
        packer = Packer(work, output / device, known)

        def tell(done: int, total: int, left_s: float | None, name: str, packer: Packer = packer) -> None:
            left = "" if left_s is None else f", {left_s / 60:.0f} min left"
            print(f"{packer.work.name}: {done} of {total}{left}: {name}", file=sys.stderr, flush=True)
            packer.pack_if_due()

        try:
            finished = record(Plan.read(root / device / PLAN), root / "models", work, tell, until)
        finally:
            packer.pack()
        print(f"{device}: {'finished' if finished else 'more to do; run this again'}", flush=True)
        if not finished:
            return False
    return True


def main(root: Path, arguments: list[str]) -> None:
    """Record a step: what ``record.py`` in a bundle calls."""
    parser = argparse.ArgumentParser(prog="record.py", description="Measure what this folder plans; resumable.")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing after this time")
    parser.add_argument("--output", type=Path, default=root / RESULTS, help="folder for what is measured")
    chosen = parser.parse_args(arguments)
    try:
        record_step(root, chosen.output, time.monotonic() + 60 * chosen.minutes)
    except EdgejouleError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error
