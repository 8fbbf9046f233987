"""``edgejoule validation``: predict networks that the predictor has not seen, and summarise the errors."""

from pathlib import Path
from typing import Annotated

import typer

command = typer.Typer(no_args_is_help=True, help="Prove the predictors on networks that they have not seen.")


@command.command()
def run(
    networks: Annotated[Path, typer.Option(help="The device's networks.parquet.")],
    kernels: Annotated[Path, typer.Option(help="results/graphs/kernels.parquet.")],
    output: Annotated[Path, typer.Option(help="Predicted against measured, Parquet.")],
    splits: Annotated[Path, typer.Option(help="What each fold left out, Parquet.")],
    predictor: Annotated[list[str], typer.Option(help="Predictor; repeat for several.")],
    protocol: Annotated[list[str], typer.Option(help="Protocol; repeat for several.")],
    prior: Annotated[list[Path] | None, typer.Option(help="networks.parquet of a prior device; repeat.")] = None,
    recording: Annotated[Path | None, typer.Option(help="The device's recording, for its kernels' own times.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of random folds.")] = 0,
) -> None:
    """Predict every network of one device by predictors that were trained without it.

    Example: edgejoule validation run --networks results/datasets/D/networks.parquet
    --kernels results/graphs/kernels.parquet --output results/validation/D/networks.parquet
    --splits results/validation/D/splits.parquet --predictor edgejoule --protocol leave-one-family-out
    """
    from edgejoule.predictors import read_nodes
    from edgejoule.tables import read_table, write_table
    from edgejoule.tables.contracts import KERNELS, NETWORKS, SPLITS, VALIDATION
    from edgejoule.validation import validate

    priors = [read_table(path, NETWORKS) for path in prior or []]
    rows, graphs = read_table(networks, NETWORKS), read_table(kernels, KERNELS)
    table, used = validate(rows, graphs, predictor, protocol, seed, priors, read_nodes(recording))
    provenance = {"seed": seed, "priors": sorted({str(name) for table in priors for name in table["device"]})}
    write_table(table, output, VALIDATION, provenance)
    write_table(used, splits, SPLITS, provenance)


@command.command()
def summarise(
    devices: Annotated[list[Path], typer.Argument(help="Each device's networks.parquet of the validation.")],
    networks: Annotated[Path, typer.Option(help="All devices' predictions, Parquet.")],
    accuracy: Annotated[Path, typer.Option(help="Errors in summary, Parquet; CSV and Markdown go beside it.")],
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> None:
    """Stack all devices' predictions and summarise their errors, with bootstrap intervals.

    Example: edgejoule validation summarise results/validation/*/networks.parquet
    --networks results/validation/networks.parquet --accuracy results/validation/accuracy.parquet
    """
    from edgejoule.validation import summarise as summarise_devices

    summarise_devices(devices, networks, accuracy, seed)
