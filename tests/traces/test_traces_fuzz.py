"""Importers of whole runs on damaged logs: an answer, or one sentence that names the file; never a crash or a zero."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlperf_runs import detail_lines, power_lines, server

from edgejoule.errors import EdgejouleError
from edgejoule.traces import read_recording
from edgejoule.traces.importers.loadgen import read_detail, read_top1
from edgejoule.traces.importers.mlperf_tiny import read_energy
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
