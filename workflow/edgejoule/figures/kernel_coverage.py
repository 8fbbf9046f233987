"""Kernels as a runtime tells them against kernels as fusion rules guess them, kind by kind."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from edgejoule.figures.devices import DeviceLook
from edgejoule.figures.palette import COLOURS, FAINT, OTHER, percent
from edgejoule.figures.picture import Picture

#: Kinds drawn by themselves, the most frequent ones; the rest is in the table.
SHOWN = 18
SIDES = {
    "agreed": ("both", COLOURS[0]),
    "only_runtime": ("only the runtime", COLOURS[1]),
    "only_rules": ("only the rules", OTHER),
}


def draw(devices: Mapping[str, DeviceLook], coverage: pd.DataFrame, kinds: pd.DataFrame) -> list[Picture]:
    """Draw, per runtime that was asked, which of its kernels the rules foresee.

    Args:
        devices: how each device is shown; not used, since graphs do not depend on a device.
        coverage: the graphs stage's table.
        kinds: the graphs stage's table of runtimes against their rules.
    """
    title = "Kernels told by the runtime against fusion rules"
    runtimes = sorted(set(kinds["runtime"]))
    if not runtimes:
        reason = "no runtime of this run could be asked what it executes, so there is nothing to compare the rules with"
        return [Picture("all-runtimes", title, reason=reason)]
    height = 1.5 + 0.25 * min(SHOWN + 1, kinds.groupby("runtime").size().max())
    figure, panels = plt.subplots(1, len(runtimes), figsize=(7.2, height), squeeze=False)
    sentences = []
    for axes, runtime in zip(panels[0], runtimes, strict=True):
        rows = kinds[kinds["runtime"] == runtime]
        _bars(axes, _shortened(rows))
        axes.set_title(runtime)
        off = coverage.loc[(coverage["runtime"] == runtime) & (coverage["kernels"] > 0), ["rules_disagree", "kernels"]]
        same = int((off["rules_disagree"] == 0).sum())
        sentences.append(
            f"{runtime}: of {rows['told'].sum()} kernels that it executes in {len(off)} networks, its rules foresee "
            f"{percent(100 * rows['agreed'].sum() / rows['told'].sum())}; {same} networks agree kernel by kernel"
        )
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    told = coverage.groupby("runtime")["told_by"].agg(lambda values: ", ".join(sorted(set(values))))
    caption = (
        f"{'; '.join(sentences)}. Numbers: kernels that the runtime executes, and that its rules have. Kernels are "
        f"from: {', '.join(f'{key} {value}' for key, value in told.items())}."
    )
    return [Picture("all-runtimes", title, caption, figure)]


def _shortened(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the most frequent kinds, the others added up."""
    rows = rows.assign(size=rows["told"] + rows["ruled"]).sort_values(["size", "kind"], ascending=[False, True])
    rest = rows.iloc[SHOWN:]
    if rest.empty:
        return rows
    total = rest.sum(numeric_only=True).to_dict() | {"kind": f"{len(rest)} other kinds"}
    return pd.concat([rows.iloc[:SHOWN], pd.DataFrame([total])], ignore_index=True)


def _bars(axes: Axes, rows: pd.DataFrame) -> None:
    whole = rows[list(SIDES)].sum(axis=1).to_numpy(float)
    left = np.zeros(len(rows))
    for side, (label, colour) in SIDES.items():
        width = 100 * rows[side].to_numpy(float) / whole
        axes.barh(range(len(rows)), width, left=left, color=colour, label=label, height=0.74, edgecolor="white", lw=0.5)
        left += width
    for position, (told, ruled) in enumerate(zip(rows["told"], rows["ruled"], strict=True)):
        axes.text(101.5, position, f"{told:.0f} / {ruled:.0f}", va="center", fontsize=7, color=FAINT)
    axes.set_yticks(range(len(rows)), rows["kind"])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 100)
    axes.set_xlabel("Share of the kernels that either has (%)")
