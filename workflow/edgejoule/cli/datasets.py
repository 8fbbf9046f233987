"""``edgejoule datasets``: recordings and tables to cost per inference."""

from pathlib import Path
from typing import Annotated

import typer

command = typer.Typer(
    no_args_is_help=True, help="Cost per inference of networks and kernels, from recordings and tables."
)

Networks = Annotated[Path, typer.Option(help="results/datasets/networks.parquet.")]
Output = Annotated[Path, typer.Option(help="What is written.")]


@command.command()
def device(
    device_file: Annotated[Path, typer.Option(help="The device's YAML file.")],
    source: Annotated[Path, typer.Option(help="Its CSV, or the recording.json of its recording.")],
    zoo: Annotated[Path, typer.Option(help="The zoo, for families and published accuracies.")],
    output: Annotated[Path, typer.Option(help="Folder for networks, references, passes and kernels.parquet.")],
    references: Annotated[Path, typer.Option(help="The applications' reference networks.")] = Path(
        "config/references.tsv"
    ),
) -> None:
    """Derive one device's cost per inference.

    Example: edgejoule datasets device --device-file config/devices/epyc-onnxruntime-1t.yaml
    --source results/traces/epyc-onnxruntime-1t/recording.json --zoo config/networks.tsv
    --output results/datasets/epyc-onnxruntime-1t
    """
    from edgejoule.config import load_device
    from edgejoule.datasets.device import derive_device

    counts, notes = derive_device(load_device(device_file), source, zoo, references, output)
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(f"{output}: " + ", ".join(f"{count} {name}" for name, count in counts.items()), err=True)


@command.command()
def consolidate(
    networks: Annotated[list[Path], typer.Argument(help="The devices' networks.parquet; the others lie beside them.")],
    output: Annotated[Path, typer.Option(help="Folder for the tables of all devices.")],
) -> None:
    """Stack the devices' tables into one each.

    Example: edgejoule datasets consolidate --output results/datasets results/datasets/*/networks.parquet
    """
    from edgejoule.datasets.consolidate import consolidate as stack
    from edgejoule.errors import EdgejouleError
    from edgejoule.tables.contracts import NETWORKS, PASSES

    for path in networks:
        if path.name != "networks.parquet":
            raise EdgejouleError(f"{path}: give each device's networks.parquet, such as {path / 'networks.parquet'}")
    for name, table in {"networks": NETWORKS, "references": NETWORKS, "passes": PASSES}.items():
        stack([path.with_name(f"{name}.parquet") for path in networks], table, output / f"{name}.parquet")
    typer.echo(f"{output}: the tables of {len(networks)} device(s)", err=True)


@command.command()
def kernels(
    costs: Annotated[list[Path], typer.Argument(help="Kernels as measured and as inferred, one file per device.")],
    output: Output,
) -> None:
    """Stack the devices' kernels into one table: measured ones, and those inferred from networks' totals.

    Example: edgejoule datasets kernels --output results/datasets/kernels.parquet
    results/datasets/*/kernels.parquet results/predictors/*/kernels.parquet
    """
    from edgejoule.datasets.consolidate import consolidate as stack
    from edgejoule.tables.contracts import KERNEL_COSTS

    stack(costs, KERNEL_COSTS, output)


@command.command()
def applications(
    networks: Networks,
    references: Annotated[Path, typer.Option(help="results/datasets/references.parquet.")],
    device_file: Annotated[list[Path], typer.Option(help="YAML file of a device; once for each device.")],
    settings: Annotated[Path, typer.Option(help="config/applications.yaml.")],
    output: Output,
) -> None:
    """Build the application-level dataset: the devices' networks, and the publications that the settings name.

    Example: edgejoule datasets applications --networks results/datasets/networks.parquet
    --references results/datasets/references.parquet --device-file config/devices/epyc-onnxruntime-1t.yaml
    --settings config/applications.yaml
    --output results/datasets/applications.parquet
    """
    from edgejoule.config import load_applications, load_device
    from edgejoule.datasets.applications import build_applications, concatenate
    from edgejoule.tables import read_table, write_table
    from edgejoule.tables.contracts import APPLICATIONS, NETWORKS

    devices = [load_device(file) for file in device_file]
    measured = concatenate([read_table(networks, NETWORKS), read_table(references, NETWORKS)])
    rows = build_applications(measured, devices, load_applications(settings))
    write_table(rows, output, APPLICATIONS, {"settings": str(settings)})


@command.command()
def check(
    networks: Networks,
    output: Output,
    kernels: Annotated[Path | None, typer.Option(help="Test this kernels table instead, beside the networks.")] = None,
) -> None:
    """Test the built data; exits with status 2 and names the first wrong row if a check fails.

    Example: edgejoule datasets check --networks results/datasets/networks.parquet --output checks.csv
    """
    from edgejoule.datasets.checks import check_kernels, check_networks
    from edgejoule.errors import EdgejouleError
    from edgejoule.tables import read_table, write_text
    from edgejoule.tables.contracts import KERNEL_COSTS, NETWORKS

    rows = read_table(networks, NETWORKS)
    results = check_networks(rows) if kernels is None else check_kernels(read_table(kernels, KERNEL_COSTS), rows)
    failed = results[results["broken"] > 0]
    if len(failed):
        raise EdgejouleError(
            f"{kernels or networks}: "
            + "; ".join(
                f"{r.check}: {r.broken} row(s) break '{r.meaning}', first {r.first}" for r in failed.itertuples()
            )
        )
    write_text(output, results.to_csv(index=False, lineterminator="\n"))


@command.command()
def export(
    networks: Networks,
    output: Output,
    device: Annotated[list[str] | None, typer.Option(help="Only these devices.")] = None,
) -> None:
    """Write rows of the networks table as a CSV that a device of source 'table' reads.

    Example: edgejoule datasets export --networks results/datasets/networks.parquet
    --device rpi4-tflite-v2.7.1-ruy --output my_boards.csv
    """
    from edgejoule.datasets.published import write_networks
    from edgejoule.errors import EdgejouleError
    from edgejoule.names import did_you_mean
    from edgejoule.tables import read_table
    from edgejoule.tables.contracts import NETWORKS

    rows = read_table(networks, NETWORKS)
    known = set(rows["device"])
    for name in device or []:
        if name not in known:
            raise EdgejouleError(f"{networks}: no row of device '{name}'; {did_you_mean(name, known)}")
    chosen = rows[rows["device"].isin(device)] if device else rows
    write_networks(chosen, output)
    typer.echo(f"{output}: {len(chosen)} networks of {chosen['device'].nunique()} device(s)", err=True)
