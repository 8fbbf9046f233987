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
    alone: Annotated[Path | None, typer.Option(help="The device's kernels.parquet: what it measured alone.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of random folds.")] = 0,
) -> None:
    """Predict every network of one device by predictors that were trained without it.

    Example: edgejoule validation run --networks results/datasets/D/networks.parquet
    --kernels results/graphs/kernels.parquet --output results/validation/D/networks.parquet
    --splits results/validation/D/splits.parquet --predictor edgejoule --protocol leave-one-family-out
    """
    from edgejoule.tables import read_table, write_table
    from edgejoule.tables.contracts import KERNEL_COSTS, KERNELS, NETWORKS, SPLITS, VALIDATION
    from edgejoule.traces import read_nodes
    from edgejoule.validation import validate

    priors = [read_table(path, NETWORKS) for path in prior or []]
    rows, graphs = read_table(networks, NETWORKS), read_table(kernels, KERNELS)
    single = None if alone is None else read_table(alone, KERNEL_COSTS)
    table, used = validate(rows, graphs, predictor, protocol, seed, priors, read_nodes(recording), single)
    provenance = {"seed": seed, "priors": sorted({str(name) for table in priors for name in table["device"]})}
    write_table(table, output, VALIDATION, provenance)
    write_table(used, splits, SPLITS, provenance)


@command.command()
def summarise(
    devices: Annotated[list[Path], typer.Argument(help="Each device's networks.parquet of the validation.")],
    passes: Annotated[Path, typer.Option(help="All devices' passes, Parquet.")],
    zoo: Annotated[Path, typer.Option(help="The networks (TSV).")],
    output: Annotated[Path, typer.Option(help="Folder of networks, accuracy, subsets, paired, noise-floor.")],
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> None:
    """Stack all devices' predictions and summarise their errors: as a whole, in parts, and against the baselines.

    Example: edgejoule validation summarise results/validation/*/networks.parquet --zoo config/networks.tsv
    --passes results/datasets/passes.parquet --output results/validation
    """
    from edgejoule.validation import summarise as summarise_devices

    summarise_devices(devices, passes, zoo, output, seed)


@command.command()
def kernels(
    networks: Annotated[Path, typer.Option(help="The device's networks.parquet.")],
    kernels: Annotated[Path, typer.Option(help="results/graphs/kernels.parquet.")],
    alone: Annotated[Path, typer.Option(help="The device's kernels.parquet: what it measured alone.")],
    recording: Annotated[Path, typer.Option(help="The device's recording.")],
    passes: Annotated[Path, typer.Option(help="The device's passes.parquet, for the recording's own noise.")],
    evidence: Annotated[Path, typer.Option(help="What each sort of times is worth, Parquet.")],
    ablation: Annotated[Path, typer.Option(help="What stands in the way of a smaller error, Parquet.")],
    curve: Annotated[Path, typer.Option(help="Error against minutes of measuring, Parquet.")],
    seed: Annotated[int, typer.Option(help="Seed of random orders.")] = 0,
) -> None:
    """Tell what a device's times of kernels are worth: by how they were taken, and by how many there are;
    and what stands in the way of a smaller error.

    Example: edgejoule validation kernels --networks results/datasets/D/networks.parquet
    --kernels results/graphs/kernels.parquet --alone results/datasets/D/kernels.parquet
    --recording results/traces/D --passes results/datasets/D/passes.parquet
    --evidence results/validation/D/evidence.parquet --ablation results/validation/D/ablation.parquet
    --curve results/validation/D/learning_curve.parquet
    """
    from edgejoule.tables import read_table, write_table
    from edgejoule.tables.contracts import ABLATION, EVENTS, EVIDENCE, KERNEL_COSTS, KERNELS, LEARNING_CURVE, NETWORKS
    from edgejoule.tables.contracts import PASSES as PASSES_TABLE
    from edgejoule.traces import read_nodes
    from edgejoule.validation.ablation import ablation as ablation_table
    from edgejoule.validation.kernels import Device, evidence_table, learning_curve

    rows, graphs, single = read_table(networks, NETWORKS), read_table(kernels, KERNELS), read_table(alone, KERNEL_COSTS)
    events = read_table(recording / "events.parquet", EVENTS)
    device = Device.of(rows, graphs, read_nodes(recording), single, events)
    provenance = {"seed": seed}
    write_table(evidence_table(device), evidence, EVIDENCE, provenance)
    write_table(ablation_table(device, read_table(passes, PASSES_TABLE)), ablation, ABLATION, provenance)
    write_table(learning_curve(device, seed), curve, LEARNING_CURVE, provenance)


@command.command("predict-kernels")
def predict_kernels(
    networks: Annotated[Path, typer.Option(help="The device's networks.parquet.")],
    kernels: Annotated[Path, typer.Option(help="results/graphs/kernels.parquet.")],
    alone: Annotated[Path, typer.Option(help="The device's kernels.parquet: what it measured alone.")],
    recording: Annotated[Path, typer.Option(help="The device's recording.")],
    output: Annotated[Path, typer.Option(help="Kernels predicted against measured, Parquet.")],
) -> None:
    """Predict single kernels inside networks whose families were left out; no rows where no kernel was timed.

    Example: edgejoule validation predict-kernels --networks results/datasets/D/networks.parquet
    --kernels results/graphs/kernels.parquet --alone results/datasets/D/kernels.parquet
    --recording results/traces/D --output results/validation/D/kernels.parquet
    """
    from edgejoule.predictors import own_kernels, training_set
    from edgejoule.tables import read_table, write_table
    from edgejoule.tables.contracts import KERNEL_COSTS, KERNEL_VALIDATION, KERNELS, NETWORKS
    from edgejoule.traces import read_nodes
    from edgejoule.validation.kernel_errors import predict_kernels as predicted

    graphs, single = read_table(kernels, KERNELS), read_table(alone, KERNEL_COSTS)
    rows, features, costs = training_set(read_table(networks, NETWORKS), graphs, read_nodes(recording), single)
    write_table(predicted(rows, own_kernels(rows, graphs), features, costs), output, KERNEL_VALIDATION)


@command.command("summarise-kernels")
def summarise_kernels(
    output: Annotated[Path, typer.Option(help="Folder of kernels.parquet and kernel-accuracy.")],
    devices: Annotated[
        list[Path] | None, typer.Argument(help="Each device's kernels.parquet of the validation.")
    ] = None,
) -> None:
    """Stack all devices' predictions of single kernels and summarise their errors by kind.

    Example: edgejoule validation summarise-kernels results/validation/*/kernels.parquet --output results/validation
    """
    from edgejoule.validation.summary import summarise_kernels as summarise_devices

    summarise_devices(devices or [], output)


@command.command()
def stack(
    table: Annotated[str, typer.Option(help="Which: evidence, ablation or learning-curve.")],
    output: Annotated[Path, typer.Option(help="All devices' rows, Parquet; Markdown goes beside it.")],
    files: Annotated[list[Path] | None, typer.Argument(help="That table of several devices.")] = None,
) -> None:
    """Stack the devices' tables of what times of kernels are worth.

    Example: edgejoule validation stack results/validation/*/evidence.parquet --table evidence
    --output results/validation/evidence.parquet
    """
    from edgejoule.validation.summary import stack_kernel_tables

    stack_kernel_tables(files or [], table, output)
