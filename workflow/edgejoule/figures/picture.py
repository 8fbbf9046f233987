"""A picture with its caption, on disk as PDF and SVG for print and PNG for the web; equal pictures are equal bytes."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from edgejoule.errors import EdgejouleError
from edgejoule.tables import write_json, write_text

ABOUT = "about.json"
FORMATS = {
    "pdf": {"Creator": "edgejoule", "Producer": None, "CreationDate": None, "ModDate": None},
    "svg": {"Creator": "edgejoule", "Date": None},
    "png": {"Software": "edgejoule"},
}


@dataclass(frozen=True)
class Picture:
    """One picture of a figure: a device's, or one of all devices.

    ``figure`` is None where the data for it do not exist; ``reason`` then says what is missing. That is a state which
    the report names; nothing is drawn in its place.
    """

    name: str
    title: str
    caption: str = ""
    figure: Figure | None = None
    reason: str = ""


def to_rst(text: str) -> str:
    """Escape plain text for reStructuredText."""
    return re.sub(r"([\\*`|_])", r"\\\1", text)


def save_pictures(pictures: Sequence[Picture], folder: Path, figure: str) -> None:
    """Write the pictures and what is said of them into ``folder``, which holds nothing else afterwards.

    Each drawn picture becomes ``<name>.pdf``, ``.svg`` and ``.png``; each one that could not be drawn becomes
    ``<name>.txt`` with the reason. ``<name>.rst`` is its caption, and ``about.json`` lists them all. The folder appears
    when it is whole.
    """
    folder = Path(folder)
    names = [picture.name for picture in pictures]
    if len(set(names)) != len(names):
        raise EdgejouleError(f"{folder}: two pictures of figure '{figure}' have one name: {', '.join(names)}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left_by_a_killed_run in folder.parent.glob(f".{folder.name}.????????"):
        shutil.rmtree(left_by_a_killed_run)
    temporary = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        temporary.chmod(0o755)
        for picture in pictures:
            _save(picture, temporary)
        about = [
            {"name": p.name, "title": p.title, "caption": p.caption, "drawn": p.figure is not None, "reason": p.reason}
            for p in pictures
        ]
        write_json(temporary / ABOUT, {"figure": figure, "pictures": about})
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _save(picture: Picture, folder: Path) -> None:
    said = picture.caption if picture.figure is not None else f"Not drawn: {picture.reason}"
    write_text(folder / f"{picture.name}.rst", f"**{to_rst(picture.title)}.** {to_rst(said)}\n")
    if picture.figure is None:
        write_text(folder / f"{picture.name}.txt", f"{picture.title}. Not drawn: {picture.reason}\n")
        return
    # Laid out once: the layout engine would otherwise run again for each format, at more cost than the drawing.
    # Twice, since room for long tick labels is only found after the first time.
    if isinstance(picture.figure.get_layout_engine(), ConstrainedLayoutEngine):
        picture.figure.draw_without_rendering()
        picture.figure.draw_without_rendering()
        picture.figure.set_layout_engine("none")
    for suffix, metadata in FORMATS.items():
        picture.figure.savefig(folder / f"{picture.name}.{suffix}", metadata=metadata)
    plt.close(picture.figure)


def read_about(folder: Path) -> dict:
    """Read what ``save_pictures`` wrote about a figure."""
    path = Path(folder) / ABOUT
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EdgejouleError(f"{path}: cannot be read ({error.strerror}); draw the figure again") from error
    except ValueError as error:
        raise EdgejouleError(f"{path}: not valid JSON ({error}); draw the figure again") from error
