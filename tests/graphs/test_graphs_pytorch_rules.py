"""PyTorch's rules against PyTorch: the operators that its profiler sees while a network runs eagerly."""

from collections import Counter
from importlib.util import find_spec

import pytest

from edgejoule.graphs import read_zoo, select
from edgejoule.graphs.export import describe
from edgejoule.graphs.kernels import by_rules
from edgejoule.graphs.model import read_graph
from edgejoule.graphs.zoo import input_shape

torch = pytest.importorskip("torch", reason="networks need torch")
if find_spec("timm") is None:
    pytest.skip("networks need timm", allow_module_level=True)

from edgejoule.graphs.builders import build  # noqa: E402

#: Operators of ATen that are one kernel each, by kind. Those inside another of them do not count.
KIND = {
    "aten::conv2d": "convolution",
    "aten::batch_norm": "bn",
    "aten::linear": "fc",
    "aten::layer_norm": "layernorm",
    "aten::scaled_dot_product_attention": "attention",
    "aten::matmul": "matmul",
    "aten::softmax": "softmax",
    "aten::gelu": "gelu",
    "aten::hardswish": "hswish",
    "aten::hardswish_": "hswish",
    "aten::hardsigmoid": "hsigmoid",
    "aten::hardsigmoid_": "hsigmoid",
    "aten::silu": "swish",
    "aten::silu_": "swish",
    "aten::max_pool2d": "maxpool",
    "aten::cat": "concat",
}
SAME = {"conv+bn+relu": "convolution", "dwconv+bn+relu": "convolution"}


@pytest.mark.parametrize(
    "name", ["mobilenetv3_small_050", "shufflenet_v2_x0_5", "deit_tiny_patch16_224", "mobilevit_xxs", "densenet121"]
)
def test_rules_have_the_operators_that_run(root, name):
    row = next(select(read_zoo(root / "config/networks.tsv"), [name]).itertuples())
    network = build(row)
    for part in network.modules():
        # Built to be exported, attention is taken apart; as people run it, it is one operator.
        if hasattr(part, "fused_attn"):
            part.fused_attn = True
    with torch.no_grad(), torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        network(torch.zeros(input_shape(row.input)))
    ran = Counter(KIND[event.name] for event in profile.events() if event.name in KIND and not _inside(event))
    ruled, _ = by_rules(read_graph(describe(row), name), name, "fp32", "pytorch")
    kinds = Counter(SAME.get(kind, kind) for kind in ruled["kind"])
    assert {kind: kinds[kind] for kind in ran} == ran


def _inside(event) -> bool:
    parent = event.cpu_parent
    while parent is not None:
        if parent.name in KIND:
            return True
        parent = parent.cpu_parent
    return False
