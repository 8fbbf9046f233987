"""``edgejoule predictors``: train the final predictor of a device."""

from pathlib import Path
from typing import Annotated

import typer

command = typer.Typer(no_args_is_help=True, help="Train predictors of latency, power and energy.")


@command.callback()
def _stage() -> None: ...


@command.command()
def train(
    networks: Annotated[Path, typer.Option(help="The device's networks.parquet.")],
    kernels: Annotated[Path, typer.Option(help="results/graphs/kernels.parquet.")],
    output: Annotated[Path, typer.Option(help="Folder of the device's predictor.")],
    recording: Annotated[Path | None, typer.Option(help="The device's recording, for its kernels' own times.")] = None,
    alone: Annotated[Path | None, typer.Option(help="The device's kernels.parquet: what it measured alone.")] = None,
) -> None:
    """Train one device's predictor: predictor.json, card.md, and kernels' inferred energies in kernels.parquet.

    Example: edgejoule predictors train --networks results/datasets/D/networks.parquet
    --kernels results/graphs/kernels.parquet --output results/predictors/D
    """
    from edgejoule.predictors.train import train as train_device
    from edgejoule.tables import read_table
    from edgejoule.tables.contracts import KERNEL_COSTS, KERNELS, NETWORKS
    from edgejoule.traces import read_nodes

    single = None if alone is None else read_table(alone, KERNEL_COSTS)
    train_device(read_table(networks, NETWORKS), read_table(kernels, KERNELS), output, read_nodes(recording), single)
    typer.echo(f"{output}: predictor.json, card.md (what it is worth) and kernels.parquet", err=True)
