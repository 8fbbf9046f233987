"""Asking a runtime which kernels it executes: the nodes of its own optimised graph."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.export import fill, optimise
from edgejoule.graphs.fusion import Kernel, word_of
from edgejoule.graphs.model import Graph, Node, read_graph


def can_be_asked(runtime: str) -> bool:
    """Whether a runtime can say on this machine what it executes."""
    return runtime in _ASK


def ask(runtime: str, model: onnx.ModelProto, graph: Graph, where: str) -> tuple[Graph, list[Kernel]]:
    """Return the graph that a runtime makes of a network, and its kernels in order of execution.

    Args:
        runtime: one that ``can_be_asked``.
        model: graph file without weights.
        graph: the same, read: the runtime keeps its tensors' names, so it gives the shapes.
        where: network to name in messages.
    """
    if runtime not in _ASK:
        raise EdgejouleError(f"graphs: runtime '{runtime}' cannot be asked; ask {', '.join(_ASK)}, or use its rules")
    return _ASK[runtime](model, graph, where)


def _onnxruntime(model: onnx.ModelProto, graph: Graph, where: str) -> tuple[Graph, list[Kernel]]:
    """Optimise with ``ORT_ENABLE_ALL``, as a session does before it runs.

    Fusions into weights need weights, so meaningless ones exist while ONNX Runtime works.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "optimised.onnx"
        optimise(fill(model, Path(folder)), path, "all", where)
        told = read_graph(onnx.load(path, load_external_data=False), where, known=graph.shapes)
    return told, [_kernel(told, node) for node in told.nodes]


def _kernel(graph: Graph, node: Node) -> Kernel:
    tail = []
    # The blocked convolution takes a fourth input, and the skipping normalisation a second one, to be added.
    if node.operator == "Conv" and len(node.inputs) > 3 and node.inputs[3]:
        tail.append("add")
    activation = node.attributes.get("activation", b"").decode()
    if activation:
        tail.append(word_of(graph, Node("", activation, (), ())) if activation != "Clip" else _clip(node))
    return Kernel(node, (node,), node.outputs[0], tuple(graph.activations(node)), tuple(tail))


def _clip(node: Node) -> str:
    bounds = tuple(node.attributes.get("activation_params", ()))
    return "relu6" if bounds == (0.0, 6.0) else "clip"


_ASK: dict[str, Callable[[onnx.ModelProto, Graph, str], tuple[Graph, list[Kernel]]]] = {"onnxruntime": _onnxruntime}
