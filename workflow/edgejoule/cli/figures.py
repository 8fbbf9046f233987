"""``edgejoule figures``: how devices are shown, and one subcommand per figure, made from the list of figures."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edgejoule.figures.registry import FIGURES, INPUTS, Spec

command = typer.Typer(no_args_is_help=True, help="Draw figures from Parquet: PDF and SVG for print, PNG for the web.")

Output = Annotated[Path, typer.Option(help="Folder of the figure; made anew.")]
Devices = Annotated[Path, typer.Option(help="How devices are shown, from 'edgejoule figures devices'.")]


@command.command("devices")
def devices(
    files: Annotated[list[Path], typer.Argument(help="Device files.")],
    output: Annotated[Path, typer.Option(help="JSON file to write.")],
) -> None:
    """Write how each device is shown: title, colour, marker, where its energy is from.

    Example: edgejoule figures devices --output results/figures/devices.json config/devices/rpi4-tflite-v2.7.1-ruy.yaml
    """
    from edgejoule.figures.devices import write_devices

    write_devices(files, output)


def _subcommand(name: str, spec: Spec) -> Callable[..., None]:
    """Build the subcommand of one figure: an option per table, and arguments where there is one file per device."""

    def run(devices: Path, output: Path, **files: Path | list[Path] | None) -> None:
        from edgejoule.figures.draw import draw_figure

        draw_figure(name, devices, files, output)

    kinds = {key.replace("-", "_"): _parameter(key) for key in spec.inputs} | {"devices": Devices, "output": Output}
    # A run may have no device with such a file: the figure then says so.
    default = {key.replace("-", "_"): None for key in spec.inputs if INPUTS[key].per_device}
    run.__signature__ = inspect.Signature(
        [
            inspect.Parameter(
                key, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default.get(key, inspect.Parameter.empty)
            )
            for key, kind in kinds.items()
        ]
    )
    run.__doc__ = f"{spec.help}\n\nExample: {_example(name, spec)}"
    return run


def _parameter(key: str) -> object:
    given = INPUTS[key]
    if given.per_device:
        return Annotated[list[Path] | None, typer.Argument(help=f"One file per device, such as {given.path}.")]
    return Annotated[Path, typer.Option(help=f"Such as {given.path}.")]


def _example(name: str, spec: Spec) -> str:
    options = [f"--{key} {INPUTS[key].path}" for key in spec.inputs if not INPUTS[key].per_device]
    arguments = [INPUTS[key].path for key in spec.inputs if INPUTS[key].per_device]
    words = [*options, "--devices results/figures/devices.json", f"--output results/figures/{name}", *arguments]
    return f"edgejoule figures {name} {' '.join(words)}"


for _name, _spec in FIGURES.items():
    command.command(_name)(_subcommand(_name, _spec))
