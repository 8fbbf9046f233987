"""The whole workflow on a cut of the boards: a few networks of each family, two devices on one board."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

SNAKEMAKE = [str(Path(sys.executable).with_name("snakemake")), "--cores", "2"]
DEVICES = ("rpi4-armnn-v21.11-neon", "rpi4-tflite-v2.7.1-ruy")
#: Enough of each family to learn from, few enough to be quick.
PER_FAMILY = 6
#: The zoo holds JSON, so its quotes are no quotes of the table.
PLAIN = {"sep": "\t", "dtype": str, "keep_default_na": False, "quoting": csv.QUOTE_NONE}


def cut(table: pd.DataFrame, kept: set[str]) -> pd.DataFrame:
    return table[table["network"].isin(kept)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, root):
    """A checkout with two devices and a small zoo."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("Snakefile", "workflow", "profiles"):
        (folder / name).symlink_to(root / name)
    shutil.copytree(root / "config", folder / "config")
    shutil.copytree(root / "resources", folder / "resources", ignore=shutil.ignore_patterns("traces", "mlperf"))
    for file in (folder / "config/devices").rglob("*.yaml"):
        if file.stem not in DEVICES:
            file.unlink()
    zoo = pd.read_csv(root / "config/networks.tsv", **PLAIN)
    rows = pd.read_csv(root / "resources/derived/edge_boards.csv", dtype=str, keep_default_na=False)
    rows = rows[rows["device"].isin(DEVICES)]
    board = zoo[zoo["network"].isin(rows["network"])]
    kept = {
        name for _, family in board.groupby("family") for name in family["network"].iloc[:: len(family) // PER_FAMILY]
    }
    cut(zoo, kept).to_csv(folder / "config/networks.tsv", sep="\t", index=False, quoting=csv.QUOTE_NONE)
    cut(rows, kept).to_csv(folder / "resources/derived/edge_boards.csv", index=False)
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    config["validation"] |= {"protocols": ["leave-one-family-out"], "prior_devices": []}
    config["recommendations"]["budgets"] = 5
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    return folder


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess:
    done = subprocess.run([*SNAKEMAKE, *arguments], cwd=checkout, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


TARGETS = ("checks", "validation", "scores", "recommendations", "report")


@pytest.fixture(scope="module")
def results(checkout):
    """The results of one run."""
    run(checkout, *TARGETS)
    return checkout / "results"


def test_the_page_is_written_and_names_both_devices(results):
    page = (results / "report/index.html").read_text()
    for device in DEVICES:
        assert device in page


def test_every_network_is_predicted_without_its_family(results):
    rows = pd.read_parquet(results / "validation/networks.parquet")
    networks = pd.read_parquet(results / "datasets/networks.parquet")
    predicted = rows[(rows["predictor"] == "edgejoule") & (rows["metric"] == "energy_mj")]
    assert set(zip(predicted["device"], predicted["network"], strict=True)) == set(
        zip(networks["device"], networks["network"], strict=True)
    )
    assert (predicted["lower"] <= predicted["predicted"]).all()
    assert (predicted["predicted"] <= predicted["upper"]).all()


def test_recommended_mixes_keep_to_the_budget(results):
    for device in DEVICES:
        rows = pd.read_parquet(results / f"recommendations/{device}.parquet")
        mixes = rows[rows["method"] == "mix"]
        assert len(mixes)
        assert (mixes["mix_energy_mj"] <= mixes["budget_mj"] * (1 + 1e-9)).all()
        assert mixes.groupby("budget_mj")["share"].sum().round(9).eq(1).all()


def test_scores_rank_both_devices(results):
    scores = pd.read_parquet(results / "scores/scores.parquet")
    ranked = scores[(scores["score"] == "IECS") & scores["rank"].notna()]
    assert set(DEVICES) <= set(ranked["device"])


def test_checks_passed(results):
    checks = pd.read_csv(results / "datasets/checks.csv")
    assert len(checks)
    assert (checks["broken"] == 0).all()


def test_snakemakes_report_holds_figures_and_tables(checkout, results):
    run(checkout, "--report", "report.html", *TARGETS)
    text = (checkout / "report.html").read_text()
    assert '"Tables"' in text and '"Figures"' in text
    tables = sorted((results / "report/tables").glob("*/*.html"))
    assert {table.parent.name for table in tables} >= {"Data", "Kernels", "Prediction", "Recommendation", "Scores"}
    for table in tables:
        assert table.relative_to(checkout).as_posix() in text
        assert "rows" in table.with_suffix(".rst").read_text()


def test_nothing_is_left_to_do_afterwards(checkout, results):
    printed = run(checkout, "--dry-run", *TARGETS)
    assert "Nothing to be done" in printed.stdout + printed.stderr


def test_a_second_run_writes_the_same_bytes(checkout, results):
    tables = sorted(path for path in results.rglob("*.parquet") if "benchmarks" not in path.parts)
    before = {path: path.read_bytes() for path in tables}
    run(checkout, "--force", *(str(p.relative_to(checkout)) for p in tables if p.parent.name in (*DEVICES, "scores")))
    assert not [path.name for path in tables if path.read_bytes() != before[path]]
