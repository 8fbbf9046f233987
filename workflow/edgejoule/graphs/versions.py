"""Files newer than ONNX Runtime reads: the same network under the newest versions that it knows, or a refusal.

An ONNX file states a version of the format (IR) and one of each operator set. Newer ones often change nothing that a
network uses: then stating an older one changes no meaning. Source: the history in ``onnx.proto`` and
``onnx.defs.get_all_schemas_with_history``.
"""

from collections.abc import Iterable, Iterator

import onnx

from edgejoule.errors import EdgejouleError

#: The newest that ONNX Runtime 1.31 reads.
READ_IR = 13
READ_OPSET = 26
#: The newest format that is known to add nothing but types, which ONNX Runtime refuses by themselves.
KNOWN_IR = 14
_ONNX = ("", "ai.onnx")


def lower(model: onnx.ModelProto, where: str) -> None:
    """State versions in a model that ONNX Runtime reads, where they mean the same.

    Raises:
        EdgejouleError: the format or the operator set is too new to know, or an operator changed since.
    """
    if model.ir_version > KNOWN_IR:
        raise EdgejouleError(
            f"{where}: is an ONNX file of version {model.ir_version}, and ONNX Runtime reads none above {READ_IR}; "
            f"export it with ir_version={READ_IR}"
        )
    model.ir_version = min(model.ir_version, READ_IR)
    for part, nodes in ((model, model.graph.node), *((function, function.node) for function in model.functions)):
        for opset in part.opset_import:
            if opset.domain in _ONNX and opset.version > READ_OPSET:
                _demand_unchanged(nodes, opset.version, where)
                opset.version = READ_OPSET


def _demand_unchanged(nodes: Iterable[onnx.NodeProto], version: int, where: str) -> None:
    """Stop at an operator that is not what it was in the newest operator set that ONNX Runtime reads."""
    remedy = f"and ONNX Runtime reads none above {READ_OPSET}; export it with opset {READ_OPSET}"
    if version > onnx.defs.onnx_opset_version():
        raise EdgejouleError(f"{where}: has operators of set {version}, {remedy}")
    for node in _all(nodes):
        known = node.domain in _ONNX and onnx.defs.has(node.op_type, "")
        if known and onnx.defs.get_schema(node.op_type, version, "").since_version > READ_OPSET:
            raise EdgejouleError(f"{where}: has operator '{node.op_type}' of operator set {version}, {remedy}")


def _all(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Return nodes, and those of the branches and loops inside them."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _all(graph.node)
