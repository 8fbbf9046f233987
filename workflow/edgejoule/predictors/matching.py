"""Times that a runtime's profiler gave its nodes, put to the kernels that stand for these nodes."""

import json
from functools import cache

import numpy as np
import pandas as pd

#: Operators whose shapes tell them apart.
_FILTERED = ("Conv", "FusedConv")
#: XNNPACK's words for what it runs, and the sort of kernel that it is: the products of matrices are one operator, be
#: they pointwise convolutions or fully connected layers (google/XNNPACK, src/operators).
_XNNPACK = {
    "Convolution (NHWC, F32) IGEMM": "conv",
    "Convolution (NHWC, F32) DWConv": "depthwise",
    "Fully Connected (NC, F32) GEMM": "product",
    "Batch Matrix Multiply (NC, F32) GEMM": "matmul",
    "Softmax (NC, F32)": "softmax",
    "GELU (NC)": "gelu",
    "HardSwish (NC)": "hswish",
    "Sigmoid (NC)": "sigmoid",
    "Max Pooling (NHWC, F32)": "maxpool",
}
#: Most taps of XNNPACK's code for depthwise windows; it runs larger ones as grouped convolutions, which takes an order
#: of magnitude longer (google/XNNPACK, src/configs/dwconv-config.c).
_XNNPACK_TAPS = 25


