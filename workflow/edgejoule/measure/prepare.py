"""From a device file and the zoo to a plan: networks exported with weights, once for all devices."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.measure.plan import Plan, Workload, sha256_of
from edgejoule.names import did_you_mean
from edgejoule.tables import atomic_path, write_json


def select(zoo: pd.DataFrame, wanted: list[str] | str, where: str) -> pd.DataFrame:
    """Return the networks of the zoo that a device file asks for, by name or family, in the zoo's order.

    Raises:
        EdgejouleError: a name is neither a network nor a family of the zoo.
    """
    if wanted == "all":
        return zoo
    known = set(zoo["network"]) | set(zoo["family"])
    for name in wanted:
        if name not in known:
            raise EdgejouleError(f"{where}: the zoo has no network or family '{name}'; {did_you_mean(name, known)}")
    return zoo[zoo["network"].isin(wanted) | zoo["family"].isin(wanted)]


def export_once(row: NamedTuple, folder: Path, export: Callable[[NamedTuple, Path], object]) -> Workload:
    """Return a network as a workload, exported to ``folder`` unless an equal row was exported before.

    Beside each model stands a note with the row that it was made from and its SHA-256.
    """
    model, note = folder / f"{row.network}.onnx", folder / f"{row.network}.json"
    made_from = {key: None if pd.isna(value) else str(value) for key, value in row._asdict().items()}
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = {}
    if known.get("made_from") != made_from or not model.is_file():
        with atomic_path(model) as temporary:
            export(row, temporary)
        known = {"made_from": made_from, "sha256": sha256_of(model)}
        write_json(note, known)
    return Workload(row.network, "network", row.precision, model.name, known["sha256"])


def make_plan(device: Device, workloads: list[Workload]) -> Plan:
    """Return the plan of a live device.

    Raises:
        EdgejouleError: the device's source is not ``live``, or there is nothing to measure.
    """
    if device.source.kind != "live":
        raise EdgejouleError(
            f"device '{device.name}': its source is '{device.source.kind}', so there is nothing to measure; "
            "give it 'source: {kind: live}'"
        )
    if not workloads:
        raise EdgejouleError(f"device '{device.name}': 'source.networks' leaves nothing to measure")
    return Plan(
        device.name,
        device.runtime.model_dump(exclude_none=True),
        device.meter.model_dump(exclude_none=True),
        device.source.protocol.model_dump(),
        tuple(workloads),
    )
