import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from edgejoule.config import Applications, load_applications, load_device
from edgejoule.datasets.applications import build_applications, concatenate, delegate_of
from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import RefusedError
from edgejoule.measure.exports import built_there, exporter
from edgejoule.measure.live import left_out_of
from edgejoule.tables import empty, to_arrow
from edgejoule.tables.contracts import APPLICATIONS, NETWORKS


@pytest.fixture
def project(root, tmp_path):
    """A folder with the shipped publications and a device file."""
    shutil.copytree(root / "resources/published", tmp_path / "resources/published")
    (tmp_path / "board-a.yaml").write_text(
        "name: board-a\ntitle: Board A\nboard: board\nclass: board\nruntime: {name: tflite, threads: 4}\n"
        "meter: {kind: external}\npower_scope: wall\norigin: measured\nsource: {kind: table, file: x.csv}\ntdp_w: 5\n"
    )
    return tmp_path


@pytest.fixture
def settings(root):
    return load_applications(root / "config/applications.yaml")


def networks(**changes):
    row = dict.fromkeys(NETWORKS.names, None) | {
        "device": "board-a",
        "board": "board",
        "network": "mobilenet-v1-1.0-224",
        "architecture": "mobilenet-v1-1.0-224",
        "family": "mobilenet-v1",
        "precision": "fp32",
        "runtime": "tflite",
        "latency_ms": 50.0,
        "power_w": 4.0,
        "energy_mj": 200.0,
        "energy_std_mj": 2.0,
        "iterations": 100,
        "origin": "measured",
        "power_scope": "wall",
        "source": "x",
        "quality": "ok",
        "reason": "",
    }
    return pd.DataFrame([row | changes])


def test_the_published_figures_are_all_there(settings, root):
    rows = build_applications(empty(NETWORKS), [], settings, root)
    to_arrow(rows, APPLICATIONS)
    assert rows["device"].nunique() == 8
    assert rows["network"].nunique() == 12
    assert len(rows) == 8 * 35
    assert (rows["quality"] == "failed").sum() == 2
    assert set(rows.loc[rows["quality"] == "failed", "device"]) == {"xiaomi_redmi_note8"}
    row = rows[(rows["device"] == "oneplus_8_pro") & (rows["network"] == "DNN3") & (rows["delegate"] == "CPU4")].iloc[0]
    assert row["energy_mj"] == pytest.approx(1386.8)
    assert row["latency_ms"] == pytest.approx(1386.8 / 6.4656)
    assert row["league"] == "phone-dc"


def test_shipped_figures_equal_the_shared_ones(root, shared_data):
    for name in ("average_power", "energy_per_inference", "devices", "networks"):
        ours = pd.read_csv(root / f"resources/published/sec23_{name}.csv")
        theirs = pd.read_csv(shared_data / f"published/sec23_{name}.csv")
        pd.testing.assert_frame_equal(ours.drop(columns="source"), theirs)
        assert ours["source"].str.contains("arXiv 2310.18329").all()


def test_a_device_of_this_pipeline(project, settings):
    device = load_device(project / "board-a.yaml")
    rows = build_applications(networks(), [device], settings, project)
    row = rows[rows["device"] == "board-a"].iloc[0]
    assert (row["league"], row["delegate"], row["slot"]) == ("board-wall", "CPU4", "own")
    assert row["application"] == "image classification"
    assert row["spread"] == pytest.approx(2.0 / 200.0 / np.sqrt(10))
    assert row["tdp_w"] == 5


def test_the_application_follows_the_family(project, settings):
    device = load_device(project / "board-a.yaml")
    rows = build_applications(networks(family="bert-99"), [device], settings, project)
    assert rows.loc[rows["device"] == "board-a", "application"].item() == "question answering"


def test_a_failed_network_is_a_missing_pair_with_its_reason(project, settings):
    device = load_device(project / "board-a.yaml")
    rows = build_applications(networks(quality="failed", reason="no window"), [device], settings, project)
    row = rows[rows["device"] == "board-a"].iloc[0]
    assert np.isnan(row["energy_mj"])
    assert row["reason"] == "no window"


