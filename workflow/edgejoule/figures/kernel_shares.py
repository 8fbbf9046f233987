"""Which kernel kinds the energy of a network goes to, family by family (after Tu et al., SEC 2023)."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.palette import COLOURS, OTHER, percent
from edgejoule.figures.picture import Picture
from edgejoule.predictors.training import kernels_for

#: Kinds shown by name, by their share over all families; the rest is one segment.
SHOWN = 7


def draw(
    devices: Mapping[str, DeviceLook], networks: pd.DataFrame, kernels: pd.DataFrame, kernel_costs: pd.DataFrame
) -> list[Picture]:
    """Draw one picture per device: a stacked bar per family and precision.

    Args:
        devices: how each device is shown.
        networks: the datasets stage's table, for the networks measured and their families.
        kernels: the kernels that each network is made of.
        kernel_costs: what each kernel costs on each device: measured, or inferred from network totals.
    """
    looks = known(devices, networks["device"], "results/datasets/networks.parquet")
    return [_one_device(look, networks[networks["device"] == look.name], kernels, kernel_costs) for look in looks]


def _one_device(look: DeviceLook, networks: pd.DataFrame, kernels: pd.DataFrame, costs: pd.DataFrame) -> Picture:
    title = f"Energy by kernel kind: {look.title}"
    costs = costs[(costs["device"] == look.name) & costs["energy_mj"].notna()]
    if costs.empty:
        return Picture(look.name, title, reason="no kernel of this device has a measured or inferred energy")
    shares = kind_shares(networks, kernels, costs)
    if shares.empty:
        return Picture(look.name, title, reason="no kernel with an energy occurs in a measured network")
    kinds = shares.mean().sort_values(ascending=False).index
    drawn = shares[kinds[:SHOWN]]
    if len(kinds) > SHOWN:
        drawn = drawn.assign(**{f"{len(kinds) - SHOWN} other kinds": shares[kinds[SHOWN:]].sum(axis=1)})
    figure, axes = plt.subplots(figsize=(7.2, 1.5 + 0.32 * len(drawn)))
    left = np.zeros(len(drawn))
    colours = (*COLOURS[:SHOWN], OTHER)
    for kind, colour in zip(drawn.columns, colours, strict=False):
        width = drawn[kind].to_numpy()
        axes.barh(range(len(drawn)), width, left=left, color=colour, label=kind, height=0.72, edgecolor="white", lw=0.5)
        for i, value in enumerate(width):
            if value >= 7:
                axes.text(left[i] + value / 2, i, f"{value:.0f}", ha="center", va="center", fontsize=7, color="white")
        left += width
    axes.set_yticks(range(len(drawn)), [f"{family}, {precision}" for family, precision in drawn.index])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 100)
    axes.set_xlabel("Share of the energy of a network's kernels (%)")
    axes.set_title(look.title)
    how = (
        "inferred from network totals"
        if set(costs["origin"]) == {"inferred"}
        else ", ".join(sorted(set(costs["origin"])))
    )
    axes.set_title(f"kernel energies {how}", loc="right", fontsize=7.5, fontweight="normal", color="#6b7280")
    figure.legend(loc="outside lower center", ncols=4)
    first, second = kinds[0], kinds[1] if len(kinds) > 1 else None
    caption = (
        f"Mean over the networks of a family and precision; kernel energies are {how}, {look.energy_label}. Over all "
        f"rows {first} takes {percent(shares[first].mean())}"
    )
    caption += f", {second} {percent(shares[second].mean())}." if second else "."
    return Picture(look.name, title, caption, figure)


def kind_shares(networks: pd.DataFrame, kernels: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Return the share (%) of each kernel kind in the energy of a family's networks, per family and precision.

    Args:
        networks: one device's networks.
        kernels: the kernels of all networks and runtimes.
        costs: the device's kernels with an energy.
    """
    own = kernels_for(kernels, networks["runtime"].iloc[0])
    energy = costs.drop_duplicates(["kernel", "precision"]).set_index(["kernel", "precision"])["energy_mj"]
    own = own.join(energy, on=["kernel", "precision"], how="inner")
    families = networks.loc[networks["quality"] != "failed", ["network", "precision", "family"]]
    own = own.merge(families, on=["network", "precision"])
    per_kind = own.groupby(["family", "precision", "network", "kind"])["energy_mj"].sum().unstack(fill_value=0.0)
    share = 100 * per_kind.div(per_kind.sum(axis=1), axis=0)
    return share.groupby(level=["family", "precision"]).mean()