def with_durations(kernels: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the kernels with ``duration_ms`` (ms), the least time of the same node over the passes; NaN if unknown.

    A runtime names nodes after the file that it read, and may order parallel branches anew in each session, so nodes
    are matched by network, sort, and their place among those of that sort. The sort is the operator, with the shapes of
    convolutions where the profiler tells them; where it does not (OpenVINO, LiteRT), it is the runtime's own word for
    what runs. Where the two sides, or two passes, count a sort differently, its kernels stay unknown.

    Args:
        kernels: rows of results/graphs/kernels.parquet of one runtime.
        nodes: rows of a recording's nodes.parquet, with ``input_shapes`` and ``output_shapes`` as JSON.
    """
    key = ["network", "precision", "sort"]
    runtime = kernels["runtime"].iloc[0] if len(kernels) else ""
    seen = nodes.sort_values(["network", "precision", "pass", "index"], kind="stable")
    listed = kernels.sort_values(["network", "precision", "index"], kind="stable")
    if runtime == "openvino":
        seen, listed = seen.assign(sort=_openvino_nodes(seen)), _as_written(listed)
        listed = listed.assign(sort=_openvino_kernels(listed))
    elif runtime == "litert":
        seen, listed = seen.assign(sort=seen["operator"].map(_XNNPACK).fillna("")), _as_written(listed)
        listed = listed.assign(sort=_xnnpack_kernels(listed))
    else:
        seen, listed = seen.assign(sort=_told_nodes(seen)), listed.assign(sort=_told_kernels(listed))
    for table, within in ((seen, [*key, "pass"]), (listed, key)):
        table["place"] = table.groupby(within).cumcount()
        table["many"] = table.groupby(within)["place"].transform("size")
    times = seen.groupby([*key, "place"], sort=True, as_index=False).agg(
        duration_ms=("duration_ns", "min"), many=("many", "max"), least=("many", "min")
    )
    times = times[(times["many"] == times["least"]) & times["sort"].ne("")].drop(columns="least")
    times["duration_ms"] /= 1e6
    matched = listed.merge(times, on=[*key, "place", "many"], how="left", validate="one_to_one")
    return matched.drop(columns=["sort", "place", "many"]).sort_values(
        ["network", "precision", "index"], kind="stable", ignore_index=True
    )


# -- ONNX Runtime: the profiler tells operators and shapes -------------------------------------------------------------


def _told_nodes(nodes: pd.DataFrame) -> list[str]:
    told = zip(nodes["operator"], nodes["input_shapes"], nodes["output_shapes"], strict=True)
    return [f"{name} {_node_shapes(*both) if name in _FILTERED else ''}" for name, *both in told]


def _told_kernels(kernels: pd.DataFrame) -> np.ndarray:
    shapes = [_kernel_shapes(*row) for row in kernels[list(_SHAPES)].itertuples(index=False, name=None)]
    operator = kernels["operator"].astype(str) + " "
    return np.where(kernels["operator"].isin(_FILTERED), operator + np.array(shapes, object), operator)


_SHAPES = (
    "output_channels", "output_height", "output_width", "kernel_height", "kernel_width", "input_height", "kind",
    "input_channels", "groups",
)  # fmt: skip


def _blocks(channels: int) -> int:
    """Return how many blocks of 16 channels there are: a blocked layout pads to them."""
    return -(-channels // 16)


def _shapes(channels: int, height: int, width: int, window: tuple[int, int], before: int, each_alone: bool) -> str:
    return f"{_blocks(channels)}x{height}x{width} {window[0]}x{window[1]} {before} {'depthwise' if each_alone else ''}"


def _kernel_shapes(
    channels: int, height: int, width: int, window_height: int, window_width: int, before: int, kind: str, read: int,
    groups: int,
) -> str:  # fmt: skip
    # A normalisation that the runtime made a convolution has a filter of one number per channel.
    each_alone = kind.startswith("bn") or (groups > 1 and groups == read)
    return _shapes(channels, height, width, (max(window_height, 1), max(window_width, 1)), before, each_alone)


@cache
def _node_shapes(before: str, after: str) -> str:
    """Return a convolution's shapes as ``_kernel_shapes`` has them; empty for a node that is none, or tells none."""
    if not before or not after:
        return ""
    inputs = [shape for each in json.loads(before) for shape in each.values()]
    outputs = [shape for each in json.loads(after) for shape in each.values()]
    if len(inputs) < 2 or not outputs or any(len(shape) != 4 for shape in (inputs[0], inputs[1], outputs[0])):
        return ""
    _, channels, height, width = outputs[0]
    _, read, *window = inputs[1]
    return _shapes(channels, height, width, tuple(window), inputs[0][2], read == 1)


# -- OpenVINO and LiteRT: the profiler tells what runs, in order -------------------------------------------------------


def _as_written(kernels: pd.DataFrame) -> pd.DataFrame:
    """Return the kernels with each network's convolutions in the order in which its author wrote them.

    Those who list kernels order parallel branches at will, but number the convolutions first: ``/Conv_12``.
    """
    kernels = kernels.reset_index(drop=True)
    number = pd.to_numeric(kernels["name"].str.extract(r"_(\d+)$")[0]).fillna(0)
    chosen = kernels.loc[kernels["operator"].isin(_FILTERED), ["network", "precision"]].assign(number=number)
    written = chosen.sort_values(["network", "precision", "number"], kind="stable").index.to_numpy()
    order = np.arange(len(kernels))
    order[chosen.index.to_numpy()] = written
    return kernels.iloc[order].reset_index(drop=True)


def _sorts(kernels: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which kernels are convolutions, depthwise ones and pointwise ones, each shape (k,)."""
    convolution = kernels["operator"].isin(_FILTERED).to_numpy()
    groups = kernels["groups"].to_numpy()
    depthwise = convolution & (groups > 1) & (groups == kernels["input_channels"].to_numpy())
    return convolution, depthwise, convolution & (_taps(kernels) == 1) & (groups == 1)


def _taps(kernels: pd.DataFrame) -> np.ndarray:
    return (kernels["kernel_height"] * kernels["kernel_width"]).to_numpy()


def _xnnpack_kernels(kernels: pd.DataFrame) -> np.ndarray:
    convolution, depthwise, pointwise = _sorts(kernels)
    product = (pointwise & (kernels["stride"].to_numpy() == 1)) | kernels["kind"].eq("fc").to_numpy()
    known = [depthwise & (_taps(kernels) <= _XNNPACK_TAPS), product, convolution]
    return np.select(known, ["depthwise", "product", "conv"], kernels["kind"].to_numpy(object))


def _openvino_kernels(kernels: pd.DataFrame) -> np.ndarray:
    convolution, depthwise, pointwise = _sorts(kernels)
    known = [depthwise, pointwise, convolution, kernels["kind"].eq("fc").to_numpy()]
    return np.select(known, ["depthwise", "pointwise", "conv", "product"], kernels["operator"].to_numpy(object))


def _openvino_nodes(nodes: pd.DataFrame) -> np.ndarray:
    """Return the sort of each node by its name, the last node that it was made of, and by the code that runs."""
    last = nodes["node"].str.removesuffix("/WithoutBiases").str.rsplit("/", n=1).str[-1]
    name, code = last.str.replace(r"_\d+$", "", regex=True), nodes["operator"]
    layer = name.isin(["MatMul", "Gemm"])
    convolution = name.eq("Conv") | (code.str.startswith("brgconv") & ~layer)
    known = [
        code.str.startswith("reorder"),
        convolution & code.str.contains("_dw_", regex=False),
        convolution & code.str.contains("_1x1_", regex=False),
        convolution,
        layer | code.str.contains("gemm", regex=False),
        # What attention ends with gives it its name.
        name.eq("Transpose") & code.str.startswith("jit"),
    ]
    sorts = ["", "depthwise", "pointwise", "conv", "product", "Attention"]
    return np.select(known, sorts, name.to_numpy(object))