def refusal(export, *arguments):
    with pytest.raises(RefusedError) as refused:
        export(*arguments)
    return str(refused.value)


def test_a_network_that_nobody_tried_is_told_from_one_that_failed(project, settings):
    """By the reasons that a measurement itself gives."""
    asked = pd.DataFrame({"network": ["x"], "precision": ["int8"]})
    not_tried = [
        left_out_of(asked, project / "board-a.yaml")["reason"][0],
        refusal(exporter, "litert", "int8"),
        refusal(built_there, SimpleNamespace(precision="int8"), "int8", 0, False),
        "a live measurement exports networks in FP32 only",
    ]
    failed = ["no window", "network 'x': litert-torch cannot convert it"]
    parts = [networks(network=reason, quality="failed", reason=reason) for reason in [*not_tried, *failed]]
    rows = build_applications(
        pd.concat([*parts, networks()]), [load_device(project / "board-a.yaml")], settings, project
    )
    assert set(rows.loc[~rows["tried"], "network"]) == set(not_tried)
    assert rows.loc[rows["origin"] == "published", "tried"].all()


@pytest.mark.parametrize(
    ("runtime", "delegate"),
    [
        ("{name: onnxruntime, threads: 1}", "CPU1"),
        ("{name: tflite, backend: ruy}", "CPU"),
        ("{name: armnn, backend: opencl}", "GPU"),
        ("{name: other, backend: npu}", "NPU"),
    ],
)
def test_the_runtime_stands_for_the_delegate(project, runtime, delegate):
    path = project / "board-a.yaml"
    path.write_text(path.read_text().replace("{name: tflite, threads: 4}", runtime))
    assert delegate_of(load_device(path)) == delegate


def test_a_row_of_an_unknown_device_stops(settings, root):
    with pytest.raises(EdgejouleError, match="'board-a', which has no file"):
        build_applications(networks(), [], settings, root)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("average_power", "4.7495", "", "DNN1 on CPU1 of oneplus_8_pro has a figure in one file only"),
        ("average_power", "4.7495", "much", "DNN1 on CPU1 of oneplus_8_pro is not a positive number"),
        ("energy_per_inference", "0.3209", "-0.3209", "DNN1 on CPU1 of oneplus_8_pro is not a positive number"),
        ("energy_per_inference", "oneplus_8_pro", "oneplus_9", "'oneplus_9' is no device of the publication"),
        ("energy_per_inference", "DNN2,CPU1", "DNN1,CPU1", "DNN1 on CPU1 stands twice"),
        ("networks", "DNN2,", "DNN99,", "no row for network 'DNN2'"),
        ("networks", "INT8", "INT4", "'precision' may hold fp32, fp16, int8"),
        ("devices", "tdp_w", "tdp", "lacks the column\\(s\\) tdp_w"),
        ("devices", "xiaomi_redmi_note8,", "oneplus_8_pro,", "oneplus_8_pro stands twice"),
    ],
)
def test_tables_that_contradict_each_other_stop(project, settings, file, old, new, message):
    path = project / f"resources/published/sec23_{file}.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(EdgejouleError, match=message):
        build_applications(empty(NETWORKS), [], settings, project)


def test_a_missing_file_stops(settings, tmp_path):
    with pytest.raises(EdgejouleError, match="not a readable CSV"):
        build_applications(empty(NETWORKS), [], settings, tmp_path)


def test_without_any_source_the_table_is_empty():
    assert len(build_applications(empty(NETWORKS), [], Applications())) == 0


def test_a_network_of_the_zoo_and_a_reference_cannot_share_a_name():
    assert len(concatenate([networks(), networks(network="ssd")])) == 2
    assert len(concatenate([networks(), empty(NETWORKS)])) == 1
    with pytest.raises(EdgejouleError, match="is a network of the zoo and a reference network"):
        concatenate([networks(), networks()])


def test_the_reference_networks_are_of_the_published_applications(root):
    """By family, the twelve get the applications that the publication gives them."""
    zoo = pd.read_csv(root / "config/references.tsv", sep="\t")
    settings = load_applications(root / "config/applications.yaml")
    given = zoo["family"].map(settings.families).fillna(settings.default_application)
    assert given.tolist() == zoo["application"].tolist()
