"""edgejoule: raw power traces in; datasets, predictors, scores, recommendations and figures out.

    snakemake --cores all                                      everything, from the traces that ship with the project
    snakemake --cores all --configfile config/mlperf.yaml      the edge boards again, from their raw public recordings
    snakemake --cores all datasets                             one stage and what it needs: see the targets below
    snakemake --report report.html                             one page with every figure and table

The stages stand in the order in which data flows; each has one rules file, one subpackage, one results folder.
"""

from snakemake.utils import min_version

min_version("9.13")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/graphs.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/traces.smk"
include: "workflow/rules/datasets.smk"
include: "workflow/rules/predictors.smk"
include: "workflow/rules/validation.smk"
include: "workflow/rules/scores.smk"
include: "workflow/rules/recommendations.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


rule all:
    """Everything: checked datasets, predictors and their proof, scores, recommendations, figures, report."""
    default_target: True
    input:
        rules.variants.output,
        rules.references.output,
        rules.datasets.input,
        rules.predictors.input,
        rules.validation.input,
        rules.scores.input,
        rules.recommendations.input,
        rules.figures.input,
        rules.report.input,
