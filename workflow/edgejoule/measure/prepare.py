"""From a device file and the zoo to a plan: networks exported with weights, once for all devices."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edgejoule.config.models import Device
from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import RefusedError
from edgejoule.measure.plan import Plan, Workload, sha256_of
from edgejoule.tables import atomic_path, read_table, write_json
from edgejoule.tables.contracts import PLAN

#: Columns of a kernel plan that a kernel is built from, and where it is from.
CONFIGURATION = (
    "kernel", "kind", "operator", "tail", "layout", "batch", "input_height", "input_width", "output_height",
    "output_width", "input_channels", "output_channels", "kernel_height", "kernel_width", "stride", "dilation",
    "groups", "inputs", "bytes_in", "bytes_weights", "source",
)  # fmt: skip


def export_once(
    row: NamedTuple,
    model: Path,
    export: Callable[[NamedTuple, Path, int, bool], object],
    seed: int,
    pretrained: bool = False,
) -> Workload:
    """Return a network as a workload, exported to ``model`` unless it was exported from an equal row before.

    Beside each model stands a note with what it was built from and its SHA-256, or why it cannot be converted.
    Published accuracies may change without a new export.

    Raises:
        RefusedError: the converter does not take the network, now or when it was tried before.
    """
    note = model.with_name(f"{model.name}.json")
    made_from = {key: str(getattr(row, key)) for key in ("builder", "arguments", "input", "precision")} | {"seed": seed}
    made_from |= {"pretrained": True} if pretrained else {}
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = {}
    if known.get("made_from") == made_from and "refused" in known:
        raise RefusedError(known["refused"])
    if known.get("made_from") != made_from or not model.is_file():
        try:
            with atomic_path(model) as temporary:
                export(row, temporary, seed, pretrained)
        except RefusedError as error:
            write_json(note, {"made_from": made_from, "refused": str(error)})
            raise
        known = {"made_from": made_from, "sha256": sha256_of(model)}
        write_json(note, known)
    return Workload(row.network, "network", row.precision, model.name, known["sha256"])


def kernel_workloads(plan: Path, runtime: str, count: int) -> list[Workload]:
    """Return the first ``count`` kernels of a kernel plan as workloads.

    Raises:
        EdgejouleError: the plan is not one for this runtime, has fewer kernels, or lacks a column to build them from.
    """
    kernels = read_table(plan, PLAN).sort_values("order")
    absent = [name for name in CONFIGURATION if name not in kernels]
    if absent:
        raise EdgejouleError(
            f"{plan}: has no column '{absent[0]}'; make the plan with 'edgejoule graphs plan', from a whole catalogue"
        )
    others = set(kernels["runtime"]) - {runtime}
    if others:
        raise EdgejouleError(f"{plan}: is a plan for runtime '{others.pop()}'; the device runs '{runtime}'")
    if len(kernels) < count:
        raise EdgejouleError(
            f"{plan}: has {len(kernels)} kernels, fewer than the {count} of 'source.protocol.kernels'; make it with a "
            "larger budget ('plan.budget' in the configuration), or ask for fewer"
        )
    chosen = kernels.head(count)
    return [
        Workload(row["kernel"], "kernel", precision, configuration=row)
        for row, precision in zip(chosen[list(CONFIGURATION)].to_dict("records"), chosen["precision"], strict=True)
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
