"""Exporting networks as ONNX without weights, to describe them; ``runnable`` exports them with weights.

A graph file describes a network and carries no weights: each parameter is a graph input with its shape, and the names
of the real inputs stand in the file's metadata. VGG-16 takes 6 kB instead of 550 MB. TorchScript's exporter is used
because it is several times faster than the one on torch.export (0.3 s against 6 s for a MobileNetV2).
"""

import io
import math
import os
import re
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import onnx

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import without_data
from edgejoule.graphs.zoo import input_shape
from edgejoule.tables import atomic_path

if TYPE_CHECKING:
    import torch

#: Has operators for GELU and layer normalisation, so that neither is scattered over small ones.
OPSET = 20
#: Metadata key: names of the graph inputs that are not parameters.
INPUTS = "edgejoule.inputs"
#: Names of constants that are no parameters (running statistics, tables of indices and masks) begin with this.
BUFFER = "buffer:"
#: Initialisers up to this many elements (shapes, bounds, scales) stay in a graph file; larger ones are weights.
SMALL = 16
#: ONNX Runtime's clean-up would turn products of matrices with three axes into two-axis ones plus reshapes.
_KEEP = ["MatMulAddFusion"]
#: Weights above this are zeros while a runtime optimises, unless zeros change what it makes of them: it may drop a sum
#: with zeros, never a product of matrices.
_LARGE_BYTES = 2**18
_ZEROS_ALLOWED = ("Conv", "ConvTranspose", "Gemm", "MatMul", "Gather")
_ZEROS = "zeros.bin"
#: Runtimes map weights into memory by pages.
_PAGE = 4096


def describe(row) -> onnx.ModelProto:
    """Export a network of the zoo without weights, cleaned up: constants folded, identities gone.

    See ``trace`` for ``row`` and errors.
    """
    return tidy(trace(row), f"network '{row.architecture}'")


