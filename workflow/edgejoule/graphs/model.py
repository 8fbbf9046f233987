"""A light view of an ONNX graph: nodes, static shapes, and what is a weight.

Whatever depends on nothing but weights and constants is a constant too (every runtime folds it when it loads the
network), so such nodes never become kernels.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.export import BUFFER, real_inputs, strip

Shape = tuple[int, ...]

#: Operators with the shape of their (broadcast) inputs that ONNX Runtime adds, or moves into its blocked layout.
_SAME_SHAPE = frozenset(
    [
        "ReorderInput",
        "Add",
        "Sum",
        "Mul",
        "Relu",
        "Sigmoid",
        "Tanh",
        "HardSigmoid",
        "BatchNormalization",
        "QuickGelu",
        "BiasGelu",
        "FastGelu",
        "Gelu",
        "SkipLayerNormalization",
        "SimplifiedLayerNormalization",
        "BiasSoftmax",
    ]
)
#: Operators that draw anew in every run, so that no runtime folds them.
_RANDOM = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli")
#: Operators whose constants are settings: sizes, scales, bounds.
WITHOUT_WEIGHTS = ("Resize", "Upsample", "Pad", "Clip")


@dataclass(frozen=True)
class Node:
    """One operator of the graph; what its loop or branches read from outside them is among its inputs, at the end."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, object] = field(default_factory=dict)
    domain: str = ""


@dataclass
class Graph:
    """A network as its nodes in order of execution.

    Attributes:
        nodes: those that compute something from the inputs.
        shapes: shape of every activation and weight, by tensor name.
        weights: names of the tensors that are constant while the network runs.
        constants: values of the small ones among them.
        parameters: elements of the file's parameters, running statistics of batch normalisation left out.
    """

    nodes: list[Node]
    shapes: dict[str, Shape]
    weights: set[str]
    constants: dict[str, np.ndarray]
    inputs: list[str]
    outputs: list[str]
    parameters: int

    def __post_init__(self) -> None:
        self.index()

    def index(self) -> None:
        """Rebuild the maps from tensors to the nodes that make and read them."""
        self.producer = {name: node for node in self.nodes for name in node.outputs}
        self.consumers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                self.consumers.setdefault(name, []).append(node)

    def elements(self, name: str) -> int:
        """Return how many elements a tensor has."""
        return math.prod(self.shapes[name])

    def activations(self, node: Node) -> list[str]:
        """Return the inputs of a node that are not constant, each once."""
        return [name for name in dict.fromkeys(node.inputs) if name and name not in self.weights]


def read_graph(
    model: onnx.ModelProto, where: str, known: Mapping[str, Shape] | None = None, demand: bool = True
) -> Graph:
    """Read a model with static input shapes.

    Args:
        model: with or without weights; it is not changed.
        where: the file or network to name in messages.
        known: shapes of activations that ONNX's own inference cannot know, because a runtime's private operators made
            them; taken from the graph before the runtime optimised it, whose tensor names the runtime keeps.
        demand: stop where a shape stays unknown.

    Raises:
        EdgejouleError: an operator's output shape cannot be inferred, so it cannot be costed.
    """
    inputs = real_inputs(model)
    model = strip(model)
    known = known or {}
    inferred = _infer(model, known, where)
    shapes = dict(known) | {
        value.name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
        for value in (*inferred.input, *inferred.value_info, *inferred.output)
        if value.type.tensor_type.HasField("shape")
    }
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in inferred.initializer}
    shapes |= {name: value.shape for name, value in constants.items()}
    weights = ({value.name for value in inferred.input} - set(inputs)) | set(constants)
    parameters = _parameters(inferred, weights)
    nodes = []
    for position, proto in enumerate(inferred.node):
        attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in proto.attribute}
        node = Node(
            proto.name or f"{proto.op_type}_{position}",
            proto.op_type,
            (*proto.input, *_captured(proto)),
            tuple(name for name in proto.output if name),
            attributes,
            "" if proto.domain == "ai.onnx" else proto.domain,
        )
        if node.operator == "Constant" and "value" in attributes:
            constants[node.outputs[0]] = onnx.numpy_helper.to_array(attributes["value"])
            shapes[node.outputs[0]] = constants[node.outputs[0]].shape
        if node.operator not in _RANDOM and all(not name or name in weights for name in node.inputs):
            weights.update(node.outputs)
            continue
        if node.operator == "BatchNormalization":
            for name in node.inputs[3:5]:
                parameters.pop(name, None)
        for name in node.outputs:
            if name not in shapes:
                _borrow_shape(node, name, shapes)
        if demand:
            _demand_shapes(node, shapes, where)
        nodes.append(node)
    outputs = [value.name for value in inferred.output]
    return Graph(nodes, shapes, weights, constants, inputs, outputs, sum(parameters.values()))


