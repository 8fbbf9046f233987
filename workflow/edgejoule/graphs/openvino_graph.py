"""Asking OpenVINO which kernels it executes: the nodes of ``CompiledModel.get_runtime_model()``.

Each says its shapes, layout, precision and implementation, and of which original nodes it was made; strides and fused
activations are read from those. Sources: OpenVINO documentation, "Runtime model" and ``ov::exec_model_info``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.export import fill
from edgejoule.graphs.fusion import Kernel, compose, word_of
from edgejoule.graphs.model import Graph, Node, Shape, read_graph
from edgejoule.graphs.rules import load_rules

#: Layers whose operator does not depend on what they were made of.
_OPERATOR = {
    "Convolution": "Conv",
    "Deconvolution": "ConvTranspose",
    "FullyConnected": "Gemm",
    "MatMul": "MatMul",
    "ScaledDotProductAttention": "Attention",
    "Concatenation": "Concat",
    "Split": "Split",
    "Transpose": "Transpose",
    "Reorder": "ReorderInput",
    "ShuffleChannels": "ChannelShuffle",
    "MVN": "MVN",
    "RMS": "RMS",
    "Softmax": "Softmax",
    "StridedSlice": "Slice",
    "Gather": "Gather",
    "Pad": "Pad",
    "Interpolate": "Resize",
    "Broadcast": "Expand",
    "Tile": "Expand",
    "DepthToSpace": "DepthToSpace",
    "Convert": "Cast",
}
_PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "FullyConnected", "Attention")
_ARITHMETIC = (
    *_PRODUCTS,
    "BatchNormalization",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Erf",
    "Clip",
    "Sigmoid",
    "HardSigmoid",
    "Relu",
)
#: Layers that compute element by element whatever they were made of.
_ELEMENTWISE = ("Subgraph", "Eltwise", "Math")
#: OpenVINO's words for the nodes that it makes itself, which it numbers: ``Multiply_8904``.
_OWN_NAME = re.compile(r"^([A-Za-z]+)_\d+$")
_OWN = {"Multiply": "Mul", "Subtract": "Sub", "Add": "Add", "Divide": "Div", "ReduceMean": "ReduceMean", "Power": "Pow"}
#: Where in OpenVINO's sources a message is from.
_PLACE = re.compile(r"(Exception from |Check 'false' failed at )?\S+\.cpp:\d+:\s*")
#: Operators that only change a shape: OpenVINO executes nothing for them.
_VIEWS = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")
_PRECISION = {"f32": "fp32", "f16": "fp16", "i8": "int8", "u8": "int8"}
_LATENCY = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}


@dataclass(frozen=True)
class Layer:
    """One node of OpenVINO's execution graph; tensors are named after the node that makes them."""

    type: str
    made_of: tuple[str, ...]
    implementation: str
    layout: str
    precision: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def ask_openvino(model: onnx.ModelProto, graph: Graph, where: str) -> tuple[Graph, list[Kernel]]:
    """Return the graph that OpenVINO executes on this processor in FP32, and its kernels in order of execution.

    Args:
        model: graph file without weights, as exported: clean-up by another runtime takes operators apart.
        graph: the same cleaned up, read: it gives the shapes of the tensors that both have.
        where: network to name in messages.

    Raises:
        EdgejouleError: OpenVINO does not load the network, or hides what one of its convolutions stands for.
    """
    named = onnx.ModelProto()
    named.CopyFrom(model)
    titles = {}
    for position, node in enumerate(named.graph.node):
        titles[f"n{position}"] = node.name or f"{node.op_type}_{position}"
        node.name = f"n{position}"
    with TemporaryDirectory() as folder:
        layers, shapes, constants = execution_graph(fill(named, Path(folder)), where)
    original = read_graph(named, where, demand=False)
    original.shapes |= graph.shapes
    made_of = _members(original, layers)
    told = Graph(
        [],
        original.shapes | shapes,
        original.weights | constants,
        original.constants,
        [name for layer in layers if layer.type == "Input" for name in layer.outputs],
        [name for layer in layers if layer.type == "Output" for name in layer.inputs],
        graph.parameters,
    )
    kernels = []
    for position, layer in enumerate(layers):
        if layer.type in ("Input", "Output") or _is_view(layer):
            continue
        kernel = _kernel(told, original, layer, made_of.get(position, []), where)
        anchor = replace(kernel.anchor, name=titles.get(kernel.anchor.name, f"{layer.type}_{len(kernels)}"))
        kernels.append(replace(kernel, anchor=anchor, members=(anchor,)))
    told.nodes = [kernel.anchor for kernel in kernels]
    told.index()
    return told, kernels


