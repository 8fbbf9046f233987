"""Graphs in the workflow: a runtime that is asked is asked again when another version of it is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="networks need torch")

TARGET = "results/graphs/references/kernels.parquet"
SNAKEMAKE = [str(Path(sys.executable).with_name("snakemake")), TARGET, "--cores", "1", "--quiet", "host"]


def snakemake(folder, *arguments, upgraded=""):
    searched = os.pathsep.join(filter(None, (upgraded, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [*SNAKEMAKE, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": searched},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_another_version_of_the_asked_runtime_describes_anew(tmp_path, root):
    for name in ("Snakefile", "workflow", "resources", "profiles"):
        (tmp_path / name).symlink_to(root / name)
    shutil.copytree(root / "config", tmp_path / "config")
    zoo = (root / "config/references.tsv").read_text().splitlines(keepends=True)
    (tmp_path / "config/references.tsv").write_text("".join(zoo[:2]))
    snakemake(tmp_path)
    assert "Nothing to be done" in snakemake(tmp_path, "--dry-run")
    about = tmp_path / "newer/onnxruntime-99.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime\nVersion: 99.0\n")
    told = snakemake(tmp_path, "--dry-run", upgraded=str(about.parent))
    assert "rule references" in told and "Params have changed since last execution" in told
