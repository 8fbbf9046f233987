"""Report: one page for people with everything inside, the datasets described for others, and the gallery of docs/.

Needs the tables of datasets, validation, scores and recommendations, and all figures. Makes results/report/index.html,
results/report/tables/ and results/datasets/{croissant.json,DICTIONARY.md,sha256sums.txt}; on request, docs/figures/.
"""

VALIDATION_TABLES = [
    *["ablation", "accuracy", "evidence", "kernel-accuracy"],
    *["learning_curve", "noise-floor", "paired", "subsets"],
]
SCORE_TABLES = [
    *["agreement", "comparisons", "contributions", "disagreements"],
    *["footprint", "labels", "scores", "sensitivity"],
]


rule report_page:
    """The page: summary per device, interactive accuracy-energy plot, tables, all figures; works without a network."""
    input:
        networks="results/datasets/networks.parquet",
        accuracy="results/validation/accuracy.parquet",
        scores="results/scores/scores.parquet",
        choices="results/recommendations/validation.parquet",
        device_choices="results/recommendations/devices.parquet",
        tasks="results/recommendations/tasks.parquet",
        recommendations=expand("results/recommendations/{device}.parquet", device=DEVICES),
        devices=FIGURE_DEVICES,
        figures=expand("results/figures/{figure}", figure=FIGURES),
        code=code("report", "figures", "recommendations/catalogue", "scores/definitions", "scores/uncertainty"),
    output:
        report(
            "results/report/index.html",
            caption="../report/page.rst",
            category="Report for people",
        ),
    log:
        "results/logs/report/page.log",
    benchmark:
        "results/benchmarks/report/page.tsv"
    shell:
        "edgejoule report page --networks {input.networks:q} --accuracy {input.accuracy:q} --scores {input.scores:q}"
        " --choices {input.choices:q} --device-choices {input.device_choices:q} --tasks {input.tasks:q}"
        " --recommendations results/recommendations --devices {input.devices:q}"
        " --figures results/figures --output {output:q} 2> {log:q}"


rule report_tables:
    """Every table that people read as a page of its own, which sorts and filters, with its caption."""
    input:
        tables=[
            *expand("results/datasets/{table}.parquet", table=["networks", "passes", "kernels", "applications"]),
            "results/graphs/coverage.parquet",
            "results/graphs/fusion-kinds.parquet",
            *expand("results/validation/{table}.parquet", table=VALIDATION_TABLES),
            *expand("results/scores/{table}.parquet", table=SCORE_TABLES),
            *expand("results/recommendations/{device}.parquet", device=DEVICES),
            *expand("results/recommendations/fronts/{device}.parquet", device=DEVICES),
            *expand(
                "results/recommendations/{table}.parquet", table=["break_evens", "devices", "tasks", "validation"]
            ),
        ],
        code=code("report", "figures/registry", "figures/picture"),
    output:
        report(
            directory("results/report/tables"),
            patterns=["{category}/{table}.html"],
            caption="../report/table.rst",
            category="{category}",
            subcategory="Tables",
            labels={"table": "{table}"},
        ),
    log:
        "results/logs/report/tables.log",
    benchmark:
        "results/benchmarks/report/tables.tsv"
    shell:
        "edgejoule report tables --output {output:q} {input.tables:q} 2> {log:q}"


rule publish:
    """Describe the datasets: Croissant, checked by its own validator; data dictionary; checksums."""
    input:
        tables=expand(
            "results/datasets/{table}.parquet",
            table=["applications", "kernels", "networks", "passes"],
        ),
        code=code("report"),
    output:
        croissant="results/datasets/croissant.json",
        dictionary="results/datasets/DICTIONARY.md",
        sums="results/datasets/sha256sums.txt",
    log:
        "results/logs/report/publish.log",
    benchmark:
        "results/benchmarks/report/publish.tsv"
    shell:
        "edgejoule report publish --folder $(dirname {output.croissant:q}) {input.tables:q} 2> {log:q}"


rule report:
    """Target: the page for people, and the datasets' description."""
    input:
        rules.report_page.output,
        rules.report_tables.output,
        rules.publish.output,


rule gallery:
    """Target: the gallery of docs/figures, from this run's figures; only on request, since docs/ is in git."""
    input:
        figures=expand("results/figures/{figure}", figure=FIGURES),
        code=code("report", "figures"),
    output:
        directory("docs/figures"),
    log:
        "results/logs/report/gallery.log",
    benchmark:
        "results/benchmarks/report/gallery.tsv"
    params:
        device=next((d for d in DEVICES if d.startswith("rpi4-tflite")), sorted(DEVICES)[0]),
    shell:
        "edgejoule report gallery --figures results/figures --device {params.device:q} --output {output:q} 2> {log:q}"
