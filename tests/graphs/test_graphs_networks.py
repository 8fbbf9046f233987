"""Real networks: what is described is what PyTorch computes and what ONNX Runtime executes."""

from importlib.util import find_spec

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
import pytest

from edgejoule.cli.main import build_app
from edgejoule.errors import EdgejouleError
from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.describe import catalogue, describe_zoo
from edgejoule.graphs.export import describe, save
from edgejoule.graphs.kernels import kernels_of_file, summary, table_of
from edgejoule.graphs.model import read_graph
from edgejoule.graphs.runnable import TOLERANCE, export_with_weights
from edgejoule.graphs.runtimes import ask
from edgejoule.graphs.zoo import input_shape
from edgejoule.tables import to_arrow
from edgejoule.tables.contracts import CATALOGUE, COVERAGE, KERNELS

torch = pytest.importorskip("torch", reason="networks need torch")
if find_spec("timm") is None:
    pytest.skip("networks need timm", allow_module_level=True)

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from edgejoule.graphs.builders import build  # noqa: E402

#: One of each trouble: padding, squeeze and excite, channel shuffle, attention, windows, dense links, layer scale.
SAMPLE = [
    "mobilenet-v1-0.25-128",
    "mobilenet-v3-small_224_0.75",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "mobilevit_xxs",
    "deit_tiny_patch16_224",
    "convnext_atto",
    "ghostnet_100",
]


@pytest.fixture(scope="module")
def zoo(root):
    return read_zoo(root / "config/networks.tsv")


@pytest.fixture(scope="module")
def described(zoo):
    """Zoo row, graph file and light graph of each network of the sample."""
    found = {}
    for name in SAMPLE:
        row = next(select(zoo, [name]).itertuples())
        model = describe(row)
        found[name] = (row, model, read_graph(model, name))
    return found


@pytest.mark.parametrize("name", SAMPLE)
def test_costs_agree_with_an_independent_counter(described, name):
    row, model, graph = described[name]
    network = build(row)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(input_shape(row.input)))
    macs = counter.get_total_flops() / 2
    asked, kernels = ask("onnxruntime", model, graph, name)
    told = table_of(asked, kernels, name, "fp32", "onnxruntime", "nchw")
    assert told["macs"].sum() == pytest.approx(macs, rel=0.005)
    assert graph.parameters == row.parameters == sum(p.numel() for p in network.parameters())
    # Folding normalisation moves a few bytes; nothing else may come or go.
    assert told["bytes_weights"].sum() / 4 == pytest.approx(row.parameters, rel=0.01)


def test_a_position_encoding_is_folded_and_no_parameter(zoo):
    """EdgeNeXt computes one with a convolution of constants: 1.2 % of PyTorch's count that no runtime executes."""
    row = next(select(zoo, ["edgenext_xx_small"]).itertuples())
    graph = read_graph(describe(row), row.network)
    assert graph.parameters == row.parameters


@pytest.mark.parametrize("name", SAMPLE)
def test_graph_files_are_valid_small_and_carry_no_weights(described, name, tmp_path):
    _, model, _ = described[name]
    onnx.checker.check_model(model)
    save(model, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").stat().st_size < 200_000
    assert max((np.prod(tensor.dims) for tensor in model.graph.initializer), default=0) < 2000


def test_describing_twice_gives_the_same_bytes(described):
    row, model, _ = described["mobilenet-v1-0.25-128"]
    assert describe(row).SerializeToString(deterministic=True) == model.SerializeToString(deterministic=True)


@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "ghostnet_100"])
def test_asking_twice_gives_the_same_kernels(described, name):
    """ONNX Runtime itself orders parallel branches differently from run to run."""
    _, model, graph = described[name]
    first, second = (
        table_of(*ask("onnxruntime", model, graph, name), name, "fp32", "onnxruntime", "nchw") for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second)
    made = [kernel.output for kernel in ask("onnxruntime", model, graph, name)[1]]
    assert len(made) == len(set(made)) == len(first)


