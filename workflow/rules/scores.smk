"""Scores: the application-level dataset, PCS and IECS of every device, and what they are worth.

Needs results/datasets/networks.parquet, the device files, config/applications.yaml and resources/published/.
Makes results/datasets/applications.parquet and results/scores/.
"""

from edgejoule.config import load_applications

try:
    APPLICATIONS = load_applications(RUN.scores.file)
except EdgejouleError as error:
    raise WorkflowError(str(error)) from None


rule applications:
    """Build the application-level dataset: every device's networks, and the publications' figures."""
    input:
        networks="results/datasets/networks.parquet",
        devices=[str(DEVICE_FILES[name]) for name in DEVICES],
        settings=RUN.scores.file,
        published=[
            file
            for tables in APPLICATIONS.published
            for file in (tables.power, tables.energy, tables.devices, tables.networks)
        ],
        code=code("datasets"),
    output:
        "results/datasets/applications.parquet",
    log:
        "results/logs/datasets/applications.log",
    benchmark:
        "results/benchmarks/datasets/applications.tsv"
    params:
        devices=[f"--device-file={DEVICE_FILES[name]}" for name in DEVICES],
    shell:
        "edgejoule datasets applications --networks {input.networks:q} {params.devices:q}"
        " --settings {input.settings:q} --output {output:q} 2> {log:q}"


rule rank:
    """Score and rank every device within its league, with intervals and the probability behind every rank."""
    input:
        applications=rules.applications.output,
        settings=RUN.scores.file,
        code=code("scores"),
    output:
        scores="results/scores/scores.parquet",
        csv="results/scores/scores.csv",
        markdown="results/scores/scores.md",
        comparisons="results/scores/comparisons.parquet",
    log:
        "results/logs/scores/rank.log",
    benchmark:
        "results/benchmarks/scores/rank.tsv"
    params:
        bootstrap=RUN.scores.bootstrap,
        seed=RUN.scores.seed,
    shell:
        "edgejoule scores rank --applications {input.applications:q} --settings {input.settings:q}"
        " --bootstrap {params.bootstrap} --seed {params.seed}"
        " --output {output.scores:q} --comparisons {output.comparisons:q} 2> {log:q}"


rule scores:
    """Target: scores, ranks, and what they are worth."""
    input:
        rules.rank.output,
