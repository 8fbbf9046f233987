import importlib
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgejoule.errors import EdgejouleError
from edgejoule.figures.devices import DeviceLook, read_devices
from edgejoule.figures.draw import draw_figure
from edgejoule.figures.energy_size import spread_at_equal_size
from edgejoule.figures.frame import pareto_front
from edgejoule.figures.labels import short_network
from edgejoule.figures.palette import COLOURS, OTHER, family_colours, number
from edgejoule.figures.picture import Picture, read_about, save_pictures
from edgejoule.figures.registry import FIGURES, INPUTS
from edgejoule.tables import contracts, empty, write_json, write_table

COLUMNS = {
    "board": "pi",
    "architecture": "a",
    "precision": "fp32",
    "runtime": "tflite",
    "iterations": 100,
    "origin": "measured",
    "power_scope": "wall",
    "source": "test",
    "quality": "ok",
    "reason": "",
}
LOOK = {
    "board": "pi",
    "device_class": "board",
    "runtime": "tflite",
    "origin": "measured",
    "power_scope": "wall",
    "meter": "Yokogawa",
    "watts": None,
    "note": "",
    "marker": "o",
    "backend": "cpu",
}


def networks(device: str = "pi-tflite", count: int = 12) -> pd.DataFrame:
    size = np.geomspace(1, 50, count)
    frame = pd.DataFrame(
        {
            "device": device,
            "network": [f"mobilenet-v{1 + i % 2}-{i}" for i in range(count)],
            "family": [f"mobilenet-v{1 + i % 2}" for i in range(count)],
            "latency_ms": size,
            "latency_p50_ms": size,
            "latency_p90_ms": size,
            "power_w": 5.0 + 0.1 * size,
            "energy_mj": size * (5.0 + 0.1 * size),
            "energy_above_idle_mj": size * 2.0,
            "top1": 40 + 10 * np.log(size),
        }
        | COLUMNS
    )
    empty = {name: np.nan for name in contracts.NETWORKS.names if name not in frame}
    return frame.assign(**empty)


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    path = tmp_path / "devices.json"
    entries = [LOOK | {"name": "pi-tflite", "title": "Raspberry Pi 4, TFLite", "colour": COLOURS[0]}]
    write_json(path, entries)
    return path


def draw_energy_latency(tmp_path: Path, rows: pd.DataFrame, devices: Path, folder: str = "out") -> Path:
    write_table(rows, tmp_path / "networks.parquet", contracts.NETWORKS)
    draw_figure("energy-latency", devices, {"networks": tmp_path / "networks.parquet"}, tmp_path / folder)
    return tmp_path / folder


def test_a_drawn_figure_is_there_in_all_formats_and_the_same_twice(tmp_path, devices):
    first = draw_energy_latency(tmp_path, networks(), devices, "first")
    second = draw_energy_latency(tmp_path, networks(), devices, "second")
    names = sorted(path.name for path in first.iterdir())
    assert names == ["about.json", *(f"all-devices.{s}" for s in ("pdf", "png", "rst", "svg"))]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert (first / "all-devices.pdf").read_bytes().startswith(b"%PDF")
    assert ElementTree.parse(first / "all-devices.svg").getroot().tag.endswith("svg")


