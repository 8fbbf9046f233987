"""Importers of whole runs on damaged logs: an answer, or one sentence that names the file; never a crash or a zero."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlperf_runs import detail_lines, power_lines, server

from edgejoule.errors import EdgejouleError
from edgejoule.traces import read_recording
from edgejoule.traces.files import Files
from edgejoule.traces.importers.jls import read_jls
from edgejoule.traces.importers.loadgen import read_detail, read_top1
from edgejoule.traces.importers.mlperf_tiny import import_mlperf_tiny, read_energy
from edgejoule.traces.importers.ptdaemon import read_power_log, read_server
from edgejoule.traces.manifest import read_manifest

POWER = "\n".join(power_lines()).encode()
DETAIL = "\n".join(detail_lines()).encode()
SERVER = repr(server()).replace("'", '"').encode()
READERS = {
    "power log": (lambda data: read_power_log(data, "here"), POWER),
    "detail log": (lambda data: read_detail(data, "here"), DETAIL),
    "server": (lambda data: read_server(data, "here"), SERVER),
    "energy": (lambda data: read_energy(data, "here"), b"\xf1" + np.arange(1, 99, dtype="<f4").tobytes()),
}


def damage(data, content):
    content = bytearray(content[: data.draw(st.integers(0, len(content)))])
    for _ in range(data.draw(st.integers(0, 8))):
        if not content:
            break
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    return bytes(content)


@pytest.mark.parametrize("case", READERS)
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_damaged_logs(case, data):
    read, content = READERS[case]
    try:
        found = read(damage(data, content))
    except EdgejouleError as error:
        assert str(error).startswith("here") and "\n" not in str(error)
    else:
        assert found is not None


@pytest.mark.parametrize("case", READERS)
@given(data=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes(case, data):
    read, _ = READERS[case]
    try:
        read(data)
    except EdgejouleError as error:
        assert str(error).startswith("here") and "\n" not in str(error)


@given(st.binary(max_size=200))
def test_accuracies_are_percent_or_unknown(data):
    top1 = read_top1(data)
    assert top1 is None or 0 <= top1 <= 100


META = '{"device": "d", "board": "b", "meter": {"kind": "none"}, "clock": "c", "power_scope": "dc", "rails": []}'


@given(st.sampled_from(["recording.json", "events.parquet"]), st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_a_recording(tmp_path, name, data):
    (tmp_path / "recording.json").write_text(META)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(EdgejouleError, match=re.escape(str(tmp_path))):
        read_recording(tmp_path)
    (tmp_path / name).unlink()


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_a_manifest(tmp_path, data):
    (tmp_path / "m.tsv").write_bytes(data)
    with pytest.raises(EdgejouleError, match=re.escape(str(tmp_path))):
        read_manifest(tmp_path / "m.tsv")


KEYS = ["power", "samples", "timestamps", "infer", "iterations", "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
TRIAL = {
    "infer": {"iterations": 30},
    "power": {"samples": [5e-6] * 40, "timestamps": [["0", 9], ["1", 10], ["2", 30]]},
}
RESULTS = "Energy data for window 2 at\n Energy : 6.0 uJ\nPerformance results for window 2:\n # Inferences : 3\n"
TINY = {"device": "m", "board": "m", "meter": {"kind": "external"}, "power_scope": "dc"}


def check_tiny(folder):
    try:
        recording = import_mlperf_tiny(Files([folder]), TINY)
    except EdgejouleError as error:
        assert str(folder) in str(error) and "\n" not in str(error)
    else:
        assert len(recording.events) and recording.trace["t_ns"].is_monotonic_increasing


@given(st.sampled_from([None, *KEYS]), JSON)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_results_of_trials(tmp_path, key, value):
    folder = tmp_path / "r" / "results" / "m" / "ic" / "energy"
    folder.mkdir(parents=True, exist_ok=True)
    trial = json.loads(json.dumps(TRIAL))
    for part in (trial, *trial.values()):
        if key in part:
            part[key] = value
    (folder / "results.json").write_text(json.dumps(value if key is None else [trial]))
    check_tiny(tmp_path)


@given(st.sampled_from(["results.txt", "trace1-energy.bin", "trace1-timestamps.json"]), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_runs_of_energy_runner(tmp_path, name, data):
    folder = tmp_path / "r" / "results" / "m" / "ic" / "energy"
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "results.txt": RESULTS.encode(),
        "trace1-energy.bin": b"\xf1" + np.array([1000.0, *range(99)], "<f4").tobytes(),
        "trace1-timestamps.json": b"[0.01, 0.02, 0.05]",
    }
    for each, content in files.items():
        (folder / each).write_bytes(damage(data, content) if each == name else content)
    check_tiny(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("results.txt", RESULTS.replace("6.0", "6.0.1"), "the energy of a window is no number"),
        ("trace1-timestamps.json", "[" * 100_000, "not valid JSON"),
        ("trace1-timestamps.json", "[1e999, 2, 3]", "should hold a list of seconds"),
    ],
)
def test_runs_that_no_parser_should_crash_on(tmp_path, name, content, reason):
    folder = tmp_path / "results" / "m" / "ic" / "energy"
    folder.mkdir(parents=True)
    (folder / "trace1-energy.bin").write_bytes(b"\xf1" + np.array([1000.0, *range(99)], "<f4").tobytes())
    (folder / "results.txt").write_text(RESULTS)
    (folder / "trace1-timestamps.json").write_text("[0.01, 0.02, 0.05]")
    (folder / name).write_text(content)
    with pytest.raises(EdgejouleError, match=reason):
        import_mlperf_tiny(Files([tmp_path]), TINY)


def test_deep_json_is_a_sentence_everywhere(tmp_path):
    deep = b"[" * 100_000
    for read in (
        lambda: read_server(deep, "here"),
        lambda: read_detail(b":::MLLOG " + deep + b'"power_begin"', "here"),
    ):
        with pytest.raises(EdgejouleError, match="here"):
            read()
    (tmp_path / "recording.json").write_bytes(deep)
    with pytest.raises(EdgejouleError, match="not valid JSON"):
        read_recording(tmp_path)


def test_a_header_that_claims_10_tb_allocates_nothing(tmp_path, monkeypatch):
    class Reader:
        def __init__(self, path):
            length = 10 * 10**12 // 4
            self.signals = {1: SimpleNamespace(name="power", sample_rate=2e6, length=length, signal_id=1)}

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def fsr(self, *_):
            raise AssertionError("the header must not be believed")

    monkeypatch.setitem(__import__("sys").modules, "pyjls", SimpleNamespace(Reader=Reader))
    (tmp_path / "x.jls").write_bytes(b"jlsfmt\r\n" + bytes(1000))
    with pytest.raises(EdgejouleError, match=r"x\.jls: claims 2500000000000 readings of 'power'"):
        read_jls(tmp_path / "x.jls")


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_jls(tmp_path, data):
    pyjls = pytest.importorskip("pyjls", reason="pyjls is not installed")
    path = tmp_path / "x.jls"
    with pyjls.Writer(str(path)) as writer:
        writer.source_def(source_id=1, name="js", vendor="v", model="m", version="1", serial_number="1")
        writer.signal_def(signal_id=1, source_id=1, sample_rate=1000, name="power", units="W")
        writer.fsr_f32(1, 0, np.ones(500, np.float32))
    path.write_bytes(damage(data, path.read_bytes()))
    try:
        readings = read_jls(path)
    except EdgejouleError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert len(readings.trace) >= 2
