import json
import re
import time

import pytest
import yaml
from snakemake.utils import update_config

from edgejoule.config import Applications, check_files, load_device, load_run
from edgejoule.config.load import read_yaml
from edgejoule.config.models import Device, Protocol, Run
from edgejoule.errors import EdgejouleError

DEVICE = {
    "name": "board-a",
    "title": "Board A",
    "board": "board-a",
    "class": "board",
    "runtime": {"name": "tflite"},
    "meter": {"kind": "external", "name": "meter"},
    "power_scope": "wall",
    "origin": "measured",
    "source": {"kind": "table", "file": "rows.csv"},
}


def write_device(folder, **changes):
    value = DEVICE | changes
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{value['name']}.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in value.items() if v is not None}))
    return path


def test_a_device_file_is_read(tmp_path):
    device = load_device(write_device(tmp_path))
    assert device.name == "board-a"
    assert device.device_class == "board"
    assert device.source.kind == "table"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bord": "x"}, "unknown key 'bord'; did you mean 'board'"),
        ({"runtime": {"name": "tflight"}}, "key 'runtime.name' is 'tflight'; did you mean 'tflite'"),
        ({"runtime": {"name": "tflite", "thread": 2}}, "unknown key 'runtime.thread'; did you mean 'threads'"),
        ({"power_scope": "socket"}, "key 'power_scope' is 'socket'; valid: dc, model, rail, wall"),
        ({"source": {"kind": "tables", "file": "x"}}, "key 'source' is 'tables'; did you mean 'table'"),
        ({"source": {"kind": "table", "files": "x"}}, "'source.*files'; did you mean 'file'"),
        ({"board": None}, "key 'board' is missing"),
        ({"tdp_w": -5}, "key 'tdp_w' is -5, but it should be greater than 0"),
        ({"meter": {"kind": "constant"}}, "key 'meter.watts' is missing"),
        ({"meter": {"kind": "constant", "watts": 5}}, "a declared power makes it 'estimated'"),
    ],
)
def test_a_wrong_key_is_named_with_the_nearest_valid_one(tmp_path, changes, message):
    path = write_device(tmp_path, **changes)
    with pytest.raises(EdgejouleError, match=message) as caught:
        load_device(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_name_must_be_the_files(tmp_path):
    path = write_device(tmp_path).rename(tmp_path / "other.yaml")
    with pytest.raises(EdgejouleError, match="'name' is 'board-a', but the file is called 'other'"):
        load_device(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [1", "not valid YAML"),
        ("- a\n- b", "should hold 'key: value' lines"),
        ("", "should hold 'key: value' lines"),
        ("a: 1\na: 2", "key 'a' stands twice"),
        ("? [a, b]\n: 1", "not valid YAML|unhashable|should"),
    ],
)
def test_unreadable_yaml(tmp_path, text, message):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(EdgejouleError, match=message):
        read_yaml(path)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(EdgejouleError, match=str(path)):
        read_yaml(path)


def test_an_unknown_device_is_named(tmp_path):
    write_device(tmp_path / "devices")
    with pytest.raises(EdgejouleError, match="unknown device 'bord-a'; did you mean 'board-a'"):
        load_run({"device_folders": ["devices"], "devices": ["bord-a"]}, root=tmp_path)


def test_a_negative_budget_is_refused(tmp_path):
    write_device(tmp_path / "devices")
    with pytest.raises(EdgejouleError, match=r"recommendations\.budgets_mj\.0"):
        load_run({"device_folders": ["devices"], "recommendations": {"budgets_mj": [-1]}}, root=tmp_path)


def test_predictions_without_intervals_cannot_be_asked_to_choose_from(tmp_path):
    write_device(tmp_path / "devices")
    with pytest.raises(EdgejouleError, match=r"unknown key 'recommendations\.predictor'"):
        load_run({"device_folders": ["devices"], "recommendations": {"predictor": "macs-linear"}}, root=tmp_path)


def test_no_device_at_all_is_said(tmp_path):
    write_device(tmp_path / "devices")
    with pytest.raises(EdgejouleError, match="key 'devices' names no device"):
        load_run({"device_folders": ["devices"], "devices": []}, root=tmp_path)


def test_duty_cycle_needs_a_rate(tmp_path):
    write_device(tmp_path / "devices")
    with pytest.raises(EdgejouleError, match="needs 'rate_hz'"):
        load_run({"device_folders": ["devices"], "recommendations": {"accounting": "duty-cycle"}}, root=tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "device 'board-a': key 'source.file' names 'rows.csv', which is not there"),
        ({"recommendations": {"tasks": "nope.csv"}}, "config.yaml: key 'recommendations.tasks' names 'nope.csv'"),
        ({"zoo": {"file": "nope.tsv"}}, "config.yaml: key 'zoo.file' names 'nope.tsv'"),
        ({"mirror": "/nope"}, "config.yaml: key 'mirror' names '/nope'"),
    ],
)
def test_a_file_that_is_not_there_is_said_before_anything_runs(tmp_path, changes, message):
    write_device(tmp_path / "devices")
    for name in ("networks.tsv", "applications.yaml", "tasks.csv", "accuracies.csv"):
        (tmp_path / name).touch()
    settings = {
        "device_folders": ["devices"],
        "zoo": {"file": "networks.tsv"},
        "scores": {"file": "applications.yaml"},
        "recommendations": {"tasks": "tasks.csv", "accuracies": "accuracies.csv"},
    }
    run, devices = load_run(settings | changes, root=tmp_path)
    with pytest.raises(EdgejouleError, match=message):
        check_files(run, devices, "config.yaml", tmp_path)


