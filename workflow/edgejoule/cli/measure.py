"""``edgejoule measure``: live recordings, and how far they can be trusted."""

from pathlib import Path
from typing import Annotated

import typer

from edgejoule.errors import EdgejouleError

command = typer.Typer(
    no_args_is_help=True,
    help="Measure a device: record networks, live, and judge the noise.\n\n"
    "Example: edgejoule measure record --device-file config/devices/my-board.yaml --output results/measure/my-board",
)


@command.command("record")
def record(
    device_file: Annotated[Path, typer.Option(help="YAML file of a device whose source is 'live'.")],
    output: Annotated[Path, typer.Option(help="Folder of the recording; usually results/measure/<device>.")],
    work: Annotated[Path, typer.Option(help="Folder of models and unfinished parts.")] = Path("results/measure/work"),
    zoo: Annotated[Path, typer.Option(help="The zoo.")] = Path("config/networks.tsv"),
    kernels: Annotated[Path | None, typer.Option(help="Kernel plan, if the device file asks for kernels.")] = None,
    references: Annotated[Path, typer.Option(help="The applications' reference networks.")] = Path(
        "config/references.tsv"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the random weights.")] = 0,
    pretrained: Annotated[
        bool, typer.Option("--pretrained/--random", help="Published weights (needs network) instead of random ones.")
    ] = False,
) -> None:
    """Record a live device. Stop it at any time; the same command goes on where it was stopped.

    Example: edgejoule measure record --device-file config/devices/my-board.yaml --output results/measure/my-board
    """
    from edgejoule.cli.progress import progress_bar
    from edgejoule.measure.live import record_device, summary

    with progress_bar("measure") as progress:
        recording = record_device(device_file, zoo, work, output, seed, kernels, references, progress, pretrained)
    typer.echo(f"{output}: {summary(recording)}")


@command.command("bundle")
def bundle(
    device_file: Annotated[list[Path], typer.Option(help="YAML file of a live device; may be repeated, in order.")],
    output: Annotated[Path, typer.Option(help="The folder to take there; results are kept in it.")],
    zoo: Annotated[Path, typer.Option(help="The zoo.")] = Path("config/networks.tsv"),
    kernels: Annotated[Path | None, typer.Option(help="Kernel plan, if a device file asks for kernels.")] = None,
    references: Annotated[Path, typer.Option(help="The applications' reference networks.")] = Path(
        "config/references.tsv"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the random weights.")] = 0,
) -> None:
    """Write a folder that records devices on a machine without edgejoule: python3 record.py --minutes 9.

    Example: edgejoule measure bundle --device-file my-gpu.yaml --kernels plan.parquet --output bundle
    """
    from edgejoule.cli.progress import progress_bar
    from edgejoule.measure.bundle import write_bundle

    with progress_bar("export") as progress:
        plans = write_bundle(device_file, zoo, output, seed, kernels, references, progress)
    for device, plan in plans.items():
        typer.echo(f"{device}: {plan.size()} measurements, {plan.least_s() / 60:.0f} min of windows and idle")


@command.command("collect")
def collect(
    device_file: Annotated[Path, typer.Option(help="YAML file of the live device.")],
    results: Annotated[Path, typer.Option(help="Folder of what the bundle measured: 'results' in it.")],
    output: Annotated[Path, typer.Option(help="Folder of the recording; usually results/measure/<device>.")],
) -> None:
    """Turn what a bundle measured elsewhere into the device's recording, finished or not.

    Example: edgejoule measure collect --device-file gpu.yaml --results bundle/results --output results/measure/gpu
    """
    from edgejoule.measure.bundle import collect_packed

    collect_packed(device_file, results, output)


@command.command("meter")
def meter(
    recording: Annotated[Path, typer.Argument(help="Folder of a recording that observed its meter.")],
) -> None:
    """Print how a recording's meter behaved: update periods, idle power, agreement of its views, as Markdown tables.

    Example: edgejoule measure meter results/measure/my-gpu
    """
    from edgejoule.measure.observed import meter_report
    from edgejoule.traces import read_recording

    typer.echo(meter_report(read_recording(recording)))


@command.command("energies")
def energies(
    recording: Annotated[Path, typer.Argument(help="Folder of a recording with a meter.")],
    graphs: Annotated[Path | None, typer.Option(help="The kernels of its networks, to add up those alone.")] = None,
) -> None:
    """Print how far a meter's energies repeat, how kernels alone add up to networks, and what each kind takes.

    Example: edgejoule measure energies results/measure/my-gpu --graphs results/graphs/kernels.parquet
    """
    from edgejoule.measure.energies import energy_report
    from edgejoule.tables import read_table
    from edgejoule.tables.contracts import KERNELS
    from edgejoule.traces import read_recording

    content = read_recording(recording)
    kernels = None
    if graphs is not None:
        kernels = read_table(graphs, KERNELS)
        kernels = kernels[(kernels["runtime"] == content.meta["runtime"]["name"]) & (kernels["precision"] == "fp32")]
    typer.echo(energy_report(content, kernels))


@command.command("export")
def export(
    runtime: Annotated[str, typer.Option(help="What will run the networks.")],
    work: Annotated[Path, typer.Option(help="Folder that 'record' is given as well.")] = Path("results/measure/work"),
    zoo: Annotated[Path, typer.Option(help="The zoo.")] = Path("config/networks.tsv"),
    network: Annotated[list[str] | None, typer.Option(help="Only this network or family; may be repeated.")] = None,
    precision: Annotated[str, typer.Option(help="Only networks in this precision: fp32 or int8.")] = "fp32",
    seed: Annotated[int, typer.Option(help="Seed of the random weights.")] = 0,
    pretrained: Annotated[
        bool, typer.Option("--pretrained/--random", help="Published weights (needs network) instead of random ones.")
    ] = False,
) -> None:
    """Write the networks as a runtime loads them, where 'record' will find them: for converters that live elsewhere.

    Example: edgejoule measure export --runtime litert --network mobilenet-v2
    """
    from edgejoule.cli.progress import progress_bar
    from edgejoule.graphs.zoo import read_zoo, select
    from edgejoule.measure.exports import export_all

    networks = read_zoo(zoo)
    if network:
        networks = select(networks, network, str(zoo))
    networks = networks[networks["precision"] == precision]
    if networks.empty:
        raise EdgejouleError(f"{zoo}: none of the networks that are asked for is in precision '{precision}'")
    with progress_bar("export") as progress:
        ready, problems = export_all(networks, runtime, work / "models", seed, progress, pretrained=pretrained)
    for problem in problems.itertuples(index=False):
        typer.echo(problem.reason)
    typer.echo(f"{len(ready)} networks in {work / 'models'}, {len(problems)} refused by the converter")


@command.command("noise")
def noise(
    recording: Annotated[Path, typer.Argument(help="Folder of a recording with per-inference samples.")],
    kind: Annotated[str, typer.Option(help="network, kernel or application.")] = "network",
    minimum_ms: Annotated[float, typer.Option(help="Leave out what is faster than this.")] = 0.0,
) -> None:
    """Print how far the passes of a recording agree, by estimator, as a Markdown table.

    Example: edgejoule measure noise resources/traces/epyc-onnxruntime-1t --minimum-ms 2
    """
    from edgejoule.measure.noise import noise_report

    typer.echo(noise_report(recording, kind, minimum_ms))


@command.command("kernels")
def kernels(
    recording: Annotated[Path, typer.Argument(help="Folder of a recording with kernels and nodes.")],
    graphs: Annotated[Path, typer.Option(help="The kernels of its networks.")] = Path("results/graphs/kernels.parquet"),
    minimum_ms: Annotated[float, typer.Option(help="Leave out what is faster than this inside networks.")] = 0.0,
) -> None:
    """Print how far kernels that were measured alone meet the same kernels inside networks, as a Markdown table.

    Example: edgejoule measure kernels results/measure/my-board --minimum-ms 0.02
    """
    from edgejoule.measure.inside import ratio_report
    from edgejoule.predictors.matching import with_durations
    from edgejoule.predictors.training import kernels_for
    from edgejoule.tables import read_table
    from edgejoule.tables.contracts import KERNELS
    from edgejoule.traces import read_recording

    content = read_recording(recording)
    if content.nodes is None:
        raise EdgejouleError(f"{recording}: has no nodes.parquet; set 'source.protocol.profiled_passes'")
    table = read_table(graphs, KERNELS)
    mine = kernels_for(table[table["network"].isin(content.nodes["network"])], content.meta["runtime"]["name"])
    typer.echo(ratio_report(content.events, with_durations(mine, content.nodes), minimum_ms))
