"""The parts of a recording that is under way: one file per pass and workload, written whole or not at all."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from edgejoule.errors import EdgejouleError
from edgejoule.measure.plan import METER, Plan, Workload

#: A workload in whose measurement the process died this often, each time without a word, is given up with that reason:
#: it exhausts the memory or crashes the runtime. Well above what a person who kills and resumes reaches by chance.
ATTEMPTS = 5


class Parts:
    """A folder of finished parts and the marker of the one in flight."""

    def __init__(self, folder: Path | str, plan: Plan) -> None:
        self.folder, self.plan = Path(folder), plan

    def path(self, turn: int, workload: Workload) -> Path:
        """Return where the part of a pass and workload is."""
        return self.folder / f"pass-{turn}" / f"{workload.kind}-{quote(workload.name, safe='')}.json"

    def trace(self, turn: int, workload: Workload) -> Path:
        """Return where the readings of the meter beside a part are."""
        return self.path(turn, workload).with_suffix(".trace.csv")

    def read(self, turn: int, workload: Workload) -> dict | None:
        """Return a finished part, or None where there is none of this very plan, runtime, meter and model."""
        try:
            part = json.loads(self.path(turn, workload).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return part if part.get("fingerprint") == self.plan.fingerprint(workload) else None

    def write(self, turn: int, workload: Workload, part: dict) -> None:
        """Write a finished part atomically."""
        replace(self.path(turn, workload), {**part, "fingerprint": self.plan.fingerprint(workload)})

    def finished(self) -> Iterator[dict]:
        """Yield the finished parts of the plan in the order of passes and workloads."""
        for turn in range(self.plan.protocol["passes"]):
            for workload in self.plan.order(turn):
                part = self.read(turn, workload)
                if part is not None:
                    yield part

    def observed_updates(self) -> dict[str, int]:
        """Return the time between two updates of each rail (ns) as the meter's own part found them; empty without."""
        for workload in self.plan.workloads:
            if workload.kind == METER:
                return (self.read(0, workload) or {}).get("updates_ns", {})
        return {}

    def begin(self, turn: int, workload: Workload) -> int:
        """Mark a workload as in flight; return how often its measurement had begun before without an end."""
        key, marker = f"{turn}/{self.plan.fingerprint(workload)}", self.folder / "in-flight.json"
        try:
            before = json.loads(marker.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            before = {}
        attempts = before.get("attempts", 0) if before.get("key") == key else 0
        replace(marker, {"key": key, "attempts": attempts + 1})
        return attempts

    def end(self) -> None:
        """Take the marker away."""
        (self.folder / "in-flight.json").unlink(missing_ok=True)


def replace(path: Path, value: dict | list) -> None:
    """Write JSON atomically. Standard library only: this runs on boards that have nothing else."""
    replace_bytes(path, json.dumps(value, separators=(",", ":")).encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        EdgejouleError: it cannot be written: no room, no rights.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as handle:
                handle.write(content)
                handle.flush()
                # Boards lose their power; without this a file may have its name before it has its content.
                os.fsync(handle.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise EdgejouleError(f"{path}: cannot be written: {error.strerror}") from error
