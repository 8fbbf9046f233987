"""The figures: name, function, tables that each is drawn from, help. A figure is a module and a line here.

Nothing heavy is imported: the command line is made from this list.
"""

from dataclasses import dataclass

#: Input of a figure: the name of its table in ``edgejoule.tables.contracts``, and whether there is a file per device.
INPUTS: dict[str, tuple[str, bool]] = {
    "networks": ("NETWORKS", False),
    "kernels": ("KERNELS", False),
    "validation": ("VALIDATION", False),
    "accuracy": ("ACCURACY", False),
    "choices": ("RECOMMENDATION_VALIDATION", False),
    "recommendations": ("RECOMMENDATIONS", True),
}


@dataclass(frozen=True)
class Spec:
    """One figure: its function as ``module:function`` of this package, its inputs, and its help."""

    function: str
    inputs: tuple[str, ...]
    help: str


FIGURES: dict[str, Spec] = {
    "accuracy-energy": Spec(
        "accuracy_energy:draw", ("networks", "recommendations"), "Accuracy against energy, with fronts and mixes."
    ),
    "accuracy-latency": Spec("latency_planes:draw_accuracy", ("networks",), "Accuracy against latency."),
    "energy-latency": Spec("latency_planes:draw_energy", ("networks",), "Energy against latency."),
    "energy-size": Spec("energy_size:draw", ("networks", "kernels"), "Energy against MACs and weights."),
    "predicted-measured": Spec(
        "predicted_measured:draw", ("validation", "accuracy"), "Predicted against measured, unseen families."
    ),
    "recommendation-curves": Spec("recommendation_curves:draw", ("choices",), "Budget against energy and accuracy."),
}
