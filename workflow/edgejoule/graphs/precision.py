"""Runnable networks in FP16 and INT8, from the FP32 file, and how far they compute something else.

INT8 is ONNX Runtime's static quantisation in QDQ form, calibrated with random inputs: good enough for cost, which does
not depend on the values, and useless for accuracy; the file says so in its metadata.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.builders import RefusedError
from edgejoule.graphs.export import first_line, ort_errors
from edgejoule.graphs.runnable import largest_difference, run
from edgejoule.names import did_you_mean
from edgejoule.tables import atomic_path

#: Metadata keys: what the weights and scales are good for; the largest difference from the FP32 output.
CALIBRATION = "edgejoule.calibration"
DIFFERENCE = "edgejoule.difference_from_fp32"
_BATCHES = 2
#: What ONNX Runtime's converters raise; they have no common base but Exception.
_ERRORS = (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError)


def convert(source: Path | str, target: Path | str, precision: str, seed: int = 0, where: str = "") -> float:
    """Write a runnable FP32 network in another precision.

    Args:
        source: ONNX file with weights, one input: float32, or int64 for tokens.
        target: the converted file.
        precision: fp16 (weights and activations; input and output stay float32) or int8 (QDQ).
        seed: seed of the random inputs, for calibration and comparison.
        where: what to name in messages; by default the source.

    Returns:
        The largest difference from the FP32 output over the largest FP32 output, on one random input. The file says it
        too, in its metadata.

    Raises:
        RefusedError: the converter fails on the network, ONNX Runtime does not run what it makes, or the network has
            other than one input of numbers or tokens.
        EdgejouleError: the precision is neither.
    """
    where = where or str(source)
    if precision not in ("fp16", "int8"):
        raise EdgejouleError(f"{where}: cannot convert to '{precision}'; {did_you_mean(precision, ('fp16', 'int8'))}")
    inputs = _inputs(Path(source), seed, where)
    with atomic_path(target) as temporary:
        try:
            if precision == "fp16":
                _to_fp16(Path(source), temporary)
            else:
                _to_int8(Path(source), temporary, inputs)
        except (*_ERRORS, *ort_errors()) as error:
            raise RefusedError(f"{where}: cannot be converted to {precision}: {first_line(error)}") from error
        expected = run(Path(source), inputs[0], where)
        difference = largest_difference(run(temporary, inputs[0], where), expected)
        _note(temporary, DIFFERENCE, f"{difference:.3g} of the largest output, on a random input")
        return difference


def _note(path: Path, key: str, value: str) -> None:
    model = onnx.load(path)
    entry = model.metadata_props.add()
    entry.key, entry.value = key, value
    onnx.save(model, path)


def _inputs(source: Path, seed: int, where: str) -> list[dict[str, np.ndarray]]:
    """Return random inputs: normal numbers, or token identifiers of 0 and 1."""
    graph = onnx.load(source, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    kinds = [onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower() for value in inputs]
    if kinds not in (["float"], ["int64"]):
        raise RefusedError(
            f"{where}: conversion needs one input, float or int64, but it has {' and '.join(kinds) or 'none'}"
        )
    name, random = inputs[0].name, np.random.default_rng(seed)
    shape = tuple(axis.dim_value for axis in inputs[0].type.tensor_type.shape.dim)
    if kinds == ["int64"]:
        return [{name: random.integers(0, 2, shape)} for _ in range(_BATCHES)]
    return [{name: random.standard_normal(shape, dtype=np.float32)} for _ in range(_BATCHES)]


def _to_fp16(source: Path, target: Path) -> None:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), target)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the quantiser says of weights that it treats whole instead of channel by channel."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _to_int8(source: Path, target: Path, inputs: list[dict[str, np.ndarray]]) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Random(CalibrationDataReader):
        """Hands out the random inputs one by one."""

        def __init__(self) -> None:
            self._left = iter(inputs)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self._left, None)

    with TemporaryDirectory() as folder, _quiet():
        prepared = Path(folder) / "prepared.onnx"
        # Normalisation is folded first, as runtimes do, so that convolutions are quantised with it.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            Random(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    _note(target, CALIBRATION, "random inputs: for cost, not for accuracy")
