"""LiteRT's C interface, as far as measuring needs it: load a model, run it, read its profiler.

The package's own Python classes run models too, but they leave out the profiler, print a page of log for each model,
and load a graphics library into a process that measures the processor. The declarations are those of ``litert/c/*.h``
in google-ai-edge/LiteRT; lengths of 32 bits are plain numbers here, those of ``size_t`` are wrapped.
"""

import ctypes
from dataclasses import dataclass
from pathlib import Path

import ai_edge_litert
import numpy as np

from edgejoule.errors import EdgejouleError

#: ``LiteRtStatus`` in words, as far as a model or a machine can be the reason.
STATUS = {
    1: "an argument is invalid",
    2: "there is not enough memory",
    3: "the runtime failed",
    5: "that is not supported",
    500: "the file cannot be read",
    501: "that is no TensorFlow Lite model",
    504: "it does not compile",
}
#: ``LiteRtHwAccelerators``, the tags of ``LiteRtEnvOption``, its ``LiteRtAnyType`` and ``LiteRtLogSeverity``.
PROCESSOR, ONLY_ACCELERATORS, LEAST_SEVERITY, WHOLE_NUMBER, ERROR = 1, 24, 25, 2, 3
#: ``LiteRtTensorBufferLockMode``.
WRITE = 1
#: ``LiteRtElementType``: those that networks have at their ends.
TYPES = {1: np.float32, 2: np.int32, 3: np.uint8, 4: np.int64, 6: np.bool_, 9: np.int8, 10: np.float16}
#: ``LiteRtProfilerEventType``: an operator of the interpreter, and one inside a delegate such as XNNPACK.
OPERATOR, DELEGATED = 2, 8
FIRST = ctypes.c_size_t(0)
#: What memory holds before events are written to it.
MARK = b"\xa5"
#: The end of an event may be padding, which need not be written.
ALIGNMENT = 8


class _EnvironmentOption(ctypes.Structure):
    """``LiteRtEnvOption`` that holds a whole number."""

    _fields_ = (("tag", ctypes.c_int), ("kind", ctypes.c_int64), ("value", ctypes.c_int64))


class _TensorType(ctypes.Structure):
    """``LiteRtRankedTensorType``; its strides, at the end, are never read."""

    _fields_ = (
        ("element", ctypes.c_int32),
        ("rank", ctypes.c_uint32, 7),
        ("strided", ctypes.c_uint32, 1),
        ("dimensions", ctypes.c_int32 * 8),
        ("strides", ctypes.c_uint32 * 8),
    )

    @property
    def shape(self) -> list[int]:
        """Return the shape; a length that is open is -1."""
        return self.dimensions[: self.rank]

    @property
    def dtype(self) -> np.dtype:
        """Return the elements' type."""
        if self.element not in TYPES:
            raise EdgejouleError(f"an input or output has the element type {self.element}, which has no generator")
        return np.dtype(TYPES[self.element])


class _Event(ctypes.Structure):
    """``ProfiledEventData``."""

    _fields_ = (
        ("tag", ctypes.c_char_p),
        ("kind", ctypes.c_int),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", ctypes.c_uint64 * 6),
        ("metadata", ctypes.c_uint64 * 2),
        ("source", ctypes.c_int),
    )


@dataclass(frozen=True)
class Operator:
    """An operator that was executed: what the profile calls it, whether a delegate executed it, and for how long."""

    name: str
    delegated: bool
    duration_us: int


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def _free_nothing(_: int | None) -> None:
    """Leave the text of an option to Python, which owns it."""


class Library:
    """The shared library and one environment in it: for the processor, and silent but for errors."""

    def __init__(self) -> None:
        self.c = ctypes.CDLL(str(Path(ai_edge_litert.__file__).with_name("libLiteRt.so")))
        values = ((ONLY_ACCELERATORS, WHOLE_NUMBER, PROCESSOR), (LEAST_SEVERITY, WHOLE_NUMBER, ERROR))
        options = (_EnvironmentOption * len(values))(*values)
        self.environment = self.make("LiteRtCreateEnvironment", len(values), options)

    def call(self, function: str, *arguments: object) -> None:
        """Call a function; raise EdgejouleError, with its status in words, if it fails."""
        status = getattr(self.c, function)(*arguments)
        if status:
            raise EdgejouleError(f"{STATUS.get(status, f'status {status}')} ({function})")

    def make(self, function: str, *arguments: object) -> ctypes.c_void_p:
        """Call a function that returns a handle through its last parameter."""
        handle = ctypes.c_void_p()
        self.call(function, *arguments, ctypes.byref(handle))
        return handle


