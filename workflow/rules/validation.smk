"""Validation: every network predicted by predictors that were trained without it; one job per device.

Needs results/datasets/<device>/networks.parquet and results/graphs/kernels.parquet.
Makes results/validation/<device>/{networks,splits}.parquet, results/validation/networks.parquet and
results/validation/accuracy.{parquet,csv,md}.
"""

# Devices of other boards that a new board may learn from; a device that is not run cannot serve.
PRIORS = [name for name in RUN.validation.prior_devices if name in DEVICES]


rule validate:
    """Predict one device's networks with whole families (and other folds) left out of training."""
    input:
        networks="results/datasets/{device}/networks.parquet",
        kernels="results/graphs/kernels.parquet",
        priors=expand("results/datasets/{prior}/networks.parquet", prior=PRIORS),
        recording=recording_of,
        code=code("validation", "predictors"),
    output:
        networks="results/validation/{device}/networks.parquet",
        splits="results/validation/{device}/splits.parquet",
    log:
        "results/logs/validation/{device}.log",
    benchmark:
        "results/benchmarks/validation/{device}.tsv"
    params:
        predictors=[f"--predictor={name}" for name in RUN.validation.predictors],
        protocols=[f"--protocol={name}" for name in RUN.validation.protocols],
        recording=recording_option,
        priors=[f"--prior=results/datasets/{name}/networks.parquet" for name in PRIORS],
        seed=RUN.validation.seed,
    shell:
        "OMP_NUM_THREADS=1 edgejoule validation run --networks {input.networks:q} --kernels {input.kernels:q}"
        " --output {output.networks:q} --splits {output.splits:q}"
        " {params.predictors:q} {params.protocols:q} {params.priors:q} {params.recording:q} --seed {params.seed} 2> {log:q}"


rule accuracy:
    """Stack all devices' predictions and summarise their errors."""
    input:
        devices=expand("results/validation/{device}/networks.parquet", device=DEVICES),
        code=code("validation"),
    output:
        networks="results/validation/networks.parquet",
        accuracy="results/validation/accuracy.parquet",
        csv="results/validation/accuracy.csv",
        markdown="results/validation/accuracy.md",
    log:
        "results/logs/validation/accuracy.log",
    benchmark:
        "results/benchmarks/validation/accuracy.tsv"
    params:
        seed=RUN.validation.seed,
    shell:
        "edgejoule validation summarise --networks {output.networks:q} --accuracy {output.accuracy:q}"
        " --seed {params.seed} {input.devices:q} 2> {log:q}"


rule validation:
    """Target: the proof of every predictor."""
    input:
        rules.accuracy.output,
