"""Kernels from their identifiers alone: what a recording of kernels needs besides its times."""

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from edgejoule.errors import EdgejouleError
from edgejoule.graphs.sampler import complete
from edgejoule.tables.vocabulary import PRECISIONS

_FORM = re.compile(
    r"(?P<kind>.+)_b(?P<batch>\d+)"
    r"_i(?P<input_channels>\d+)x(?P<input_height>\d+)x(?P<input_width>\d+)"
    r"_o(?P<output_channels>\d+)x(?P<output_height>\d+)x(?P<output_width>\d+)"
    r"_k(?P<kernel_height>\d+)x(?P<kernel_width>\d+)"
    r"_s(?P<stride>\d+)_d(?P<dilation>\d+)_g(?P<groups>\d+)_n(?P<inputs>\d+)"
    rf"(?:_(?P<tail>[^_]+))?_(?P<layout>[a-z]+)_(?P<precision>{'|'.join(PRECISIONS)})"
)
_WORDS = ("kind", "tail", "layout", "precision")
#: The operator that kernels of a kind are built around; of another kind, an identifier does not tell the work.
OPERATORS: Mapping[str, str] = {
    "conv+bn+relu": "Conv",
    "dwconv+bn+relu": "Conv",
    "fc": "Gemm",
    "matmul": "MatMul",
    "add": "Add",
    "mul": "Mul",
    "concat": "Concat",
    "bn": "BatchNormalization",
    "bn+relu": "BatchNormalization",
    "relu": "Relu",
    "hswish": "HardSwish",
    "swish": "QuickGelu",
    "gelu": "Gelu",
    "layernorm": "LayerNormalization",
    "softmax": "Softmax",
    "maxpool": "MaxPool",
    "avgpool": "AveragePool",
}


def parse_identifier(kernel: str) -> dict[str, object]:
    """Return the configuration that ``identifier`` wrote into a kernel's name.

    Raises:
        EdgejouleError: it is no identifier of a kernel.
    """
    found = _FORM.fullmatch(kernel)
    if not found:
        raise EdgejouleError(
            f"'{kernel}' does not name a kernel's configuration; names are made as in results/graphs/kernels.parquet"
        )
    values = found.groupdict(default="")
    return {name: value if name in _WORDS else int(value) for name, value in values.items()}


def identified_kernels(kernels: Iterable[str]) -> pd.DataFrame:
    """Return one row per identifier with configuration, layout, multiply-accumulates and bytes, as table KERNELS has.

    Raises:
        EdgejouleError: a name is no identifier, or its kind's work does not follow from the configuration.
    """
    rows = []
    for kernel in kernels:
        made = parse_identifier(kernel)
        if made["kind"] not in OPERATORS:
            raise EdgejouleError(
                f"kernel '{kernel}': what a kernel of kind '{made['kind']}' computes is not in its name"
            )
        made["operator"] = OPERATORS[made["kind"]]
        rows.append(complete(made, made["precision"]) | {"kernel": kernel})
    return pd.DataFrame(rows)
