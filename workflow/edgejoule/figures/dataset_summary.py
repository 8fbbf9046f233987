"""What the datasets hold: networks per device and family, kernels per device and kind, with the range of energies."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import tilted_columns
from edgejoule.figures.palette import INK
from edgejoule.figures.picture import Picture

#: With more families than this, the smallest are one column.
FAMILIES = 14
#: How energies of each origin are called.
CALLED = {"estimated": "modelled"}


def draw(devices: Mapping[str, DeviceLook], networks: pd.DataFrame, kernel_costs: pd.DataFrame) -> list[Picture]:
    """Draw two tables: networks by device and family, and kernels by kind and device, with the range of energies.

    Args:
        devices: how each device is shown.
        networks: the datasets stage's networks.
        kernel_costs: its kernels.
    """
    return [_networks(devices, networks), _kernels(devices, kernel_costs)]


def _networks(devices: Mapping[str, DeviceLook], networks: pd.DataFrame) -> Picture:
    name, title = "all-devices", "Networks, families and energies in the dataset"
    looks = known(devices, networks["device"], "results/datasets/networks.parquet")
    if not looks:
        return Picture(name, title, reason="the dataset has no rows")
    usable = networks[networks["quality"] != "failed"]
    if usable.empty:
        return Picture(name, title, reason="no row of the dataset has figures")
    counts = usable["family"].value_counts()
    frequent = sorted(counts.sort_values(ascending=False, kind="stable").index[:FAMILIES])
    family = usable["family"].where(usable["family"].isin(frequent), f"{len(counts) - len(frequent)} more")
    columns = [*frequent, *([f"{len(counts) - len(frequent)} more"] if len(counts) > len(frequent) else [])]
    cells = usable.assign(column=family).groupby(["device", "column"])
    names = [look.name for look in looks]
    held = cells.size().unstack(fill_value=0).reindex(index=names, columns=columns, fill_value=0)
    figure, axes = plt.subplots(figsize=(7.2, 1.3 + 0.34 * len(looks)))
    _shades(axes, held)
    for i, j in np.argwhere(held.to_numpy() > 0):
        axes.text(j + 0.5, i + 0.5, str(held.iat[i, j]), ha="center", va="center", fontsize=8, color=INK)
    axes.set_yticks(np.arange(len(looks)) + 0.5, [look.title for look in looks])
    for i, look in enumerate(looks):
        own = usable.loc[(usable["device"] == look.name) & usable["energy_mj"].notna(), "energy_mj"]
        said = f"{_range(own)} mJ\n{CALLED.get(look.origin, look.origin)}" if len(own) else "no energy"
        axes.annotate(said, (len(columns) + 0.2, i + 0.5), annotation_clip=False, va="center", fontsize=6.5, color=INK)
    # The layout engine does not see text beside the axes.
    figure.get_layout_engine().set(rect=(0, 0, 0.95, 1))
    tilted_columns(axes, columns)
    quality, origin = networks["quality"].value_counts(), networks["origin"].replace(CALLED).value_counts()
    caption = (
        f"{len(networks)} rows: {networks['network'].nunique()} networks of {len(counts)} families on {len(looks)} "
        f"devices. Quality: {', '.join(f'{quality[key]} {key}' for key in quality.index)}; failed rows have no figures "
        f"and are not counted in the cells. Energy: {', '.join(f'{origin[key]} {key}' for key in origin.index)}."
    )
    return Picture(name, title, caption, figure)


def _kernels(devices: Mapping[str, DeviceLook], kernels: pd.DataFrame) -> Picture:
    """Draw the kernel-level dataset in the form of Tu et al., SEC 2023: kernels of each kind, and range of energies."""
    name, title = "kernels", "Kernels and their energies in the dataset"
    rows = kernels[(kernels["quality"] != "failed") & kernels["energy_mj"].notna()]
    looks = known(devices, rows["device"], "results/datasets/kernels.parquet")
    if not looks:
        return Picture(name, title, reason="no kernel of this run has an energy")
    cells = rows.groupby(["kind", "device"])["energy_mj"]
    held = cells.size().unstack(fill_value=0)[[look.name for look in looks]]
    held = held.loc[held.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    figure, axes = plt.subplots(figsize=(7.2, 2.1 + 0.27 * len(held)))
    _shades(axes, held)
    for i, j in np.argwhere(held.to_numpy() > 0):
        span = _range(cells.get_group((held.index[i], held.columns[j])))
        axes.text(j + 0.5, i + 0.33, str(held.iat[i, j]), ha="center", va="center", fontsize=7.5, color=INK)
        axes.text(j + 0.5, i + 0.75, span, ha="center", va="center", fontsize=5, color=INK)
    axes.set_yticks(np.arange(len(held)) + 0.5, held.index, fontsize=7.5)
    origins = rows.groupby("device")["origin"].agg(lambda values: ", ".join(sorted(set(values.replace(CALLED)))))
    tilted_columns(axes, [look.title for look in looks])
    for j, look in enumerate(looks):
        axes.text(j + 0.5, len(held) + 0.25, origins[look.name], ha="center", va="center", fontsize=6.5, color=INK)
    axes.set_ylim(len(held) + 0.5, 0)
    axes.set_xlabel("Number of kernels; least to greatest energy (mJ), and where it is from")
    axes.xaxis.set_label_position("bottom")
    # The layout engine does not see how far the longest kind reaches to the left.
    figure.get_layout_engine().set(rect=(0.02, 0, 0.98, 1))
    origin = rows["origin"].replace(CALLED).value_counts()
    caption = (
        f"{len(rows)} unique kernel configurations of {len(held)} kinds on {len(looks)} devices; "
        f"{', '.join(f'{count} energies {key}' for key, count in origin.items())}. In each cell their number, and "
        "their least and greatest energy in mJ."
    )
    return Picture(name, title, caption, figure)


def _shades(axes: Axes, held: pd.DataFrame) -> None:
    shade = np.sqrt(held.to_numpy(dtype=float))
    axes.pcolormesh(shade, cmap="Blues", vmin=0, vmax=max(shade.max(), 1) * 1.6, edgecolors="white", linewidth=1)
    axes.invert_yaxis()
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _range(values: pd.Series) -> str:
    low, high = (f"{float(f'{value:.2g}'):.6g}" for value in (values.min(), values.max()))
    return low if low == high else f"{low}–{high}"
