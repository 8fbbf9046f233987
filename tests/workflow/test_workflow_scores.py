"""Scores in the workflow: what they need and no more; wrong settings stop before any job."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SNAKEMAKE = [str(Path(sys.executable).with_name("snakemake")), "--cores", "2", "--quiet", "host", "--dry-run"]


@pytest.fixture
def checkout(tmp_path, root):
    """The workflow with a configuration of its own and no results."""
    for name in ("Snakefile", "workflow", "resources", "profiles"):
        (tmp_path / name).symlink_to(root / name)
    shutil.copytree(root / "config", tmp_path / "config")
    return tmp_path


def dry_run(folder, *arguments):
    return subprocess.run([*SNAKEMAKE, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)


def test_scores_of_systems_without_graphs_need_no_predictor(checkout):
    done = dry_run(checkout, "scores", "--configfile", "config/mlperf_tasks.yaml")
    assert done.returncode == 0, done.stderr
    rules = set(re.findall(r"^(?:local)?rule (\w+):", done.stdout, flags=re.M))
    assert {"import_recording", "applications", "rank", "explain", "agree", "label"} <= rules
    assert not rules & {"predictor", "validate", "graphs"}


def test_misspelt_settings_stop_before_any_job(checkout):
    settings = checkout / "config/applications.yaml"
    settings.write_text(settings.read_text().replace("\nsettled:", "\nsetled:"))
    done = dry_run(checkout, "scores")
    assert done.returncode != 0
    assert "config/applications.yaml: unknown key 'setled'; did you mean 'settled'?" in done.stderr + done.stdout
