"""Asking a runtime which kernels it executes: the nodes of its own optimised graph."""

import heapq
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.export import fill, optimise
from edgejoule.graphs.fusion import Kernel, word_of
from edgejoule.graphs.macs import node_macs
from edgejoule.graphs.model import Graph, Node, read_graph

#: What ONNX Runtime appends to make the names of nodes that it adds unique.
_NUMBER = re.compile(r"_token_\d+$")


#: Who is asked unless told otherwise: those that every installation has, so that a table does not depend on it.
ASKED = ("onnxruntime",)


#: Share of a network's multiply-accumulates that may come or go when a runtime optimises it.
_TOLERANCE = 0.005


def demand_askable(asked: Sequence[str], described: Sequence[str]) -> None:
    """Stop at a runtime that is to be asked and cannot say what it executes, or is not described at all.

    Raises:
        EdgejouleError: there is one.
    """
    for runtime in asked:
        if runtime not in _ASK:
            raise EdgejouleError(
                f"graphs: runtime '{runtime}' cannot be asked; ask {', '.join(_ASK)}, or use its rules"
            )
        if runtime not in described:
            raise EdgejouleError(
                f"graphs: runtime '{runtime}' is to be asked, but not to be described; give --runtime {runtime} too"
            )


def ask(
    runtime: str, model: onnx.ModelProto, graph: Graph, where: str, exported: onnx.ModelProto | None = None
) -> tuple[Graph, list[Kernel]]:
    """Return the graph that a runtime makes of a network, and its kernels in order of execution.

    Args:
        runtime: onnxruntime or openvino.
        model: graph file without weights, cleaned up.
        graph: the same, read: the runtime keeps its tensors' names, so it gives the shapes.
        where: network to name in messages.
        exported: the file before ONNX Runtime cleaned it up, for runtimes of another house; None = ``model``.

    Raises:
        EdgejouleError: it cannot be asked, is not installed, does not load the network, or hides a part of its work.
    """
    demand_askable([runtime], [runtime])
    told, kernels = _ASK[runtime](model, exported or model, graph, where)
    found, wanted = (sum(node_macs(one, node) for node in one.nodes) for one in (told, graph))
    if abs(found - wanted) > _TOLERANCE * wanted:
        raise EdgejouleError(
            f"{where}: of {wanted} multiply-accumulates, {runtime} shows {found} in what it executes; describe this "
            "network by rules instead"
        )
    return told, kernels


def _onnxruntime(
    model: onnx.ModelProto, exported: onnx.ModelProto, graph: Graph, where: str
) -> tuple[Graph, list[Kernel]]:
    """Optimise with ``ORT_ENABLE_ALL``, as a session does before it runs.

    Fusions into weights need weights, so meaningless ones exist while ONNX Runtime works.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "optimised.onnx"
        optimise(fill(model, Path(folder)), path, "all", where)
        told = read_graph(onnx.load(path, load_external_data=False), where, known=graph.shapes)
    return told, [_kernel(told, node) for node in _in_order(told, graph)]


def _in_order(told: Graph, original: Graph) -> list[Node]:
    """Return the nodes in the order of the original graph, as far as each needs only what stands before it.

    ONNX Runtime orders parallel branches, and numbers the nodes that it adds, differently in every run.
    """
    place = {name: i for i, node in enumerate(original.nodes) for name in node.outputs}
    rank: dict[str, int] = {}
    waiting: dict[int, int] = {}
    for position, node in enumerate(told.nodes):
        stands_for = (node.name.removesuffix("_nchwc").removesuffix("_bn"), *node.outputs)
        known = [place[name] for name in stands_for if name in place]
        behind = [rank[name] for name in node.inputs if name in rank]
        rank |= dict.fromkeys(node.outputs, max(known or behind, default=-1))
        waiting[position] = len({name for name in node.inputs if name in told.producer})
    readers: dict[str, list[int]] = {}
    for position, node in enumerate(told.nodes):
        for name in dict.fromkeys(node.inputs):
            readers.setdefault(name, []).append(position)

    def key(position: int) -> tuple:
        node = told.nodes[position]
        output = node.outputs[0]
        return rank[output], node.operator, told.shapes[output], _NUMBER.sub("", node.name), position

    ready = [key(position) for position, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    ordered = []
    while ready:
        node = told.nodes[heapq.heappop(ready)[-1]]
        ordered.append(replace(node, name=_NUMBER.sub("", node.name)))
        for name in node.outputs:
            for position in readers.get(name, []):
                waiting[position] -= 1
                if waiting[position] == 0:
                    heapq.heappush(ready, key(position))
    return ordered


def _kernel(graph: Graph, node: Node) -> Kernel:
    tail = []
    # A convolution may take a fourth input, and the skipping normalisation a second one, to be added.
    if node.operator in ("Conv", "FusedConv") and len(node.inputs) > 3 and node.inputs[3]:
        tail.append("add")
    activation = node.attributes.get("activation", b"").decode()
    if activation:
        tail.append(word_of(graph, Node("", activation, (), ())) if activation != "Clip" else _clip(node))
    layout = "nchwc" if node.domain.endswith("nchwc") else ""
    return Kernel(node, (node,), node.outputs[0], tuple(graph.activations(node)), tuple(tail), layout)


def _clip(node: Node) -> str:
    bounds = tuple(node.attributes.get("activation_params", ()))
    return "relu6" if bounds == (0.0, 6.0) else "clip"


def _openvino(
    model: onnx.ModelProto, exported: onnx.ModelProto, graph: Graph, where: str
) -> tuple[Graph, list[Kernel]]:
    from edgejoule.graphs.openvino_graph import ask_openvino

    # ONNX Runtime's clean-up takes apart operators that it lacks and OpenVINO has, such as HardSwish.
    return ask_openvino(exported, graph, where)


_ASK: dict[str, Callable[..., tuple[Graph, list[Kernel]]]] = {"onnxruntime": _onnxruntime, "openvino": _openvino}
