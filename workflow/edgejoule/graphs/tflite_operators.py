"""What TensorFlow Lite files are made of, kind by kind, and how far a runtime's rules foresee it.

The operators are those of ``tensorflow/lite/schema/schema.fbs``, read with the classes that LiteRT's package brings.
"""

import math
from collections import Counter
from pathlib import Path

import pandas as pd

from edgejoule.errors import EdgejouleError

#: Operators that only change a shape, which XNNPACK executes in no time.
VIEWS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
#: Kind of a kernel by TensorFlow Lite's operator; others are ``other:<operator>``.
KIND_OF_OPERATOR = {
    "CONV_2D": "conv+bn+relu",
    "DEPTHWISE_CONV_2D": "dwconv+bn+relu",
    "TRANSPOSE_CONV": "convtranspose",
    "FULLY_CONNECTED": "fc",
    "BATCH_MATMUL": "matmul",
    "SOFTMAX": "softmax",
    "ADD": "add",
    "SUB": "sub",
    "MUL": "mul",
    "DIV": "div",
    "RELU": "relu",
    "RELU6": "relu",
    "RELU_0_TO_1": "relu",
    "LEAKY_RELU": "relu",
    "PRELU": "relu",
    "LOGISTIC": "sigmoid",
    "HARD_SWISH": "hswish",
    "GELU": "gelu",
    "MAX_POOL_2D": "maxpool",
    "AVERAGE_POOL_2D": "avgpool",
    "MEAN": "reduce",
    "SUM": "reduce",
    "REDUCE_MAX": "reduce",
    "CONCATENATION": "concat",
    "SPLIT": "split",
    "SPLIT_V": "split",
    "SLICE": "slice",
    "STRIDED_SLICE": "slice",
    "GATHER": "gather",
    "TRANSPOSE": "transpose",
    "PAD": "pad",
    "PADV2": "pad",
    "MIRROR_PAD": "pad",
    "RESIZE_BILINEAR": "resize",
    "RESIZE_NEAREST_NEIGHBOR": "resize",
    "DEPTH_TO_SPACE": "depth-to-space",
    "BROADCAST_TO": "expand",
    "TILE": "expand",
}
#: Operators that take a mean over a window or over axes.
AVERAGES = ("MEAN", "AVERAGE_POOL_2D")
MAP_AXES = 4


def kinds_of_file(path: Path) -> Counter[str]:
    """Return how many kernels of each kind a TensorFlow Lite file has; views are none.

    Raises:
        EdgejouleError: the file is none, or LiteRT's package is not installed.
    """
    schema = _schema()
    content = path.read_bytes()
    if not schema.Model.ModelBufferHasIdentifier(content, 0):
        raise EdgejouleError(f"{path}: not a TensorFlow Lite file")
    model = schema.Model.GetRootAs(content, 0)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    kinds: Counter[str] = Counter()
    graph = model.Subgraphs(0)
    for place in range(graph.OperatorsLength()):
        operator = graph.Operators(place)
        code = model.OperatorCodes(operator.OpcodeIndex())
        # Codes above 127 stand in a field that was added later.
        name = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        if name not in VIEWS:
            kinds[_kind(name, graph, operator, schema)] += 1
    return kinds


def _schema():
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise EdgejouleError(
            f"reading TensorFlow Lite files needs the package '{error.name}'; run: pip install 'edgejoule[litert]'"
        ) from error
    return schema_py_generated


def _kind(name: str, graph, operator, schema) -> str:
    if name in AVERAGES and _over_the_map(graph, operator):
        return "global-avgpool"
    kind = KIND_OF_OPERATOR.get(name, f"other:{name}")
    if kind == "add" and _fuses_relu(operator, schema):
        return "add+relu"
    return kind


def _over_the_map(graph, operator) -> bool:
    """Whether an average leaves one value of a whole map; its channels are last, or first after a transposition."""
    ends = (operator.Inputs(0), operator.Outputs(0))
    before, after = (graph.Tensors(place).ShapeAsNumpy().tolist() for place in ends)
    if len(before) != MAP_AXES:
        return False
    for channels, sides in ((before[3], before[1:3]), (before[1], before[2:])):
        if min(*sides, channels) > 1 and math.prod(after) == before[0] * channels and channels in after:
            return True
    return False


def _fuses_relu(operator, schema) -> bool:
    """Whether a sum ends in a ReLU; without options it has none."""
    table = operator.BuiltinOptions()
    if table is None:
        return False
    options = schema.AddOptions()
    options.Init(table.Bytes, table.Pos)
    kinds = schema.ActivationFunctionType
    return options.FusedActivationFunction() in (kinds.RELU, kinds.RELU6)


def agreement(models: Path, kernels: pd.DataFrame, runtime: str) -> pd.DataFrame:
    """Compare converted networks with what a runtime's rules say they are made of.

    Args:
        models: folder with ``<network>.tflite``.
        kernels: table KERNELS.
        runtime: whose rules, in FP32.

    Returns:
        One row per kind, the most frequent first: ``kind``, ``by_rules`` and ``in_files`` (kernels of all networks that
        are in both), ``networks`` (that have the kind on either side), ``agree`` (of these, with equally many).

    Raises:
        EdgejouleError: no network is in both.
    """
    ruled = kernels[(kernels["runtime"] == runtime) & (kernels["precision"] == "fp32")]
    files = {path.stem: path for path in sorted(models.glob("*.tflite"))}
    shared = sorted(set(ruled["network"]) & set(files))
    if not shared:
        raise EdgejouleError(
            f"{models}: has no TensorFlow Lite file of a network that the rules for '{runtime}' describe; make them "
            "with 'edgejoule measure export --runtime litert'"
        )
    counts = ruled[ruled["network"].isin(shared)].groupby(["network", "kind"]).size()
    told = pd.concat({name: pd.Series(kinds_of_file(files[name])) for name in shared}, names=["network", "kind"])
    both = pd.DataFrame({"by_rules": counts, "in_files": told}).fillna(0).astype(int).reset_index()
    both["agree"] = both["by_rules"] == both["in_files"]
    table = both.groupby("kind", as_index=False).agg(
        by_rules=("by_rules", "sum"), in_files=("in_files", "sum"), networks=("network", "size"), agree=("agree", "sum")
    )
    return table.sort_values(["in_files", "by_rules", "kind"], ascending=[False, False, True], ignore_index=True)


def as_markdown(table: pd.DataFrame) -> str:
    """Return ``agreement`` as a table for people."""
    lines = ["| kind | by rules | in files | networks with the kind | with equally many |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in table.itertuples(index=False)]
    return "\n".join(lines)
