"""``edgejoule recommendations``: the tables of what to run under each budget, and their proof."""

from pathlib import Path
from typing import Annotated

import typer

from edgejoule.tables.vocabulary import ACCOUNTINGS

command = typer.Typer(no_args_is_help=True, help="The most accuracy that each energy budget can buy, and the proof.")


@command.command()
def device(
    networks: Annotated[Path, typer.Option(help="The device's networks.parquet.")],
    output: Annotated[Path, typer.Option(help="Recommendations, Parquet; CSV and Markdown go beside it.")],
    fronts: Annotated[Path, typer.Option(help="Standing of every network, Parquet; CSV goes beside it.")],
    budgets: Annotated[int, typer.Option(min=1, help="Budgets, evenly spaced in log energy.")] = 100,
    budget_mj: Annotated[list[float] | None, typer.Option(help="Or this budget (mJ); repeat for several.")] = None,
    accounting: Annotated[str, typer.Option(help=f"How energy is counted: {', '.join(ACCOUNTINGS)}.")] = "gross",
    rate_hz: Annotated[float | None, typer.Option(help="Requests a second, for duty-cycle.")] = None,
) -> None:
    """Choose the best single network and the best mix of one device under each of a sweep of budgets.

    Example: edgejoule recommendations device --networks results/datasets/D/networks.parquet
    --output results/recommendations/D.parquet --fronts results/recommendations/fronts/D.parquet
    """
    from edgejoule.recommendations import build_device

    build_device(networks, output, fronts, budgets, budget_mj, accounting, rate_hz)
