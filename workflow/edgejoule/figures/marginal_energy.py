"""What the next point of accuracy costs: energy per further point along each device's envelope of best mixes."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from edgejoule.figures.devices import DeviceLook, known
from edgejoule.figures.frame import SCOPE_TITLES, panel_title, scope_title
from edgejoule.figures.palette import number
from edgejoule.figures.picture import Picture
from edgejoule.figures.style import log_axis

WHERE = "results/recommendations/fronts"
UNIT = "mJ per point"


def draw(devices: Mapping[str, DeviceLook], fronts: pd.DataFrame) -> list[Picture]:
    """Draw marginal energy against accuracy, one panel per power scope.

    Args:
        devices: how each device is shown.
        fronts: where each network of all devices stands; the envelope's members carry the marginal energy.
    """
    title = "Energy of the next point of accuracy"
    rows = fronts[(fronts["accounting"] == "gross") & (fronts["standing"] == "envelope")].sort_values("energy_mj")
    looks = [look for look in known(devices, fronts["device"], WHERE) if (rows["device"] == look.name).sum() > 1]
    scopes = [scope for scope in SCOPE_TITLES if scope in {look.power_scope for look in looks}]
    if not scopes:
        return [Picture("all-devices", title, reason="no device has two networks on its envelope")]
    figure, panels = plt.subplots(1, len(scopes), figsize=(7.2, 3.9), squeeze=False, sharex=True)
    sentences = []
    for axes, scope in zip(panels[0], scopes, strict=True):
        called, told = scope_title(scope, looks), []
        for look in looks:
            if look.power_scope != scope:
                continue
            own = rows[rows["device"] == look.name]
            steps = own[own["marginal_mj_per_point"].notna()]
            # Each price holds from one member of the envelope to the next: a stair, not a slope.
            top1 = np.concatenate([own["top1"].to_numpy()[:1], np.repeat(steps["top1"].to_numpy(), 2)[:-1]])
            price = np.repeat(steps["marginal_mj_per_point"].to_numpy(), 2)
            line = "--" if look.hollow else "-"
            axes.plot(
                top1, price[: len(top1)], color=look.colour, linestyle=line, label=look.title, marker=look.marker,
                markevery=(0, max(len(top1) // 5, 1)), markersize=4.5, markerfacecolor="white" if look.hollow else None,
            )  # fmt: skip
            first, last = steps["marginal_mj_per_point"].iloc[[0, -1]]
            told.append(f"{look.title} from {number(first)} to {number(last)} {UNIT}")
        log_axis(axes, "y")
        axes.set_xlabel("ImageNet top-1 accuracy (%)")
        axes.set_title(panel_title(scope, looks))
        sentences.append(f"{called[0].upper()}{called[1:]}: {'; '.join(told)}.")
    panels[0][0].set_ylabel(f"Energy of one further point ({UNIT})")
    figure.legend(loc="outside lower center", ncols=2)
    caption = f"Energy per inference that one more point of top-1 costs along the best mixes. {' '.join(sentences)}"
    return [Picture("all-devices", title, caption, figure)]
