"""Graphs: the zoo's networks to the kernels that each runtime executes; one job per part of the zoo.

Needs the zoo (config/networks.tsv).
Makes results/graphs/{kernels,catalogue,coverage,fusion-check,fusion-kinds}.parquet, graph files without weights in
results/graphs/networks/, generated variants in results/graphs/variants/, the applications' reference networks in
results/graphs/references/. On request: kernel plans (`snakemake plans`), the zoo as OpenVINO says that it executes it
(`openvino_graphs`), multiply-accumulates and parameters against an independent counter (`graph_checks`).
"""

from edgejoule.graphs.rules import runtimes as described_runtimes

# Families stay whole. Four parts keep two cores busy without starting PyTorch more often than that.
GRAPH_PARTS = [f"{part}-of-4" for part in range(1, 5)]
# Every runtime that has rules, not only the configured devices': a new device then changes no graph, and so nobody
# else's predictor.
RUNTIMES = sorted(described_runtimes())


rule describe:
    """Export a part of the zoo without weights, and list each network's kernels on each runtime that needs it."""
    input:
        zoo=RUN.zoo.file,
        code=code("graphs"),
    output:
        kernels="results/graphs/parts/{part}-kernels.parquet",
        coverage="results/graphs/parts/{part}-coverage.parquet",
        fusion_check="results/graphs/parts/{part}-fusion-check.parquet",
        networks=directory("results/graphs/networks/{part}"),
    log:
        "results/logs/graphs/{part}.log",
    benchmark:
        "results/benchmarks/graphs/{part}.tsv"
    wildcard_constraints:
        part=r"\d+-of-\d+",
    params:
        runtimes=[f"--runtime={name}" for name in RUNTIMES],
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs describe {params.runtimes} --zoo {input.zoo:q} --shard {wildcards.part}"
        " --output {output.kernels:q} --coverage {output.coverage:q} --fusion-check {output.fusion_check:q}"
        " --graphs {output.networks:q} 2> {log:q}"


rule graphs:
    """Target: all kernels, the catalogue of unique configurations, how much of each network is covered by known kinds."""
    input:
        kernels=expand("results/graphs/parts/{part}-kernels.parquet", part=GRAPH_PARTS),
        coverage=expand("results/graphs/parts/{part}-coverage.parquet", part=GRAPH_PARTS),
        fusion_check=expand("results/graphs/parts/{part}-fusion-check.parquet", part=GRAPH_PARTS),
        zoo=RUN.zoo.file,
        code=code("graphs"),
    output:
        kernels="results/graphs/kernels.parquet",
        catalogue="results/graphs/catalogue.parquet",
        coverage="results/graphs/coverage.parquet",
        fusion_check="results/graphs/fusion-check.parquet",
        kinds="results/graphs/fusion-kinds.parquet",
        kinds_text="results/graphs/fusion-kinds.csv",
    log:
        "results/logs/graphs/collect.log",
    benchmark:
        "results/benchmarks/graphs/collect.tsv"
    shell:
        "edgejoule graphs collect --zoo {input.zoo:q} --output $(dirname {output.kernels:q}) {input.kernels:q} 2> {log:q}"


rule describe_openvino:
    """List the kernels of a part of the zoo as OpenVINO itself says that it executes them on this processor."""
    input:
        zoo=RUN.zoo.file,
        code=code("graphs"),
    output:
        kernels="results/graphs/openvino/parts/{part}-kernels.parquet",
        coverage="results/graphs/openvino/parts/{part}-coverage.parquet",
        fusion_check="results/graphs/openvino/parts/{part}-fusion-check.parquet",
    log:
        "results/logs/graphs/openvino-{part}.log",
    benchmark:
        "results/benchmarks/graphs/openvino-{part}.tsv"
    wildcard_constraints:
        part=r"\d+-of-\d+",
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs describe --runtime openvino --ask openvino --zoo {input.zoo:q}"
        " --shard {wildcards.part} --output {output.kernels:q} --coverage {output.coverage:q}"
        " --fusion-check {output.fusion_check:q} 2> {log:q}"


