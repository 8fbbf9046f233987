"""Recommendations: what to run under each energy budget; one job per device.

Needs results/datasets/<device>/networks.parquet and, for the proof, results/validation/<device>/networks.parquet.
Makes results/recommendations/<device>.{parquet,csv,md}, results/recommendations/fronts/<device>.{parquet,csv} and
results/recommendations/{validation,devices,tasks}.{parquet,csv,md}, results/recommendations/break_evens.{parquet,csv}.
A device none of whose networks has an energy and an accuracy gets empty tables and a page that says so.
"""

# What the tables never recommend; the zoo is read only where there is such a thing.
LEFT_OUT = [f"--exclude={name}" for name in RUN.recommendations.exclude]
LEFT_OUT += [f"--exclude-licence={name}" for name in RUN.recommendations.exclude_licences]
LEFT_OUT += [f"--zoo={RUN.zoo.file}"] if LEFT_OUT else []


rule recommendation:
    """Choose the best network and the best mix of one device under every budget."""
    input:
        networks="results/datasets/{device}/networks.parquet",
        code=code("recommendations"),
    output:
        table="results/recommendations/{device}.parquet",
        csv="results/recommendations/{device}.csv",
        markdown="results/recommendations/{device}.md",
        fronts="results/recommendations/fronts/{device}.parquet",
        fronts_csv="results/recommendations/fronts/{device}.csv",
    log:
        "results/logs/recommendations/{device}.log",
    benchmark:
        "results/benchmarks/recommendations/{device}.tsv"
    params:
        budgets=RUN.recommendations.budgets,
        budgets_mj=[f"--budget-mj={b!r}" for b in RUN.recommendations.budgets_mj or []],
        accounting=RUN.recommendations.accounting,
        rate=[f"--rate-hz={RUN.recommendations.rate_hz!r}"] if RUN.recommendations.rate_hz else [],
        left_out=LEFT_OUT,
    shell:
        "edgejoule recommendations device {wildcards.device:q} --networks {input.networks:q}"
        " --output {output.table:q} --fronts {output.fronts:q} --budgets {params.budgets} {params.budgets_mj:q}"
        " --accounting {params.accounting:q} {params.rate:q} {params.left_out:q} 2> {log:q}"


rule recommendation_proof:
    """Judge every method on one device: from its measured energies, and from predicted ones."""
    input:
        networks="results/datasets/{device}/networks.parquet",
        predictions="results/validation/{device}/networks.parquet",
        code=code("recommendations"),
    output:
        table="results/recommendations/validation/{device}.parquet",
    log:
        "results/logs/recommendations/validation/{device}.log",
    benchmark:
        "results/benchmarks/recommendations/validation/{device}.tsv"
    params:
        protocols=[
            f"--protocol={name}"
            for name in RUN.validation.protocols
            if name == "leave-one-family-out" or name.startswith("transfer-")
        ],
        budgets=RUN.recommendations.budgets,
        confidence=RUN.recommendations.confidence,
    shell:
        "OMP_NUM_THREADS=1 edgejoule recommendations validate {wildcards.device:q}"
        " --networks {input.networks:q} --predictions {input.predictions:q} --output {output.table:q}"
        " {params.protocols:q} --budgets {params.budgets}"
        " --confidence {params.confidence} 2> {log:q}"


rule recommendation_proofs:
    """Stack all devices' proofs and summarise them."""
    input:
        devices=expand("results/recommendations/validation/{device}.parquet", device=IN_ZOO),
        code=code("recommendations"),
    output:
        table="results/recommendations/validation.parquet",
        csv="results/recommendations/validation.csv",
        markdown="results/recommendations/validation.md",
    log:
        "results/logs/recommendations/validation.log",
    benchmark:
        "results/benchmarks/recommendations/validation.tsv"
    shell:
        "edgejoule recommendations join --output {output.table:q} {input.devices:q} 2> {log:q}"


rule device_choices:
    """Find the cheapest device for each target accuracy, and the rates at which another becomes cheaper."""
    input:
        devices=expand("results/datasets/{device}/networks.parquet", device=DEVICES),
        code=code("recommendations"),
    output:
        table="results/recommendations/devices.parquet",
        csv="results/recommendations/devices.csv",
        markdown="results/recommendations/devices.md",
        break_evens="results/recommendations/break_evens.parquet",
        break_evens_csv="results/recommendations/break_evens.csv",
    log:
        "results/logs/recommendations/devices.log",
    benchmark:
        "results/benchmarks/recommendations/devices.tsv"
    params:
        left_out=LEFT_OUT,
    shell:
        "OMP_NUM_THREADS=1 edgejoule recommendations devices --output {output.table:q}"
        " --break-evens {output.break_evens:q} {params.left_out:q} {input.devices:q} 2> {log:q}"


rule task_choices:
    """Rank devices by energy in each task beside ImageNet whose target accuracy they reach."""
    input:
        devices=expand("results/datasets/{device}/networks.parquet", device=DEVICES),
        tasks=RUN.recommendations.tasks,
        accuracies=RUN.recommendations.accuracies,
        code=code("recommendations"),
    output:
        table="results/recommendations/tasks.parquet",
        csv="results/recommendations/tasks.csv",
        markdown="results/recommendations/tasks.md",
    log:
        "results/logs/recommendations/tasks.log",
    benchmark:
        "results/benchmarks/recommendations/tasks.tsv"
    shell:
        "edgejoule recommendations tasks --output {output.table:q} --tasks {input.tasks:q}"
        " --accuracies {input.accuracies:q} {input.devices:q} 2> {log:q}"


rule recommendations:
    """Target: what to run on every device, and the proof of it."""
    input:
        expand("results/recommendations/{device}.parquet", device=DEVICES),
        rules.recommendation_proofs.output,
        rules.device_choices.output,
        rules.task_choices.output,
