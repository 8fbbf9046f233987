"""Kernels and networks as PyTorch modules, and the runtime that runs them."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the package 'torch' is an extra that is not installed")

from edgejoule.errors import EdgejouleError  # noqa: E402
from edgejoule.graphs.alone import EAGER, NOT_ALONE, executed, reason_left_out  # noqa: E402
from edgejoule.graphs.costs import KINDS  # noqa: E402
from edgejoule.graphs.sampler import sample  # noqa: E402
from edgejoule.measure.protocol import warm_up  # noqa: E402
from edgejoule.measure.runtimes import open_runtime  # noqa: E402
from edgejoule.measure.runtimes.torch_runtime import TorchSession  # noqa: E402
from edgejoule.measure.torch_kernels import BUILDERS, build_kernel  # noqa: E402

MAP = {
    "kernel": "k", "tail": "", "layout": "nchw", "batch": 1, "input_height": 14, "input_width": 14, "output_height": 14,
    "output_width": 14, "input_channels": 32, "output_channels": 32, "kernel_height": 0, "kernel_width": 0, "stride": 1,
    "dilation": 1, "groups": 1, "inputs": 1, "bytes_in": 4 * 32 * 14 * 14, "bytes_weights": 0, "source": "zoo",
}  # fmt: skip
ONE = {"output_height": 1, "output_width": 1}
TOKENS = MAP | {"input_height": 50, "input_width": 1, "output_height": 50, "output_width": 1}
CONV = MAP | {"kind": "conv+bn+relu", "operator": "Conv", "kernel_height": 3, "kernel_width": 3}
#: Name: configuration, and shape of the output.
KERNELS = {
    "conv": (CONV | {"bytes_weights": 4 * 9 * 32 * 32}, (1, 32, 14, 14)),
    "conv with a bias": (CONV | {"bytes_weights": 4 * (9 * 32 * 32 + 32)}, (1, 32, 14, 14)),
    "strided conv": (CONV | {"stride": 2, "output_height": 7, "output_width": 7}, (1, 32, 7, 7)),
    "dilated conv": (CONV | {"dilation": 2}, (1, 32, 14, 14)),
    "depthwise": (CONV | {"kind": "dwconv+bn+relu", "groups": 32}, (1, 32, 14, 14)),
    "max pooling": (
        CONV | {"kind": "maxpool", "operator": "MaxPool", "stride": 2, "output_height": 7, "output_width": 7},
        (1, 32, 7, 7),
    ),
    "global pooling": (MAP | ONE | {"kind": "global-avgpool", "operator": "GlobalAveragePool"}, (1, 32, 1, 1)),
    "mean of a map": (MAP | ONE | {"kind": "global-avgpool", "operator": "ReduceMean"}, (1, 32, 1, 1)),
    "pooling of a whole map": (MAP | ONE | {"kind": "global-avgpool", "operator": "AveragePool"}, (1, 32, 1, 1)),
    "normalisation": (MAP | {"kind": "bn", "operator": "BatchNormalization"}, (1, 32, 14, 14)),
    "addition": (
        MAP | {"kind": "add", "operator": "Add", "inputs": 2, "bytes_in": 2 * MAP["bytes_in"]},
        (1, 32, 14, 14),
    ),
    "scaled channels": (
        MAP | {"kind": "mul", "operator": "Mul", "inputs": 2, "bytes_in": MAP["bytes_in"] + 4 * 32},
        (1, 32, 14, 14),
    ),
    "scale": (MAP | {"kind": "mul", "operator": "Mul", "bytes_weights": 4 * 32}, (1, 32, 14, 14)),
    "classifier": (MAP | ONE | {"kind": "fc", "operator": "Gemm", "input_height": 1, "output_channels": 100}, (1, 100)),
    "projection": (TOKENS | {"kind": "fc", "operator": "FullyConnected", "output_channels": 96}, (1, 50, 96)),
    "product": (TOKENS | {"kind": "matmul", "operator": "MatMul", "batch": 3, "output_channels": 50}, (3, 50, 50)),
    "attention": (
        TOKENS | {"kind": "attention", "operator": "Attention", "batch": 3, "output_channels": 50},
        (1, 3, 50, 32),
    ),
    "softmax": (TOKENS | {"kind": "softmax", "operator": "Softmax"}, (1, 50, 32)),
    "layer norm": (TOKENS | {"kind": "layernorm", "operator": "LayerNormalization"}, (1, 50, 32)),
    "gelu": (TOKENS | {"kind": "gelu", "operator": "Gelu"}, (1, 50, 32)),
    "relu6": (MAP | {"kind": "relu", "operator": "Clip"}, (1, 32, 14, 14)),
    "concatenation": (
        MAP | {"kind": "concat", "operator": "Concat", "inputs": 3, "output_channels": 50},
        (1, 50, 14, 14),
    ),
    "channel shuffle": (MAP | {"kind": "channel-shuffle", "operator": "Transpose"}, (1, 16, 2, 14, 14)),
}  # fmt: skip


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_takes_and_gives_the_shapes_of_its_configuration(name):
    configuration, shape = KERNELS[name]
    for batch in (1, 4):
        module, shapes = build_kernel(configuration, batch)
        with torch.inference_mode():
            out = module(*(torch.randn(one) for one in shapes))
        first = 1 if name == "attention" else shape[0]
        assert tuple(out.shape) == (batch * first, *shape[1:])
        assert not module.training


def test_weights_are_those_that_the_configuration_counts():
    for name in ("conv", "conv with a bias", "scale"):
        configuration, _ = KERNELS[name]
        module, _ = build_kernel(configuration)
        assert 4 * sum(weight.numel() for weight in module.parameters()) == configuration["bytes_weights"]


@pytest.mark.parametrize("settings", [{}, {"batch": 2, "channels_last": True}, {"precision": "fp16"}])
def test_the_runtime_runs_kernels_as_it_is_set(settings):
    runtime = open_runtime({"name": "pytorch", "threads": 1, **settings})
    session = runtime.build("kernel", CONV)
    assert session.repeats == settings.get("batch", 1)
    durations = session.run(3)
    assert durations.shape == (3,) and (durations > 0).all()
    (value,) = session.inputs
    weight = next(session.module.parameters())
    assert value.dtype == weight.dtype == {"fp16": torch.float16}.get(settings.get("precision"), torch.float32)
    assert value.is_contiguous(memory_format=torch.channels_last) == bool(settings.get("channels_last"))
    assert runtime.settings()["precision"] == settings.get("precision", "fp32")
    session.close()


def test_the_runtime_builds_networks_of_the_zoo_with_the_weights_of_the_seed():
    runtime = open_runtime({"name": "pytorch", "threads": 1, "batch": 3})
    row = {"network": "n", "architecture": "a", "builder": "edgejoule", "input": "3x64x64", "seed": 0,
           "pretrained": False, "arguments": '{"line": "mobilenet-v1", "side": 64, "width": 0.25}'}  # fmt: skip
    session = runtime.build("network", row)
    assert session.inputs[0].shape == (3, 3, 64, 64)
    assert session.run(1).shape == (1,)
    other = runtime.build("network", row)
    for mine, theirs in zip(session.module.parameters(), other.module.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    with pytest.raises(EdgejouleError, match="unknown line 'no-such-line'"):
        runtime.build("network", row | {"arguments": '{"line": "no-such-line", "side": 64, "width": 1.0}'})


def test_what_pytorch_cannot_run_is_a_sentence():
    runtime = open_runtime({"name": "pytorch"})
    configuration, _ = KERNELS["addition"]
    session = runtime.build("kernel", configuration)
    session.inputs[1] = torch.zeros(7)
    with pytest.raises(EdgejouleError, match="'k': PyTorch cannot run it: The size of tensor"):
        session.run(1)


@pytest.mark.parametrize(
    ("configuration", "sentence"),
    [
        (CONV | {"kind": "resize"}, "kind 'resize' cannot be rebuilt"),
        (CONV | {"tail": "add+relu"}, "PyTorch runs no 'add' behind one input"),
        (CONV | {"output_height": 15}, "no padding that is equal on both sides takes height 14 to 15"),
        (MAP | {"kind": "relu", "operator": "PRelu"}, "the weights of PRelu are not in its configuration"),
        (MAP | {"kind": "layernorm", "operator": "SkipLayerNormalization"}, "no operator SkipLayerNormalization"),
        (MAP | {"kind": "concat", "operator": "Concat"}, "what it joins 1 input with is not"),
    ],
)
def test_says_what_cannot_be_built(configuration, sentence):
    with pytest.raises(EdgejouleError, match=sentence):
        build_kernel(configuration)


def test_every_kind_that_is_planned_can_be_built():
    assert set(KINDS) - set(NOT_ALONE) | {"attention"} == set(BUILDERS)


def test_drawn_kernels_are_single_operators_and_can_be_built():
    rows = sample(120, 0, executed=executed("pytorch", "nchw"))
    assert {row["tail"] for row in rows} == {""} and "bn" in {row["kind"] for row in rows}
    for row in rows:
        build_kernel(row)


def test_attention_is_planned_for_runtimes_that_run_it_whole():
    import pandas as pd

    rows = pd.DataFrame(
        [{"kind": "attention", "runtime": name, "bytes_in": 1, "bytes_out": 1, "bytes_weights": 0, "macs": 1}
         for name in ("onnxruntime", *EAGER)]
    )  # fmt: skip
    assert reason_left_out(rows).tolist() == ["cannot be rebuilt alone", ""]


class SimulatedGpu:
    """What PyTorch's CUDA functions do, on a clock of its own: a replay costs 5 us and 10 us for each repetition."""

    def __init__(self, monkeypatch):
        self.now_us, self.forwards = 0.0, 0
        stream = SimpleNamespace(wait_stream=lambda _: None)
        functions = {"Stream": lambda: stream, "current_stream": lambda: stream, "stream": nullcontext}
        functions |= {"synchronize": lambda: None, "empty_cache": lambda: None, "graph": self.capture}
        functions |= {"clock_rate": lambda: 1980, "temperature": lambda: 41}
        functions |= {"CUDAGraph": lambda: SimpleNamespace(replay=None), "Event": self.event}
        for name, function in functions.items():
            monkeypatch.setattr(torch.cuda, name, function)

    @contextmanager
    def capture(self, graph):
        before = self.forwards
        yield
        cost = 5 + 10 * (self.forwards - before)

        def replay():
            self.now_us += cost

        graph.replay = replay

    def event(self, enable_timing):
        assert enable_timing
        event = SimpleNamespace(at=None)
        event.record = lambda: setattr(event, "at", self.now_us)
        event.elapsed_time = lambda other: (other.at - event.at) / 1e3
        return event


def test_on_a_gpu_what_is_short_is_repeated_in_one_graph(monkeypatch):
    gpu = SimulatedGpu(monkeypatch)

    class Counted(torch.nn.Module):
        def forward(self, x):
            gpu.forwards += 1
            return x

    session = TorchSession(Counted(), [torch.zeros(1)], batch=2, name="k")
    session.cuda = True
    session.captured()
    # One repetition takes 15 us with its launch, so 134 of them fill 2 ms.
    assert session.repeats == 2 * 134
    assert session.run(3).tolist() == [5_000 + 134 * 10_000] * 3
    assert warm_up(session).min() == 1_345_000
    assert session.condition() == {"frequency_hz": 1.98e9, "temperature_c": 41.0}
    session.close()