@pytest.mark.parametrize("name", ["mobilenet-v1-0.25-128", "mobilenet-v3-small_224_0.75", "squeezenet1_1"])
def test_exported_weights_compute_what_pytorch_computes(described, name, tmp_path):
    row, _, _ = described[name]
    export_with_weights(row, tmp_path / "net.onnx", seed=1)
    x = torch.rand(input_shape(row.input), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = build(row, seed=1)(x).numpy()
    session = ort.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": x.numpy()})
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()


def test_random_weights_are_seeded_and_not_denormal(described):
    row, _, _ = described["mobilenet-v1-0.25-128"]
    first, again, other = (build(row, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["1.weight"], other["1.weight"])
    tiny = torch.finfo(torch.float32).tiny
    for value in first.values():
        if value.is_floating_point():
            assert not ((value != 0) & (value.abs() < tiny)).any()


@pytest.mark.parametrize("name", ["mobilenet-v1-0.25-128", "mobilenet-v3-small_224_0.75", "shufflenet_v2_x0_5"])
def test_what_a_network_with_random_weights_computes_depends_on_its_input(described, name):
    """Else a comparison of outputs would compare the last layer's bias with itself."""
    row, _, _ = described[name]
    network, generator = build(row), torch.Generator().manual_seed(0)
    with torch.no_grad():
        first, second = (network(torch.randn(input_shape(row.input), generator=generator)) for _ in range(2))
    assert (first - second).abs().max() > 10 * TOLERANCE * first.abs().max()


def test_the_runtime_is_asked_and_its_rules_nearly_agree(described):
    row, model, graph = described["mobilenet-v1-0.25-128"]
    with pytest.raises(EdgejouleError, match="'tflite' cannot be asked; ask onnxruntime, openvino"):
        ask("tflite", model, graph, "x")
    asked, kernels = ask("onnxruntime", model, graph, "x")
    table = table_of(asked, kernels, row.network, "fp32", "onnxruntime", "nchw")
    convolutions = table[table.kind.isin(["conv+bn+relu", "dwconv+bn+relu"])]
    assert len(convolutions) == 28
    assert (convolutions["tail"] == "relu6").sum() == 27
    assert not table["kind"].isin(["bn", "relu"]).any()


def test_user_files_are_described_with_and_without_weights(described, tmp_path):
    row, model, _ = described["squeezenet1_1"]
    export_with_weights(row, tmp_path / "heavy.onnx")
    save(model, tmp_path / "light.onnx")
    heavy = kernels_of_file(tmp_path / "heavy.onnx", "tflite")
    light = kernels_of_file(tmp_path / "light.onnx", "tflite")
    # Parallel branches may stand in either order.
    columns = ["kernel", "macs", "bytes_in", "bytes_out", "bytes_weights"]
    first, second = (sorted(table[columns].itertuples(index=False, name=None)) for table in (heavy, light))
    assert first == second
    assert "100.0 % of kernels of a known kind" in summary(heavy)


def test_zoo_becomes_the_declared_tables(zoo):
    rows = select(zoo, ["mobilenet-v1-0.25-128", "squeezenet1_1"])
    found = describe_zoo(rows, ["onnxruntime", "tflite"])
    kernels, coverage = found.kernels, found.coverage
    to_arrow(kernels, KERNELS)
    to_arrow(coverage, COVERAGE)
    # Board runtimes take the checkpoints published for them, in both precisions; ONNX Runtime is asked in FP32.
    found = set(zip(coverage.network, coverage.precision, coverage.runtime, coverage.told_by, strict=True))
    assert found == {
        ("mobilenet-v1-0.25-128-non-quantized", "fp32", "onnxruntime", "runtime"),
        ("mobilenet-v1-0.25-128-non-quantized", "fp32", "tflite", "rules"),
        ("mobilenet-v1-0.25-128-quantized", "int8", "tflite", "rules"),
        ("squeezenet1_1", "fp32", "onnxruntime", "runtime"),
    }
    assert (coverage.parameters == coverage.zoo_parameters).all()
    assert (coverage.known_macs_percent == 100).all()
    unique = catalogue(kernels, zoo)
    to_arrow(unique, CATALOGUE)
    assert unique.occurrences.sum() == len(kernels)
    assert unique.groupby("runtime").kernel.nunique().equals(kernels.groupby("runtime").kernel.nunique())


def test_unknown_networks_of_a_builder_stop(zoo):
    row = next(select(zoo, ["squeezenet1_1"]).itertuples())
    for builder in ("torchvision", "timm"):
        wrong = row._replace(builder=builder, arguments='{"name": "squeezenet9"}')
        with pytest.raises(EdgejouleError, match=f"'squeezenet1_1': {builder} cannot build it"):
            build(wrong)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (
            "input",
            "224x224x3",
            "'squeezenet1_1': does not run on the zoo's input of 224x224x3, which is channels x heig",
        ),
        ("parameters", 1, "'squeezenet1_1': the zoo states 1 parameters, but torchvision builds 1235496 from"),
    ],
)
def test_a_row_that_does_not_fit_its_network_stops(zoo, column, value, message):
    with pytest.raises(EdgejouleError, match=message):
        describe_zoo(select(zoo, ["squeezenet1_1"]).assign(**{column: value}), ["onnxruntime"], asked=[])


def test_who_names_networks_is_told_what_was_described(root, tmp_path, capsys):
    files = ["--output", str(tmp_path / "k.parquet"), "--coverage", str(tmp_path / "c.parquet")]
    tiny = ["graphs", "describe", "--zoo", str(root / "config/networks.tsv"), "--network", "squeezenet1_1", *files]
    with pytest.raises(
        EdgejouleError, match=r"\(torchvision, fp32\) is not described on tflite; it is on .*onnxruntime"
    ):
        build_app()([*tiny, "--runtime", "tflite"], standalone_mode=False)
    build_app()([*tiny, "--runtime", "litert"], standalone_mode=False)
    kernels = len(pd.read_parquet(tmp_path / "k.parquet"))
    assert f"k.parquet: {kernels} kernels of 1 network(s), 100 % of a known kind" in capsys.readouterr().err


def test_weights_that_cannot_be_fetched_stop(zoo, monkeypatch):
    from edgejoule.graphs import builders

    def offline(arguments, pretrained):
        raise ConnectionError("no route to host")

    monkeypatch.setitem(builders._MAKERS, "torchvision", offline)
    row = next(select(zoo, ["squeezenet1_1"]).itertuples())._replace(builder="torchvision")
    sentence = "weights cannot be fetched: no route to host; check the network connection, or take random ones"
    with pytest.raises(EdgejouleError, match=f"'squeezenet1_1': its published {sentence}"):
        build(row, pretrained=True)
    with pytest.raises(ConnectionError):
        build(row)


def test_empty_zoo_gives_empty_tables(zoo):
    found = describe_zoo(zoo.iloc[:0], ["tflite"])
    kernels, coverage = found.kernels, found.coverage
    assert kernels.empty and coverage.empty
    assert isinstance(kernels, pd.DataFrame) and to_arrow(kernels, KERNELS).num_rows == 0
