"""Figures: each from its tables by its own rule, as PDF and SVG for print and PNG for the web, for all devices at once.

Needs the tables of datasets, graphs, validation and recommendations, and the device files (titles, origins).
Makes results/figures/<figure>/: a picture per device or of all devices, captions, and about.json. A picture whose data
do not exist in this run is a text file that says why.
"""

FIGURE_DEVICES = "results/figures/devices.json"
#: Devices with a recording; those of source table have figures only.
RECORDED = devices_of("traces", "live")


def figure(name, category):
    """Return the output of a figure, marked for Snakemake's report with the captions that the figure wrote."""
    return report(
        directory(f"results/figures/{name}"),
        patterns=["{picture}.png", "{picture}.txt"],
        caption="../report/figure.rst",
        category=category,
        subcategory="Figures",
        labels={"figure": name.replace("-", " "), "of": "{picture}"},
    )


rule figure_devices:
    """How each device is shown in all figures: title, colour, marker, where its energy is from."""
    input:
        devices=[str(DEVICE_FILES[device]) for device in DEVICES],
        code=code("figures/devices", "figures/palette"),
    output:
        FIGURE_DEVICES,
    log:
        "results/logs/figures/devices.log",
    benchmark:
        "results/benchmarks/figures/devices.tsv"
    shell:
        "edgejoule figures devices --output {output:q} {input.devices:q} 2> {log:q}"


rule figure_dataset_summary:
    """What the datasets hold: networks per device and family, kernels per kind, with the range of their energies."""
    input:
        networks="results/datasets/networks.parquet",
        kernel_costs="results/datasets/kernels.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("dataset-summary", "Data"),
    log:
        "results/logs/figures/dataset-summary.log",
    benchmark:
        "results/benchmarks/figures/dataset-summary.tsv"
    shell:
        "edgejoule figures dataset-summary --networks {input.networks:q} --kernel-costs {input.kernel_costs:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_power_trace:
    """The power trace of one measurement per recording, with its phases."""
    input:
        recordings=expand("results/traces/{device}/recording.json", device=RECORDED),
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("power-trace", "Data"),
    log:
        "results/logs/figures/power-trace.log",
    benchmark:
        "results/benchmarks/figures/power-trace.tsv"
    shell:
        "edgejoule figures power-trace"
        " --devices {input.devices:q} --output {output:q} {input.recordings:q} 2> {log:q}"


rule figure_accuracy_energy:
    """Accuracy against energy per inference, with Pareto fronts and the recommended mixes."""
    input:
        networks="results/datasets/networks.parquet",
        recommendations=expand("results/recommendations/{device}.parquet", device=DEVICES),
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("accuracy-energy", "Accuracy and energy"),
    log:
        "results/logs/figures/accuracy-energy.log",
    benchmark:
        "results/benchmarks/figures/accuracy-energy.tsv"
    shell:
        "edgejoule figures accuracy-energy --networks {input.networks:q}"
        " --devices {input.devices:q} --output {output:q} {input.recommendations:q} 2> {log:q}"


rule figure_marginal_energy:
    """Energy that the next point of accuracy costs, along the best mixes."""
    input:
        fronts=expand("results/recommendations/fronts/{device}.parquet", device=DEVICES),
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("marginal-energy", "Accuracy and energy"),
    log:
        "results/logs/figures/marginal-energy.log",
    benchmark:
        "results/benchmarks/figures/marginal-energy.tsv"
    shell:
        "edgejoule figures marginal-energy"
        " --devices {input.devices:q} --output {output:q} {input.fronts:q} 2> {log:q}"


