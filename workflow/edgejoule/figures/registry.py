"""The figures: name, function, tables that each is drawn from, help. A figure is a module and a line here.

Nothing heavy is imported: the command line is made from this list.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Input:
    """One input of figures: its table in ``edgejoule.tables.contracts``, and where the pipeline keeps it.

    ``per_device``: there is one file per device, and a figure takes them all.
    """

    table: str
    path: str
    per_device: bool = False


INPUTS = {
    "networks": Input("NETWORKS", "results/datasets/networks.parquet"),
    "kernels": Input("KERNELS", "results/graphs/kernels.parquet"),
    "validation": Input("VALIDATION", "results/validation/networks.parquet"),
    "accuracy": Input("ACCURACY", "results/validation/accuracy.parquet"),
    "choices": Input("RECOMMENDATION_VALIDATION", "results/recommendations/validation.parquet"),
    "recommendations": Input("RECOMMENDATIONS", "results/recommendations/rpi4-tflite-v2.7.1-ruy.parquet", True),
}


@dataclass(frozen=True)
class Spec:
    """One figure: its function as ``module:function`` of this package, its inputs, category in reports, and help."""

    function: str
    inputs: tuple[str, ...]
    category: str
    help: str


COST, PREDICTION, RECOMMENDATION = "Accuracy and energy", "Prediction", "Recommendation"

FIGURES: dict[str, Spec] = {
    "accuracy-energy": Spec(
        "accuracy_energy:draw",
        ("networks", "recommendations"),
        COST,
        "Accuracy against energy, with Pareto fronts and recommended mixes.",
    ),
    "accuracy-latency": Spec("latency_planes:draw_accuracy", ("networks",), COST, "Accuracy against latency."),
    "energy-latency": Spec("latency_planes:draw_energy", ("networks",), COST, "Energy against latency."),
    "energy-size": Spec("energy_size:draw", ("networks", "kernels"), COST, "Energy against MACs and weights."),
    "predicted-measured": Spec(
        "predicted_measured:draw",
        ("validation", "accuracy"),
        PREDICTION,
        "Predicted against measured, whole families left out.",
    ),
    "recommendation-curves": Spec(
        "recommendation_curves:draw", ("choices",), RECOMMENDATION, "Budget against energy used and accuracy reached."
    ),
}
