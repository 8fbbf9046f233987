"""The pictures of the page: embedded while they fit, as links to the files beside it where they do not."""

import base64
import io
import os
from pathlib import Path

from PIL import Image

from edgejoule.figures.picture import read_about
from edgejoule.figures.registry import FIGURES

#: Pixels across on the page; the PNG beside it has all of them.
WIDTH = 1080
#: Bytes of pictures that the page may carry, base64 included: with Plotly and the data it stays well under 8 MB.
MOST_BYTES = 1_600_000


def embed(path: Path) -> str:
    """Return a picture as a data address: WebP, at most ``WIDTH`` pixels across."""
    with Image.open(path) as image:
        rgb = image.convert("RGB")
        if rgb.width > WIDTH:
            rgb = rgb.resize((WIDTH, round(rgb.height * WIDTH / rgb.width)), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        rgb.save(buffer, "WEBP", quality=82, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def gallery(figures: Path, page: Path) -> list[dict]:
    """Return every figure with its pictures and their captions, in the order of the list of figures.

    Pictures of all devices are embedded first, then those of single devices, until ``MOST_BYTES`` are used; each has
    the addresses of its files relative to the page's folder. A picture that could not be drawn has its reason.
    """
    entries = []
    for name, spec in FIGURES.items():
        about = read_about(figures / name)
        beside = Path(os.path.relpath(figures / name, page.parent)).as_posix()
        pictures = [
            picture | {"files": {s: f"{beside}/{picture['name']}.{s}" for s in ("png", "svg", "pdf")}}
            for picture in about["pictures"]
        ]
        entries.append({"figure": name, "category": spec.category, "help": spec.help, "pictures": pictures})
    spent = 0
    drawn = [(i, entry, p) for entry in entries for i, p in enumerate(entry["pictures"]) if p["drawn"]]
    for _, entry, picture in sorted(drawn, key=lambda item: item[0]):
        address = embed(figures / entry["figure"] / f"{picture['name']}.png")
        if spent + len(address) > MOST_BYTES:
            continue
        picture["embedded"] = address
        spent += len(address)
    return entries
