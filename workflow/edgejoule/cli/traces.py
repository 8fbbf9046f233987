"""``edgejoule traces``: recordings retrieved, imported and made canonical."""

from pathlib import Path
from typing import Annotated

import typer

command = typer.Typer(
    no_args_is_help=True,
    help="Recordings: retrieved, imported, made canonical. Formats of folders and manifests: canonical, "
    "mlperf-inference, mlperf-tiny; of single files: monsoon, joulescope, jls, ppk2, otii, ptdaemon, "
    "energyrunner, tegrastats, nvml, rapl, perf, generic (docs/traces.md).",
)

Manifest = Annotated[Path, typer.Option(help="Table of pinned files, resources/mlperf/<device>.tsv.")]
Mirror = Annotated[str, typer.Option(help="Folder laid out like the upstream repositories; nothing is fetched then.")]


@command.command()
def retrieve(
    manifest: Manifest,
    archive: Annotated[str, typer.Option(help="Which of the manifest's archives.")],
    output: Annotated[Path, typer.Option(help="The archive, an uncompressed zip.")],
    address: Annotated[str, typer.Option(help="Template with {repository}, {commit} and {path}.")] = "",
    mirror: Mirror = "",
) -> None:
    """Fetch the pinned files of one archive, check each, and write them as one reproducible zip.

    Example: edgejoule traces retrieve --manifest resources/mlperf/rpi4-tflite-v2.7.1-ruy.tsv --archive mobilenet-v1
    --address 'https://raw.githubusercontent.com/{repository}/{commit}/{path}' --output mobilenet-v1.zip
    """
    from edgejoule.traces.manifest import read_manifest
    from edgejoule.traces.retrieve import retrieve as fetch

    files = [file for file in read_manifest(manifest) if file.archive == archive]
    fetch(files, output, address or None, mirror or None)


@command.command("import")
def import_(
    device_file: Annotated[Path, typer.Option(help="The device's YAML file.")],
    output: Annotated[Path, typer.Option(help="Folder of the canonical recording.")],
    files: Annotated[list[Path] | None, typer.Argument(help="Archives that were retrieved for the device.")] = None,
) -> None:
    """Make a device's recording canonical, from its retrieved archives or from the folder that its file names.

    Example: edgejoule traces import --device-file config/devices/mlperf/rpi4-tflite-v2.7.1-ruy.yaml
    --output results/traces/rpi4-tflite-v2.7.1-ruy results/traces/archives/rpi4-tflite-v2.7.1-ruy/*.zip
    """
    from edgejoule.config import load_device
    from edgejoule.traces import write_recording
    from edgejoule.traces.convert import import_device

    recording = import_device(load_device(device_file), files or [])
    write_recording(recording, output)
    for problem in recording.problems.itertuples():
        typer.echo(f"{problem.workload}: {problem.reason}", err=True)
    readings = "no trace" if recording.trace is None else f"{len(recording.trace)} readings"
    typer.echo(f"{output}: {readings}, {len(recording.events)} events, {len(recording.problems)} problems", err=True)


@command.command()
def pin(
    system: Annotated[str, typer.Argument(help="Upstream name of the system, which names the device.")],
    index: Annotated[Path, typer.Option(help="CSV with one row per run of the mirror.")],
    mirror: Mirror,
    output: Annotated[Path, typer.Option(help="The manifest; archives.tsv beside it is brought up to date.")],
    format_: Annotated[str, typer.Option("--format", help="Format of the recordings.")] = "mlperf-inference",
) -> None:
    """Write a system's manifest: its files and archives with their sha256, from a mirror.

    Example: edgejoule traces pin rpi4-tflite-v2.7.1-ruy --index mirror/index.csv --mirror mirror
    --output resources/mlperf/rpi4-tflite-v2.7.1-ruy.tsv
    """
    from edgejoule.traces.pinning import pin_system

    pin_system(system, format_, index, mirror, output)