def _captured(node: onnx.NodeProto) -> tuple[str, ...]:
    """Return the tensors from outside that the bodies of a loop or branches read, each once."""
    found: dict[str, None] = {}
    for attribute in node.attribute:
        for body in (attribute.g, *attribute.graphs):
            own = {value.name for value in (*body.input, *body.initializer)}
            own.update(name for inner in body.node for name in inner.output)
            read = [name for inner in body.node for name in (*inner.input, *_captured(inner))]
            read += [value.name for value in body.output]
            found |= dict.fromkeys(name for name in read if name and name not in own)
    return tuple(found)


def _infer(model: onnx.ModelProto, known: Mapping[str, Shape], where: str) -> onnx.GraphProto:
    if known:
        hinted = onnx.ModelProto()
        hinted.CopyFrom(model)
        made = {name for node in model.graph.node for name in node.output}
        for name in sorted(made & set(known)):
            hinted.graph.value_info.append(
                onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, known[name])
            )
        model = hinted
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except (onnx.shape_inference.InferenceError, RuntimeError) as error:
        raise EdgejouleError(f"{where}: shapes cannot be inferred: {str(error).splitlines()[0]}") from error


def _parameters(graph: onnx.GraphProto, weights: set[str]) -> dict[str, int]:
    """Return the elements of the floating-point parameters that some node reads; buffers and indices are none."""
    real = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    sizes = {
        value.name: math.prod(axis.dim_value for axis in value.type.tensor_type.shape.dim)
        for value in graph.input
        if value.type.tensor_type.elem_type in real and not value.name.startswith(BUFFER)
    }
    # Scalars are an operator's bounds and factors.
    kept = [tensor for tensor in graph.initializer if not tensor.name.startswith(BUFFER)]
    sizes |= {tensor.name: math.prod(tensor.dims) for tensor in kept if tensor.data_type in real and tensor.dims}
    used = {name for node in graph.node if node.op_type not in WITHOUT_WEIGHTS for name in node.input}
    return {name: size for name, size in sizes.items() if name in weights and name in used}


def _borrow_shape(node: Node, name: str, shapes: dict[str, Shape]) -> None:
    """Give the output of a runtime's private operator the shape of the tensor that it stands for.

    ONNX Runtime names a node in its blocked layout after the tensor that it computes; a reorder keeps the shape.
    """
    original = node.name.removesuffix("_nchwc").removesuffix("_bn")
    inputs = [shapes[tensor] for tensor in node.inputs if tensor in shapes]
    if original in shapes:
        shapes[name] = shapes[original]
    elif node.operator == "ReorderInput" and node.attributes.get("channels_last") and inputs:
        batch, height, width, channels = inputs[0]
        shapes[name] = (batch, channels, height, width)
    elif node.operator == "Concat" and len(inputs) == len(node.inputs):
        axis = node.attributes["axis"]
        joined = sum(shape[axis] for shape in inputs)
        shapes[name] = tuple(joined if i == axis else size for i, size in enumerate(inputs[0]))
    elif node.operator in _SAME_SHAPE and inputs:
        shapes[name] = inputs[0] if node.domain else tuple(np.broadcast_shapes(*inputs))


def _demand_shapes(node: Node, shapes: Mapping[str, Shape], where: str) -> None:
    for name in node.outputs:
        if name not in shapes or any(size <= 0 for size in shapes[name]):
            kind = f"{node.domain}:{node.operator}" if node.domain else node.operator
            raise EdgejouleError(
                f"{where}: operator '{kind}' (node '{node.name}') cannot be costed, because the shape of its output "
                "is unknown; export with static shapes, or without this operator"
            )
