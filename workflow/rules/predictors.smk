"""Predictors: the final predictor of each device, trained on all its networks; one job per device.

Needs results/datasets/<device>/networks.parquet and results/graphs/kernels.parquet.
Makes results/predictors/<device>/{predictor.json,card.md,kernels.parquet}.
"""


rule predictor:
    """Train one device's predictor and recover its kernels' shares of the measured totals."""
    input:
        networks="results/datasets/{device}/networks.parquet",
        kernels="results/graphs/kernels.parquet",
        code=code("predictors"),
    output:
        predictor="results/predictors/{device}/predictor.json",
        card="results/predictors/{device}/card.md",
        kernels="results/predictors/{device}/kernels.parquet",
    log:
        "results/logs/predictors/{device}.log",
    benchmark:
        "results/benchmarks/predictors/{device}.tsv"
    shell:
        "edgejoule predictors train --networks {input.networks:q} --kernels {input.kernels:q}"
        " --output $(dirname {output.predictor:q}) 2> {log:q}"


rule predictors:
    """Target: every device's final predictor."""
    input:
        expand("results/predictors/{device}/predictor.json", device=DEVICES),
