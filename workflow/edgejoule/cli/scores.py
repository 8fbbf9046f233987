"""``edgejoule scores``: PCS and IECS of devices."""

from pathlib import Path
from typing import Annotated

import typer

command = typer.Typer(
    no_args_is_help=True, help="PCS and IECS: scores of devices, how sure they are and what drives them."
)

Applications = Annotated[Path, typer.Option(help="results/datasets/applications.parquet.")]
Settings = Annotated[Path, typer.Option(help="config/applications.yaml.")]
Scores = Annotated[Path, typer.Option(help="results/scores/scores.parquet.")]
Bootstrap = Annotated[int, typer.Option(min=1, help="Resamples behind each interval.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the resamples.")]
Markdown = Annotated[Path, typer.Option(help="What people read.")]


def _write(rows, path: Path, table, about: dict) -> None:
    """Write a table, and the same as CSV beside it."""
    from edgejoule.scores.people import write_csv
    from edgejoule.tables import write_table

    write_table(rows, path, table, about)
    write_csv(rows, path.with_suffix(".csv"))


@command.command()
def rank(
    applications: Applications,
    settings: Settings,
    output: Annotated[Path, typer.Option(help="scores.parquet; CSV and Markdown are written beside it.")],
    comparisons: Annotated[Path, typer.Option(help="Who ranks above whom, and how surely; CSV beside it.")],
    bootstrap: Bootstrap = 1000,
    seed: Seed = 0,
) -> None:
    """Score and rank every device within its league.

    Example: edgejoule scores rank --applications results/datasets/applications.parquet
    --settings config/applications.yaml --output results/scores/scores.parquet
    --comparisons results/scores/comparisons.parquet
    """
    from edgejoule.config import load_applications
    from edgejoule.scores.compute import compute_scores
    from edgejoule.scores.people import scores_markdown
    from edgejoule.tables import read_table, write_text
    from edgejoule.tables.contracts import APPLICATIONS, COMPARISONS, SCORES

    rows = read_table(applications, APPLICATIONS)
    chosen = load_applications(settings)
    scores, above = compute_scores(rows, chosen, bootstrap, seed)
    about = {"settings": str(settings), "bootstrap": bootstrap, "seed": seed}
    _write(scores, output, SCORES, about)
    _write(above, comparisons, COMPARISONS, about)
    readable = output.with_suffix(".md")
    write_text(readable, scores_markdown(scores, above, rows, chosen))
    devices, leagues = scores["device"].nunique(), scores["league"].nunique()
    typer.echo(f"{output}: scores of {devices} device(s) in {leagues} league(s), to be read in {readable}", err=True)


@command.command()
def explain(
    applications: Applications,
    settings: Settings,
    contributions: Annotated[Path, typer.Option(help="What each score is made of; CSV beside it.")],
    sensitivity: Annotated[Path, typer.Option(help="Scores with one choice changed; CSV beside it.")],
    markdown: Markdown,
) -> None:
    """Take the default scores apart, and change one choice behind them at a time.

    Example: edgejoule scores explain --applications results/datasets/applications.parquet
    --settings config/applications.yaml --contributions results/scores/contributions.parquet
    --sensitivity results/scores/sensitivity.parquet --markdown results/scores/explanation.md
    """
    from edgejoule.config import load_applications
    from edgejoule.scores.decomposition import decompose
    from edgejoule.scores.reports import explanation_markdown
    from edgejoule.scores.sensitivity import analyse_sensitivity
    from edgejoule.tables import read_table, write_text
    from edgejoule.tables.contracts import APPLICATIONS, CONTRIBUTIONS, SENSITIVITY

    rows, chosen = read_table(applications, APPLICATIONS), load_applications(settings)
    about = {"settings": str(settings)}
    made_of, changed = decompose(rows, chosen), analyse_sensitivity(rows, chosen)
    _write(made_of, contributions, CONTRIBUTIONS, about)
    _write(changed, sensitivity, SENSITIVITY, about)
    write_text(markdown, explanation_markdown(made_of, changed, chosen))


@command.command()
def agree(
    applications: Applications,
    settings: Settings,
    scores: Scores,
    agreement: Annotated[Path, typer.Option(help="Correlations with published scores; CSV beside it.")],
    disagreements: Annotated[Path, typer.Option(help="What is ordered the other way, and why; CSV beside it.")],
    markdown: Markdown,
    bootstrap: Bootstrap = 1000,
    seed: Seed = 0,
) -> None:
    """Compare every definition with the published scores.

    Example: edgejoule scores agree --applications results/datasets/applications.parquet
    --settings config/applications.yaml --scores results/scores/scores.parquet
    --agreement results/scores/agreement.parquet --disagreements results/scores/disagreements.parquet
    --markdown results/scores/agreement.md
    """
    from edgejoule.config import load_applications
    from edgejoule.scores.agreement import compare_with_published, rank_table
    from edgejoule.scores.reports import agreement_markdown
    from edgejoule.tables import read_table, write_text
    from edgejoule.tables.contracts import AGREEMENT, APPLICATIONS, DISAGREEMENTS, SCORES

    rows, chosen = read_table(applications, APPLICATIONS), load_applications(settings)
    alike, apart = compare_with_published(rows, chosen, bootstrap, seed)
    about = {"settings": str(settings), "bootstrap": bootstrap, "seed": seed}
    _write(alike, agreement, AGREEMENT, about)
    _write(apart, disagreements, DISAGREEMENTS, about)
    ranks = rank_table(read_table(scores, SCORES), chosen)
    write_text(markdown, agreement_markdown(alike, apart, ranks))


@command.command()
def label(
    applications: Applications,
    settings: Settings,
    scores: Scores,
    labels: Annotated[Path, typer.Option(help="Letters; CSV beside it.")],
    footprint: Annotated[Path, typer.Option(help="Battery and carbon of every pair; CSV beside it.")],
    markdown: Markdown,
) -> None:
    """Say scores as letters, and energies as battery and carbon.

    Example: edgejoule scores label --applications results/datasets/applications.parquet
    --settings config/applications.yaml --scores results/scores/scores.parquet
    --labels results/scores/labels.parquet --footprint results/scores/footprint.parquet
    --markdown results/scores/labels.md
    """
    from edgejoule.config import load_applications
    from edgejoule.scores.labels import footprint as footprint_of
    from edgejoule.scores.labels import label_scores
    from edgejoule.scores.reports import labels_markdown
    from edgejoule.tables import read_table, write_text
    from edgejoule.tables.contracts import APPLICATIONS, FOOTPRINT, LABELS, SCORES

    chosen = load_applications(settings)
    letters = label_scores(read_table(scores, SCORES), chosen)
    pairs = footprint_of(read_table(applications, APPLICATIONS), chosen)
    about = {"settings": str(settings)}
    _write(letters, labels, LABELS, about)
    _write(pairs, footprint, FOOTPRINT, about)
    write_text(markdown, labels_markdown(letters, pairs, chosen))
