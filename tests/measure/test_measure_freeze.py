"""Freezing a live recording."""

import pandas as pd
import pytest
import yaml

from edgejoule.cli import main
from edgejoule.config import load_device
from edgejoule.errors import EdgejouleError
from edgejoule.measure.freeze import freeze
from edgejoule.tables import empty
from edgejoule.tables.contracts import EVENTS
from edgejoule.traces import Recording, read_recording, write_recording

FILE = """\
# A board on my desk.
name: my-board
title: My board
board: my-board
class: board
runtime: {name: onnxruntime, threads: 1}
meter:
  kind: constant
  watts: 3.5
  watts_source: measured at the plug  # with a kettle
power_scope: model
origin: estimated
source:  # measured live
  kind: live

  # three passes
  protocol:
    passes: 3
note: kept
"""


@pytest.fixture
def device_file(tmp_path):
    path = tmp_path / "devices" / "my-board.yaml"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


@pytest.fixture
def recording(tmp_path):
    meta = {
        "device": "my-board",
        "board": "my-board",
        "meter": {"kind": "constant", "watts": 3.5},
        "clock": "monotonic",
        "power_scope": "model",
        "rails": [],
    }
    row = dict.fromkeys(empty(EVENTS).columns) | {
        "event": "a/0", "start_ns": 0, "end_ns": 5, "kind": "network", "workload": "a", "pass": 0, "iterations": 1,
        "source": "live",
    }  # fmt: skip
    events = pd.DataFrame([row]).astype({name: "float64" for name in row if name.endswith("_ms")} | {"top1": "float64"})
    write_recording(Recording(meta, events), tmp_path / "live")
    return tmp_path / "live"


def test_the_device_becomes_a_replay_of_the_same_recording(tmp_path, device_file, recording):
    freeze(device_file, recording, tmp_path / "traces" / "my-board")
    source = load_device(device_file).source
    assert (source.kind, source.format) == ("traces", "canonical")
    live, frozen = read_recording(recording), read_recording(source.folder)
    pd.testing.assert_frame_equal(live.events, frozen.events)
    assert live.meta == frozen.meta


def test_where_it_went_is_said(tmp_path, device_file, recording, capsys):
    folders = ["--devices", device_file.parent, "--recordings", tmp_path / "live", "--traces", tmp_path / "traces"]
    recording.rename(tmp_path / "my-board")
    (tmp_path / "live").mkdir()
    (tmp_path / "my-board").rename(tmp_path / "live/my-board")
    with pytest.raises(SystemExit):
        main(["freeze", "my-board", *map(str, folders)])
    said = capsys.readouterr().out
    assert f"recording in {tmp_path / 'traces/my-board'}, which {device_file} replays now" in said


def test_all_but_the_source_stays_with_its_comments(tmp_path, device_file, recording):
    freeze(device_file, recording, tmp_path / "traces" / "my-board")
    text = device_file.read_text()
    assert "# A board on my desk." in text and "# with a kettle" in text and text.endswith("note: kept\n")
    before, after = yaml.safe_load(FILE), yaml.safe_load(text)
    assert before.pop("source") != after.pop("source")
    assert before == after


@pytest.mark.parametrize("text", [FILE.replace("note: kept\n", ""), FILE.replace("\nnote: kept\n", ""),
                                  "source: {kind: live}\n" + FILE[: FILE.index("\nsource:") + 1]])  # fmt: skip
def test_the_source_may_stand_anywhere(tmp_path, device_file, recording, text):
    device_file.write_text(text)
    freeze(device_file, recording, tmp_path / "traces" / "my-board")
    assert load_device(device_file).source.kind == "traces"


def test_a_frozen_device_is_not_frozen_twice(tmp_path, device_file, recording):
    freeze(device_file, recording, tmp_path / "traces" / "my-board")
    with pytest.raises(EdgejouleError, match="source is 'traces' already"):
        freeze(device_file, recording, tmp_path / "traces" / "my-board")


def test_another_devices_recording_is_refused_and_nothing_is_written(tmp_path, device_file, recording):
    other = device_file.with_name("other.yaml")
    other.write_text(FILE.replace("name: my-board", "name: other", 1))
    with pytest.raises(EdgejouleError, match="a recording of 'my-board', not of 'other'"):
        freeze(other, recording, tmp_path / "traces" / "other")
    assert not (tmp_path / "traces").exists()
    assert "kind: live" in other.read_text()


def test_no_recording_is_said(tmp_path, device_file):
    with pytest.raises(EdgejouleError, match="no recording here"):
        freeze(device_file, tmp_path / "none", tmp_path / "traces")
