"""The report's page: one file that needs no network, with its data, its pictures and Plotly inside."""

from pathlib import Path

import pandas as pd
from plotly.offline import get_plotlyjs

from edgejoule import __version__
from edgejoule.figures.devices import read_devices
from edgejoule.report.data import page_data
from edgejoule.report.fill import embeddable, fill
from edgejoule.report.pictures import gallery
from edgejoule.tables import contracts, read_table, write_text

ASSETS = Path(__file__).parent
SCRIPTS = ("format.js", "table.js", "explorer.js", "gallery.js", "page.js")


def render(data: dict) -> str:
    """Return the page as HTML, with ``data`` (JSON-able) and everything else inside."""
    parts = {
        "style": (ASSETS / "page.css").read_text(encoding="utf-8"),
        "plotly": get_plotlyjs(),
        "data": embeddable(data),
        "script": "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS),
    }
    return fill((ASSETS / "page.html").read_text(encoding="utf-8"), parts)


def write_page(
    *,
    networks: Path,
    accuracy: Path,
    scores: Path,
    choices: Path,
    device_choices: Path,
    tasks: Path,
    recommendations: Path,
    devices: Path,
    figures: Path,
    output: Path,
) -> None:
    """Write the page from the tables.

    Args:
        networks: Parquet of the datasets stage.
        accuracy: Parquet of the validation stage's summary.
        scores: Parquet of the scores.
        choices: Parquet of the judged recommendations.
        device_choices: Parquet of the device that reaches each accuracy with the least energy.
        tasks: Parquet of the devices in tasks beside ImageNet.
        recommendations: folder with one Parquet per device.
        devices: how each device is shown.
        figures: folder with one folder per figure.
        output: the HTML file.
    """
    looks = read_devices(devices)
    table = read_table(networks, contracts.NETWORKS)
    names = sorted(set(table["device"]))
    chosen = pd.concat(
        [read_table(recommendations / f"{name}.parquet", contracts.RECOMMENDATIONS) for name in names],
        ignore_index=True,
    )
    data = page_data(
        looks,
        table,
        read_table(accuracy, contracts.ACCURACY),
        read_table(scores, contracts.SCORES),
        chosen,
        read_table(choices, contracts.RECOMMENDATION_VALIDATION),
        read_table(device_choices, contracts.DEVICE_CHOICES),
        read_table(tasks, contracts.TASK_CHOICES),
    )
    data |= {"version": __version__, "gallery": gallery(figures, output)}
    write_text(output, render(data))
