"""Which kernel kinds the cost of a network goes to: by family, and device beside device (after Tu et al., SEC 2023)."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from edgejoule.figures.devices import DeviceLook, known, recording_folders
from edgejoule.figures.kernel_kinds import kind_shares, operator_shares, profiled_shares
from edgejoule.figures.palette import UNTOLD, kind_looks, percent, text_colour
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import note
from edgejoule.traces import read_nodes

#: Kinds shown by name, by their mean share; the rest is one segment. Families shown, those with most networks.
SHOWN, FAMILIES = 7, 16
#: Of these kinds a bar is written with its number where it is this wide (%).
WIDE = 7
#: Where less of the time could be put to kernels of the graph (%), it is shown by the runtime's own names.
TOLD = 50


def draw(
    devices: Mapping[str, DeviceLook],
    networks: pd.DataFrame,
    kernels: pd.DataFrame,
    kernel_costs: pd.DataFrame,
    recordings: list[Path],
) -> list[Picture]:
    """Draw the devices side by side, and one picture per device: a stacked bar per family and precision.

    Shares are of time where energy is latency times a constant and the runtime's own profile was recorded (shares of
    modelled energy would be the same), else of energy where kernels have one, else of time.

    Args:
        devices: how each device is shown.
        networks: the datasets stage's table, for the networks measured and their families.
        kernels: the kernels that each network is made of.
        kernel_costs: what each kernel costs on each device: measured, or inferred from network totals.
        recordings: the recordings' ``recording.json`` files, for the profiles beside them.
    """
    folders = recording_folders(recordings)
    pictures, by_kind = [], {}
    for look in known(devices, networks["device"], "results/datasets/networks.parquet"):
        own = networks[(networks["device"] == look.name) & (networks["quality"] != "failed")]
        costs = kernel_costs[(kernel_costs["device"] == look.name) & kernel_costs["energy_mj"].notna()]
        nodes = read_nodes(folders.get(look.name))
        if nodes is not None and len(own) and (look.origin == "estimated" or costs.empty):
            picture, shares = _by_time(look, own, kernels, nodes)
        elif len(costs) and len(own):
            picture, shares = _by_energy(look, own, kernels, costs)
        else:
            reason = "no kernel of this device has a measured or inferred energy, and its runtime was not profiled"
            picture, shares = Picture(look.name, f"Cost by kernel kind: {look.title}", reason=reason), None
        pictures.append(picture)
        if shares is not None and len(shares):
            by_kind[look] = shares
    return [_side_by_side(by_kind), *pictures]


def _by_energy(
    look: DeviceLook, networks: pd.DataFrame, kernels: pd.DataFrame, costs: pd.DataFrame
) -> tuple[Picture, pd.DataFrame]:
    shares, partly = kind_shares(networks, kernels, costs)
    origins = set(costs["origin"])
    how = "inferred from network totals" if origins == {"inferred"} else ", ".join(sorted(origins))
    about = f"Kernel energies are {how}; {look.energy_label}."
    if partly:
        about += f" {partly} networks with a kernel of no known energy are left out."
    return _picture(look, shares, "energy", f"kernel energies {how}", about), shares


def _by_time(
    look: DeviceLook, networks: pd.DataFrame, kernels: pd.DataFrame, nodes: pd.DataFrame
) -> tuple[Picture, pd.DataFrame | None]:
    """Return the picture, and the shares by kernel kind where the runtime's nodes are kernels of the graph."""
    shares = profiled_shares(networks, kernels, nodes)
    told = 100 - shares[UNTOLD].mean() if len(shares) else 0.0
    of_kinds = shares if told >= TOLD else None
    if of_kinds is not None:
        about = (
            f"Time of each kernel from the runtime's own profile of {len(shares)} networks, of which "
            f"{percent(told)} could be put to kernels of the graph."
        )
    else:
        shares = operator_shares(networks, nodes)
        about = (
            f"Time of each node from the runtime's own profile of {len(shares)} networks, by the runtime's own names: "
            f"only {percent(told)} of it could be put to kernels of the graph."
        )
    about += f" {look.energy_label[0].upper()}{look.energy_label[1:]}, has the same shares;"
    about += " no kernel's energy was measured."
    what = "time and of the modelled energy" if look.origin == "estimated" else "time"
    return _picture(look, shares, what, "time measured by the runtime's profiler", about), of_kinds


