"""Validation: every network predicted by predictors that were trained without it; one job per device.

Needs results/datasets/<device>/networks.parquet and results/graphs/kernels.parquet.
Makes results/validation/<device>/{networks,splits}.parquet, results/validation/networks.parquet,
results/validation/{accuracy,subsets,paired,noise-floor}.{parquet,csv} and accuracy.md; of devices whose runtime tells
kernels' times, results/validation/<device>/kernels.parquet, results/validation/kernels.parquet and
kernel-accuracy.{parquet,csv,md}; of devices that measured kernels alone, what these are worth:
results/validation/{evidence,ablation,learning_curve}.{parquet,md}.
"""

# Devices of other boards that a new board may learn from; a device that is not run cannot serve.
PRIORS = [name for name in RUN.validation.prior_devices if name in DEVICES]


def protocol_options(wildcards):
    """Return the options that name a device's protocols.

    Nothing says beforehand how much faster than boards a server processor is: a device that no prior of its class on
    another board tells about is not predicted unmeasured.
    """
    own = DEVICES[wildcards.device]
    alike = [prior for prior in map(DEVICES.get, PRIORS) if prior.device_class == own.device_class]
    unknown = {"leave-one-board-out"} if all(prior.board == own.board for prior in alike) else set()
    return [f"--protocol={name}" for name in RUN.validation.protocols if name not in unknown]


# Devices with a recording, not figures from a table; those that timed no kernel get empty tables.
KERNEL_DEVICES = devices_of("traces", "live")


rule validate:
    """Predict one device's networks with whole families (and other folds) left out of training."""
    input:
        networks="results/datasets/{device}/networks.parquet",
        kernels="results/graphs/kernels.parquet",
        priors=expand("results/datasets/{prior}/networks.parquet", prior=PRIORS),
        recording=recording_of,
        alone="results/datasets/{device}/kernels.parquet",
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
        protocols=protocol_options,
        recording=recording_option,
        priors=[f"--prior=results/datasets/{name}/networks.parquet" for name in PRIORS],
        seed=RUN.validation.seed,
    shell:
        "OMP_NUM_THREADS=1 edgejoule validation run --networks {input.networks:q} --kernels {input.kernels:q}"
        " --output {output.networks:q} --splits {output.splits:q}"
        " {params.predictors:q} {params.protocols:q} {params.priors:q} {params.recording:q}"
        " --alone {input.alone:q} --seed {params.seed} 2> {log:q}"


rule accuracy:
    """Stack all devices' predictions and summarise their errors: as a whole, in parts, against the baselines."""
    input:
        devices=expand("results/validation/{device}/networks.parquet", device=IN_ZOO),
        passes="results/datasets/passes.parquet",
        zoo=RUN.zoo.file,
        code=code("validation"),
    output:
        networks="results/validation/networks.parquet",
        accuracy="results/validation/accuracy.parquet",
        csv="results/validation/accuracy.csv",
        markdown="results/validation/accuracy.md",
        subsets="results/validation/subsets.parquet",
        subsets_csv="results/validation/subsets.csv",
        paired="results/validation/paired.parquet",
        paired_csv="results/validation/paired.csv",
        floor="results/validation/noise-floor.parquet",
        floor_csv="results/validation/noise-floor.csv",
    log:
        "results/logs/validation/accuracy.log",
    benchmark:
        "results/benchmarks/validation/accuracy.tsv"
    params:
        seed=RUN.validation.seed,
    shell:
        "edgejoule validation summarise --passes {input.passes:q} --zoo {input.zoo:q} --output $(dirname {output.accuracy:q})"
        " --seed {params.seed} {input.devices:q} 2> {log:q}"


