"""A live device, from its file to its recording: what the command ``edgejoule measure record`` calls."""

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import replace as replace_fields
from pathlib import Path

import pandas as pd

from edgejoule.config import Device, load_device
from edgejoule.errors import EdgejouleError
from edgejoule.graphs.zoo import read_zoo, select
from edgejoule.measure.cold import SANDWICHES
from edgejoule.measure.collect import collect
from edgejoule.measure.exports import BUILT_THERE, export_all
from edgejoule.measure.meters import open_meter
from edgejoule.measure.parts import replace
from edgejoule.measure.plan import METER, PROBLEMS, SILENT, Plan, Workload
from edgejoule.measure.prepare import kernel_workloads, make_plan
from edgejoule.measure.recorder import Progress, record
from edgejoule.measure.remote import record_remotely
from edgejoule.measure.runtimes import open_runtime
from edgejoule.measure.transports import open_transport
from edgejoule.tables import contracts, read_provenance
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
        progress: told before each network that is exported and each workload that is measured, and at the end.
        pretrained: published weights instead of random ones; networks without any are left out, with a reason.

    Returns:
        The recording that was written.

    Raises:
        EdgejouleError: the device is not one that is measured from here, ``output`` holds something else, a network is
            none of the zoo's, the runtime or meter cannot be opened or fails, nothing can be written, or nothing at all
            could be measured.
    """
    device = live_device(device_file)
    check_target(output)
    if device.source.host == "local":
        # What cannot be opened is said before minutes are spent on exporting.
        open_runtime(device.runtime.model_dump(exclude_none=True))
        open_meter(device.meter.model_dump(exclude_none=True)).close()
    plan, problems = plan_device(
        device, device_file, zoo, work / "models", seed, kernels, references, progress, pretrained
    )
    if device.source.host == "local":
        record(plan, work / "models", work / device.name, progress)
    else:
        record_remotely(open_transport(device.source.host), plan, work / "models", work / device.name, progress)
    if progress:
        # Where nothing was left to measure, nobody has been told anything yet.
        progress(plan.size(), plan.size(), None, "")
    replace(work / device.name / PROBLEMS, problems.to_dict("records"))
    recording = collect(device, work / device.name)
    write_recording(recording, output)
    return recording


def live_device(device_file: Path) -> Device:
    """Return the live device of a file.

    Raises:
        EdgejouleError: its source is another, or its runtime does not do what the file asks for.
    """
    device = load_device(device_file)
    if device.source.kind != "live":
        raise EdgejouleError(
            f"{device_file}: source is '{device.source.kind}'; only a device of source 'live' is measured"
        )
    runtime = device.runtime
    if runtime.name not in BUILT_THERE and (runtime.batch > 1 or runtime.precision or runtime.channels_last):
        raise EdgejouleError(
            f"{device_file}: 'runtime.batch', 'precision' and 'channels_last' are measured with "
            f"{', '.join(BUILT_THERE)} only; '{runtime.name}' runs networks as they are exported"
        )
    return device


def plan_device(
    device: Device,
    device_file: Path,
    zoo: Path,
    models: Path,
    seed: int = 0,
    kernels: Path | None = None,
    references: Path | None = None,
    progress: Progress | None = None,
    pretrained: bool = False,
) -> tuple[Plan, pd.DataFrame]:
    """Return what is measured on a live device, and what is not (table PROBLEMS); models are exported to ``models``.

    See ``record_device`` for the other arguments.

    Raises:
        EdgejouleError: a network is none of the zoo's, or the kernel plan is absent or does not fit.
    """
    source, runtime = device.source, device.runtime
    networks = read_zoo(zoo)
    if source.networks != "all":
        networks = select(networks, source.networks, f"{device_file}: 'source.networks'")
    wanted = networks["precision"].isin(source.precisions)
    workloads, problems = export_all(
        networks[wanted], runtime.name, models, seed, progress, "network", pretrained, runtime.precision
    )
    problems = pd.concat([problems, left_out_of(networks[~wanted], device_file)])
    if source.references and references is not None:
        applications, left_out = export_all(
            read_zoo(references), runtime.name, models, seed, progress, "application", pretrained, runtime.precision
        )
        workloads += applications
        problems = pd.concat([problems, left_out])
    if source.protocol.kernels:
        planned, left_out = plan_kernels(device, kernels)
        workloads += planned
        problems = pd.concat([problems, left_out])
    if device.meter.kind not in SILENT and source.protocol.meter_s and workloads:
        largest = networks.loc[wanted].set_index("network")["parameters"].sort_values(kind="stable").index
        workloads.insert(0, meter_workload(workloads, largest[::-1]))
    return make_plan(device, workloads), problems


def meter_workload(workloads: list[Workload], preferred: Sequence[str]) -> Workload:
    """Return the workload that is the meter itself, under the first network of ``preferred`` that is measured."""
    known = {workload.name: workload for workload in workloads if workload.kind == "network"}
    load = next((known[name] for name in preferred if name in known), workloads[0])
    return Workload(METER, METER, load.precision, configuration={"load": asdict(load)})


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
        EdgejouleError: there is no plan or it does not fit, or no kernels are built for the runtime.
    """
    if device.runtime.name not in (*SANDWICHES, *BUILT_THERE):
        raise EdgejouleError(
            f"device '{device.name}': kernels ('source.protocol.kernels') are not built for its runtime; they are for "
            f"{', '.join((*SANDWICHES, *BUILT_THERE))}"
        )
    if kernels is None:
        raise EdgejouleError(
            f"device '{device.name}' asks for kernels; make a plan with 'edgejoule graphs plan' and give it with "
            "--kernels"
        )
    workloads = kernel_workloads(kernels, device.runtime.name, device.source.protocol.kernels)
    if device.runtime.precision:
        workloads = [replace_fields(workload, precision=device.runtime.precision) for workload in workloads]
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
    return workloads, pd.DataFrame(problems, columns=contracts.PROBLEMS.names)


def left_out_of(networks: pd.DataFrame, device_file: Path) -> pd.DataFrame:
    """Return one problem per network whose precision the device file does not ask for."""
    problems = networks.rename(columns={"network": "workload"})[["workload", "precision"]]
    reason = "the device file asks for other precisions ('source.precisions')"
    return problems.assign(kind="network", source=device_file.name, reason=reason)
