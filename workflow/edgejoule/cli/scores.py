"""``edgejoule scores``: PCS and IECS of devices."""

from pathlib import Path
from typing import Annotated

import typer

command = typer.Typer(
    no_args_is_help=True, help="PCS and IECS: scores of devices, how sure they are and what drives them."
)

Applications = Annotated[Path, typer.Option(help="results/datasets/applications.parquet.")]
Settings = Annotated[Path, typer.Option(help="config/applications.yaml.")]


@command.command()
def rank(
    applications: Applications,
    settings: Settings,
    output: Annotated[Path, typer.Option(help="scores.parquet; CSV and Markdown are written beside it.")],
    comparisons: Annotated[Path, typer.Option(help="Who ranks above whom, and how surely.")],
    bootstrap: Annotated[int, typer.Option(min=1, help="Resamples behind each interval.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
) -> None:
    """Score and rank every device within its league.

    Example: edgejoule scores rank --applications results/datasets/applications.parquet
    --settings config/applications.yaml --output results/scores/scores.parquet
    --comparisons results/scores/comparisons.parquet
    """
    from edgejoule.config import load_applications
    from edgejoule.scores.compute import compute_scores
    from edgejoule.scores.people import scores_markdown, write_csv
    from edgejoule.tables import read_table, write_table, write_text
    from edgejoule.tables.contracts import APPLICATIONS, COMPARISONS, SCORES

    rows = read_table(applications, APPLICATIONS)
    scores, above = compute_scores(rows, load_applications(settings), bootstrap, seed)
    about = {"settings": str(settings), "bootstrap": bootstrap, "seed": seed}
    write_table(scores, output, SCORES, about)
    write_table(above, comparisons, COMPARISONS, about)
    write_csv(scores, output.with_suffix(".csv"))
    write_text(output.with_suffix(".md"), scores_markdown(scores))
