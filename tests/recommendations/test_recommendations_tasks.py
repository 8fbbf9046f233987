"""Tasks beside ImageNet: who is ranked, who is not and why; wrong tables of tasks stop with their line."""

import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.recommendations import build_tasks
from edgejoule.recommendations.pages import tasks_page
from edgejoule.recommendations.tasks import read_accuracies, read_tasks, task_table
from edgejoule.tables import read_table, write_table
from edgejoule.tables.contracts import NETWORKS, TASK_CHOICES

TASKS = "network,task,metric,target,source\nkws,spotting,top-1 (%),90,rules\nic,images,top-1 (%),85,rules\n"
ACCURACIES = "device,network,accuracy,source\na,kws,90,log a\nb,kws,95.5,log b\nc,kws,80,log c\nw,kws,91,log w\n"


def row(device, network="kws", energy=1.0, scope="dc", **more):
    cells = dict.fromkeys(NETWORKS.names, None) | {
        "device": device,
        "board": device,
        "network": network,
        "architecture": network,
        "family": network,
        "precision": "int8",
        "runtime": "other",
        "latency_ms": 10.0,
        "energy_mj": energy,
        "origin": "measured",
        "power_scope": scope,
        "source": "here",
        "quality": "ok",
        "reason": "",
    }
    return cells | more


@pytest.fixture
def files(tmp_path):
    (tmp_path / "tasks.csv").write_text(TASKS)
    (tmp_path / "accuracies.csv").write_text(ACCURACIES)
    return tmp_path / "tasks.csv", tmp_path / "accuracies.csv"


ROWS = [
    row("a", energy=3.0),
    row("b", energy=2.0),
    row("c", energy=0.1),
    row("d", energy=0.2),
    row("w", energy=0.5, scope="wall"),
    row("e", "resnet50"),
    row("a", "ic", None, quality="failed", reason="no trace"),
]


def test_the_least_energy_that_reaches_the_target(files):
    table = task_table(pd.DataFrame(ROWS), read_tasks(files[0]), read_accuracies(files[1]))
    ranked = table[table["rank"].notna()].set_index("device")["rank"].to_dict()
    assert ranked == {"b": 1, "a": 2, "w": 1}
    reasons = table[table["rank"].isna()].set_index(["device", "network"])["reason"].to_dict()
    assert reasons == {
        ("c", "kws"): "it does not reach the target",
        ("d", "kws"): "its accuracy is not stated",
        ("a", "ic"): "recording failed: no trace",
    }
    page = tasks_page(table, read_tasks(files[0]))
    assert "| 2 | `a` | `kws` | 90 | 3 | 1.5 | 10 |  |" in page and "## Spotting, wall power" in page


def test_files_of_devices(files, tmp_path):
    frame = pd.DataFrame(ROWS).astype({"energy_mj": float})
    paths = []
    for device, rows in frame.groupby("device"):
        paths.append(tmp_path / f"{device}.parquet")
        write_table(rows, paths[-1], NETWORKS)
    build_tasks(paths, *files, tmp_path / "t.parquet")
    assert len(read_table(tmp_path / "t.parquet", TASK_CHOICES)) == 6
    assert (tmp_path / "t.csv").read_text().count("\n") == 7
    build_tasks(paths[4:5], *files, tmp_path / "t.parquet")
    assert "No device has a recording of these tasks." in (tmp_path / "t.md").read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("target", "aim", r"tasks\.csv: lacks the column\(s\) target"),
        (",85,", ",high,", r"tasks\.csv: line 3: target is 'high'; give a number"),
        (",85,", ",nan,", r"tasks\.csv: line 3: target is 'nan'"),
        ("\nic,", "\nkws,", r"tasks\.csv: line 3: a second row for its network"),
    ],
)
def test_wrong_tables_of_tasks(files, old, new, message):
    files[0].write_text(TASKS.replace(old, new, 1))
    with pytest.raises(EdgejouleError, match=message):
        read_tasks(files[0])


def test_the_shipped_tables_fit_each_other(root):
    tasks = read_tasks(root / "resources/published/mlperf_tiny_tasks.csv")
    accuracies = read_accuracies(root / "resources/published/mlperf_tiny_accuracy.csv")
    assert set(accuracies["network"]) == set(tasks["network"])
    devices = {path.stem for path in (root / "config/devices/tiny").glob("*.yaml")}
    assert set(accuracies["device"]) == devices
    assert (accuracies.merge(tasks, on="network").eval("accuracy >= target")).all()
