"""Which kernel kinds the cost of a network goes to, family by family (after Tu et al., SEC 2023)."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from edgejoule.figures.devices import DeviceLook, known, recording_folders
from edgejoule.figures.palette import COLOURS, OTHER, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import note
from edgejoule.predictors.training import kernels_for
from edgejoule.tables import contracts, read_table

#: Kinds shown by name, by their mean share; the rest is one segment. Families shown, those with most networks.
SHOWN, FAMILIES = 7, 16
#: Kinds that most devices spend most on have one colour in all pictures; others take what these leave.
OWN_COLOURS = ("conv+bn+relu", "dwconv+bn+relu", "fc", "add", "mul")


def draw(
    devices: Mapping[str, DeviceLook],
    networks: pd.DataFrame,
    kernels: pd.DataFrame,
    kernel_costs: pd.DataFrame,
    recordings: list[Path],
) -> list[Picture]:
    """Draw one picture per device: a stacked bar per family and precision.

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
    pictures = []
    for look in known(devices, networks["device"], "results/datasets/networks.parquet"):
        own = networks[(networks["device"] == look.name) & (networks["quality"] != "failed")]
        costs = kernel_costs[(kernel_costs["device"] == look.name) & kernel_costs["energy_mj"].notna()]
        profile = folders[look.name] / "nodes.parquet" if look.name in folders else None
        profiled = profile is not None and profile.is_file() and len(own)
        if profiled and look.origin == "estimated":
            pictures.append(_by_time(look, own, kernels, read_table(profile, contracts.NODES)))
        elif len(costs) and len(own):
            pictures.append(_by_energy(look, own, kernels, costs))
        elif profiled:
            pictures.append(_by_time(look, own, kernels, read_table(profile, contracts.NODES)))
        else:
            reason = "no kernel of this device has a measured or inferred energy, and its runtime was not profiled"
            pictures.append(Picture(look.name, f"Cost by kernel kind: {look.title}", reason=reason))
    return pictures


def _by_energy(look: DeviceLook, networks: pd.DataFrame, kernels: pd.DataFrame, costs: pd.DataFrame) -> Picture:
    shares, partly = kind_shares(networks, kernels, costs)
    origins = set(costs["origin"])
    how = "inferred from network totals" if origins == {"inferred"} else ", ".join(sorted(origins))
    about = f"Kernel energies are {how}; {look.energy_label}."
    if partly:
        about += f" {partly} networks with a kernel of no known energy are left out."
    return _picture(look, shares, "energy", f"kernel energies {how}", about)


def _by_time(look: DeviceLook, networks: pd.DataFrame, kernels: pd.DataFrame, nodes: pd.DataFrame) -> Picture:
    shares, matched, profiled = profiled_shares(networks, kernels, nodes)
    if shares.empty:
        reason = (
            f"none of the {profiled} profiled networks runs its operators in the order in which the graph lists them"
        )
        return Picture(look.name, f"Time by kernel kind: {look.title}", reason=reason)
    about = (
        f"Time of each kernel from the runtime's own profile of {matched} networks; {profiled - matched} more were "
        "profiled, but run their operators in another order than the graph lists them. "
        f"{look.energy_label[0].upper()}{look.energy_label[1:]}, has the same shares; no kernel's energy was measured."
    )
    what = "time and of the modelled energy" if look.origin == "estimated" else "time"
    return _picture(look, shares, what, "time measured by the runtime's profiler", about)


def _picture(look: DeviceLook, shares: pd.DataFrame, what: str, how: str, about: str) -> Picture:
    title = f"{what.split()[0].capitalize()} by kernel kind: {look.title}"
    if shares.empty:
        return Picture(look.name, title, reason="no kernel with a cost occurs in a measured network")
    rows = shares[shares.index.get_level_values("family").isin(_largest(shares))].droplevel("network")
    rows = rows.groupby(level=["family", "precision"]).mean()
    kinds = shares.mean().sort_values(ascending=False, kind="stable").index
    drawn = rows[kinds[:SHOWN]]
    if len(kinds) > SHOWN:
        drawn = drawn.assign(**{f"{len(kinds) - SHOWN} other kinds": rows[kinds[SHOWN:]].sum(axis=1)})
    figure, axes = plt.subplots(figsize=(7.2, 1.5 + 0.28 * len(drawn)))
    _bars(axes, drawn)
    axes.set_xlabel(f"Share of the {what} of a network's kernels (%)")
    axes.set_title(look.title)
    note(axes, how)
    figure.legend(loc="outside lower center", ncols=4)
    most = ", ".join(f"{kind} {percent(shares[kind].mean())}" for kind in kinds[:3])
    families = shares.index.get_level_values("family").nunique()
    caption = (
        f"Mean over the networks of a family and precision, {drawn.index.get_level_values('family').nunique()} of "
        f"{families} families. Over all {len(shares)} networks: {most}. {about}"
    )
    return Picture(look.name, title, caption, figure)


