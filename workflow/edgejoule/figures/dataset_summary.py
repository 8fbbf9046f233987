"""What the datasets hold: networks per device and family, with the range of their energies."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.palette import INK, number
from edgejoule.figures.picture import Picture

#: With more families than this, the smallest are one column.
FAMILIES = 14


def draw(devices: Mapping[str, DeviceLook], networks: pd.DataFrame) -> list[Picture]:
    """Draw the table of devices and families: count of networks, least and greatest energy; and the judged quality.

    Args:
        devices: how each device is shown.
        networks: the datasets stage's table.
    """
    title = "Networks, families and energies in the dataset"
    looks = known(devices, networks["device"], "results/datasets/networks.parquet")
    if not looks:
        return [Picture("all-devices", title, reason="the dataset has no rows")]
    usable = networks[networks["quality"] != "failed"]
    if usable.empty:
        return [Picture("all-devices", title, reason="no row of the dataset has figures")]
    counts = usable["family"].value_counts()
    frequent = sorted(counts.sort_values(ascending=False, kind="stable").index[:FAMILIES])
    family = usable["family"].where(usable["family"].isin(frequent), f"{len(counts) - len(frequent)} more")
    columns = [*frequent, *([f"{len(counts) - len(frequent)} more"] if len(counts) > len(frequent) else [])]
    cells = usable.assign(column=family).groupby(["device", "column"])
    held = (
        cells.size().unstack(fill_value=0).reindex(index=[look.name for look in looks], columns=columns, fill_value=0)
    )
    low, high = cells["energy_mj"].min().unstack(), cells["energy_mj"].max().unstack()
    figure, axes = plt.subplots(figsize=(7.2, 1.3 + 0.42 * len(looks)))
    shade = np.sqrt(held.to_numpy(dtype=float))
    axes.pcolormesh(shade, cmap="Blues", vmin=0, vmax=max(shade.max(), 1) * 1.6, edgecolors="white", linewidth=1)
    axes.invert_yaxis()
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for i, look in enumerate(looks):
        for j, column in enumerate(columns):
            if not held.loc[look.name, column]:
                continue
            count = str(held.loc[look.name, column])
            span = (low.loc[look.name, column], high.loc[look.name, column])
            spanned = len(columns) <= 8 and all(np.isfinite(span))
            axes.text(j + 0.5, i + (0.36 if spanned else 0.5), count, ha="center", va="center", fontsize=8.5, color=INK)
            if spanned:
                said = f"{number(span[0])} to {number(span[1])} mJ"
                axes.text(j + 0.5, i + 0.72, said, ha="center", va="center", fontsize=6.5, color=INK)
    axes.set_yticks(np.arange(len(looks)) + 0.5, [look.title for look in looks])
    tilted = {"rotation": 40, "ha": "left", "va": "bottom", "rotation_mode": "anchor"} if len(columns) > 6 else {}
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, **tilted)
    axes.xaxis.tick_top()
    quality = networks["quality"].value_counts()
    origin = networks["origin"].value_counts()
    caption = (
        f"{len(networks)} rows: {networks['network'].nunique()} networks of {len(counts)} families on {len(looks)} "
        "devices. "
        f"Quality: {', '.join(f'{quality[key]} {key}' for key in quality.index)}. Energy: "
        f"{', '.join(f'{origin[key]} {key}' for key in origin.index)}."
    )
    return [Picture("all-devices", title, caption, figure)]
