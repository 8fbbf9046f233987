"""``edgejoule freeze``: make a live recording one that ships."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    device: Annotated[str, typer.Argument(help="Name of a live device that has been measured.")],
    devices: Annotated[Path, typer.Option(help="Folder of its device file.")] = Path("config/devices"),
    recordings: Annotated[Path, typer.Option(help="Folder of live recordings.")] = Path("results/measure"),
    traces: Annotated[Path, typer.Option(help="Folder of recordings that ship.")] = Path("resources/traces"),
) -> None:
    """Copy a live recording to the ones that ship, and turn its device file into a replay of it.

    Example: edgejoule freeze my-board
    """
    from edgejoule.measure.freeze import freeze

    file = devices / f"{device}.yaml"
    freeze(file, recordings / device, traces / device)
    typer.echo(
        f"recording in {traces / device}, which {file} replays now; 'snakemake --cores all' derives everything from it "
        "again, and whoever gets both gets your figures without your board"
    )
