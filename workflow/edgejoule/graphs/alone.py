"""Which kernels can be measured alone, and as what a runtime executes a configuration that was drawn, not found."""

from collections.abc import Callable, Mapping

import pandas as pd

#: Kinds whose configuration does not say what they compute (which axes, which part): timed inside networks only.
NOT_ALONE = (
    "attention", "convtranspose", "depth-to-space", "expand", "gather", "groupnorm", "lrn", "pad", "reduce", "reorder",
    "reshape", "resize", "se", "slice", "split", "transpose",
)  # fmt: skip
#: Largest kernel that is measured alone: bytes of its activations and weights, which a model file has to hold twice
#: over while it is made, and multiply-accumulates (a fifth of a second on one core at 50 billion a second).
MOST_BYTES = 500_000_000
MOST_MACS = 10_000_000_000
#: Runtimes that launch one kernel per operator (PyTorch documentation, "CUDA Graphs": a graph replays the same).
EAGER = ("pytorch",)
#: ONNX Runtime's blocked layout on x86 with AVX-512: channels in a block, and what channels have to be a multiple of.
BLOCK = 16
ALIGNED = 4


def reason_left_out(kernels: pd.DataFrame) -> pd.Series:
    """Return why each kernel is not measured alone; empty where it is."""
    size = kernels["bytes_in"] + kernels["bytes_out"] + kernels["bytes_weights"]
    large = (size > MOST_BYTES) | (kernels["macs"] > MOST_MACS)
    # PyTorch's attention takes queries, keys and values of the same length, which the configuration has.
    whole = kernels["kind"].eq("attention") & kernels["runtime"].isin(EAGER)
    undetermined = (kernels["kind"].isin(NOT_ALONE) & ~whole) | kernels["kind"].str.startswith("other:")
    reason = pd.Series("", index=kernels.index, dtype="object")
    reason[large] = f"larger than {MOST_BYTES / 1e6:.0f} MB or {MOST_MACS / 1e9:.0f} billion multiply-accumulates"
    reason[undetermined] = "cannot be rebuilt alone"
    return reason


def variant(kernels: pd.DataFrame) -> pd.Series:
    """Return what sets kernels of one kind apart in how they are executed: operator, layout, grouping, window."""
    channels = kernels["groups"] == kernels["input_channels"]
    grouping = pd.Series("", index=kernels.index).mask(kernels["groups"] > 1, "grouped")
    grouping = grouping.mask((kernels["groups"] > 1) & channels, "depthwise")
    window = kernels["kernel_height"].astype(str) + "x" + kernels["kernel_width"].astype(str)
    dilated = pd.Series("", index=kernels.index).mask(kernels["dilation"] > 1, "dilated")
    parts = [kernels["kind"], kernels["operator"], kernels["layout"], grouping, window, dilated]
    return parts[0].str.cat(parts[1:], sep=" ")


def executed(runtime: str, layout: str) -> Callable[[Mapping[str, object]], dict[str, object] | None]:
    """Return what turns a drawn configuration into the one that a runtime executes, or into None where it has none.

    Args:
        runtime: the runtime.
        layout: its layout, for runtimes that have only one.
    """
    if runtime == "onnxruntime":
        return _onnxruntime
    return (
        (lambda row: {**_unfused(row), "layout": layout}) if runtime in EAGER else lambda row: {**row, "layout": layout}
    )


def _unfused(row: Mapping[str, object]) -> dict[str, object]:
    """Return the configuration without its fused tail: what follows is launched as a kernel of its own."""
    return {**row, "tail": "", "kind": {"bn+relu": "bn", "add+relu": "add"}.get(row["kind"], row["kind"])}


def _onnxruntime(row: Mapping[str, object]) -> dict[str, object] | None:
    """Return the operator and layout that ONNX Runtime chooses on x86.

    Source: the conditions of ``onnxruntime/core/optimizer/nchwc_transformer.cc`` (1.31), which the zoo's own
    convolutions, of which the runtime was asked, all meet. Convolutions in the plain layout take their activation in as
    ``FusedConv``; a normalisation that is left runs as a blocked convolution; hard swish is split into two operators.
    """
    operator, channels = row["operator"], row["input_channels"]
    blocked = False
    if operator == "HardSwish":
        return None
    if operator == "Conv":
        blocked = _blocked_convolution(channels, row["output_channels"], row["groups"])
        if not blocked and row["tail"]:
            operator = "FusedConv"
    elif operator in ("MaxPool", "AveragePool"):
        blocked = channels % BLOCK == 0
    elif operator == "BatchNormalization":
        if channels < BLOCK:
            return None
        # Four vectors of weights become a scale and a bias.
        return {**row, "operator": "Conv", "layout": "nchwc", "bytes_weights": row["bytes_weights"] // 2}
    return {**row, "operator": operator, "layout": "nchwc" if blocked else "nchw"}


def _blocked_convolution(channels_in: int, channels_out: int, groups: int) -> bool:
    if groups == 1:
        return channels_in < BLOCK or channels_in % ALIGNED == 0
    if groups == channels_in == channels_out:
        return channels_in % ALIGNED == 0
    return (channels_in // groups) % BLOCK == 0 and (channels_out // groups) % BLOCK == 0
