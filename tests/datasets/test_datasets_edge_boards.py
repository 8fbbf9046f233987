"""The shipped table of the edge boards is what this pipeline derives from the raw public recordings."""

import pandas as pd
import pytest

from edgejoule.config import load_device
from edgejoule.datasets.device import derive
from edgejoule.datasets.published import read_networks, write_networks
from edgejoule.graphs import read_zoo
from edgejoule.traces.convert import import_device
from edgejoule.traces.manifest import read_manifest
from edgejoule.traces.retrieve import retrieve

BOARDS = (
    "firefly-armnn-v22.05-opencl",
    "odroid-armnn-v21.11-opencl",
    "rpi4-armnn-v21.11-neon",
    "rpi4-tflite-v2.7.1-ruy",
    "xavier-power.0-fan.cool-tflite-v2.7.1-ruy",
)


@pytest.mark.parametrize("name", BOARDS)
def test_the_shipped_rows_are_derived_again_from_raw_recordings(root, shared_data, tmp_path, name):
    device = load_device(root / f"config/devices/mlperf/{name}.yaml")
    files = read_manifest(root / device.source.manifest)
    archives = []
    for archive in sorted({file.archive for file in files}):
        archives.append(tmp_path / f"{archive}.zip")
        wanted = [file for file in files if file.archive == archive]
        retrieve(wanted, archives[-1], address=None, mirror=shared_data / "mlperf_inference")
    source = device.source.model_copy(update={"manifest": str(root / device.source.manifest)})
    recording = import_device(device.model_copy(update={"source": source}), archives)
    zoo, references = (read_zoo(root / f"config/{name}.tsv") for name in ("networks", "references"))
    derived = derive(recording, device, zoo, references)["networks"]
    write_networks(derived, tmp_path / "derived.csv")

    shipped_as = load_device(root / f"config/devices/{name}.yaml")
    shipped = read_networks(root / "resources/derived/edge_boards.csv", shipped_as, zoo)
    assert len(shipped) == 94
    # The shipped file has ten digits: the same ten digits are required.
    pd.testing.assert_frame_equal(read_networks(tmp_path / "derived.csv", shipped_as, zoo), shipped, check_exact=True)


def test_every_shipped_row_names_its_source_and_is_measured(root):
    rows = pd.read_csv(root / "resources/derived/edge_boards.csv")
    assert sorted(rows["device"].unique()) == sorted(BOARDS)
    assert rows["source"].str.startswith("inference_results_v").all()
    assert set(rows["origin"]) == {"measured"}
    assert set(rows["power_scope"]) == {"wall"}
