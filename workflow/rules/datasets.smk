"""Datasets: recordings and tables to cost per network, kernel and application; one job per device, then one table.

Needs results/traces/<device>/ (devices of source live and traces) or the device's CSV (source table), and the zoo.
Makes results/datasets/<device>/, results/datasets/{networks,references,passes,kernels}.parquet and the data checks.
"""


def recording_files(wildcards, *names):
    """Return files of a device's recording, none for a table; without rows where nothing was recorded."""
    if DEVICES[wildcards.device].source.kind == "table":
        return []
    return [f"results/traces/{wildcards.device}/{name}" for name in names]


def dataset_source(wildcards):
    """Return what a device's figures come from: its CSV, or its recording."""
    return recording_files(wildcards, "recording.json") or DEVICES[wildcards.device].source.file


def dataset_tables(wildcards):
    """Return the tables of the recording that a device's figures come from."""
    return recording_files(wildcards, "events.parquet", "samples.parquet", "problems.parquet")


rule dataset:
    """Derive one device's cost per inference from its recording, or take its rows from a table."""
    input:
        source=dataset_source,
        tables=dataset_tables,
        device=device_file,
        zoo=RUN.zoo.file,
        references="config/references.tsv",
        code=code("datasets", "traces", "graphs"),
    output:
        networks="results/datasets/{device}/networks.parquet",
        references="results/datasets/{device}/references.parquet",
        passes="results/datasets/{device}/passes.parquet",
        kernels="results/datasets/{device}/kernels.parquet",
    log:
        "results/logs/datasets/{device}.log",
    benchmark:
        "results/benchmarks/datasets/{device}.tsv"
    shell:
        "edgejoule datasets device --device-file {input.device:q} --source {input.source:q} --zoo {input.zoo:q}"
        " --references {input.references:q} --output $(dirname {output.networks:q}) 2> {log:q}"


rule consolidate:
    """Stack all devices' tables into one each, with every device's provenance in the file."""
    input:
        networks=expand("results/datasets/{device}/networks.parquet", device=DEVICES),
        references=expand("results/datasets/{device}/references.parquet", device=DEVICES),
        passes=expand("results/datasets/{device}/passes.parquet", device=DEVICES),
        code=code("datasets"),
    output:
        networks="results/datasets/networks.parquet",
        references="results/datasets/references.parquet",
        passes="results/datasets/passes.parquet",
    log:
        "results/logs/datasets/consolidate.log",
    benchmark:
        "results/benchmarks/datasets/consolidate.tsv"
    shell:
        "edgejoule datasets consolidate --output $(dirname {output.networks:q}) {input.networks:q} 2> {log:q}"


rule kernels:
    """Stack all devices' kernels: measured ones, and those whose share of networks' totals the predictors recovered."""
    input:
        measured=expand("results/datasets/{device}/kernels.parquet", device=DEVICES),
        inferred=expand("results/predictors/{device}/kernels.parquet", device=IN_ZOO),
        code=code("datasets"),
    output:
        "results/datasets/kernels.parquet",
    log:
        "results/logs/datasets/kernels.log",
    benchmark:
        "results/benchmarks/datasets/kernels.tsv"
    shell:
        "edgejoule datasets kernels --output {output:q} {input.measured:q} {input.inferred:q} 2> {log:q}"


rule checks:
    """Test the built data: what must hold of every row, whoever recorded it."""
    input:
        networks=rules.consolidate.output.networks,
        code=code("datasets"),
    output:
        "results/datasets/checks.csv",
    log:
        "results/logs/datasets/checks.log",
    benchmark:
        "results/benchmarks/datasets/checks.tsv"
    shell:
        "edgejoule datasets check --networks {input.networks:q} --output {output:q} 2> {log:q}"


rule kernel_checks:
    """Test the kernels' table likewise: no inferred power that the device cannot have."""
    input:
        networks=rules.consolidate.output.networks,
        kernels=rules.kernels.output,
        code=code("datasets"),
    output:
        "results/datasets/kernel_checks.csv",
    log:
        "results/logs/datasets/kernel_checks.log",
    benchmark:
        "results/benchmarks/datasets/kernel_checks.tsv"
    shell:
        "edgejoule datasets check --networks {input.networks:q} --kernels {input.kernels:q} --output {output:q}"
        " 2> {log:q}"


rule derived:
    """Target: the edge boards' rows as the CSV that ships (after --configfile config/mlperf.yaml: from raw traces)."""
    input:
        networks=rules.consolidate.output.networks,
        code=code("datasets"),
    output:
        "results/datasets/edge_boards.csv",
    log:
        "results/logs/datasets/derived.log",
    benchmark:
        "results/benchmarks/datasets/derived.tsv"
    params:
        devices=[f"--device={name}" for name, device in DEVICES.items() if device.device_class == "board"],
    shell:
        "edgejoule datasets export --networks {input.networks:q} {params.devices:q} --output {output:q} 2> {log:q}"


rule datasets:
    """Target: every dataset, checked."""
    input:
        rules.consolidate.output,
        rules.kernels.output,
        rules.checks.output,
        rules.kernel_checks.output,
