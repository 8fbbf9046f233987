"""Kernels as a runtime tells them against kernels as fusion rules guess them."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd

from edgejoule.figures.devices import DeviceLook
from edgejoule.figures.labels import label_points, short_network
from edgejoule.figures.palette import COLOURS, percent
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis


def draw(devices: Mapping[str, DeviceLook], coverage: pd.DataFrame) -> list[Picture]:
    """Draw, per runtime that was asked, how many of its kernels the rules do not foresee.

    Args:
        devices: how each device is shown; not used, since graphs do not depend on a device.
        coverage: the graphs stage's table.
    """
    title = "Kernels told by the runtime against fusion rules"
    compared = coverage[coverage["rules_disagree"].notna() & (coverage["kernels"] > 0)]
    runtimes = sorted(set(compared["runtime"]))
    if not runtimes:
        reason = "no runtime of this run could be asked what it executes, so there is nothing to compare the rules with"
        return [Picture("all-runtimes", title, reason=reason)]
    figure, panels = plt.subplots(1, len(runtimes), figsize=(7.2, 4.0), squeeze=False, sharey=True)
    sentences = []
    for axes, runtime in zip(panels[0], runtimes, strict=True):
        rows = compared[compared["runtime"] == runtime]
        # A kernel that both have in another shape counts on either side, so this can exceed 100 %.
        off = 100 * rows["rules_disagree"] / rows["kernels"]
        axes.scatter(rows["kernels"], off, s=18, color=COLOURS[0], edgecolors="white", linewidths=0.4)
        log_axis(axes, "x")
        axes.set_title(runtime)
        axes.set_xlabel("Kernels that the runtime executes")
        axes.set_ylim(bottom=-3)
        worst = rows.assign(off=off).nlargest(8, "off").sort_values("kernels")
        label_points(
            axes,
            worst["kernels"].tolist(),
            worst["off"].tolist(),
            worst["network"].map(short_network).tolist(),
            most=8,
        )
        same = int((off == 0).sum())
        sentences.append(
            f"{runtime}: {same} of {len(rows)} networks agree kernel by kernel, the median network disagrees in "
            f"{percent(off.median())}"
        )
    panels[0][0].set_ylabel("Kernels that only the runtime or only the rules have (%)")
    told = coverage.groupby("runtime")["told_by"].agg(lambda values: ", ".join(sorted(set(values))))
    caption = f"{'; '.join(sentences)}. Kernels are from: {', '.join(f'{key} {value}' for key, value in told.items())}."
    return [Picture("all-runtimes", title, caption, figure)]