def test_fonts_are_embedded_in_the_pdf(tmp_path, devices):
    pdf = (draw_energy_latency(tmp_path, networks(), devices) / "all-devices.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_a_figure_without_data_is_a_named_state_and_no_drawing(tmp_path, devices):
    rows = networks().assign(origin="estimated", power_scope="model")
    folder = draw_energy_latency(tmp_path, rows, devices)
    assert sorted(path.name for path in folder.iterdir()) == ["about.json", "all-devices.rst", "all-devices.txt"]
    state = json.loads((folder / "about.json").read_text())["pictures"][0]
    assert not state["drawn"]
    assert "constant" in state["reason"]


def test_redrawing_leaves_nothing_of_the_old_figure(tmp_path, devices):
    draw_energy_latency(tmp_path, networks(), devices)
    folder = draw_energy_latency(tmp_path, networks().assign(origin="estimated", power_scope="model"), devices)
    assert not list(folder.glob("*.png"))


def test_what_a_killed_run_left_behind_is_cleared_away(tmp_path, devices):
    (tmp_path / ".out.abcd1234").mkdir()
    folder = draw_energy_latency(tmp_path, networks(), devices)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [folder.name]


def test_a_device_without_a_file_stops_with_its_name(tmp_path, devices):
    with pytest.raises(EdgejouleError, match="'pi-tflit' has no file; did you mean 'pi-tflite'"):
        draw_energy_latency(tmp_path, networks("pi-tflit"), devices)


@pytest.mark.parametrize(("text", "said"), [("[{", "not a list of devices"), ('[{"name": "x"}]', "not a list of")])
def test_a_broken_device_list_stops_with_its_path(tmp_path, text, said):
    path = tmp_path / "devices.json"
    path.write_text(text)
    with pytest.raises(EdgejouleError, match=f"devices.json: {said}"):
        read_devices(path)


def test_an_estimated_energy_is_called_modelled():
    look = DeviceLook(**(LOOK | {"name": "x", "title": "X", "colour": "red", "origin": "estimated", "watts": 15.0}))
    assert look.energy_label == "energy modelled, 15 W × latency"
    assert look.hollow


def test_two_pictures_of_one_name_are_refused(tmp_path):
    with pytest.raises(EdgejouleError, match="one name"):
        save_pictures([Picture("a", "A", reason="x"), Picture("a", "A", reason="y")], tmp_path / "out", "f")
    assert not (tmp_path / "out").exists()


points = st.lists(st.tuples(st.floats(0.1, 1e3), st.floats(0, 100)), min_size=1, max_size=40)


@given(points)
def test_nothing_beats_the_front_and_the_front_beats_everything(pairs):
    cost, gain = np.array(pairs).T
    front = pareto_front(cost, gain)
    assert (np.diff(cost[front]) >= 0).all()
    assert (np.diff(gain[front]) > 0).all()
    for i in range(len(cost)):
        assert any(cost[j] <= cost[i] and gain[j] >= gain[i] for j in front)
    for j in front:
        assert not ((cost < cost[j]) & (gain >= gain[j])).any()


def test_spread_compares_only_equal_macs_of_one_precision():
    rows = pd.DataFrame(
        {
            "macs": [100.0, 102.0, 100.0, 200.0],
            "precision": ["fp32", "fp32", "int8", "fp32"],
            "energy_mj": [1.0, 3.0, 9.0, 9.0],
        }
    )
    assert spread_at_equal_size(rows).tolist() == pytest.approx([3.0])


def test_families_beyond_the_palette_share_grey():
    families = [f"f{i:02d}" for i in range(12) for _ in range(12 - i)]
    colours = family_colours(families)
    assert colours["f00"] == COLOURS[0]
    assert len({colours[f"f{i:02d}"] for i in range(8)}) == 8
    assert {colours[f"f{i:02d}"] for i in range(8, 12)} == {OTHER}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.01234, "0.0123"),
        (4.5678, "4.57"),
        (123.4, "123"),
        (999.9, "1\N{NO-BREAK SPACE}000"),
        (-2.5, "-2.5"),
    ],
)
def test_numbers_have_three_digits_and_no_exponent(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("mobilenet-v2-1.0-224-quantized", "MNv2 1.0 224 q"),
        ("mobilenet-v3-large-minimalistic_224_1.0_float", "MNv3 large min 224 1.0"),
        ("efficientnet-lite0-non-quantized", "ENlite0"),
        ("resnet50", "resnet50"),
    ],
)
def test_network_names_are_short_in_labels(name, short):
    assert short_network(name) == short


def test_every_figure_has_its_rule_its_command_and_its_function():
    rules = (Path(__file__).parents[2] / "workflow/rules/figures.smk").read_text()
    for name, spec in FIGURES.items():
        module, function = spec.function.split(":")
        assert callable(getattr(importlib.import_module(f"edgejoule.figures.{module}"), function))
        assert f'    "{name}",' in rules
        assert f"edgejoule figures {name}" in rules
        assert all(key in INPUTS for key in spec.inputs)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_of_empty_tables_is_a_named_state(name, tmp_path):
    write_json(tmp_path / "devices.json", [])
    files = {}
    for key in FIGURES[name].inputs:
        given = INPUTS[key]
        path = tmp_path / f"{key}.parquet"
        if given.table is not None:
            write_table(empty(getattr(contracts, given.table)), path, getattr(contracts, given.table))
        files[key.replace("-", "_")] = [] if given.per_device else path
    draw_figure(name, tmp_path / "devices.json", files, tmp_path / name)
    pictures = read_about(tmp_path / name)["pictures"]
    assert pictures and all(not picture["drawn"] and picture["reason"] for picture in pictures)


def test_a_broken_recording_stops_with_its_path(tmp_path, devices):
    with pytest.raises(EdgejouleError, match=r"nope.json: cannot be read"):
        draw_figure("power-trace", devices, {"recordings": [tmp_path / "nope.json"]}, tmp_path / "out")
    (tmp_path / "recording.json").write_text("[]")
    with pytest.raises(EdgejouleError, match=r"recording.json: not a recording.json with a 'device'"):
        draw_figure("power-trace", devices, {"recordings": [tmp_path / "recording.json"]}, tmp_path / "out")
