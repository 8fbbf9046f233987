"""``edgejoule score``: the scores of one device."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    device: Annotated[str, typer.Argument(help="Name of the device.")],
    scores: Annotated[Path, typer.Option(help="Table of scores.")] = Path("results/scores/scores.parquet"),
    definition: Annotated[
        str | None, typer.Option(help="Which formula, or 'all'; the default one if not given.")
    ] = None,
) -> None:
    """Print the PCS and IECS of one device, with interval and rank.

    Example: edgejoule score huawei_p40_pro
    """
    from edgejoule.scores.definitions import DEFAULT
    from edgejoule.scores.people import describe_scores
    from edgejoule.tables import read_table
    from edgejoule.tables.contracts import SCORES

    typer.echo(describe_scores(read_table(scores, SCORES), device, definition or DEFAULT))
