"""Predictors: the final predictor of each device, trained on all its networks; one job per device whose
networks have graphs.

Needs results/datasets/<device>/networks.parquet and results/graphs/kernels.parquet.
Makes results/predictors/<device>/{predictor.json,card.md,kernels.parquet}.
"""


def recording_of(wildcards):
    """Return a device's recording and the runtime's own times of kernels, which it may hold; none for a table."""
    return recording_files(wildcards, "recording.json", "nodes.parquet")


def recording_option(wildcards):
    """Return the option that names the folder of a device's recording, or none."""
    return [f"--recording=results/traces/{wildcards.device}"] if recording_of(wildcards) else []


rule predictor:
    """Train one device's predictor and recover its kernels' shares of the measured totals."""
    input:
        networks="results/datasets/{device}/networks.parquet",
        kernels="results/graphs/kernels.parquet",
        recording=recording_of,
        alone="results/datasets/{device}/kernels.parquet",
        code=code("predictors"),
    output:
        predictor="results/predictors/{device}/predictor.json",
        card="results/predictors/{device}/card.md",
        kernels="results/predictors/{device}/kernels.parquet",
    log:
        "results/logs/predictors/{device}.log",
    benchmark:
        "results/benchmarks/predictors/{device}.tsv"
    params:
        recording=recording_option,
    shell:
        "OMP_NUM_THREADS=1 edgejoule predictors train --networks {input.networks:q} --kernels {input.kernels:q}"
        " --alone {input.alone:q} --output $(dirname {output.predictor:q}) {params.recording:q} 2> {log:q}"


rule predictors:
    """Target: every device's final predictor."""
    input:
        expand("results/predictors/{device}/predictor.json", device=IN_ZOO),