class Model:
    """A compiled model with its buffers. The caller closes it."""

    def __init__(self, library: Library, model: Path | bytes, threads: int, profile: bool = False) -> None:
        self.library, self.name = library, model.name if isinstance(model, Path) else "model"
        self.kept: list[object] = []
        self.made: list[tuple[str, ctypes.c_void_p]] = []
        try:
            source = self._source(model)
            options = self._options(threads, profile)
            self.compiled = self._make(
                "CompiledModel", "LiteRtCreateCompiledModel", library.environment, source, options
            )
            signature = library.make("LiteRtGetModelSignature", source, FIRST)
            self.inputs, self.input_types = self._buffers(signature, "Input")
            self.outputs, _ = self._buffers(signature, "Output")
        except EdgejouleError:
            self.close()
            raise
        self._run = library.c.LiteRtRunCompiledModel
        ends = (ctypes.c_size_t(len(self.inputs)), self.inputs, ctypes.c_size_t(len(self.outputs)), self.outputs)
        self._arguments = (self.compiled, FIRST, *ends)

    def _make(self, what: str, function: str, *arguments: object) -> ctypes.c_void_p:
        """Make something that ``close`` destroys."""
        handle = self.library.make(function, *arguments)
        self.made.append((f"LiteRtDestroy{what}", handle))
        return handle

    def _source(self, model: Path | bytes) -> ctypes.c_void_p:
        environment = self.library.environment
        if isinstance(model, Path):
            return self._make("Model", "LiteRtCreateModelFromFile", environment, str(model).encode())
        self.kept.append(model)
        return self._make("Model", "LiteRtCreateModelFromBuffer", environment, model, ctypes.c_size_t(len(model)))

    def _options(self, threads: int, profile: bool) -> ctypes.c_void_p:
        """Return options for the processor: texts in TOML under the names of the parts that read them."""
        options = self._make("Options", "LiteRtCreateOptions")
        self.library.call("LiteRtSetOptionsHardwareAccelerators", options, PROCESSOR)
        texts = {"xnnpack": f"num_threads = {threads}\n"}
        if profile:
            texts["runtime_options_string"] = "enable_profiling = true\n"
        for name, text in texts.items():
            content = ctypes.create_string_buffer(text.encode())
            self.kept.append(content)
            opaque = self.library.make("LiteRtCreateOpaqueOptions", name.encode(), content, _free_nothing)
            self.library.call("LiteRtAddOpaqueOptions", options, opaque)
        return options

    def _buffers(self, signature: ctypes.c_void_p, side: str) -> tuple[ctypes.Array, list[_TensorType]]:
        """Return a buffer for each input or output of the signature, and their types."""
        library, count = self.library, ctypes.c_size_t()
        library.call(f"LiteRtGetNumSignature{side}s", signature, ctypes.byref(count))
        buffers, types = (ctypes.c_void_p * count.value)(), [_TensorType() for _ in range(count.value)]
        for index, kind in enumerate(types):
            place = ctypes.c_size_t(index)
            tensor = library.make(f"LiteRtGetSignature{side}TensorByIndex", signature, place)
            library.call("LiteRtGetRankedTensorType", tensor, ctypes.byref(kind))
            needs = library.make(f"LiteRtGetCompiledModel{side}BufferRequirements", self.compiled, FIRST, place)
            create = "LiteRtCreateManagedTensorBufferFromRequirements"
            buffers[index] = self._make("TensorBuffer", create, library.environment, ctypes.byref(kind), needs)
        return buffers, types

    def write(self, index: int, value: np.ndarray) -> None:
        """Fill an input."""
        value = np.ascontiguousarray(value)
        address, buffer = ctypes.c_void_p(), ctypes.c_void_p(self.inputs[index])
        self.library.call("LiteRtLockTensorBuffer", buffer, ctypes.byref(address), WRITE)
        ctypes.memmove(address, value.ctypes.data, value.nbytes)
        self.library.call("LiteRtUnlockTensorBuffer", buffer)

    def run(self) -> int:
        """Run once; return the status, 0 if it succeeded."""
        return self._run(*self._arguments)

    def profile(self) -> list[Operator]:
        """Run once under the profiler, if the model was loaded for that; return the operators as they were executed.

        Raises:
            EdgejouleError: the run fails, or this version of LiteRT lays its events out in another way.
        """
        call, count = self.library.call, ctypes.c_int()
        profiler = self.library.make("LiteRtCompiledModelGetProfiler", self.compiled)
        call("LiteRtResetProfiler", profiler)
        call("LiteRtStartProfiler", profiler)
        call("LiteRtRunCompiledModel", *self._arguments)
        call("LiteRtStopProfiler", profiler)
        call("LiteRtGetNumProfilerEvents", profiler, ctypes.byref(count))
        # Twice the room that they need, marked: events of another length are noticed before any is read.
        room = ctypes.create_string_buffer(MARK * (2 * count.value * ctypes.sizeof(_Event)))
        call("LiteRtGetProfilerEvents", profiler, count, room)
        written = len(room.raw[:-1].rstrip(MARK))
        if -(-written // ALIGNMENT) * ALIGNMENT != count.value * ctypes.sizeof(_Event):
            raise EdgejouleError("this version of LiteRT has profiler events of another length than version 2.3")
        return [
            Operator(event.tag.decode(), event.kind == DELEGATED, event.elapsed_us)
            for event in (_Event * count.value).from_buffer(room)
            if event.kind in (OPERATOR, DELEGATED)
        ]

    def close(self) -> None:
        """Free the model and its buffers."""
        for function, handle in reversed(self.made):
            getattr(self.library.c, function)(handle)
        self.made.clear()