rule kernel_worth:
    """Tell what one device's times of kernels are worth: by how they were taken, and by how many there are, and what
    stands in the way of a smaller error."""
    input:
        networks="results/datasets/{device}/networks.parquet",
        kernels="results/graphs/kernels.parquet",
        alone="results/datasets/{device}/kernels.parquet",
        recording="results/traces/{device}/recording.json",
        events="results/traces/{device}/events.parquet",
        nodes="results/traces/{device}/nodes.parquet",
        passes="results/datasets/{device}/passes.parquet",
        code=code("validation", "predictors"),
    output:
        evidence="results/validation/{device}/evidence.parquet",
        ablation="results/validation/{device}/ablation.parquet",
        curve="results/validation/{device}/learning_curve.parquet",
    log:
        "results/logs/validation/kernels-{device}.log",
    benchmark:
        "results/benchmarks/validation/kernels-{device}.tsv"
    params:
        seed=RUN.validation.seed,
    shell:
        "OMP_NUM_THREADS=1 edgejoule validation kernels --networks {input.networks:q} --kernels {input.kernels:q}"
        " --alone {input.alone:q} --recording $(dirname {input.recording:q}) --passes {input.passes:q}"
        " --evidence {output.evidence:q} --ablation {output.ablation:q} --curve {output.curve:q} --seed {params.seed} 2> {log:q}"


rule validate_kernels:
    """Predict one device's single kernels inside networks whose families were left out of training."""
    input:
        networks="results/datasets/{device}/networks.parquet",
        kernels="results/graphs/kernels.parquet",
        alone="results/datasets/{device}/kernels.parquet",
        recording="results/traces/{device}/recording.json",
        nodes="results/traces/{device}/nodes.parquet",
        code=code("validation", "predictors"),
    output:
        "results/validation/{device}/kernels.parquet",
    log:
        "results/logs/validation/predict-kernels-{device}.log",
    benchmark:
        "results/benchmarks/validation/predict-kernels-{device}.tsv"
    shell:
        "OMP_NUM_THREADS=1 edgejoule validation predict-kernels --networks {input.networks:q} --kernels {input.kernels:q}"
        " --alone {input.alone:q} --recording $(dirname {input.recording:q}) --output {output:q} 2> {log:q}"


rule kernel_accuracy:
    """Stack all devices' predictions of single kernels and summarise their errors by kind."""
    input:
        devices=expand("results/validation/{device}/kernels.parquet", device=KERNEL_DEVICES),
        code=code("validation"),
    output:
        kernels="results/validation/kernels.parquet",
        accuracy="results/validation/kernel-accuracy.parquet",
        csv="results/validation/kernel-accuracy.csv",
        markdown="results/validation/kernel-accuracy.md",
    log:
        "results/logs/validation/kernel-accuracy.log",
    benchmark:
        "results/benchmarks/validation/kernel-accuracy.tsv"
    shell:
        "edgejoule validation summarise-kernels --output $(dirname {output.kernels:q}) {input.devices:q} 2> {log:q}"


rule evidence:
    """Stack what each sort of times of kernels is worth."""
    input:
        devices=expand("results/validation/{device}/evidence.parquet", device=KERNEL_DEVICES),
        code=code("validation"),
    output:
        table="results/validation/evidence.parquet",
        markdown="results/validation/evidence.md",
    log:
        "results/logs/validation/evidence.log",
    benchmark:
        "results/benchmarks/validation/evidence.tsv"
    shell:
        "edgejoule validation stack {input.devices:q} --table evidence --output {output.table:q} 2> {log:q}"


rule ablation:
    """Stack what stands in the way of a smaller error."""
    input:
        devices=expand("results/validation/{device}/ablation.parquet", device=KERNEL_DEVICES),
        code=code("validation"),
    output:
        table="results/validation/ablation.parquet",
        markdown="results/validation/ablation.md",
    log:
        "results/logs/validation/ablation.log",
    benchmark:
        "results/benchmarks/validation/ablation.tsv"
    shell:
        "edgejoule validation stack {input.devices:q} --table ablation --output {output.table:q} 2> {log:q}"


rule learning_curve:
    """Stack how the error falls with minutes of measuring kernels alone."""
    input:
        devices=expand("results/validation/{device}/learning_curve.parquet", device=KERNEL_DEVICES),
        code=code("validation"),
    output:
        table="results/validation/learning_curve.parquet",
        markdown="results/validation/learning_curve.md",
    log:
        "results/logs/validation/learning_curve.log",
    benchmark:
        "results/benchmarks/validation/learning_curve.tsv"
    shell:
        "edgejoule validation stack {input.devices:q} --table learning-curve --output {output.table:q} 2> {log:q}"


rule validation:
    """Target: the proof of every predictor."""
    input:
        rules.accuracy.output,
        rules.kernel_accuracy.output,
        rules.evidence.output,
        rules.ablation.output,
        rules.learning_curve.output,
