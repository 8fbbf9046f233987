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
    """Build the application-level dataset: every device's networks and reference networks, and the publications' figures."""
    input:
        networks="results/datasets/networks.parquet",
        references="results/datasets/references.parquet",
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
        "edgejoule datasets applications --networks {input.networks:q} --references {input.references:q} {params.devices:q}"
        " --settings {input.settings:q} --output {output:q} 2> {log:q}"


rule rank:
    """Score and rank every device within its league, with intervals and the probability behind every rank."""
    input:
        applications=rules.applications.output,
        settings=RUN.scores.file,
        code=code("scores", "datasets"),
    output:
        scores="results/scores/scores.parquet",
        csv="results/scores/scores.csv",
        markdown="results/scores/scores.md",
        comparisons="results/scores/comparisons.parquet",
        comparisons_csv="results/scores/comparisons.csv",
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


rule explain:
    """Take the default scores apart by application and delegate, and change one choice behind them at a time."""
    input:
        applications=rules.applications.output,
        settings=RUN.scores.file,
        code=code("scores", "datasets"),
    output:
        contributions="results/scores/contributions.parquet",
        contributions_csv="results/scores/contributions.csv",
        sensitivity="results/scores/sensitivity.parquet",
        sensitivity_csv="results/scores/sensitivity.csv",
        markdown="results/scores/explanation.md",
    log:
        "results/logs/scores/explain.log",
    benchmark:
        "results/benchmarks/scores/explain.tsv"
    shell:
        "edgejoule scores explain --applications {input.applications:q} --settings {input.settings:q}"
        " --contributions {output.contributions:q} --sensitivity {output.sensitivity:q}"
        " --markdown {output.markdown:q} 2> {log:q}"


rule agree:
    """Compare every definition of the scores with the published ones, and name the pairs behind other orders."""
    input:
        applications=rules.applications.output,
        scores=rules.rank.output.scores,
        settings=RUN.scores.file,
        published=[tables.devices for tables in APPLICATIONS.published],
        code=code("scores", "datasets"),
    output:
        agreement="results/scores/agreement.parquet",
        agreement_csv="results/scores/agreement.csv",
        disagreements="results/scores/disagreements.parquet",
        disagreements_csv="results/scores/disagreements.csv",
        markdown="results/scores/agreement.md",
    log:
        "results/logs/scores/agree.log",
    benchmark:
        "results/benchmarks/scores/agree.tsv"
    params:
        bootstrap=RUN.scores.bootstrap,
        seed=RUN.scores.seed,
    shell:
        "edgejoule scores agree --applications {input.applications:q} --settings {input.settings:q}"
        " --scores {input.scores:q} --bootstrap {params.bootstrap} --seed {params.seed}"
        " --agreement {output.agreement:q} --disagreements {output.disagreements:q}"
        " --markdown {output.markdown:q} 2> {log:q}"


rule label:
    """Say scores as letters, and energies as battery and carbon."""
    input:
        applications=rules.applications.output,
        scores=rules.rank.output.scores,
        settings=RUN.scores.file,
        code=code("scores", "datasets"),
    output:
        labels="results/scores/labels.parquet",
        labels_csv="results/scores/labels.csv",
        footprint="results/scores/footprint.parquet",
        footprint_csv="results/scores/footprint.csv",
        markdown="results/scores/labels.md",
    log:
        "results/logs/scores/label.log",
    benchmark:
        "results/benchmarks/scores/label.tsv"
    shell:
        "edgejoule scores label --applications {input.applications:q} --settings {input.settings:q}"
        " --scores {input.scores:q} --labels {output.labels:q} --footprint {output.footprint:q}"
        " --markdown {output.markdown:q} 2> {log:q}"


rule scores:
    """Target: scores, ranks, and what they are worth."""
    input:
        rules.rank.output,
        rules.explain.output,
        rules.agree.output,
        rules.label.output,
