"""``edgejoule report``: one page for people."""

from pathlib import Path
from typing import Annotated

import typer

command = typer.Typer(no_args_is_help=True, help="Write the report, and describe the datasets for others.")


@command.command("page")
def page(
    networks: Annotated[Path, typer.Option(help="Parquet of all devices' networks.")],
    accuracy: Annotated[Path, typer.Option(help="Parquet of the predictors' errors.")],
    scores: Annotated[Path, typer.Option(help="Parquet of the scores.")],
    choices: Annotated[Path, typer.Option(help="Parquet of the judged recommendations.")],
    device_choices: Annotated[Path, typer.Option(help="Parquet of the best device for each accuracy.")],
    tasks: Annotated[Path, typer.Option(help="Parquet of the devices in tasks beside ImageNet.")],
    recommendations: Annotated[Path, typer.Option(help="Folder with one Parquet of recommendations per device.")],
    devices: Annotated[Path, typer.Option(help="How devices are shown, from 'edgejoule figures devices'.")],
    figures: Annotated[Path, typer.Option(help="Folder with one folder per figure.")],
    output: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("results/report/index.html"),
) -> None:
    """Write the page: a summary per device, an interactive accuracy-energy plot, tables and all figures.

    Example: edgejoule report page --networks results/datasets/networks.parquet
    --accuracy results/validation/accuracy.parquet --scores results/scores/scores.parquet
    --choices results/recommendations/validation.parquet --device-choices results/recommendations/devices.parquet
    --tasks results/recommendations/tasks.parquet --recommendations results/recommendations
    --devices results/figures/devices.json --figures results/figures --output results/report/index.html
    """
    from edgejoule.report.page import write_page

    write_page(
        networks=networks,
        accuracy=accuracy,
        scores=scores,
        choices=choices,
        device_choices=device_choices,
        tasks=tasks,
        recommendations=recommendations,
        devices=devices,
        figures=figures,
        output=output,
    )


@command.command("tables")
def tables(
    files: Annotated[list[Path], typer.Argument(help="Parquet files of the run's tables.")],
    output: Annotated[Path, typer.Option(help="Folder of the pages; made anew.")],
) -> None:
    """Write each table as a page that sorts and filters, with a caption, for Snakemake's report.

    Example: edgejoule report tables --output results/report/tables results/datasets/networks.parquet
    """
    from edgejoule.report.tables import write_tables

    write_tables(files, output)


@command.command("publish")
def publish(
    files: Annotated[list[Path], typer.Argument(help="Parquet files of the datasets.")],
    folder: Annotated[Path, typer.Option(help="Their folder; the description goes beside them.")],
) -> None:
    """Describe the datasets for others: Croissant (validated), data dictionary, checksums.

    Example: edgejoule report publish --folder results/datasets results/datasets/networks.parquet
    """
    from edgejoule.report.publish import publish

    publish(files, folder)


@command.command("gallery")
def gallery(
    figures: Annotated[Path, typer.Option(help="Folder with one folder per figure.")],
    device: Annotated[str, typer.Option(help="Device that stands for all where a figure has a picture per device.")],
    output: Annotated[Path, typer.Option(help="Folder of the gallery; made anew.")],
) -> None:
    """Write the gallery: one small picture per figure, and a page with their captions.

    Example: edgejoule report gallery --figures results/figures --device rpi4-tflite-v2.7.1-ruy --output docs/figures
    """
    from edgejoule.report.gallery import write_gallery

    write_gallery(figures, device, output)
