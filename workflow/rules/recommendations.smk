"""Recommendations: what to run under each energy budget; one job per device.

Needs results/datasets/<device>/networks.parquet.
Makes results/recommendations/<device>.{parquet,csv,md} and results/recommendations/fronts/<device>.{parquet,csv}.
A device none of whose networks has an energy and an accuracy gets empty tables and a page that says so.
"""


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
    shell:
        "edgejoule recommendations device --networks {input.networks:q} --output {output.table:q}"
        " --fronts {output.fronts:q} --budgets {params.budgets} {params.budgets_mj:q}"
        " --accounting {params.accounting:q} 2> {log:q}"


rule recommendations:
    """Target: what to run on every device."""
    input:
        expand("results/recommendations/{device}.parquet", device=DEVICES),