rule openvino_graphs:
    """Target: the zoo's kernels as OpenVINO tells them, and where its rules disagree (needs `edgejoule[openvino]`)."""
    input:
        kernels=expand("results/graphs/openvino/parts/{part}-kernels.parquet", part=GRAPH_PARTS),
        coverage=expand("results/graphs/openvino/parts/{part}-coverage.parquet", part=GRAPH_PARTS),
        fusion_check=expand("results/graphs/openvino/parts/{part}-fusion-check.parquet", part=GRAPH_PARTS),
        zoo=RUN.zoo.file,
        code=code("graphs"),
    output:
        kernels="results/graphs/openvino/kernels.parquet",
        catalogue="results/graphs/openvino/catalogue.parquet",
        coverage="results/graphs/openvino/coverage.parquet",
        fusion_check="results/graphs/openvino/fusion-check.parquet",
        kinds="results/graphs/openvino/fusion-kinds.parquet",
        kinds_text="results/graphs/openvino/fusion-kinds.csv",
    log:
        "results/logs/graphs/openvino-collect.log",
    benchmark:
        "results/benchmarks/graphs/openvino-collect.tsv"
    shell:
        "edgejoule graphs collect --zoo {input.zoo:q} --output $(dirname {output.kernels:q}) {input.kernels:q} 2> {log:q}"


rule graph_checks:
    """Target: multiply-accumulates and parameters of the whole zoo against PyTorch's own counter."""
    input:
        coverage=rules.graphs.output.coverage,
        zoo=RUN.zoo.file,
        code=code("graphs"),
    output:
        "results/graphs/counts.parquet",
    log:
        "results/logs/graphs/checks.log",
    benchmark:
        "results/benchmarks/graphs/checks.tsv"
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs check --coverage {input.coverage:q} --zoo {input.zoo:q} --output {output:q}"
        " &> {log:q}"


def runtime_of(wildcards):
    """Return the runtime of a device."""
    return DEVICES[wildcards.device].runtime.name


rule kernel_plan:
    """Choose the kernels to measure on one device within the configured time: from the zoo, and synthetic ones."""
    input:
        catalogue=rules.graphs.output.catalogue,
        code=code("graphs"),
    output:
        plan="results/graphs/plans/{device}.parquet",
        coverage="results/graphs/plans/{device}.csv",
    log:
        "results/logs/graphs/plan-{device}.log",
    benchmark:
        "results/benchmarks/graphs/plan-{device}.tsv"
    params:
        runtime=runtime_of,
        budget=RUN.plan.budget,
        synthetic=RUN.plan.synthetic,
        seed=RUN.plan.seed,
    shell:
        "edgejoule graphs plan --catalogue {input.catalogue:q} --runtime {params.runtime} --budget {params.budget}"
        " --synthetic {params.synthetic} --seed {params.seed} --output {output.plan:q} 2> {log:q}"


rule plans:
    """Target: the kernel plan of every device whose runtime is described."""
    input:
        [f"results/graphs/plans/{name}.parquet" for name in DEVICES if DEVICES[name].runtime.name in RUNTIMES],


rule variants:
    """Generate variants of nine families: a zoo of their own, and its kernels as ONNX Runtime executes them."""
    input:
        code=code("graphs"),
    output:
        zoo="results/graphs/variants/networks.tsv",
        kernels="results/graphs/variants/kernels.parquet",
        coverage="results/graphs/variants/coverage.parquet",
    log:
        "results/logs/graphs/variants.log",
    benchmark:
        "results/benchmarks/graphs/variants.tsv"
    params:
        each=RUN.zoo.variants,
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs variants --count {params.each} --output {output.zoo:q} 2> {log:q}"
        " && OMP_NUM_THREADS=1 edgejoule graphs describe --runtime onnxruntime --zoo {output.zoo:q}"
        " --output {output.kernels:q} --coverage {output.coverage:q} 2>> {log:q}"


rule references:
    """List the kernels of the applications' twelve reference networks on a phone's runtime and on ONNX Runtime."""
    input:
        zoo="config/references.tsv",
        code=code("graphs"),
    output:
        kernels="results/graphs/references/kernels.parquet",
        coverage="results/graphs/references/coverage.parquet",
    log:
        "results/logs/graphs/references.log",
    benchmark:
        "results/benchmarks/graphs/references.tsv"
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs describe --runtime tflite --runtime onnxruntime --zoo {input.zoo:q}"
        " --output {output.kernels:q} --coverage {output.coverage:q} 2> {log:q}"
