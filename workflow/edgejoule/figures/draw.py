"""Drawing one figure of the list from its Parquet files."""

import importlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from edgejoule.figures.devices import read_devices
from edgejoule.figures.picture import Picture, save_pictures
from edgejoule.figures.registry import FIGURES, INPUTS
from edgejoule.figures.style import use_style
from edgejoule.tables import contracts, empty, read_table


def draw_figure(name: str, devices: Path, files: Mapping[str, Path | list[Path]], folder: Path) -> None:
    """Draw the figure ``name`` from its tables into ``folder``.

    Args:
        name: key of ``FIGURES``.
        devices: file of ``edgejoule figures devices``.
        files: the Parquet file of each input, or the files where there is one per device.
        folder: where the pictures go; see ``edgejoule.figures.picture.save_pictures``.
    """
    spec = FIGURES[name]
    tables = {key.replace("-", "_"): _read(key, files[key.replace("-", "_")]) for key in spec.inputs}
    use_style()
    module, function = spec.function.split(":")
    draw = getattr(importlib.import_module(f"edgejoule.figures.{module}"), function)
    pictures = draw(read_devices(devices), **tables)
    nothing = Picture("none", spec.help.rstrip("."), reason="the tables of this run have no rows for it")
    save_pictures(pictures or [nothing], folder, name)


def _read(key: str, files: Path | list[Path]) -> pd.DataFrame | list[Path]:
    if INPUTS[key].table is None:
        return files or []
    table = getattr(contracts, INPUTS[key].table)
    if INPUTS[key].per_device:
        return pd.concat([empty(table), *(read_table(file, table) for file in files or [])], ignore_index=True)
    return read_table(files, table)
