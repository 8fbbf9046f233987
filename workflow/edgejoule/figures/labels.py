"""Short names of networks, and labels that overlap neither each other nor the points."""

import re
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from edgejoule.figures.palette import INK

#: Where a label may stand around its point: offset in points, and how the text is anchored there.
PLACES = (
    (-6, 5, "right", "bottom"),
    (6, -5, "left", "top"),
    (-8, 0, "right", "center"),
    (8, 0, "left", "center"),
    (0, 8, "center", "bottom"),
    (6, 6, "left", "bottom"),
    (-12, 12, "right", "bottom"),
    (12, -12, "left", "top"),
    (24, -24, "left", "top"),
)


def short_network(name: str) -> str:
    """Abbreviate an upstream network name for a label in a figure.

    >>> short_network("mobilenet-v2-1.0-224-quantized"), short_network("mobilenet-v3-large_224_1.0_float")
    ('MNv2 1.0 224 q', 'MNv3 large 224 1.0')
    """
    text = re.sub(r"[-_](non[-_]quantized|float|fp32)$", "", name)
    text = re.sub(r"[-_](quantized|uint8|int8)$", " q", text)
    text = re.sub(r"^mobilenet[-_]", "MN", text).replace("minimalistic", "min")
    return re.sub(r"[-_]+", " ", re.sub(r"^efficientnet[-_]", "EN", text))


#: The same around a large mark.
AROUND_BUBBLES = (
    (0, 10, "center", "bottom"),
    (0, -10, "center", "top"),
    (13, 0, "left", "center"),
    (-13, 0, "right", "center"),
)


def label_points(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    texts: Sequence[str],
    most: int = 6,
    places: Sequence[tuple[float, float, str, str]] = PLACES,
) -> int:
    """Label up to ``most`` of the points, evenly spread over them, where a label fits; return how many were labelled.

    Call it last: limits, scales and size of the figure must be final. A label covers no other label, no point drawn
    with ``scatter`` or ``plot`` in these axes, and does not leave the axes.
    """
    figure = axes.figure
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    points = axes.transData.transform(_drawn_points(axes))
    taken = []
    wanted = np.unique(np.linspace(0, len(texts) - 1, min(most, len(texts))).round().astype(int)) if len(texts) else []
    for i in wanted:
        for dx, dy, ha, va in places:
            label = axes.annotate(
                texts[i],
                (x[i], y[i]),
                (dx, dy),
                textcoords="offset points",
                ha=ha,
                va=va,
                fontsize=7,
                color=INK,
                zorder=6,
            )
            box = label.get_window_extent(renderer).padded(1)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and not any(box.overlaps(other) for other in taken) and not _covers(box, points):
                taken.append(box)
                break
            label.remove()
    return len(taken)


def _drawn_points(axes: Axes) -> np.ndarray:
    """Return the data coordinates of all marks and of points along all lines in these axes, shape (n, 2)."""
    offsets = [np.asarray(collection.get_offsets()) for collection in axes.collections]
    paths = [line.get_path() for line in axes.lines if len(line.get_xdata()) > 1]
    lines = [path.interpolated(12).vertices for path in paths]
    return np.concatenate([np.empty((0, 2)), *offsets, *lines])


def _covers(box, points: np.ndarray) -> bool:
    inside = (points[:, 0] > box.x0) & (points[:, 0] < box.x1) & (points[:, 1] > box.y0) & (points[:, 1] < box.y1)
    return bool(inside.any())
