"""The gallery of docs/figures: a picture or two of each figure, small enough for a repository, with their captions."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp

from PIL import Image

from edgejoule.errors import EdgejouleError
from edgejoule.figures.picture import read_about
from edgejoule.figures.registry import FIGURES
from edgejoule.names import did_you_mean
from edgejoule.tables import write_text

#: Pixels across, and colours in the palette: some tens of kilobytes a picture.
WIDTH, COLOURS = 1080, 256
#: Name of the picture that shows all devices at once.
OVERVIEW = "all-devices"


def write_gallery(figures: Path, device: str, folder: Path) -> None:
    """Write the pictures that stand for each drawn figure, and a page with all of them.

    Args:
        figures: folder with one folder per figure.
        device: whose picture stands for a figure that has one per device.
        folder: where the gallery goes; it holds nothing else afterwards.
    """
    lines = [
        "# Figures of the shipped run",
        "",
        "Made by `snakemake gallery`; numbers and captions are the run's own.",
        "",
    ]
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    seen = set()
    try:
        temporary.chmod(0o755)
        category = None
        for name, spec in FIGURES.items():
            pictures = read_about(figures / name)["pictures"]
            seen |= {picture["name"] for picture in pictures}
            drawn = [picture for picture in pictures if picture["drawn"]]
            if spec.category != category:
                category = spec.category
                lines += [f"## {category}", ""]
            if not drawn:
                lines += [f"**{spec.help}** Not drawn: {pictures[0]['reason']}.", ""]
                continue
            for at, chosen in enumerate(stand_for(drawn, spec.shown, device)):
                file = f"{name}-{chosen['name']}.png" if at else f"{name}.png"
                shrink(figures / name / f"{chosen['name']}.png", temporary / file)
                lines += [f"![{chosen['title']}]({file})", "", f"**{chosen['title']}.** {chosen['caption']}", ""]
        if device not in seen:
            raise EdgejouleError(f"{figures}: no figure shows device '{device}'; {did_you_mean(device, seen)}")
        write_text(temporary / "README.md", "\n".join(lines))
        shutil.rmtree(folder, ignore_errors=True)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def stand_for(drawn: Sequence[Mapping], shown: Sequence[str], device: str) -> list[Mapping]:
    """Return the pictures that stand for a figure: those named; else the device's, then that of all devices.

    A figure that has neither is shown by the first picture that the device is in, or by its first one.

    Args:
        drawn: what ``read_about`` says of the figure's drawn pictures.
        shown: names of pictures.
        device: name of a device.
    """
    for names in (shown, (device, OVERVIEW)):
        chosen = [picture for name in names for picture in drawn if picture["name"] == name]
        if chosen:
            return chosen
    return [next((picture for picture in drawn if device in picture["name"]), drawn[0])]


def shrink(source: Path, target: Path) -> None:
    """Write a PNG with fewer pixels and a palette."""
    with Image.open(source) as image:
        rgb = image.convert("RGB")
        size = (WIDTH, round(rgb.height * WIDTH / rgb.width))
        small = rgb.resize(size, Image.Resampling.LANCZOS) if rgb.width > WIDTH else rgb
        small.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            target, "PNG", optimize=True
        )
