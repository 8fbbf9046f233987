"""A live device, from its file to its recording: what the command ``edgejoule measure record`` calls."""

from pathlib import Path

import pandas as pd

from edgejoule.config import Device, load_device
from edgejoule.errors import EdgejouleError
from edgejoule.graphs.zoo import read_zoo, select
from edgejoule.measure.cold import SANDWICHES
from edgejoule.measure.collect import collect
from edgejoule.measure.exports import export_all
from edgejoule.measure.meters import open_meter
from edgejoule.measure.plan import Workload
from edgejoule.measure.prepare import kernel_workloads, make_plan
from edgejoule.measure.recorder import Progress, record
from edgejoule.measure.remote import record_remotely
from edgejoule.measure.runtimes import open_runtime
from edgejoule.measure.transports import open_transport
from edgejoule.tables import read_provenance
from edgejoule.tables.contracts import PROBLEMS
from edgejoule.traces import Recording, check_target, write_recording


def record_device(
    device_file: Path,
    zoo: Path,
    work: Path,
    output: Path,
    seed: int = 0,
    kernels: Path | None = None,
    references: Path | None = None,
    progress: Progress | None = None,
    pretrained: bool = False,
) -> Recording:
    """Export the networks that the device file asks for, measure them, and write the canonical recording.

    Args:
        device_file: YAML file of a live device.
        zoo: table of networks.
        work: folder for models (shared by all devices) and unfinished parts; nothing in it needs keeping afterwards.
        output: folder of the recording.
        seed: seed of the random weights.
        kernels: kernel plan of the device (table PLAN), needed if the device file asks for kernels.
        references: table of the applications' reference networks, measured if the device file does not decline.
        progress: told before each network that is exported and each workload that is measured.
        pretrained: published weights instead of random ones; networks without any are left out, with a reason.

    Returns:
        The recording that was written.

    Raises:
        EdgejouleError: the device is not one that is measured from here, ``output`` holds something else, a network is
            none of the zoo's, the runtime or meter cannot be opened or fails, nothing can be written, or nothing at all
            could be measured.
    """
    device = load_device(device_file)
    source = device.source
    if source.kind != "live":
        raise EdgejouleError(f"{device_file}: source is '{source.kind}'; only a device of source 'live' is measured")
    check_target(output)
    if source.host == "local":
        # What cannot be opened is said before minutes are spent on exporting.
        open_runtime(device.runtime.model_dump(exclude_none=True))
        open_meter(device.meter.model_dump(exclude_none=True)).close()
    networks = read_zoo(zoo)
    if source.networks != "all":
        networks = select(networks, source.networks, f"{device_file}: 'source.networks'")
    wanted = networks["precision"].isin(source.precisions)
    workloads, problems = export_all(
        networks[wanted], device.runtime.name, work / "models", seed, progress, pretrained=pretrained
    )
    problems = pd.concat([problems, left_out_of(networks[~wanted], device_file)])
    if source.references and references is not None:
        applications, left_out = export_all(
            read_zoo(references), device.runtime.name, work / "models", seed, progress, "application", pretrained
        )
        workloads += applications
        problems = pd.concat([problems, left_out])
    if source.protocol.kernels:
        planned, left_out = plan_kernels(device, kernels)
        workloads += planned
        problems = pd.concat([problems, left_out])
    plan = make_plan(device, workloads)
    if source.host == "local":
        record(plan, work / "models", work / device.name, progress)
    else:
        record_remotely(open_transport(source.host), plan, work / "models", work / device.name, progress)
    recording = collect(device, work / device.name)
    recording.problems = pd.concat([recording.problems, problems], ignore_index=True)
    write_recording(recording, output)
    return recording


#: What is measured, in the plural and in order.
MEASURED = {"network": "networks", "application": "reference networks", "kernel": "kernels"}


def summary(recording: Recording) -> str:
    """Return what a recording holds, what it lacks, and how much of it was disturbed, in one line."""
    events = recording.events[recording.events["kind"].isin(MEASURED)]
    counts = events.groupby("kind")["workload"].nunique()
    there = [f"{counts[kind]} {plural}" for kind, plural in MEASURED.items() if kind in counts]
    disturbed = int(events["flag"].ne("").sum())
    return (
        f"{', '.join(there)}; passes: {events['pass'].nunique()}; problems: {len(recording.problems)} "
        f"(problems.parquet); disturbed: {disturbed} of {len(events)} windows (events.parquet, 'flag')"
    )


def plan_kernels(device: Device, kernels: Path | None) -> tuple[list[Workload], pd.DataFrame]:
    """Return the kernels that a device file asks for, and one problem per kind of the zoo's that no plan has.

    Raises:
        EdgejouleError: there is no plan or it does not fit, the runtime cannot time one node, or the device has a
            meter: a kernel between two others has a latency of its own, but no energy that a meter could tell apart.
    """
    if device.runtime.name not in SANDWICHES:
        raise EdgejouleError(
            f"device '{device.name}': 'source.protocol.kernels' needs a runtime whose profiler tells one node of a "
            f"model from its neighbours: {', '.join(SANDWICHES)}"
        )
    if device.meter.kind not in ("none", "constant"):
        raise EdgejouleError(
            f"device '{device.name}': 'source.protocol.kernels' needs the meter 'constant' or 'none'; a kernel between "
            "two others has no window of its own that a meter could see"
        )
    if kernels is None:
        raise EdgejouleError(
            f"device '{device.name}' asks for kernels; make a plan with 'edgejoule graphs plan' and give it with "
            "--kernels"
        )
    workloads = kernel_workloads(kernels, device.runtime.name, device.source.protocol.kernels)
    problems = [
        {
            "workload": item["kind"],
            "kind": "kernel",
            "precision": workloads[0].precision,
            "source": kernels.name,
            "reason": f"{item['kernels']} configurations of this kind: {item['reason']}; timed inside networks only",
        }
        for item in read_provenance(kernels).get("left_out", [])
    ]
    return workloads, pd.DataFrame(problems, columns=PROBLEMS.names)


def left_out_of(networks: pd.DataFrame, device_file: Path) -> pd.DataFrame:
    """Return one problem per network whose precision the device file does not ask for."""
    problems = networks.rename(columns={"network": "workload"})[["workload", "precision"]]
    reason = "the device file asks for other precisions ('source.precisions')"
    return problems.assign(kind="network", source=device_file.name, reason=reason)
