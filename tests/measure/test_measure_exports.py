"""Networks as files for runtimes, and what becomes of one that a converter refuses."""

import importlib.util

import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.builders import RefusedError
from edgejoule.measure import exports
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import PROBLEMS


def networks(*names):
    row = {"architecture": "a", "builder": "edgejoule", "arguments": "{}", "input": "3x32x32", "precision": "fp32"}
    return pd.DataFrame([{**row, "network": name} for name in names])


@pytest.fixture
def converter(monkeypatch):
    """A converter that counts its calls and does not take 'odd'."""
    calls = []

    def export(row, path, seed, pretrained):
        calls.append(row.network)
        if row.network == "odd":
            raise RefusedError("network 'odd': the converter says no")
        path.write_bytes(row.network.encode())

    monkeypatch.setitem(exports.EXPORTS, "litert", (".tflite", export))
    return calls


def test_a_refused_network_is_a_problem_and_the_others_are_ready(converter, tmp_path):
    ready, problems = exports.export_all(networks("even", "odd", "plain"), "litert", tmp_path)
    assert [workload.name for workload in ready] == ["even", "plain"]
    assert [(row.workload, row.reason) for row in problems.itertuples()] == [
        ("odd", "network 'odd': the converter says no")
    ]
    to_arrow(problems, PROBLEMS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "even.tflite", "even.tflite.json", "odd.tflite.json", "plain.tflite", "plain.tflite.json"
    ]  # fmt: skip


def test_nothing_is_converted_twice_unless_the_network_changed(converter, tmp_path):
    rows = networks("even", "odd")
    first = exports.export_all(rows, "litert", tmp_path)
    again = exports.export_all(rows, "litert", tmp_path)
    assert converter == ["even", "odd"]
    assert again[0] == first[0] and again[1].equals(first[1])
    exports.export_all(rows.assign(input="3x64x64"), "litert", tmp_path)
    assert converter == ["even", "odd", "even", "odd"]


def test_without_the_converter_the_sentence_names_the_command(tmp_path):
    if importlib.util.find_spec("litert_torch"):
        pytest.skip("the package 'litert-torch' is installed")
    with pytest.raises(EdgejouleError, match=r"'even'.*'litert_torch'.*edgejoule measure export --runtime litert"):
        exports.export_all(networks("even"), "litert", tmp_path)
    assert not list(tmp_path.iterdir()), "nothing was refused, so nothing is remembered"


def test_a_runtime_without_files_is_named(tmp_path):
    with pytest.raises(EdgejouleError, match="runtime 'armnn' has no model files"):
        exports.export_all(networks("even"), "armnn", tmp_path)


def test_published_weights_are_exported_apart_from_random_ones(converter, tmp_path):
    for pretrained in (False, True, True):
        exports.export_all(networks("even"), "litert", tmp_path, pretrained=pretrained)
    assert converter == ["even", "even"]


def test_a_network_without_published_weights_is_a_problem(root, tmp_path):
    pytest.importorskip("torch", reason="networks need torch")
    zoo = select(read_zoo(root / "config/networks.tsv"), ["mobilenet-v1-0.25-128"]).head(1)
    ready, problems = exports.export_all(zoo, "onnxruntime", tmp_path, pretrained=True)
    assert not ready and "weights are TensorFlow's; take random ones" in problems["reason"][0]
