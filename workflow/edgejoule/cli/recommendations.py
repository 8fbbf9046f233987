"""``edgejoule recommendations``: the tables of what to run under each budget, and their proof."""

from pathlib import Path
from typing import Annotated

import typer

from edgejoule.tables.vocabulary import ACCOUNTINGS

Zoo = Annotated[Path, typer.Option(help="The zoo: what a pattern may stand for.")]
Exclude = Annotated[list[str] | None, typer.Option(help="Pattern of networks not to recommend; repeatable.")]
ExcludeLicence = Annotated[list[str] | None, typer.Option(help="Licence not to recommend, or unstated; repeatable.")]


def _left_out(zoo: Path, networks: list[str] | None, licences: list[str] | None):
    from edgejoule.recommendations import LeftOut

    return LeftOut(zoo, tuple(networks or ()), tuple(licences or ())) if networks or licences else None


command = typer.Typer(no_args_is_help=True, help="The most accuracy that each energy budget can buy, and the proof.")


@command.command()
def device(
    name: Annotated[str, typer.Argument(help="The device.")],
    networks: Annotated[Path, typer.Option(help="The device's networks.parquet.")],
    output: Annotated[Path, typer.Option(help="Recommendations, Parquet; CSV and Markdown go beside it.")],
    fronts: Annotated[Path, typer.Option(help="Standing of every network, Parquet; CSV goes beside it.")],
    budgets: Annotated[int, typer.Option(min=1, help="Budgets, evenly spaced in log energy.")] = 100,
    budget_mj: Annotated[list[float] | None, typer.Option(help="Or this budget (mJ); repeat for several.")] = None,
    accounting: Annotated[str, typer.Option(help=f"How energy is counted: {', '.join(ACCOUNTINGS)}.")] = "gross",
    rate_hz: Annotated[float | None, typer.Option(help="Requests a second, for duty-cycle.")] = None,
    exclude: Exclude = None,
    exclude_licence: ExcludeLicence = None,
    zoo: Zoo = Path("config/networks.tsv"),
) -> None:
    """Choose the best single network and the best mix of one device under each of a sweep of budgets.

    Example: edgejoule recommendations device D --networks results/datasets/D/networks.parquet
    --output results/recommendations/D.parquet --fronts results/recommendations/fronts/D.parquet
    """
    from edgejoule.recommendations import build_device

    left_out = _left_out(zoo, exclude, exclude_licence)
    build_device(name, networks, output, fronts, budgets, budget_mj, accounting, rate_hz, left_out)


@command.command()
def validate(
    name: Annotated[str, typer.Argument(help="The device.")],
    networks: Annotated[Path, typer.Option(help="The device's networks.parquet.")],
    predictions: Annotated[Path, typer.Option(help="The device's networks.parquet of the validation.")],
    output: Annotated[Path, typer.Option(help="Every method judged on this device, Parquet.")],
    protocol: Annotated[list[str] | None, typer.Option(help="Whose predictions to choose from; repeatable.")] = None,
    budgets: Annotated[int, typer.Option(min=2, help="Budgets, evenly spaced in log energy.")] = 100,
    confidence: Annotated[float, typer.Option(help="Probability of mix-margin to meet a budget.")] = 0.9,
) -> None:
    """Judge every method of recommendation on one device's measured energies.

    Example: edgejoule recommendations validate D --networks results/datasets/D/networks.parquet
    --predictions results/validation/D/networks.parquet --output results/recommendations/validation/D.parquet
    --protocol leave-one-family-out
    """
    from edgejoule.recommendations import build_validation

    build_validation(name, networks, predictions, output, protocol or [], budgets, confidence)


@command.command()
def join(
    devices: Annotated[list[Path], typer.Argument(help="Each device's validation, Parquet.")],
    output: Annotated[Path, typer.Option(help="All devices' validation, Parquet; CSV and Markdown go beside it.")],
) -> None:
    """Stack the devices' validation and summarise it.

    Example: edgejoule recommendations join results/recommendations/validation/*.parquet
    --output results/recommendations/validation.parquet
    """
    from edgejoule.recommendations import join_validation

    join_validation(devices, output)


@command.command()
def devices(
    networks: Annotated[list[Path], typer.Argument(help="Each device's networks.parquet of the datasets.")],
    output: Annotated[Path, typer.Option(help="Least energy per device and target, Parquet; CSV and Markdown beside.")],
    break_evens: Annotated[Path, typer.Option(help="Rates at which the cheaper device changes, Parquet; CSV beside.")],
    exclude: Exclude = None,
    exclude_licence: ExcludeLicence = None,
    zoo: Zoo = Path("config/networks.tsv"),
) -> None:
    """Compare devices: the cheapest for each target accuracy, and the break-even rates between them.

    Example: edgejoule recommendations devices results/datasets/*/networks.parquet
    --output results/recommendations/devices.parquet --break-evens results/recommendations/break_evens.parquet
    """
    from edgejoule.recommendations import build_devices

    build_devices(networks, output, break_evens, _left_out(zoo, exclude, exclude_licence))


@command.command()
def tasks(
    networks: Annotated[list[Path], typer.Argument(help="Each device's networks.parquet of the datasets.")],
    tasks: Annotated[Path, typer.Option(help="CSV of the tasks: network, task, metric, target, source.")],
    accuracies: Annotated[Path, typer.Option(help="CSV of what devices reach: device, network, accuracy, source.")],
    output: Annotated[Path, typer.Option(help="Devices ranked in each task, Parquet; CSV and Markdown go beside it.")],
) -> None:
    """Rank devices by energy in each task beside ImageNet whose target accuracy they reach.

    Example: edgejoule recommendations tasks results/datasets/*/networks.parquet
    --tasks resources/published/mlperf_tiny_tasks.csv --accuracies resources/published/mlperf_tiny_accuracy.csv
    --output results/recommendations/tasks.parquet
    """
    from edgejoule.recommendations import build_tasks

    build_tasks(networks, tasks, accuracies, output)