def execution_graph(path: Path, where: str) -> tuple[list[Layer], dict[str, Shape], set[str]]:
    """Compile a file with weights; return what runs for each input, every tensor's shape, and which are constant."""
    try:
        import openvino
    except ImportError as error:
        raise EdgejouleError(
            f"{where}: OpenVINO is not installed, so it cannot be asked; pip install 'edgejoule[openvino]', or use its "
            "rules"
        ) from error
    try:
        compiled = openvino.Core().compile_model(str(path), "CPU", _LATENCY | {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        text = _PLACE.sub("", " ".join(str(error).split()).replace(str(path), "the file"))
        raise EdgejouleError(f"{where}: OpenVINO cannot load the graph: {text[:300].strip()}") from error
    layers, shapes, constants = [], {}, set()
    for node in compiled.get_runtime_model().get_ordered_ops():
        layer = _layer(node)
        for name, port in zip(layer.outputs, node.outputs(), strict=True):
            shapes[name] = tuple(port.get_shape())
        if layer.type == "Const" or (layer.inputs and constants.issuperset(layer.inputs)):
            constants.update(layer.outputs)
            if layer.precision not in _PRECISION:
                # Axes, orders, sizes.
                shapes |= dict.fromkeys(layer.outputs, ())
        else:
            layers.append(layer)
    return layers, shapes, constants


def _layer(node) -> Layer:
    about = node.get_rt_info()

    def said(key: str) -> str:
        value = about[key]
        return value if isinstance(value, str) else value.astype(str)

    sources = [port.get_source_output() for port in node.inputs()]
    name = node.get_friendly_name()
    return Layer(
        said("layerType"),
        tuple(part.removesuffix("/WithoutBiases") for part in said("originalLayersNames").split(",") if part),
        said("primitiveType"),
        said("outputLayouts").split(",")[0],
        said("runtimePrecision"),
        tuple(_tensor(source.get_node().get_friendly_name(), source.get_index()) for source in sources),
        tuple(_tensor(name, index) for index in range(node.get_output_size())),
    )


def _tensor(node: str, index: int) -> str:
    return f"openvino:{node}:{index}"


def _is_view(layer: Layer) -> bool:
    """Whether nothing is executed: a change of shape, or parts that lie in the whole's memory already."""
    in_place = layer.type in ("Concatenation", "Split") and layer.implementation.startswith("unknown")
    return layer.type == "Reshape" or in_place


# -- what a layer was made of ------------------------------------------------------------------------------------------


def _members(original: Graph, layers: list[Layer]) -> dict[int, list[Node]]:
    """Return the original nodes of each layer, by its position, in order of execution.

    OpenVINO names the last nodes that it fused, and not always the first: an arithmetic node that no layer names
    belongs to the one layer that all its readers belong to.
    """
    named = {name: node for node in original.nodes for name in (*node.outputs, node.name)}
    owner: dict[int, int] = {}
    for position, layer in enumerate(layers):
        for name in layer.made_of:
            if name in named:
                owner.setdefault(id(named[name]), position)
    for node in reversed(original.nodes):
        if id(node) in owner or node.operator not in _ARITHMETIC:
            continue
        readers = {owner.get(id(reader), -1) for name in node.outputs for reader in original.consumers.get(name, ())}
        if len(readers) == 1 and -1 not in readers:
            owner[id(node)] = readers.pop()
    members: dict[int, list[Node]] = {}
    for node in original.nodes:
        if id(node) in owner:
            members.setdefault(owner[id(node)], []).append(node)
    return members


def _parts(original: Graph, layer: Layer, members: list[Node]) -> list[Node]:
    """Return what a layer computes: its members with small operators put together, changes of shape left out."""
    if len(members) > 1:
        members = compose(replace(original, nodes=members), load_rules("openvino").operators).nodes
    parts = [node for node in members if node.operator not in _VIEWS]
    own = [_OWN[found[1]] for name in layer.made_of if (found := _OWN_NAME.match(name)) and found[1] in _OWN]
    if not parts and own:
        return [Node("", operator, (), ()) for operator in own]
    if layer.type not in _ELEMENTWISE:
        return parts
    if not parts and not _products(original).isdisjoint(layer.made_of):
        # Named after a convolution that has a layer of its own, it adds the bias.
        return [Node("", "Add", (), ())]
    if parts and parts[0].operator == "LayerNormalization":
        # The mean and the division have layers of their own; what is left scales and shifts.
        steps = [*own[:1], "Add"] if "Mul" in own[:1] else ["Add"]
        return [*(Node(parts[0].name, operator, (), ()) for operator in steps), *parts[1:]]
    return parts


def _products(original: Graph) -> set[str]:
    return {node.name for node in original.nodes if node.operator in _PRODUCTS}


# -- a layer as a kernel -----------------------------------------------------------------------------------------------


def _kernel(told: Graph, original: Graph, layer: Layer, members: list[Node], where: str) -> Kernel:
    parts = _parts(original, layer, members)
    reads = tuple(dict.fromkeys(name for name in layer.inputs if name not in told.weights))
    position, operator = _anchor(layer, parts)
    least = 1 if operator in _PRODUCTS else 2  # A single number is a setting.
    weights = tuple(name for name in layer.inputs if name in told.weights and told.elements(name) >= least)
    name = parts[position].name if parts else ""
    attributes: Mapping[str, object] = {}
    if layer.type in ("Convolution", "Deconvolution"):
        attributes = _convolution(told, layer, parts, original, where)
    elif operator == "Gemm":
        _flatten_weights(told, layer)
    elif operator == "MatMul":
        attributes = _transposed(*(told.shapes[name] for name in (*layer.inputs[:2], layer.outputs[0])))
    elif operator == "Attention":
        attributes = _attention(members, layer, where)
    elif parts:
        attributes = parts[position].attributes
    anchor = Node(
        name, operator, tuple(name for name in layer.inputs if name in (*reads, *weights)), layer.outputs, attributes
    )
    return Kernel(
        anchor,
        (anchor,),
        layer.outputs[0],
        reads,
        tuple(word_of(original, part) for part in parts[position + 1 :]),
        _layout(layer.layout),
        _PRECISION.get(layer.precision, ""),
        layer.implementation,
    )


def _anchor(layer: Layer, parts: list[Node]) -> tuple[int, str]:
    """Return which part a layer is built around, and its operator."""
    products = [i for i, part in enumerate(parts) if part.operator in _PRODUCTS]
    if layer.type in _OPERATOR:
        return (products[0] if products else len(parts) - 1 if parts else 0), _OPERATOR[layer.type]
    if layer.type in _ELEMENTWISE and [part.operator for part in parts].count("MatMul") > 1:
        return products[0], "Attention"
    if "Attention" in [part.operator for part in parts]:
        return [part.operator for part in parts].index("Attention"), "Attention"
    return 0, parts[0].operator if parts else layer.type


def _convolution(told: Graph, layer: Layer, parts: list[Node], original: Graph, where: str) -> dict[str, object]:
    """Return a convolution's attributes; its filter gets ONNX's shape (OpenVINO gives groups an axis of their own)."""
    weight = layer.inputs[1]
    shape, rank = told.shapes[weight], len(told.shapes[layer.inputs[0]])
    groups = 1
    if len(shape) == rank + 1:
        groups = shape[0]
        told.shapes[weight] = shape = (shape[0] * shape[1], *shape[2:])
    target = told.shapes[layer.outputs[0]]
    found = [part for part in parts if part.operator in ("Conv", "ConvTranspose")]
    if not found:
        found = [
            node
            for node in original.nodes
            if node.operator in ("Conv", "ConvTranspose")
            and original.shapes.get(node.inputs[1]) == shape
            and original.shapes.get(node.outputs[0]) == target
        ]
    if not found and parts:
        # Branches between a split and a concatenation become the groups of one convolution.
        found = _convolutions_before(original, parts[0])
    settings = {
        (tuple(node.attributes.get("strides", (1,))), tuple(node.attributes.get("dilations", (1,)))) for node in found
    }
    if len(settings) != 1:
        raise EdgejouleError(
            f"{where}: OpenVINO does not tell which convolution of the network its layer '{layer.made_of[0]}' is; "
            "describe it by rules instead"
        )
    strides, dilations = settings.pop()
    return {"group": groups, "strides": strides, "dilations": dilations}


def _convolutions_before(original: Graph, node: Node) -> list[Node]:
    """Return the nearest convolutions that a node's inputs come from."""
    found, seen, front = [], set(), [node]
    while front:
        for name in front.pop().inputs:
            producer = original.producer.get(name)
            if producer is None or id(producer) in seen:
                continue
            seen.add(id(producer))
            (found if producer.operator in ("Conv", "ConvTranspose") else front).append(producer)
    return found


def _flatten_weights(told: Graph, layer: Layer) -> None:
    """Give a fully connected layer's matrix the shape depth x columns, and its bias one axis."""
    depth, columns = told.shapes[layer.inputs[0]][-1], told.shapes[layer.outputs[0]][-1]
    told.shapes[layer.inputs[1]] = (depth, columns)
    for name in layer.inputs[2:]:
        if name in told.weights and told.elements(name) == columns:
            told.shapes[name] = (columns,)


def _transposed(left: Shape, right: Shape, target: Shape) -> dict[str, object]:
    """Return which factors of a matrix product are transposed, told from the shapes."""
    if min(len(left), len(right), len(target)) < 2:
        return {}
    return {"transA": int(left[-2] != target[-2]), "transB": int(right[-1] != target[-1])}


def _attention(members: list[Node], layer: Layer, where: str) -> dict[str, object]:
    products = [node for node in members if node.operator == "MatMul"]
    if len(products) != 2:
        raise EdgejouleError(
            f"{where}: OpenVINO does not tell which two matrix products its attention '{', '.join(layer.made_of)}' is; "
            "describe it by rules instead"
        )
    return {"first": products[0], "products": tuple(products)}


def _layout(axes: str) -> str:
    """Return the word for a layout: axes are a, b, c, d in order of nesting, capitals are split into blocks."""
    if axes.lower() != axes:
        return "nchwc"
    return "nhwc" if len(axes) > 3 and axes[1:].endswith("b") else "nchw"
