"""Graphs: the zoo's networks to the kernels that each runtime executes; one job per part of the zoo.

Needs the zoo (config/networks.tsv).
Makes results/graphs/{kernels,catalogue,coverage,fusion-check,fusion-kinds}.parquet, graph files without weights in
results/graphs/networks/, generated variants in results/graphs/variants/, the applications' reference networks in
results/graphs/references/. On request: kernel plans (`snakemake plans`), the zoo as OpenVINO says that it executes it
(`openvino_graphs`), multiply-accumulates and parameters against an independent counter (`graph_checks`), the zoo run and
described in FP16 and INT8 (`precisions`), 450 variants, each of them run (`more_variants`).
"""

from importlib.metadata import PackageNotFoundError, version

from edgejoule.graphs.rules import runtimes as described_runtimes

# Families stay whole. Four parts keep two cores busy without starting PyTorch more often than that.
GRAPH_PARTS = [f"{part}-of-4" for part in range(1, 5)]
# Networks with weights take longer, and more memory.
PRECISION_PARTS = [f"{part}-of-12" for part in range(1, 13)]
# One for each family that variants are drawn of.
FAMILY_PARTS = [f"{part}-of-9" for part in range(1, 10)]
# Every runtime that has rules, not only the configured devices': a new device then changes no graph, and so nobody
# else's predictor.
RUNTIMES = sorted(described_runtimes())
# Runtimes that are described in FP16 and INT8 whatever the zoo has.
ALL_PRECISIONS = ("onnxruntime", "openvino", "tensorrt")


def software(*packages):
    """Return the installed versions of what graphs are cleaned up and told by: an upgrade describes them anew."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


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
        software=software("onnxruntime"),
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
        "edgejoule graphs collect --zoo {input.zoo:q} --output $(dirname {output.kernels:q}) {input.kernels:q}"
        " {input.coverage:q} {input.fusion_check:q} 2> {log:q}"


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
    params:
        software=software("onnxruntime", "openvino"),
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
        "edgejoule graphs collect --zoo {input.zoo:q} --output $(dirname {output.kernels:q}) {input.kernels:q}"
        " {input.coverage:q} {input.fusion_check:q} 2> {log:q}"


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


rule convert:
    """Run a part of the zoo in ONNX Runtime in FP32, FP16 and INT8, and list its kernels in the latter two."""
    input:
        zoo=RUN.zoo.file,
        code=code("graphs"),
    output:
        conversions="results/graphs/precisions/parts/{part}-conversions.parquet",
        kernels="results/graphs/precisions/parts/{part}-kernels.parquet",
        coverage="results/graphs/precisions/parts/{part}-coverage.parquet",
    log:
        "results/logs/graphs/convert-{part}.log",
    benchmark:
        "results/benchmarks/graphs/convert-{part}.tsv"
    wildcard_constraints:
        part=r"\d+-of-\d+",
    params:
        software=software("onnxruntime"),
        runtimes=[f"--runtime={name}" for name in ALL_PRECISIONS],
        seed=RUN.zoo.seed,
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs convert --zoo {input.zoo:q} --shard {wildcards.part} --seed {params.seed}"
        " --output {output.conversions:q} &> {log:q}"
        " && OMP_NUM_THREADS=1 edgejoule graphs describe {params.runtimes} --precision fp16 --precision int8"
        " --zoo {input.zoo:q} --shard {wildcards.part} --output {output.kernels:q} --coverage {output.coverage:q}"
        " 2>> {log:q}"


rule precisions:
    """Target: the zoo in FP16 and INT8: how far each network's output is from FP32, and its kernels by rules."""
    input:
        conversions=expand("results/graphs/precisions/parts/{part}-conversions.parquet", part=PRECISION_PARTS),
        kernels=expand("results/graphs/precisions/parts/{part}-kernels.parquet", part=PRECISION_PARTS),
        coverage=expand("results/graphs/precisions/parts/{part}-coverage.parquet", part=PRECISION_PARTS),
        zoo=RUN.zoo.file,
        code=code("graphs"),
    output:
        conversions="results/graphs/precisions/conversions.parquet",
        kernels="results/graphs/precisions/kernels.parquet",
        catalogue="results/graphs/precisions/catalogue.parquet",
        coverage="results/graphs/precisions/coverage.parquet",
    log:
        "results/logs/graphs/precisions-collect.log",
    benchmark:
        "results/benchmarks/graphs/precisions-collect.tsv"
    shell:
        "edgejoule graphs collect --zoo {input.zoo:q} --output $(dirname {output.kernels:q}) {input.conversions:q}"
        " {input.kernels:q} {input.coverage:q} 2> {log:q}"


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
        software=software("onnxruntime"),
        each=RUN.zoo.variants,
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs variants --count {params.each} --output {output.zoo:q} 2> {log:q}"
        " && OMP_NUM_THREADS=1 edgejoule graphs describe --runtime onnxruntime --zoo {output.zoo:q}"
        " --output {output.kernels:q} --coverage {output.coverage:q} 2>> {log:q}"