def _largest(shares: pd.DataFrame) -> list[str]:
    counts = shares.index.get_level_values("family").value_counts()
    return sorted(counts.index, key=lambda family: (-counts[family], family))[:FAMILIES]


def _bars(axes: Axes, rows: pd.DataFrame) -> None:
    left = np.zeros(len(rows))
    for kind, colour in kind_colours(rows.columns).items():
        width = rows[kind].to_numpy()
        axes.barh(range(len(rows)), width, left=left, color=colour, label=kind, height=0.74, edgecolor="white", lw=0.5)
        for i, value in enumerate(width):
            if value >= 7:
                axes.text(left[i] + value / 2, i, f"{value:.0f}", ha="center", va="center", fontsize=7, color="white")
        left += width
    one = rows.index.get_level_values("precision").nunique() == 1
    names = [family if one else f"{family}, {precision}" for family, precision in rows.index]
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 100)


def kind_colours(kinds: Iterable[str]) -> dict[str, str]:
    """Return the colour of each kind, in the order given; the last of more than ``SHOWN`` is the rest, in grey.

    >>> kind_colours(["fc", "gelu"])
    {'fc': '#009E73', 'gelu': '#CC79A7'}
    """
    kinds = list(kinds)
    own = dict(zip(OWN_COLOURS, COLOURS, strict=False))
    free = iter([*COLOURS[len(OWN_COLOURS) :], *(own[kind] for kind in OWN_COLOURS if kind not in kinds)])
    return {kind: OTHER if i == SHOWN else own.get(kind) or next(free) for i, kind in enumerate(kinds)}


def kind_shares(networks: pd.DataFrame, kernels: pd.DataFrame, costs: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the share (%) of each kernel kind in each network's energy, by family, precision and network.

    Also how many of the networks are left out because a kernel of theirs has no energy.

    Args:
        networks: one device's networks.
        kernels: the kernels of all networks and runtimes.
        costs: the device's kernels with an energy.
    """
    own = kernels_for(kernels, networks["runtime"].iloc[0])
    energy = costs.drop_duplicates(["kernel", "precision"]).set_index(["kernel", "precision"])["energy_mj"]
    own = own.join(energy, on=["kernel", "precision"])
    own = own.merge(networks[["network", "precision"]].drop_duplicates(), on=["network", "precision"])
    whole = own["energy_mj"].notna().groupby([own["network"], own["precision"]]).transform("all")
    partly = own.loc[~whole, ["network", "precision"]].drop_duplicates()
    return _shares(own[whole], "energy_mj", networks), len(partly)


def profiled_shares(
    networks: pd.DataFrame, kernels: pd.DataFrame, nodes: pd.DataFrame
) -> tuple[pd.DataFrame, int, int]:
    """Return the same shares of time, how many networks they are of, and how many were profiled.

    The k-th node that the runtime timed is the k-th kernel of the graph if both lists have the same operators in the
    same order; a network of which that does not hold is left out, since its kernels cannot be told apart.

    Args:
        networks: one device's networks.
        kernels: the kernels of all networks and runtimes.
        nodes: the runtime's time of each node; the least over the passes counts.
    """
    timed = nodes.groupby(["network", "precision", "index"], as_index=False).agg(
        operator=("operator", "first"), duration_ns=("duration_ns", "min")
    )
    told = kernels[kernels["runtime"] == networks["runtime"].iloc[0]]
    both = timed.merge(
        told[["network", "precision", "index", "kind", "operator"]],
        on=["network", "precision", "index"],
        how="outer",
        suffixes=("", "_told"),
    )
    both = both[both["network"].isin(set(timed["network"]))]
    same = (both["operator"] == both["operator_told"]).groupby([both["network"], both["precision"]]).transform("all")
    matched = both[same]
    profiled = timed[["network", "precision"]].drop_duplicates()
    return _shares(matched, "duration_ns", networks), matched["network"].nunique(), len(profiled)


def _shares(kernels: pd.DataFrame, cost: str, networks: pd.DataFrame) -> pd.DataFrame:
    families = networks[["network", "precision", "family"]]
    own = kernels.merge(families, on=["network", "precision"])
    per_kind = own.groupby(["family", "precision", "network", "kind"])[cost].sum().unstack(fill_value=0.0)
    return 100 * per_kind.div(per_kind.sum(axis=1), axis=0)
