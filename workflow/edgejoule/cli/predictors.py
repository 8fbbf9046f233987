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


Prior = Annotated[list[Path], typer.Option(help="networks.parquet of a known device; repeat, two boards at least.")]
Kernels = Annotated[Path, typer.Option(help="The zoo's kernels.")]


@command.command()
def design(
    device: Annotated[Path, typer.Option(help="The new device's file.")],
    prior: Prior,
    count: Annotated[int, typer.Option(help="How many networks to measure.")] = 10,
    kernels: Kernels = Path("results/graphs/kernels.parquet"),
    output: Annotated[
        Path | None, typer.Option(help="YAML to write: networks and precisions, as a live source takes them.")
    ] = None,
) -> None:
    """Say which networks to measure first on a new board: those that tell most of what all others cost there.

    The whole list counts, not its beginning: five of ten are not the best five.

    Example: edgejoule predictors design --device config/devices/my-board.yaml --count 10
    --prior results/datasets/D1/networks.parquet --prior results/datasets/D2/networks.parquet --output first.yaml
    """
    import yaml

    from edgejoule.config import load_device
    from edgejoule.predictors.new_board import design as design_networks
    from edgejoule.tables import read_table, write_text
    from edgejoule.tables.contracts import KERNELS, NETWORKS

    priors = [read_table(path, NETWORKS) for path in prior]
    chosen = design_networks(load_device(device), priors, read_table(kernels, KERNELS), count)
    for row in chosen.itertuples():
        typer.echo(f"{row.Index + 1:>3}  {row.network}  ({row.precision}, {row.family})")
    if output is not None:
        listed = {"networks": chosen["network"].tolist(), "precisions": sorted(set(chosen["precision"]))}
        write_text(output, yaml.safe_dump(listed, sort_keys=False))


@command.command()
def transfer(
    networks: Annotated[Path, typer.Option(help="networks.parquet of the new device: the few that were measured.")],
    prior: Prior,
    output: Annotated[Path, typer.Option(help="Predictions of all networks, Parquet.")],
    kernels: Kernels = Path("results/graphs/kernels.parquet"),
) -> None:
    """Predict what all networks that known boards measured will cost on a new board, from a few measured on it.

    Prior devices of the same board, and those without a meter, are passed over. `edgejoule recommend --energies FILE`
    plans with the predictions.

    Example: edgejoule predictors transfer --networks results/datasets/my-board/networks.parquet
    --prior results/datasets/D1/networks.parquet --prior results/datasets/D2/networks.parquet
    --output results/predictors/my-board/predictions.parquet
    """
    from edgejoule.predictors.new_board import predict_new_board
    from edgejoule.tables import read_table, write_table
    from edgejoule.tables.contracts import KERNELS, NETWORKS, PREDICTIONS

    priors = [read_table(path, NETWORKS) for path in prior]
    rows = read_table(networks, NETWORKS)
    table, used = predict_new_board(rows, priors, read_table(kernels, KERNELS))
    write_table(table, output, PREDICTIONS, {"priors": used})
    _show_predictions(table)
    known = table.loc[table["measured"].notna(), "network"].nunique()
    rest = table["network"].nunique() - known
    typer.echo(f"\n{known} of the {len(rows)} networks of {networks} used, {rest} predicted; priors: {', '.join(used)}")


def _show_predictions(table) -> None:
    """Print one row per network, the cheapest first: what was measured, or what is predicted with its bounds."""
    from rich.console import Console
    from rich.table import Table

    units = {"energy_mj": "energy (mJ)", "latency_ms": "latency (ms)", "power_w": "power (W)"}
    metrics = [metric for metric in units if (table["metric"] == metric).any()]
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("network", "precision", *(cell for metric in metrics for cell in (units[metric], "90 %"))):
        shown.add_column(title, justify="left" if title == "network" else "right", no_wrap=True)
    wide = table.pivot(index=["network", "precision"], columns="metric")
    for (network, precision), row in wide.sort_values(("predicted", metrics[0])).iterrows():
        cells = []
        for metric in metrics:
            value, lower, upper = (row[name, metric] for name in ("predicted", "lower", "upper"))
            known = row["measured", metric] == row["measured", metric]
            bounds = "measured" if known else f"{lower:.4g} to {upper:.4g}"
            cells += [f"{row['measured', metric] if known else value:.4g}", bounds]
        shown.add_row(network, precision, *cells)
    console = Console(highlight=False)
    console.width = max(console.width, 160)
    console.print(shown)