def test_the_first_folder_wins(tmp_path):
    write_device(tmp_path / "near", title="near")
    write_device(tmp_path / "far", title="far")
    write_device(tmp_path / "far", name="board-b", title="far")
    _, devices = load_run({"device_folders": ["near", "far"]}, root=tmp_path)
    assert {name: device.title for name, device in devices.items()} == {"board-a": "near", "board-b": "far"}


def test_every_shipped_file_is_valid(root):
    for config in sorted((root / "config").glob("*.yaml")):
        if "device_folders" in config.read_text():
            merged = read_yaml(root / "config/config.yaml")
            # As Snakemake lays a second configuration over the first.
            update_config(merged, read_yaml(config))
            load_run(merged, str(config), root)


@pytest.mark.parametrize(("name", "model"), [("run", Run), ("device", Device), ("applications", Applications)])
def test_the_schema_for_editors_is_in_step_with_the_models(root, name, model):
    shipped = json.loads((root / f"workflow/schemas/{name}.schema.json").read_text())
    assert shipped == model.model_json_schema(), f"edgejoule schema {name} > workflow/schemas/{name}.schema.json"


def test_two_hundred_devices_load_quickly(tmp_path):
    for index in range(200):
        write_device(tmp_path / "devices", name=f"board-{index}")
    start = time.perf_counter()
    _, devices = load_run({"device_folders": ["devices"]}, root=tmp_path)
    assert len(devices) == 200
    assert time.perf_counter() - start < 20, "two orders of magnitude above what it takes"


def test_absent_device_file_names_the_nearest(tmp_path):
    (tmp_path / "board-a.yaml").write_text("name: board-a\n")
    with pytest.raises(EdgejouleError, match=r"board-b\.yaml: no such file; did you mean 'board-a\.yaml'\?"):
        load_device(tmp_path / "board-b.yaml")


def test_device_file_that_is_not_text_names_the_byte(tmp_path):
    (tmp_path / "board-a.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(EdgejouleError, match=r"not text in UTF-8: .* at byte 6"):
        load_device(tmp_path / "board-a.yaml")


def test_every_key_of_a_protocol_stands_in_the_manual_with_its_default(root):
    manual = (root / "config/README.md").read_text()
    for name, field in Protocol.model_fields.items():
        (row,) = re.findall(rf"^\| `{name}` \| .* \| (.*) \|$", manual, re.MULTILINE)
        assert yaml.safe_load(row.strip("`")) == field.default, name
