"""Multiply-accumulates of single operators against PyTorch's own counter, which knows nothing of ONNX."""

import copy
import warnings

import pytest

from edgejoule.graphs.kernels import kernels_of_file

torch = pytest.importorskip("torch", reason="networks need torch")
nn = torch.nn


class Function(nn.Module):
    """A function of tensors as a module; ``weights`` become a parameter, its last argument."""

    def __init__(self, function, *weights):
        super().__init__()
        self._function = function
        self.weights = nn.ParameterList([nn.Parameter(torch.ones(weights))] if weights else [])

    def forward(self, *tensors):
        return self._function(*tensors, *self.weights)


class First(nn.Module):
    """What a recurrent layer returns for each step, without its last state."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, *tensors):
        return self.layer(*tensors)[0]


CASES = {
    "linear": (nn.Linear(32, 10), [(4, 7, 32)]),
    "linear without bias": (nn.Linear(32, 10, bias=False), [(4, 32)]),
    "product": (Function(torch.matmul), [(2, 16, 32), (2, 32, 10)]),
    "product that broadcasts": (Function(torch.matmul), [(8, 1, 16, 32), (1, 4, 32, 10)]),
    "product with one matrix for a batch": (Function(torch.matmul), [(3, 5, 16, 32), (32, 10)]),
    "product with a batch of weights": (Function(torch.matmul, 6, 32, 64), [(1, 16, 32)]),
    "product with a transposed matrix": (Function(lambda x, w: x @ w.transpose(-1, -2), 10, 32), [(2, 16, 32)]),
    "product and sum": (Function(torch.baddbmm), [(2, 16, 10), (2, 16, 32), (2, 32, 10)]),
    "einsum": (Function(lambda x, y: torch.einsum("bqhd,bkhd->bhqk", x, y)), [(2, 9, 3, 16), (2, 7, 3, 16)]),
    "attention": (Function(nn.functional.scaled_dot_product_attention), [(2, 3, 9, 16), (2, 3, 7, 16), (2, 3, 7, 16)]),
    "attention with its projections": (First(nn.MultiheadAttention(32, 4, batch_first=True)), [(1, 9, 32)] * 3),
    "convolution": (nn.Conv2d(8, 16, (3, 5), padding=1, dilation=(1, 2)), [(2, 8, 20, 18)]),
    "convolution with stride": (nn.Conv2d(8, 16, 3, stride=(2, 3), bias=False), [(1, 8, 20, 18)]),
    "convolution with groups": (nn.Conv2d(8, 16, 3, groups=4), [(1, 8, 20, 18)]),
    "depthwise convolution": (nn.Conv2d(8, 8, 3, groups=8), [(1, 8, 20, 18)]),
    "depthwise convolution of two filters a channel": (nn.Conv2d(8, 16, 3, groups=8), [(1, 8, 20, 18)]),
    "convolution over one axis": (nn.Conv1d(8, 12, 3, stride=2, groups=4), [(2, 8, 50)]),
    "convolution over three axes": (nn.Conv3d(4, 6, 3), [(1, 4, 9, 8, 7)]),
    "transposed convolution": (nn.ConvTranspose2d(8, 12, 3, stride=2, output_padding=1), [(1, 8, 10, 9)]),
    "transposed convolution with groups": (nn.ConvTranspose2d(8, 12, 4, groups=4), [(2, 8, 10, 9)]),
    "LSTM": (First(nn.LSTM(8, 16)), [(10, 2, 8)]),
    "LSTM of two layers, both ways": (First(nn.LSTM(8, 16, num_layers=2, bidirectional=True)), [(10, 2, 8)]),
    "GRU": (First(nn.GRU(8, 16)), [(10, 2, 8)]),
    "RNN": (First(nn.RNN(8, 16)), [(10, 2, 8)]),
    "none": (nn.Sequential(nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(8), nn.Softmax(1)), [(1, 8, 20, 18)]),
}


def counted(module, inputs):
    from torch.utils.flop_counter import FlopCounterMode

    # On tensors without data, whose operators no library for a processor runs whole, and so uncounted.
    module, inputs = copy.deepcopy(module).to("meta"), [tensor.to("meta") for tensor in inputs]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("name", CASES)
def test_an_operators_work_is_what_pytorch_counts(tmp_path, name):
    module, shapes = CASES[name]
    module, inputs = module.eval(), tuple(torch.ones(shape) for shape in shapes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, inputs, tmp_path / "one.onnx", dynamo=False, opset_version=20)
    wanted = counted(module, inputs)
    assert (wanted > 0) == (name != "none")
    for runtime in ("onnxruntime", "pytorch", "tensorrt"):
        assert kernels_of_file(tmp_path / "one.onnx", runtime)["macs"].sum() == wanted