rule draw_more_variants:
    """Draw many variants of nine families: a zoo of their own."""
    input:
        code=code("graphs"),
    output:
        "results/graphs/more-variants/networks.tsv",
    log:
        "results/logs/graphs/draw-more-variants.log",
    benchmark:
        "results/benchmarks/graphs/draw-more-variants.tsv"
    params:
        each=RUN.zoo.more_variants,
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs variants --count {params.each} --output {output:q} 2> {log:q}"


rule describe_more_variants:
    """List the kernels of a family's variants as ONNX Runtime executes them, and run each against PyTorch."""
    input:
        zoo=rules.draw_more_variants.output,
        code=code("graphs"),
    output:
        kernels="results/graphs/more-variants/parts/{part}-kernels.parquet",
        coverage="results/graphs/more-variants/parts/{part}-coverage.parquet",
        conversions="results/graphs/more-variants/parts/{part}-conversions.parquet",
    log:
        "results/logs/graphs/more-variants-{part}.log",
    benchmark:
        "results/benchmarks/graphs/more-variants-{part}.tsv"
    wildcard_constraints:
        part=r"\d+-of-\d+",
    params:
        software=software("onnxruntime"),
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs describe --runtime onnxruntime --zoo {input.zoo:q}"
        " --shard {wildcards.part} --output {output.kernels:q} --coverage {output.coverage:q} 2> {log:q}"
        " && OMP_NUM_THREADS=1 edgejoule graphs convert --precision fp32 --zoo {input.zoo:q}"
        " --shard {wildcards.part} --output {output.conversions:q} &>> {log:q}"


rule more_variants:
    """Target: 50 variants of each of nine families, their kernels, and whether each runs as PyTorch does."""
    input:
        kernels=expand(rules.describe_more_variants.output.kernels, part=FAMILY_PARTS),
        coverage=expand(rules.describe_more_variants.output.coverage, part=FAMILY_PARTS),
        conversions=expand(rules.describe_more_variants.output.conversions, part=FAMILY_PARTS),
        zoo=rules.draw_more_variants.output,
        code=code("graphs"),
    output:
        kernels="results/graphs/more-variants/kernels.parquet",
        catalogue="results/graphs/more-variants/catalogue.parquet",
        coverage="results/graphs/more-variants/coverage.parquet",
        conversions="results/graphs/more-variants/conversions.parquet",
    log:
        "results/logs/graphs/more-variants.log",
    benchmark:
        "results/benchmarks/graphs/more-variants.tsv"
    shell:
        "edgejoule graphs collect --zoo {input.zoo:q} --output $(dirname {output.kernels:q}) {input.kernels:q}"
        " {input.coverage:q} {input.conversions:q} 2> {log:q}"


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
    params:
        software=software("onnxruntime"),
    shell:
        "OMP_NUM_THREADS=1 edgejoule graphs describe --runtime tflite --runtime onnxruntime --zoo {input.zoo:q}"
        " --output {output.kernels:q} --coverage {output.coverage:q} 2> {log:q}"
