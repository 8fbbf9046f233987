"""The figures: name, function, tables that each is drawn from, help. A figure is a module and a line here.

Nothing heavy is imported: the command line is made from this list.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Input:
    """One input of figures: its table in ``edgejoule.tables.contracts``, and where the pipeline keeps it.

    ``per_device``: there is one file per device, and a figure takes them all. Without a table it gets the files.
    """

    table: str | None
    path: str
    per_device: bool = False


INPUTS = {
    "networks": Input("NETWORKS", "results/datasets/networks.parquet"),
    "passes": Input("PASSES", "results/datasets/passes.parquet"),
    "kernels": Input("KERNELS", "results/graphs/kernels.parquet"),
    "coverage": Input("COVERAGE", "results/graphs/coverage.parquet"),
    "kinds": Input("FUSION_KINDS", "results/graphs/fusion-kinds.parquet"),
    "validation": Input("VALIDATION", "results/validation/networks.parquet"),
    "noise-floor": Input("NOISE_FLOOR", "results/validation/noise-floor.parquet"),
    "accuracy": Input("ACCURACY", "results/validation/accuracy.parquet"),
    "kernel-accuracy": Input("KERNEL_ACCURACY", "results/validation/kernel-accuracy.parquet"),
    "learning-curve": Input("LEARNING_CURVE", "results/validation/learning_curve.parquet"),
    "applications": Input("APPLICATIONS", "results/datasets/applications.parquet"),
    "scores": Input("SCORES", "results/scores/scores.parquet"),
    "choices": Input("RECOMMENDATION_VALIDATION", "results/recommendations/validation.parquet"),
    "recommendations": Input("RECOMMENDATIONS", "results/recommendations/rpi4-tflite-v2.7.1-ruy.parquet", True),
    "kernel-costs": Input("KERNEL_COSTS", "results/datasets/kernels.parquet"),
    "recordings": Input(None, "results/traces/rpi4-tflite-v2.7.1-ruy/recording.json", True),
    "fronts": Input("FRONTS", "results/recommendations/fronts/rpi4-tflite-v2.7.1-ruy.parquet", True),
}


@dataclass(frozen=True)
class Spec:
    """One figure: its function as ``module:function`` of this package, its inputs, category in reports, and help.

    ``shown``: names of the pictures that stand for it in a gallery, where it has neither one per device nor one of all.
    """

    function: str
    inputs: tuple[str, ...]
    category: str
    help: str
    shown: tuple[str, ...] = ()


DATA, COST, KERNELS = "Data", "Accuracy and energy", "Kernels"
PREDICTION, RECOMMENDATION, SCORES = "Prediction", "Recommendation", "Scores"

FIGURES: dict[str, Spec] = {
    "dataset-summary": Spec(
        "dataset_summary:draw",
        ("networks", "kernel-costs"),
        DATA,
        "What the datasets hold.",
        ("all-devices", "kernels"),
    ),
    "power-trace": Spec("power_trace:draw", ("recordings",), DATA, "Power trace of a measurement with its phases."),
    "accuracy-energy": Spec(
        "accuracy_energy:draw",
        ("networks", "recommendations"),
        COST,
        "Accuracy against energy, with Pareto fronts and recommended mixes.",
    ),
    "marginal-energy": Spec("marginal_energy:draw", ("fronts",), COST, "Energy of the next point of accuracy."),
    "accuracy-latency": Spec("latency_planes:draw_accuracy", ("networks",), COST, "Accuracy against latency."),
    "energy-latency": Spec("latency_planes:draw_energy", ("networks",), COST, "Energy against latency."),
    "energy-size": Spec(
        "energy_size:draw", ("networks", "kernels", "coverage"), COST, "Energy against MACs and parameters."
    ),
    "runtimes-compared": Spec(
        "runtimes_compared:draw", ("networks",), COST, "The same networks on one board under two runtimes or settings."
    ),
    "kernel-shares": Spec(
        "kernel_shares:draw",
        ("networks", "kernels", "kernel-costs", "recordings"),
        KERNELS,
        "Cost by kernel kind and family.",
    ),
    "kernel-configurations": Spec(
        "kernel_configurations:draw", ("kernels", "kernel-costs"), KERNELS, "Kernel energy against configuration."
    ),
    "kernel-coverage": Spec(
        "kernel_coverage:draw", ("coverage", "kinds"), KERNELS, "Kernels told by the runtime against fusion rules."
    ),
    "predicted-measured": Spec(
        "predicted_measured:draw",
        ("validation", "accuracy"),
        PREDICTION,
        "Predicted against measured, whole families left out.",
    ),
    "error-distribution": Spec(
        "error_distribution:draw",
        ("validation",),
        PREDICTION,
        "Distribution of errors, beside the baselines.",
        ("energy-mj", "latency-ms"),
    ),
    "family-errors": Spec(
        "family_errors:draw", ("validation",), PREDICTION, "Error by family left out.", ("latency-ms", "energy-mj")
    ),
    "kernel-errors": Spec(
        "kernel_errors:draw", ("kernel-accuracy",), PREDICTION, "Error of single kernels by kind, families left out."
    ),
    "noise-floor": Spec(
        "noise_floor:draw",
        ("passes", "validation", "noise-floor"),
        PREDICTION,
        "Noise floor against predictor error.",
        ("summary", "all-devices"),
    ),
    "learning-curve": Spec(
        "learning_curve:draw", ("learning-curve",), PREDICTION, "Error against minutes of measuring kernels."
    ),
    "interval-coverage": Spec("interval_coverage:draw", ("validation",), PREDICTION, "Coverage of the 90 % intervals."),
    "transfer": Spec(
        "transfer:draw", ("accuracy", "networks"), PREDICTION, "Error on a new board against networks measured on it."
    ),
    "recommendation-curves": Spec(
        "recommendation_curves:draw", ("choices",), RECOMMENDATION, "Budget against energy used and accuracy reached."
    ),
    "score-maps": Spec(
        "score_maps:draw", ("applications", "scores"), SCORES, "Power and energy per pair, with scores."
    ),
    "score-bubbles": Spec(
        "score_bubbles:draw", ("applications", "scores"), SCORES, "PCS against performance, with IECS."
    ),
}
