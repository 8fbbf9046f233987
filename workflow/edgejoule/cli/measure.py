"""``edgejoule measure``: live recordings, and how far they can be trusted."""

from pathlib import Path
from typing import Annotated

import typer

command = typer.Typer(no_args_is_help=True, help="Measure a device: record networks, live, and judge the noise.")


@command.command("noise")
def noise(
    recording: Annotated[Path, typer.Argument(help="Folder of a recording with per-inference samples.")],
    kind: Annotated[str, typer.Option(help="network or kernel.")] = "network",
    minimum_ms: Annotated[float, typer.Option(help="Leave out what is faster than this.")] = 0.0,
) -> None:
    """Print how far the passes of a recording agree, by estimator, as a Markdown table.

    Example: edgejoule measure noise resources/traces/epyc-onnxruntime-1t --minimum-ms 2
    """
    from edgejoule.measure.noise import noise_report

    typer.echo(noise_report(recording, kind, minimum_ms))
