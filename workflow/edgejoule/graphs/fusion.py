"""Applying a runtime's rules to a graph: which operators become one kernel."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from edgejoule.graphs.model import Graph, Node
from edgejoule.graphs.rules import Rules, Step, patterns
from edgejoule.graphs.settings import clip_bounds, pads_as_a_window

_COMMUTATIVE = {"Add", "Mul"}


@dataclass(frozen=True)
class Kernel:
    """What a runtime executes in one go.

    Attributes:
        anchor: the node that it is built around.
        members: all its nodes in the graph.
        tail: words for what is fused behind the anchor, in order.
        output: the tensor that it writes (the first one of several).
        inputs: the activations that it reads.
        layout, precision, implementation: how activations lie in memory, in which precision it computes, and the name
            of the code that does, where the runtime tells; empty otherwise.
    """

    anchor: Node
    members: tuple[Node, ...]
    output: str
    inputs: tuple[str, ...]
    tail: tuple[str, ...] = field(default=())
    layout: str = ""
    precision: str = ""
    implementation: str = ""


# -- small operators written as several nodes ------------------------------------------------------------------------


def compose(graph: Graph, names: tuple[str, ...]) -> Graph:
    """Return the graph with every occurrence of the named patterns replaced by one node each."""
    for name in names:
        for steps in patterns()[name]:
            graph = _replace_all(graph, name, steps)
    return graph


def _replace_all(graph: Graph, name: str, steps: tuple[Step, ...]) -> Graph:
    last = steps[-1]
    if not any(node.operator == steps[0].operator for node in graph.nodes):
        return graph
    gone: set[int] = set()
    made: dict[int, Node] = {}
    for node in graph.nodes:
        if node.operator != last.operator or id(node) in gone:
            continue
        found = _match(graph, node, len(steps) - 1, steps, {}, {})
        if found is None:
            continue
        bound, matched = found
        if any(id(part) in gone for part in matched.values()) or not _private(graph, matched, node):
            continue
        gone.update(id(part) for part in matched.values())
        weights = [i for part in matched.values() for i in part.inputs if i and i in graph.weights]
        inputs = [tensor for variable, tensor in bound.items() if tensor not in graph.weights]
        attributes = {"parts": tuple(part.operator for _, part in sorted(matched.items()))}
        attributes |= {"first": matched[0]} if name in ("Attention", "FullyConnected") else {}
        made[id(node)] = Node(node.name, name, tuple(dict.fromkeys([*inputs, *weights])), node.outputs, attributes)
    if not made:
        return graph
    nodes = [made.get(id(node), node) for node in graph.nodes if id(node) in made or id(node) not in gone]
    return replace(graph, nodes=nodes)


def _match(
    graph: Graph, node: Node, index: int, steps: tuple[Step, ...], bound: dict[str, str], matched: dict[int, Node]
) -> tuple[dict[str, str], dict[int, Node]] | None:
    """Match a node with a step and, through its inputs, the steps before; all bindings on success."""
    step = steps[index]
    if node.operator != step.operator or node.domain:
        return None
    given = [name for name in node.inputs if name]
    arguments = list(step.arguments)
    orders = [given]
    if step.operator in _COMMUTATIVE and len(given) == 2:
        orders.append(given[::-1])
    for order in orders:
        # Trailing constants (an axis, a bound) need not be spelt out.
        surplus = order[len(arguments) :]
        if len(order) < len(arguments) or not all(name in graph.weights for name in surplus):
            continue
        found = _match_arguments(graph, order, arguments, steps, dict(bound), {**matched, index: node})
        if found is not None:
            return found
    return None


def _match_arguments(graph, order, arguments, steps, bound, matched):
    results = {step.result: position for position, step in enumerate(steps)}
    for tensor, argument in zip(order, arguments, strict=False):
        if argument == "#":
            if tensor not in graph.weights:
                return None
        elif argument in results:
            producer = graph.producer.get(tensor)
            if producer is None:
                return None
            position = results[argument]
            if position in matched:
                if matched[position] is not producer:
                    return None
                continue
            found = _match(graph, producer, position, steps, bound, matched)
            if found is None:
                return None
            bound, matched = found
        elif tensor in graph.weights or bound.setdefault(argument, tensor) != tensor:
            return None
    return bound, matched


def _private(graph: Graph, matched: Mapping[int, Node], last: Node) -> bool:
    """Whether nothing outside the pattern reads what is made inside it."""
    inside = {id(part) for part in matched.values()}
    for part in matched.values():
        if part is last:
            continue
        for name in part.outputs:
            if name in graph.outputs or any(id(reader) not in inside for reader in graph.consumers.get(name, [])):
                return False
    return True


# -- fusion ----------------------------------------------------------------------------------------------------------


def fuse(graph: Graph, rules: Rules) -> tuple[Graph, list[Kernel], list[Node]]:
    """Apply a runtime's rules.

    Returns:
        The graph with small operators composed, its kernels in order of execution, and the views that cost nothing.
    """
    graph = compose(graph, rules.operators)
    position = {id(node): i for i, node in enumerate(graph.nodes)}
    taken: set[int] = set()
    kernels, views = [], []
    for node in graph.nodes:
        if id(node) in taken:
            continue
        if node.operator in rules.views:
            views.append(node)
            continue
        if _is_head(graph, node, rules):
            continue
        members = [*_heads(graph, node, rules, taken), node]
        output, tail = node.outputs[0], []
        for absorbed in _tail(graph, node, rules, position, taken):
            members.append(absorbed)
            output = absorbed.outputs[0]
            tail.append(word_of(graph, absorbed))
        taken.update(id(member) for member in members)
        kernels.append(Kernel(node, tuple(members), output, _reads(graph, members), tuple(tail)))
    return graph, kernels, views


def _is_head(graph: Graph, node: Node, rules: Rules) -> bool:
    """Whether the one reader of this node absorbs it; then it becomes part of that reader's kernel."""
    readers = graph.consumers.get(node.outputs[0], [])
    return (
        len(readers) == 1
        and node.outputs[0] not in graph.outputs
        and node.operator in rules.head.get(anchor_of(graph, readers[0]), ())
        and (node.operator != "Pad" or pads_as_a_window(graph, node, readers[0]))
    )