rule figure_accuracy_latency:
    """Accuracy against latency, with Pareto fronts."""
    input:
        networks="results/datasets/networks.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("accuracy-latency", "Accuracy and energy"),
    log:
        "results/logs/figures/accuracy-latency.log",
    benchmark:
        "results/benchmarks/figures/accuracy-latency.tsv"
    shell:
        "edgejoule figures accuracy-latency --networks {input.networks:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_energy_latency:
    """Energy against latency, where energy is not latency times a constant."""
    input:
        networks="results/datasets/networks.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("energy-latency", "Accuracy and energy"),
    log:
        "results/logs/figures/energy-latency.log",
    benchmark:
        "results/benchmarks/figures/energy-latency.tsv"
    shell:
        "edgejoule figures energy-latency --networks {input.networks:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_energy_size:
    """Energy against MACs and parameters, and how much networks of equal MACs differ."""
    input:
        networks="results/datasets/networks.parquet",
        kernels="results/graphs/kernels.parquet",
        coverage="results/graphs/coverage.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("energy-size", "Accuracy and energy"),
    log:
        "results/logs/figures/energy-size.log",
    benchmark:
        "results/benchmarks/figures/energy-size.tsv"
    shell:
        "edgejoule figures energy-size --networks {input.networks:q} --kernels {input.kernels:q} --coverage {input.coverage:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_runtimes_compared:
    """The same networks on one board under two runtimes or settings."""
    input:
        networks="results/datasets/networks.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("runtimes-compared", "Accuracy and energy"),
    log:
        "results/logs/figures/runtimes-compared.log",
    benchmark:
        "results/benchmarks/figures/runtimes-compared.tsv"
    shell:
        "edgejoule figures runtimes-compared --networks {input.networks:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_kernel_shares:
    """Cost by kernel kind, family by family: energy, or time where only that was measured."""
    input:
        networks="results/datasets/networks.parquet",
        kernels="results/graphs/kernels.parquet",
        kernel_costs="results/datasets/kernels.parquet",
        recordings=expand("results/traces/{device}/recording.json", device=RECORDED),
        nodes=expand("results/traces/{device}/nodes.parquet", device=RECORDED),
        devices=FIGURE_DEVICES,
        code=code("figures", "traces"),
    output:
        figure("kernel-shares", "Kernels"),
    log:
        "results/logs/figures/kernel-shares.log",
    benchmark:
        "results/benchmarks/figures/kernel-shares.tsv"
    shell:
        "edgejoule figures kernel-shares --networks {input.networks:q} --kernels {input.kernels:q} --kernel-costs {input.kernel_costs:q}"
        " --devices {input.devices:q} --output {output:q} {input.recordings:q} 2> {log:q}"


