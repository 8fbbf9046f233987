"""Variants: every one a valid network that runs, drawn from the stated ranges, the same every time."""

import pandas as pd
import pytest

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.describe import describe_zoo
from edgejoule.graphs.zoo import read_zoo, write_zoo

torch = pytest.importorskip("torch", reason="networks need torch")

from edgejoule.graphs.builders import build  # noqa: E402
from edgejoule.graphs.variants import FAMILIES, KERNELS, Draw, variant, variants  # noqa: E402


def test_nine_families():
    assert len(FAMILIES) == 9


@pytest.mark.parametrize("family", FAMILIES)
def test_every_variant_runs(family):
    for seed in range(6):
        with torch.device("meta"), torch.no_grad():
            assert variant(family, seed).eval()(torch.zeros(1, 3, 224, 224)).shape == (1, 1000)


@pytest.mark.parametrize("family", FAMILIES)
def test_variants_differ_in_channels_and_kernels_and_are_repeatable(family):
    def shapes(seed):
        with torch.device("meta"):
            return [tuple(parameter.shape) for parameter in variant(family, seed).parameters()]

    assert shapes(1) == shapes(1)
    assert shapes(1) != shapes(2)
    kernels = {shape[2] for seed in range(8) for shape in shapes(seed) if len(shape) == 4}
    assert kernels == set(KERNELS)


def test_channels_stay_in_range():
    draw = Draw("resnet", 0)
    drawn = [draw.channels(100) for _ in range(500)]
    assert min(drawn) >= 20 and max(drawn) <= 180
    assert max(drawn) - min(drawn) > 140
    assert all(draw.channels(3, 8) % 8 == 0 for _ in range(50))


def test_variants_are_a_zoo_that_can_be_described(tmp_path):
    rows = variants(FAMILIES, 1, seed=5)
    write_zoo(rows, tmp_path / "variants.tsv")
    zoo = read_zoo(tmp_path / "variants.tsv")
    pd.testing.assert_series_equal(zoo.parameters, rows.parameters)
    assert zoo.network.tolist()[0] == "alexnet-variant-5" and zoo.top1.isna().all()
    found = describe_zoo(zoo, ["onnxruntime"])
    kernels, coverage = found.kernels, found.coverage
    assert (coverage.parameters == coverage.zoo_parameters).all() and kernels.network.nunique() == 9
    network = build(next(zoo[zoo.family == "shufflenet-v2"].itertuples()))
    with torch.no_grad():
        assert torch.isfinite(network(torch.rand(1, 3, 224, 224))).all()


def test_wrong_requests_stop():
    with pytest.raises(EdgejouleError, match="no generator for family 'resnt'; did you mean 'resnet'"):
        variant("resnt", 0)
    with pytest.raises(EdgejouleError, match="0 per family asked for; give 1 or more"):
        variants(["resnet"], 0)
