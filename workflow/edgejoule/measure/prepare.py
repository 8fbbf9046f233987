"""From a device file and the zoo to a plan: networks exported with weights, once for all devices."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.measure.plan import Plan, Workload, sha256_of
from edgejoule.tables import atomic_path, write_json

#: Kernels of a kind that a sample keeps, however rare the kind is.
LEAST_OF_A_KIND = 10
#: Columns of table KERNELS that a kernel is built from.
CONFIGURATION = (
    "kernel", "kind", "operator", "tail", "layout", "batch", "input_height", "input_width", "output_height",
    "output_width", "input_channels", "output_channels", "kernel_height", "kernel_width", "stride", "dilation",
    "groups", "inputs",
)  # fmt: skip


def export_once(row: NamedTuple, model: Path, export: Callable[[NamedTuple, Path, int], object], seed: int) -> Workload:
    """Return a network as a workload, exported to ``model`` unless it was exported from an equal row before.

    Beside each model stands a note with what it was built from and its SHA-256. Published accuracies may change without
    a new export.
    """
    note = model.with_name(f"{model.name}.json")
    made_from = {key: str(getattr(row, key)) for key in ("builder", "arguments", "input", "precision")} | {"seed": seed}
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = {}
    if known.get("made_from") != made_from or not model.is_file():
        with atomic_path(model) as temporary:
            export(row, temporary, seed)
        known = {"made_from": made_from, "sha256": sha256_of(model)}
        write_json(note, known)
    return Workload(row.network, "network", row.precision, model.name, known["sha256"])


def kernel_workloads(kernels: pd.DataFrame, networks: Iterable[str], most: int, seed: int) -> list[Workload]:
    """Return unique kernel configurations of the networks as workloads: all, or a sample that has every kind.

    Args:
        kernels: table KERNELS of one runtime and precision, with ``layout``.
        networks: networks whose kernels are wanted.
        most: how many at most. The sample takes the same share of each kind, at least ``LEAST_OF_A_KIND``.
        seed: of the sample.
    """
    unique = kernels[kernels["network"].isin(set(networks))].drop_duplicates("kernel").sort_values("kernel")
    shuffled = unique.sample(frac=1, random_state=seed)
    if len(unique) > most:
        place = shuffled.groupby("kind").cumcount()
        size = shuffled.groupby("kind")["kernel"].transform("size")
        # Places below the least of a kind come first, then everything in step with its kind's size.
        order = (place / size).where(place >= LEAST_OF_A_KIND, -1.0)
        shuffled = shuffled.assign(order=order).sort_values("order", kind="stable").head(most)
    columns = [name for name in CONFIGURATION if name in shuffled]
    return [
        Workload(row["kernel"], "kernel", row["precision"], configuration=row[columns].to_dict())
        for _, row in shuffled.astype({"kernel": object}).iterrows()
    ]


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
