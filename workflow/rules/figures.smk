"""Figures: each from its tables by its own rule, as PDF and SVG for print and PNG for the web, for all devices at once.

Needs the tables of datasets, graphs, validation and recommendations, and the device files (titles, origins).
Makes results/figures/<figure>/: a picture per device or of all devices, captions, and about.json. A picture whose data
do not exist in this run is a text file that says why.
"""

FIGURE_DEVICES = "results/figures/devices.json"


def figure(name, category):
    """Return the output of a figure, marked for Snakemake's report with the captions that the figure wrote."""
    return report(
        directory(f"results/figures/{name}"),
        patterns=["{picture}.png", "{picture}.txt"],
        caption="../report/figure.rst",
        category=category,
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
        "edgejoule figures accuracy-energy --networks {input.networks:q} --devices {input.devices:q}"
        " --output {output:q} {input.recommendations:q} 2> {log:q}"


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
        "edgejoule figures accuracy-latency --networks {input.networks:q} --devices {input.devices:q}"
        " --output {output:q} 2> {log:q}"


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
        "edgejoule figures energy-latency --networks {input.networks:q} --devices {input.devices:q}"
        " --output {output:q} 2> {log:q}"


rule figure_energy_size:
    """Energy against MACs and weights, and how much networks of equal MACs differ."""
    input:
        networks="results/datasets/networks.parquet",
        kernels="results/graphs/kernels.parquet",
        devices=FIGURE_DEVICES,
        code=code("figures"),
    output:
        figure("energy-size", "Accuracy and energy"),
    log:
        "results/logs/figures/energy-size.log",
    benchmark:
        "results/benchmarks/figures/energy-size.tsv"
    shell:
        "edgejoule figures energy-size --networks {input.networks:q} --kernels {input.kernels:q}"
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
        "edgejoule figures recommendation-curves --choices {input.choices:q} --devices {input.devices:q}"
        " --output {output:q} 2> {log:q}"


FIGURES = (
    "accuracy-energy",
    "accuracy-latency",
    "energy-latency",
    "energy-size",
    "predicted-measured",
    "recommendation-curves",
)


rule figures:
    """Target: every figure."""
    input:
        expand("results/figures/{figure}", figure=FIGURES),