rule figure_kernel_configurations:
    """Kernel energy against each configuration parameter."""
    input:
        kernels="results/graphs/kernels.parquet",
        kernel_costs="results/datasets/kernels.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("kernel-configurations", "Kernels"),
    log:
        "results/logs/figures/kernel-configurations.log",
    benchmark:
        "results/benchmarks/figures/kernel-configurations.tsv"
    shell:
        "edgejoule figures kernel-configurations --kernels {input.kernels:q} --kernel-costs {input.kernel_costs:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_kernel_coverage:
    """Kernels as a runtime tells them against kernels as rules guess them."""
    input:
        coverage="results/graphs/coverage.parquet",
        kinds="results/graphs/fusion-kinds.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("kernel-coverage", "Kernels"),
    log:
        "results/logs/figures/kernel-coverage.log",
    benchmark:
        "results/benchmarks/figures/kernel-coverage.tsv"
    shell:
        "edgejoule figures kernel-coverage --coverage {input.coverage:q} --kinds {input.kinds:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_predicted_measured:
    """Predicted against measured, whole families left out."""
    input:
        validation="results/validation/networks.parquet",
        accuracy="results/validation/accuracy.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("predicted-measured", "Prediction"),
    log:
        "results/logs/figures/predicted-measured.log",
    benchmark:
        "results/benchmarks/figures/predicted-measured.tsv"
    shell:
        "edgejoule figures predicted-measured --validation {input.validation:q} --accuracy {input.accuracy:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_error_distribution:
    """Distribution of the predictors' errors, baselines beside."""
    input:
        validation="results/validation/networks.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("error-distribution", "Prediction"),
    log:
        "results/logs/figures/error-distribution.log",
    benchmark:
        "results/benchmarks/figures/error-distribution.tsv"
    shell:
        "edgejoule figures error-distribution --validation {input.validation:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_family_errors:
    """Error of each family left out, device by device."""
    input:
        validation="results/validation/networks.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("family-errors", "Prediction"),
    log:
        "results/logs/figures/family-errors.log",
    benchmark:
        "results/benchmarks/figures/family-errors.tsv"
    shell:
        "edgejoule figures family-errors --validation {input.validation:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_kernel_errors:
    """Error of single kernels, kind by kind and device by device."""
    input:
        kernel_accuracy="results/validation/kernel-accuracy.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("kernel-errors", "Prediction"),
    log:
        "results/logs/figures/kernel-errors.log",
    benchmark:
        "results/benchmarks/figures/kernel-errors.tsv"
    shell:
        "edgejoule figures kernel-errors --kernel-accuracy {input.kernel_accuracy:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_noise_floor:
    """How far passes disagree, against how far predictions are off."""
    input:
        passes="results/datasets/passes.parquet",
        validation="results/validation/networks.parquet",
        noise_floor="results/validation/noise-floor.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures", "validation"),
    output:
        figure("noise-floor", "Prediction"),
    log:
        "results/logs/figures/noise-floor.log",
    benchmark:
        "results/benchmarks/figures/noise-floor.tsv"
    shell:
        "edgejoule figures noise-floor --passes {input.passes:q} --validation {input.validation:q} --noise-floor {input.noise_floor:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_learning_curve:
    """Error in latency against the minutes that measuring kernels alone took."""
    input:
        learning_curve="results/validation/learning_curve.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("learning-curve", "Prediction"),
    log:
        "results/logs/figures/learning-curve.log",
    benchmark:
        "results/benchmarks/figures/learning-curve.tsv"
    shell:
        "edgejoule figures learning-curve --learning-curve {input.learning_curve:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_interval_coverage:
    """Whether 90 % intervals hold 90 % of the measured values."""
    input:
        validation="results/validation/networks.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("interval-coverage", "Prediction"),
    log:
        "results/logs/figures/interval-coverage.log",
    benchmark:
        "results/benchmarks/figures/interval-coverage.tsv"
    shell:
        "edgejoule figures interval-coverage --validation {input.validation:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_transfer:
    """Error on a new board against the networks measured on it."""
    input:
        accuracy="results/validation/accuracy.parquet",
        networks="results/datasets/networks.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("transfer", "Prediction"),
    log:
        "results/logs/figures/transfer.log",
    benchmark:
        "results/benchmarks/figures/transfer.tsv"
    shell:
        "edgejoule figures transfer --accuracy {input.accuracy:q} --networks {input.networks:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_recommendation_curves:
    """Budget against energy used and accuracy reached, beside oracles and baselines."""
    input:
        choices="results/recommendations/validation.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("recommendation-curves", "Recommendation"),
    log:
        "results/logs/figures/recommendation-curves.log",
    benchmark:
        "results/benchmarks/figures/recommendation-curves.tsv"
    shell:
        "edgejoule figures recommendation-curves --choices {input.choices:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_score_maps:
    """Average power and energy per pair of network and delegate, with the scores."""
    input:
        applications="results/datasets/applications.parquet",
        scores="results/scores/scores.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures", "scores/definitions"),
    output:
        figure("score-maps", "Scores"),
    log:
        "results/logs/figures/score-maps.log",
    benchmark:
        "results/benchmarks/figures/score-maps.tsv"
    shell:
        "edgejoule figures score-maps --applications {input.applications:q} --scores {input.scores:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


rule figure_score_bubbles:
    """PCS against performance, with IECS as colour."""
    input:
        applications="results/datasets/applications.parquet",
        scores="results/scores/scores.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures", "scores/definitions"),
    output:
        figure("score-bubbles", "Scores"),
    log:
        "results/logs/figures/score-bubbles.log",
    benchmark:
        "results/benchmarks/figures/score-bubbles.tsv"
    shell:
        "edgejoule figures score-bubbles --applications {input.applications:q} --scores {input.scores:q}"
        " --devices {input.devices:q} --output {output:q} 2> {log:q}"


FIGURES = (
    "dataset-summary",
    "power-trace",
    "accuracy-energy",
    "marginal-energy",
    "accuracy-latency",
    "energy-latency",
    "energy-size",
    "runtimes-compared",
    "kernel-shares",
    "kernel-configurations",
    "kernel-coverage",
    "predicted-measured",
    "error-distribution",
    "family-errors",
    "kernel-errors",
    "noise-floor",
    "learning-curve",
    "interval-coverage",
    "transfer",
    "recommendation-curves",
    "score-maps",
    "score-bubbles",
)


rule figures:
    """Target: every figure."""
    input:
        expand("results/figures/{figure}", figure=FIGURES),