def _heads(graph: Graph, node: Node, rules: Rules, taken: set[int]) -> Iterator[Node]:
    absorbed = rules.head.get(anchor_of(graph, node), ())
    for name in node.inputs:
        producer = graph.producer.get(name)
        if (
            producer
            and producer.operator in absorbed
            and id(producer) not in taken
            and _is_head(graph, producer, rules)
        ):
            yield producer


def _tail(graph: Graph, node: Node, rules: Rules, position: Mapping[int, int], taken: set[int]) -> Iterator[Node]:
    current = node
    for words, repeats in rules.tail.get(anchor_of(graph, node), ()):
        while True:
            output = current.outputs[0]
            readers = graph.consumers.get(output, [])
            if len(current.outputs) != 1 or output in graph.outputs or len(readers) != 1:
                return
            reader = readers[0]
            if anchor_of(graph, reader) not in words or id(reader) in taken:
                break
            # The other operand of a sum must be ready when this kernel runs.
            others = [graph.producer.get(name) for name in reader.inputs if name != output]
            if any(other is not None and position[id(other)] > position[id(node)] for other in others):
                break
            yield reader
            current = reader
            if not repeats:
                break


def _reads(graph: Graph, members: list[Node]) -> tuple[str, ...]:
    made = {name for member in members for name in member.outputs}
    reads = [name for member in members for name in graph.activations(member) if name not in made]
    return tuple(dict.fromkeys(reads))


def anchor_of(graph: Graph, node: Node) -> str:
    """Return the operator's name in rules: depthwise convolutions and products with weights have names of their own."""
    if node.operator in ("Conv", "FusedConv") and is_depthwise(graph, node):
        return "DepthwiseConv"
    if node.operator == "FullyConnected":
        return anchor_of(graph, node.attributes["first"])
    if node.operator in ("MatMul", "FusedMatMul") and has_shared_weights(graph, node):
        return "Gemm"
    return node.operator


def has_shared_weights(graph: Graph, node: Node) -> bool:
    """Whether the right side of a matrix product is one constant matrix, the same for a whole batch."""
    return node.inputs[1] in graph.weights and math.prod(graph.shapes[node.inputs[1]][:-2]) == 1


def is_depthwise(graph: Graph, node: Node) -> bool:
    """Whether each filter of a convolution reads one input channel."""
    groups = node.attributes.get("group", 1)
    return groups > 1 and graph.shapes[node.inputs[1]][1] == 1


_WORDS = {
    "BatchNormalization": "bn",
    "Relu": "relu",
    "LeakyRelu": "leaky-relu",
    "PRelu": "prelu",
    "Sigmoid": "sigmoid",
    "HardSigmoid": "hsigmoid",
    "HardSwish": "hswish",
    "Swish": "swish",
    "QuickGelu": "swish",
    "Gelu": "gelu",
    "Tanh": "tanh",
}


def word_of(graph: Graph, node: Node) -> str:
    """Return the short word for an operator in a tail; a clip to 0..6 is ``relu6``."""
    if node.operator == "Clip":
        return "relu6" if clip_bounds(graph, node) == (0, 6) else "clip"
    return _WORDS.get(node.operator, node.operator.lower())
