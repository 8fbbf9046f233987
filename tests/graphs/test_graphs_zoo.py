"""The zoo: what stands in it, and what happens when it is wrong."""

import csv

import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.describe import collect, shard_of
from edgejoule.graphs.zoo import input_shape, parse_shard
from edgejoule.tables import empty, write_table
from edgejoule.tables.contracts import FUSION_CHECK

HEADER = "network\tarchitecture\tfamily\tprecision\tbuilder\targuments\tinput\tparameters\ttop1\ttop1_source\n"
ROW = 'tiny\ttiny\tresnet\tfp32\ttimm\t{"name": "resnet18"}\t3x224x224\t11689512\t69.8\tsomewhere\n'


@pytest.fixture(scope="module")
def zoo(root):
    return read_zoo(root / "config/networks.tsv")


def test_zoo_is_worth_the_name(zoo):
    own = zoo[zoo.builder != "edgejoule"]
    assert own.architecture.nunique() >= 100
    assert own.family.nunique() >= 20
    assert (zoo.builder == "edgejoule").sum() == 94
    assert zoo.top1.notna().all() and zoo.top1_source.notna().all()


def test_mlperf_networks_are_the_recorded_ones_with_their_accuracy(zoo, shared_data):
    index = pd.read_csv(shared_data / "mlperf_inference/index.csv")
    recorded = index[index.system == "rpi4-tflite-v2.7.1-ruy"].drop_duplicates("model").set_index("model")
    ours = zoo[zoo.builder == "edgejoule"].set_index("network")
    assert set(ours.index) == set(recorded.index)
    assert (ours.precision == recorded.precision.reindex(ours.index)).all()
    assert (ours.top1 == recorded.accuracy_value.astype(float).reindex(ours.index)).all()


def test_timm_accuracies_are_those_of_the_results_table(zoo, shared_data):
    results = pd.read_csv(shared_data / "timm/results-imagenet.csv").set_index(["model", "img_size"])
    for row in zoo[zoo.builder == "timm"].itertuples():
        model, size = row.top1_source.split(", ")[1].split(" at ")
        assert results.loc[(model, int(size)), "top1"] == row.top1
        assert model.split(".")[0] == row.network and input_shape(row.input)[2] == int(size)
        assert float(results.loc[(model, int(size)), "param_count"]) == pytest.approx(row.parameters / 1e6, abs=0.006)


def test_torchvision_accuracies_are_those_of_the_weights(zoo, shared_data):
    weights = pd.read_csv(shared_data / "torchvision/torchvision_0.29.2_weights_meta.csv")
    weights = weights[(weights.dataset == "ImageNet-1K") & (weights.metric == "acc@1")].set_index(["weights", "entry"])
    for row in zoo[zoo.builder == "torchvision"].itertuples():
        name, entry = row.top1_source.split(", ")[1].split(".")
        assert weights.loc[(name, entry), "value"] == row.top1
        assert weights.loc[(name, entry), "num_params"] == row.parameters


def test_licences_are_those_that_the_weights_state(zoo):
    pytest.importorskip("torch", reason="the licences of timm's weights are stated by timm, which needs torch")
    from edgejoule.graphs.torchvision_import import import_torchvision

    import_torchvision()  # before timm, which imports torchvision itself
    from timm.models import get_pretrained_cfg

    for row in zoo[zoo.builder == "timm"].itertuples():
        stated = get_pretrained_cfg(row.top1_source.split(", ")[1].split(" at ")[0]).license
        assert (None if pd.isna(row.licence) else row.licence) == (None if stated == "unknown" else stated), row.network
    assert zoo.loc[zoo.builder == "torchvision", "licence"].isna().all()
    assert (zoo.loc[zoo.builder == "edgejoule", "licence"] == "apache-2.0").all()
    assert zoo.licence_source.notna().all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("3x224x224", "224x224", "line 2 .*input is '224x224'; give channels x height x width"),
        ("\t69.8\t", "\t0.69\t", "line 2 .*top1 is 0.69; give percent"),
        ("\ttimm\t", "\ttim\t", "line 2 .'tiny'.*unknown builder 'tim'; did you mean 'timm'"),
        ('{"name": "resnet18"}', "{name}", "line 2 .*arguments are no JSON"),
        ('{"name": "resnet18"}', "[1]", "line 2 .*give a JSON object"),
        ("3x224x224", "3x-224", "line 2 .*input is '3x-224'; give channels x height x width"),
        ("fp32", "fp31", "column 'precision' holds 'fp31' in row 0; allowed: fp32"),
        ("69.8\tsomewhere", "69.8\t", "top1 is 69.8; give percent, and where it is from"),
        ("69.8", "0.698e3", "top1 is 698.0; give percent"),
        ("11689512", "many", "not a table of networks"),
        ("tiny\ttiny", "\ttiny", "column 'network' is empty in row 0"),
    ],
)
def test_a_wrong_row_stops_with_its_line(tmp_path, old, new, message):
    path = tmp_path / "zoo.tsv"
    path.write_text(HEADER + ROW.replace(old, new, 1))
    with pytest.raises(EdgejouleError, match=message):
        read_zoo(path)


def test_other_wrong_files_stop(tmp_path):
    path = tmp_path / "zoo.tsv"
    with pytest.raises(EdgejouleError, match="no such file"):
        read_zoo(path)
    path.write_text("")
    with pytest.raises(EdgejouleError, match="not a table of networks"):
        read_zoo(path)
    path.write_text(HEADER + ROW + ROW)
    with pytest.raises(EdgejouleError, match=r"more than one row for.*tiny"):
        read_zoo(path)
    path.write_text((HEADER + ROW).replace("family\t", "", 1).replace("resnet\t", "", 1))
    with pytest.raises(EdgejouleError, match=r"lacks the column\(s\) family"):
        read_zoo(path)


def test_select_takes_networks_architectures_and_families(zoo):
    assert set(select(zoo, ["vgg"]).family) == {"vgg"}
    assert len(select(zoo, ["mobilenet-v1-1.0-224"])) == 2
    with pytest.raises(EdgejouleError, match="unknown network or family 'vgg17'; did you mean 'vgg1"):
        select(zoo, ["vgg17"])


def test_shards_are_a_partition_that_keeps_families_whole(zoo):
    parts = [shard_of(zoo, part, 4) for part in range(1, 5)]
    assert sorted(pd.concat(parts).network) == sorted(zoo.network)
    families = [set(part.family) for part in parts]
    assert sum(map(len, families)) == zoo.family.nunique()
    assert parse_shard("2-of-4") == (2, 4)
    with pytest.raises(EdgejouleError, match="write it as 1-of-4"):
        parse_shard("2/4")
    with pytest.raises(EdgejouleError, match="shard 5 of 4 does not exist"):
        shard_of(zoo, 5, 4)


def test_parts_are_joined_by_their_names_and_others_refused(tmp_path):
    part = empty(FUSION_CHECK)
    for name in ("1-of-2-fusion-check", "fusion-check"):
        write_table(part, tmp_path / f"{name}.parquet", FUSION_CHECK, {})
    assert list(collect(sorted(tmp_path.iterdir()))) == ["fusion-check"]
    with pytest.raises(EdgejouleError, match=r"kernel.parquet: is no part of a table; names of parts end in kernels,"):
        collect([tmp_path / "kernel.parquet"])


def test_file_is_plain_tab_separated(root, zoo):
    with (root / "config/networks.tsv").open(newline="") as file:
        assert {len(row) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)} == {zoo.shape[1]}