def tidy(exported: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """Return what ``trace`` made cleaned up, its parameters told from its constants."""
    return _name_constants(clean(exported, where))


def trace(row) -> onnx.ModelProto:
    """Export a network of the zoo without weights, as PyTorch writes it.

    The module has no data, so no weight is ever allocated; its parameters are traced as inputs that are one zero,
    expanded. See ``builders.build`` for ``row`` and errors.
    """
    return _trace(without_data(row), input_shape(row.input), f"network '{row.architecture}'")


def _name_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Mark what tracing computed (position encodings, masks) as constants: the parameters are the graph's inputs."""
    names = {tensor.name: BUFFER + tensor.name for tensor in model.graph.initializer}
    for tensor in model.graph.initializer:
        tensor.name = names[tensor.name]
    for node in model.graph.node:
        for position, name in enumerate(node.input):
            node.input[position] = names.get(name, name)
    return model


def _trace(module: "torch.nn.Module", shape: Sequence[int], where: str) -> onnx.ModelProto:
    import torch

    slots = {}
    for prefix, part in module.named_modules():
        for store, mark in ((part._parameters, ""), (part._buffers, BUFFER)):
            for key, value in store.items():
                if value is not None:
                    zero = torch.zeros((), dtype=value.dtype)
                    slots[f"{mark}{prefix}.{key}"] = (store, key, zero.expand(value.shape))

    class Weightless(torch.nn.Module):
        """The network as a function of its input and its parameters."""

        def forward(self, x: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
            for (store, key, _), weight in zip(slots.values(), weights, strict=True):
                store[key] = weight
            return module(x)

    weights = tuple(zero for _, _, zero in slots.values())
    return torch_export(Weightless().eval(), (zeros_for(module, shape), *weights), ["input", *slots], where)


def zeros_for(module: "torch.nn.Module", shape: Sequence[int]) -> "torch.Tensor":
    """Return an input of zeros: images and features by default, token identifiers where the module says so."""
    import torch

    return torch.zeros(*shape, dtype=getattr(module, "input_dtype", torch.float32))


def torch_export(module: "torch.nn.Module", arguments: tuple, names: list[str], where: str) -> onnx.ModelProto:
    """Return a module as ONNX; its first argument is the real input.

    Raises:
        EdgejouleError: PyTorch has no ONNX for one of its operators, or it does not run on its input.
    """
    import torch

    buffer = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        # Tracing warns of shapes that become constants, which is what is wanted, and of its own age.
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                module,
                arguments,
                buffer,
                dynamo=False,
                opset_version=OPSET,
                input_names=names,
                output_names=["output"],
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise EdgejouleError(f"{where}: PyTorch cannot export it as ONNX: {first_line(error)}") from error
        except (RuntimeError, ValueError, IndexError, AssertionError) as error:
            shape = "x".join(map(str, arguments[0].shape[1:]))
            raise EdgejouleError(
                f"{where}: does not run on the zoo's input of {shape}, which is channels x height x width for images: "
                f"{first_line(error)}"
            ) from error
    model = onnx.load_from_string(buffer.getvalue())
    _mark_inputs(model, names[:1])
    return model


def _mark_inputs(model: onnx.ModelProto, names: Sequence[str]) -> None:
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = INPUTS, ",".join(names)


def clean(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """Return a graph file's model as ONNX Runtime's basic level leaves it: constants folded, identities removed.

    Raises:
        EdgejouleError: ONNX Runtime cannot load the graph.
    """
    inputs = real_inputs(model)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clean.onnx"
        optimise(model.SerializeToString(), path, "basic", where, disabled=_KEEP)
        model = onnx.load(path, load_external_data=False)
        if any(node.op_type == "Shape" for node in model.graph.node):
            # An operator that ONNX Runtime takes apart last brings arithmetic on shapes, which is now constant.
            optimise(model.SerializeToString(), Path(folder) / "again.onnx", "basic", where, disabled=_KEEP)
            model = onnx.load(Path(folder) / "again.onnx", load_external_data=False)
    _mark_inputs(model, inputs)
    used = {name for node in model.graph.node for name in node.input}
    kept = [value for value in model.graph.input if value.name in used or value.name in inputs]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return model


def optimise(model: bytes | Path, path: Path, level: str, where: str, disabled: Sequence[str] = ()) -> None:
    """Let ONNX Runtime write its optimised graph ('basic' or 'all') to ``path``; nothing is executed.

    The weights of the optimised graph are not kept: they go to the null device instead of a file beside it.

    Raises:
        EdgejouleError: ONNX Runtime cannot load the graph.
    """
    import onnxruntime as ort

    levels = {
        "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
        "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    }
    options = ort.SessionOptions()
    options.graph_optimization_level = levels[level]
    options.optimized_model_filepath = str(path)
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_prepacking", "1")
    discarded = path.with_suffix(".weights")
    discarded.symlink_to(os.devnull)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", discarded.name)
    options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
    given = str(model) if isinstance(model, Path) else model
    try:
        ort.InferenceSession(given, options, providers=["CPUExecutionProvider"], disabled_optimizers=list(disabled))
    except ort_errors() as error:
        raise EdgejouleError(f"{where}: ONNX Runtime cannot load the graph: {first_line(error)}") from error


def ort_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of ONNX Runtime's sessions, which have no common base but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    return tuple(getattr(state, name) for name in names)


def first_line(error: Exception) -> str:
    """Return what an error of ONNX Runtime says, without the signature of the C++ function that raised it."""
    text = str(error).strip()
    if not text:
        return type(error).__name__
    return re.sub(r"/\S+\.(?:cc|h):\d+ .*?\) (?=[A-Z])", "", text.splitlines()[0])[:300]


def real_inputs(model: onnx.ModelProto) -> list[str]:
    """Return the names of the inputs that are activations, not parameters."""
    marked = {entry.key: entry.value for entry in model.metadata_props}
    if INPUTS in marked:
        return marked[INPUTS].split(",")
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value.name for value in model.graph.input if value.name not in weights]


def strip(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy without weights: initialisers of more than ``SMALL`` elements become graph inputs."""
    inputs = real_inputs(model)
    source = model.graph
    stripped = onnx.ModelProto(ir_version=model.ir_version)
    stripped.opset_import.extend(model.opset_import)
    stripped.functions.extend(model.functions)
    graph = stripped.graph
    graph.name = source.name
    graph.node.extend(source.node)
    graph.input.extend(source.input)
    graph.output.extend(source.output)
    graph.value_info.extend(source.value_info)
    present = {value.name for value in source.input}
    for tensor in source.initializer:
        if math.prod(tensor.dims) <= SMALL:
            graph.initializer.append(tensor)
        elif tensor.name not in present:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    _mark_inputs(stripped, inputs)
    return stripped


def fill(model: onnx.ModelProto, folder: Path, seed: int = 0) -> Path:
    """Write a graph file's model with weights, for a runtime that only optimises constants; return the file.

    Values mean nothing, but no two weights are alike, since equal branches would be merged. Small weights are uniform
    in 0.5..1.5 (variances are positive, nothing is an identity); large ones of convolutions and products are zeros but
    for the first number, in one sparse file, so that even VGG-16 takes no time to write.
    """
    inputs = set(real_inputs(model))
    exposed = {name for node in model.graph.node if node.op_type not in _ZEROS_ALLOWED for name in node.input}
    filled = strip(model)
    graph = filled.graph
    values = list(graph.input)
    del graph.input[:]
    block = np.random.default_rng(seed).uniform(0.5, 1.5, 4096)
    large: list[tuple[int, bytes]] = []
    end = 0
    for value in values:
        if value.name in inputs:
            graph.input.append(value)
            continue
        kind = value.type.tensor_type
        shape = [size.dim_value for size in kind.shape.dim]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        size = math.prod(shape) * dtype.itemsize
        own = np.roll(block, -zlib.crc32(value.name.encode()))
        if size > _LARGE_BYTES and value.name not in exposed:
            graph.initializer.append(_zeros(value.name, kind.elem_type, shape, end, size))
            large.append((end, own[:1].astype(dtype).tobytes()))
            end += -(-size // _PAGE) * _PAGE
        else:
            array = np.resize(own, shape) if np.issubdtype(dtype, np.floating) else np.zeros(shape)
            graph.initializer.append(onnx.numpy_helper.from_array(array.astype(dtype), value.name))
    with (folder / _ZEROS).open("wb") as file:
        file.truncate(end)
        for offset, first in large:
            file.seek(offset)
            file.write(first)
    path = folder / "filled.onnx"
    path.write_bytes(filled.SerializeToString())
    return path


def _zeros(name: str, kind: int, shape: Sequence[int], offset: int, size: int) -> onnx.TensorProto:
    tensor = onnx.TensorProto(name=name, data_type=kind, dims=shape, data_location=onnx.TensorProto.EXTERNAL)
    for key, value in (("location", _ZEROS), ("offset", str(offset)), ("length", str(size))):
        tensor.external_data.add(key=key, value=value)
    return tensor


def save(model: onnx.ModelProto, path: Path | str) -> None:
    """Write a model atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))