def _picture(look: DeviceLook, shares: pd.DataFrame, what: str, how: str, about: str) -> Picture:
    title = f"{what.split()[0].capitalize()} by kernel kind: {look.title}"
    if shares.empty:
        return Picture(look.name, title, reason="no kernel with a cost occurs in a measured network")
    rows = shares[shares.index.get_level_values("family").isin(_largest(shares))].droplevel("network")
    drawn = _shortened(rows.groupby(level=["family", "precision"]).mean(), shares.mean())
    one = drawn.index.get_level_values("precision").nunique() == 1
    names = [family if one else f"{family}, {precision}" for family, precision in drawn.index]
    figure, axes = plt.subplots(figsize=(7.2, 1.5 + 0.28 * len(drawn)))
    _bars(axes, drawn, names)
    axes.set_xlabel(f"Share of the {what} of a network's kernels (%)")
    axes.set_title(look.title)
    note(axes, how)
    figure.legend(loc="outside lower center", ncols=4)
    most = ", ".join(f"{kind} {percent(share)}" for kind, share in _ranked(shares.mean()).head(3).items())
    families = shares.index.get_level_values("family").nunique()
    caption = (
        f"Mean over the networks of a family and precision, {drawn.index.get_level_values('family').nunique()} of "
        f"{families} families. Over all {len(shares)} networks: {most}. {about}"
    )
    return Picture(look.name, title, caption, figure)


def _side_by_side(by_kind: Mapping[DeviceLook, pd.DataFrame]) -> Picture:
    """Draw a bar per device, over the networks that all of them share, processors above graphics processors."""
    name, title = "all-devices", "Cost by kernel kind, processors beside graphics processors"
    looks = sorted(by_kind, key=lambda look: (look.processor, look.title))
    if len(looks) < 2:
        return Picture(name, title, reason="fewer than two devices have costs by kernel kind")
    shares = {look: by_kind[look].droplevel("family") for look in looks}
    common = shares[looks[0]].index
    for look in looks[1:]:
        common = common.intersection(shares[look].index)
    if common.empty:
        return Picture(name, title, reason="no network has costs by kernel kind on all devices")
    means = pd.DataFrame({look.name: shares[look].loc[common].mean() for look in looks}).T.fillna(0.0)
    drawn = _shortened(means, means.mean())
    figure, axes = plt.subplots(figsize=(7.2, 1.5 + 0.34 * len(drawn)))
    _bars(axes, drawn, [f"{look.title}\n{look.processor}, {'time' if look.hollow else 'energy'}" for look in looks])
    axes.tick_params(axis="y", labelsize=7)
    axes.set_xlabel("Share of the cost of a network's kernels (%)")
    note(axes, "energies inferred from network totals; times measured by the runtime's profiler")
    figure.legend(loc="outside lower center", ncols=4)
    most = drawn.columns[0]
    said = "; ".join(f"{look.title} ({look.processor}) {percent(means.loc[look.name, most])}" for look in looks)
    caption = (
        f"Mean over the {len(common)} networks that all {len(looks)} devices have. Energy where kernels have one, else "
        f"time, of which modelled energy has the same shares. {most}: {said}."
    )
    return Picture(name, title, caption, figure)


def _ranked(means: pd.Series) -> pd.Series:
    return means.drop(UNTOLD, errors="ignore").sort_values(ascending=False, kind="stable")


def _shortened(rows: pd.DataFrame, means: pd.Series) -> pd.DataFrame:
    """Return the ``SHOWN`` kinds of greatest mean share, the others added up, and what is of no known kind."""
    kinds = _ranked(means[means > 0]).index
    drawn = rows[kinds[:SHOWN]]
    if len(kinds) > SHOWN:
        rest = len(kinds) - SHOWN
        name = f"{rest} other kinds" if rest > 1 else "1 other kind"
        drawn = drawn.assign(**{name: rows[kinds[SHOWN:]].sum(axis=1)})
    return drawn.assign(**{UNTOLD: rows[UNTOLD]}) if means.get(UNTOLD, 0.0) > 0 else drawn


def _largest(shares: pd.DataFrame) -> list[str]:
    counts = shares.index.get_level_values("family").value_counts()
    return sorted(counts.index, key=lambda family: (-counts[family], family))[:FAMILIES]


def _bars(axes: Axes, rows: pd.DataFrame, names: list[str]) -> None:
    left = np.zeros(len(rows))
    for kind, (colour, hatch) in kind_looks(rows.columns, SHOWN).items():
        width = rows[kind].to_numpy()
        style = {"color": colour, "hatch": hatch, "edgecolor": "white", "lw": 0.5}
        axes.barh(range(len(rows)), width, left=left, label=kind, height=0.74, **style)
        for i, value in enumerate(width):
            if value >= WIDE:
                box = {"boxstyle": "square,pad=0.15", "facecolor": colour, "edgecolor": "none"} if hatch else None
                at = (left[i] + value / 2, i)
                axes.text(
                    *at, f"{value:.0f}", ha="center", va="center", fontsize=7, color=text_colour(colour), bbox=box
                )
        left += width
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 100)
