"""The plan of a recording: what is measured, with which model file, in which order. JSON, so that it can travel."""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edgejoule.errors import EdgejouleError

#: Kind of the workload that is the meter itself, under loads of known length.
METER = "meter"
#: Beside the parts of a recording: what its plan left out, and why.
PROBLEMS = "problems.json"
#: Meters that read nothing.
SILENT = ("none", "constant")


@dataclass(frozen=True)
class Workload:
    """One network or application: its model file relative to the plan, and the file's SHA-256.

    A kernel has no file: its model is built from its configuration, a row of table KERNELS. Nor has a network that the
    runtime builds itself, from its row of the zoo. The configuration of the workload that is the meter has the one that
    it is observed under (``load``).
    """

    name: str
    kind: str
    precision: str
    model: str = ""
    sha256: str = ""
    configuration: Mapping | None = None

    @property
    def load(self) -> "Workload":
        """The workload that a meter is observed under."""
        return Workload(**self.configuration["load"])


@dataclass(frozen=True)
class Plan:
    """Everything that a recorder needs to know; the sections are those of the device file."""

    device: str
    runtime: Mapping
    meter: Mapping
    protocol: Mapping
    workloads: tuple[Workload, ...] = field(default=())

    def order(self, turn: int) -> list[Workload]:
        """Return the workloads of one pass in its shuffled order. Equal seeds give equal orders, on every machine.

        Kernels are left out of the passes after ``kernel_passes``. The meter comes first of all, once.
        """
        kernels = turn < self.protocol.get("kernel_passes", 0)
        wanted = [workload for workload in self.workloads if kernels or workload.kind != "kernel"]
        shuffled = sorted(
            (workload for workload in wanted if workload.kind != METER),
            key=lambda workload: (workload.kind, workload.name),
        )
        random.Random(f"{self.protocol['seed']}/{turn}").shuffle(shuffled)
        return [workload for workload in wanted if workload.kind == METER and turn == 0] + shuffled

    def size(self) -> int:
        """Return how many measurements all passes have."""
        return sum(len(self.order(turn)) for turn in range(self.protocol["passes"]))

    def least_s(self) -> float:
        """Return how long all passes take at least (s): windows, loads and idle, without what builds and warms up."""
        rule = self.protocol
        seconds = {"kernel": rule.get("kernel_s", 0.0) if self.meter["kind"] not in SILENT else 0.0}
        seconds[METER] = sum(rule.get("meter_s", ()))
        each = [seconds.get(one.kind, rule["minimum_s"]) for turn in range(rule["passes"]) for one in self.order(turn)]
        return sum(each) + 2 * rule["idle_s"] * len(each)

    def fingerprint(self, workload: Workload) -> str:
        """Return what a measurement of this workload depends on; a change in it makes the old one void.

        More passes, another order or more profiling leave what was measured as good as it was.
        """
        rule = {key: self.protocol[key] for key in ("minimum_s", "maximum_s", "half_width", "idle_s")}
        own = {"kernel": ["kernel_s"] if self.meter["kind"] not in SILENT else [], METER: ["meter_s"]}
        rule |= {key: self.protocol[key] for key in own.get(workload.kind, [])}
        parts = [self.device, dict(self.runtime), dict(self.meter), rule, asdict(workload)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict:
        """Return the plan as a JSON value."""
        return asdict(self)

    @classmethod
    def read(cls, path: Path | str) -> "Plan":
        """Read ``plan.json``."""
        try:
            value = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(**{**value, "workloads": tuple(Workload(**item) for item in value["workloads"])})
        except OSError as error:
            raise EdgejouleError(f"{path}: no plan here: {error.strerror}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise EdgejouleError(f"{path}: not a plan of this version: {error}; make it again") from error


def sha256_of(path: Path | str) -> str:
    """Return the SHA-256 of a file."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
