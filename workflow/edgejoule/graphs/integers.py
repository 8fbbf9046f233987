"""Quantised networks as the networks that they were: what a runtime executes as integer operators.

A file is in QDQ form (operators between quantising and dequantising nodes), or made of integer operators
(``QLinearConv``), or quantised while it runs (``DynamicQuantizeLinear``).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import onnx

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.model import Graph, Node


class _Form(NamedTuple):
    """Which operator an integer operator stands for; where its factors, its output's scale and its bias are.

    A factor is three inputs: numbers, scale, zero point. An output's scale is two.
    """

    operator: str
    factors: tuple[int, ...]
    output: int
    bias: int | None = None


#: ONNX, "Operator schemas"; ONNX Runtime, "Contrib operators" (docs/ContribOperators.md).
_FORMS = {
    "QLinearConv": _Form("Conv", (0, 3), 6, 8),
    "QLinearMatMul": _Form("MatMul", (0, 3), 6),
    "QGemm": _Form("Gemm", (0, 3), 7, 6),
    "QLinearAdd": _Form("Add", (0, 3), 6),
    "QLinearMul": _Form("Mul", (0, 3), 6),
    "QLinearAveragePool": _Form("AveragePool", (0,), 3),
    "QLinearGlobalAveragePool": _Form("GlobalAveragePool", (0,), 3),
    "QLinearLeakyRelu": _Form("LeakyRelu", (0,), 3),
    "QLinearSigmoid": _Form("Sigmoid", (0,), 3),
    "QLinearSoftmax": _Form("Softmax", (0,), 3),
}
#: Operators whose result is a whole number, to be scaled by the nodes behind them.
_WHOLE = {"ConvInteger": "Conv", "MatMulInteger": "MatMul"}
_QUANTISING = ("QuantizeLinear", "DequantizeLinear")


def as_qdq(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """Return a copy in which integer operators are the operators that they stand for, between quantising nodes.

    Raises:
        EdgejouleError: nobody knows what one of them stands for.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    for node in model.graph.node:
        made.graph.node.extend(_as_qdq(node, where))
    return made


def _as_qdq(node: onnx.NodeProto, where: str) -> Iterator[onnx.NodeProto]:
    if node.op_type == "QLinearConcat":
        form = _Form("Concat", tuple(range(2, len(node.input), 3)), 0)
    elif node.op_type in _FORMS:
        form = _FORMS[node.op_type]
    elif node.op_type.startswith("QLinear"):
        form = None
    else:
        yield node
        return
    settings = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
    if form is None or settings.pop("channels_last", 0):
        raise EdgejouleError(
            f"{where}: integer operator '{node.op_type}' (node '{node.name}') is not known in this form; export the "
            "network in QDQ form"
        )
    name, result = node.name or node.output[0], node.output[0]
    factors = [(node.input[at], *node.input[at + 1 : at + 3]) for at in form.factors]
    if form.bias is not None and form.bias < len(node.input) and node.input[form.bias]:
        # Its scale is the product of the factors', and not among the inputs.
        factors.append((node.input[form.bias], factors[-1][1]))
    inputs = []
    for position, factor in enumerate(factors):
        inputs.append(f"{name}:factor{position}")
        yield onnx.helper.make_node("DequantizeLinear", factor, inputs[-1:], f"{name}:dequantize{position}")
    known = onnx.defs.get_schema(form.operator).attributes
    kept = {key: value for key, value in settings.items() if key in known}
    yield onnx.helper.make_node(form.operator, inputs, [f"{name}:result"], node.name, **kept)
    scale = node.input[form.output : form.output + 2]
    yield onnx.helper.make_node("QuantizeLinear", [f"{name}:result", *scale], [result], f"{name}:quantize")


def is_quantised(graph: Graph) -> bool:
    """Whether operators compute with integers: between quantising and dequantising nodes, or by themselves."""
    return any(node.operator in ("QuantizeLinear", "DynamicQuantizeLinear", *_WHOLE) for node in graph.nodes)


def without_quantisation(graph: Graph) -> Graph:
    """Return a quantised graph without its quantising nodes, and without the arithmetic on scales of a dynamic one."""
    alias: dict[str, str] = {}
    scales: set[str] = set()
    whole: set[str] = set()
    nodes: list[Node] = []
    for node in graph.nodes:
        inputs = tuple(alias.get(name, name) for name in node.inputs)
        rest = [name for name in inputs if name not in scales]
        if node.operator in (*_QUANTISING, "DynamicQuantizeLinear"):
            alias[node.outputs[0]] = inputs[0]
            scales.update(node.outputs[1:])
        elif node.operator == "Cast" and inputs[0] in whole:
            alias[node.outputs[0]] = inputs[0]
        elif node.operator == "Mul" and len(rest) < len(inputs):
            # Scales times scales are a scale; a result times its scale is the result.
            if all(name in graph.weights for name in rest):
                scales.update(node.outputs)
            else:
                alias[node.outputs[0]] = rest[0]
        elif node.operator in _WHOLE:
            whole.update(node.outputs)
            nodes.append(replace(node, operator=_WHOLE[node.operator], inputs=inputs[:2]))
        else:
            nodes.append(replace(node, inputs=inputs))
    return replace(graph, nodes=nodes, outputs=[alias.get(name, name) for name in graph.outputs])
