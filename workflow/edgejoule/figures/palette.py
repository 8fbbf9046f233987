"""Colours, markers and the names that people read. Nothing heavy is imported here."""

from collections import Counter
from collections.abc import Iterable
from zlib import crc32

#: Okabe and Ito's palette (Wong, Nature Methods 8, 441, 2011), safe for colour-blind readers. Their yellow, which does
#: not show as a line on white, gives way to a violet and an olive; their black is for devices alone.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#4B2991", "#7A6A2F")
DEVICE_COLOURS = (*COLOURS, "#000000")
MARKERS = ("o", "s", "^", "D", "v", "<", ">", "p", "h")
#: The devices that ship, in the order in which colours and markers are dealt out. Append only: a device keeps its look
#: whatever else is configured. A device that is not here gets a look from its name.
DEVICES = (
    "rpi4-tflite-v2.7.1-ruy",
    "firefly-armnn-v22.05-opencl",
    "odroid-armnn-v21.11-opencl",
    "xavier-power.0-fan.cool-tflite-v2.7.1-ruy",
    "rpi4-armnn-v21.11-neon",
    "epyc-onnxruntime-2t",
    "epyc-onnxruntime-1t",
    "epyc-openvino-1t",
    "epyc-litert-1t",
    "AGX_Xavier_TRT_MaxQ",
    "Orin_TRT_MaxQ",
    "Xavier_NX_TRT_MaxQ",
    "NUCLEO-H7A3ZI-Q",
    "NUCLEO-L4R5ZI_X-CUBE-AI-7.3",
    "NUCLEO_H7A3ZI_Q",
    "NUCLEO_L4R5ZI",
    "NUCLEO_L4R5ZI-P",
    "NUCLEO_U575ZI_Q",
    "Nucleo-L4R5ZI",
    "microtvm_native-NUCLEO_L4R5ZI",
    "syntiant_9120_0v9_30mhz",
    "nvidia-h200-fp32-b1",
    "nvidia-h200-fp16-b1",
    "nvidia-h200-fp32-b32",
)
#: Kernel kinds in the order in which colours are dealt out, then the same colours hatched: a kind looks the same in all
#: pictures of all runs. Append only. Kinds that are not here take what a picture leaves free.
KINDS = (
    *("conv+bn+relu", "dwconv+bn+relu", "fc", "add", "mul", "layernorm", "gelu", "matmul"),
    *("swish", "hswish", "softmax", "global-avgpool", "concat", "reorder", "transpose", "attention"),
    *("bn+relu", "bn", "relu", "reshape", "slice", "add+relu", "avgpool", "maxpool"),
    *("sigmoid", "split", "reduce", "channel-shuffle", "groupnorm", "pad", "resize", "hsigmoid"),
)
#: Time of nodes that could not be told to be one kernel of the graph.
UNTOLD = "not told apart"
HATCHES = ("", "/////", ".....", "xxxxx")
OTHER = "#9ca3af"
INK = "#1f2937"
FAINT = "#6b7280"

PRECISION_MARKERS = {"fp32": "o", "fp16": "D", "int8": "s"}

#: Metric: what it is called, its unit.
METRICS = {
    "latency_ms": ("latency", "ms"),
    "power_w": ("power", "W"),
    "energy_mj": ("energy per inference", "mJ"),
    "energy_above_idle_mj": ("energy above idle", "mJ"),
}

#: Predictor: name in legends, colour, line style.
PREDICTORS = {
    "edgejoule": ("edgejoule", "#0072B2", "-"),
    "macs-bytes-linear": ("linear in MACs and bytes", "#009E73", "-"),
    "gbm-network": ("gradient boosting on networks", "#E69F00", "--"),
    "random-forest-network": ("random forest on networks", "#CC79A7", "--"),
    "random-forest-per-kernel": ("random forest on kernels", "#56B4E9", "--"),
    "macs-linear": ("linear in MACs", "#D55E00", ":"),
}

#: Method of recommendation: name in legends, colour, line style.
METHODS = {
    "oracle-mix": ("oracle, mix of two", "#1f2937", "-"),
    "oracle-single": ("oracle, one network", "#6b7280", "--"),
    "refine": ("mix, refined by measuring", "#0072B2", "--"),
    "mix": ("mix of two", "#56B4E9", "-"),
    "mix-margin": ("mix with a margin", "#009E73", "-"),
    "single": ("one network (Hanafy et al. 2021, as we read it)", "#E69F00", "-"),
    "nearest-budget": ("nearest to the budget", "#7A6A2F", ":"),
    "accuracy-per-joule": ("best accuracy per joule", "#D55E00", ":"),
}


def device_look(name: str) -> tuple[str, str]:
    """Return a device's colour and marker, which do not depend on the other devices of a run.

    Each device that ships has a pair of its own. Others share the remaining pairs by a checksum of their names, so two
    of them look alike in one run out of a few dozen.

    >>> device_look("rpi4-tflite-v2.7.1-ruy"), device_look("epyc-litert-1t")
    (('#0072B2', 'o'), ('#000000', 'h'))
    """
    count = len(DEVICE_COLOURS) * len(MARKERS)
    if name in DEVICES:
        at = DEVICES.index(name)
    else:
        at = len(DEVICES) + crc32(name.encode()) % (count - len(DEVICES))
    lap, colour = divmod(at, len(DEVICE_COLOURS))
    return DEVICE_COLOURS[colour], MARKERS[(colour + lap) % len(MARKERS)]


def family_colours(families: Iterable[str]) -> dict[str, str]:
    """Give each of the most frequent families a colour, in order of name; the rest share grey.

    Args:
        families: family of each row, over all devices, so that a family has one colour in all figures.
    """
    counts = Counter(families)
    frequent = sorted(counts, key=lambda family: (-counts[family], family))[: len(COLOURS)]
    shown = dict(zip(sorted(frequent), COLOURS, strict=False))
    return {family: shown.get(family, OTHER) for family in sorted(counts)}


def kind_looks(kinds: Iterable[str], named: int) -> dict[str, tuple[str, str]]:
    """Return colour and hatch of each kernel kind, in the order given; kinds behind the first ``named`` are grey.

    Args:
        kinds: kernel kinds, or a runtime's own names of nodes.
        named: how many of them are shown by name.

    >>> kind_looks(["fc", "softmax", "Convolution GEMM", "9 other kinds"], 3)["softmax"]
    ('#009E73', '/////')
    """
    kinds = list(kinds)
    looks = [(colour, hatch) for hatch in HATCHES for colour in COLOURS]
    own = dict(zip(KINDS, looks, strict=True))
    free = (look for look in looks if look not in {own[kind] for kind in kinds[:named] if kind in own})
    return {
        kind: (OTHER, HATCHES[1])
        if kind == UNTOLD
        else (OTHER, "")
        if i >= named
        else own[kind]
        if kind in own
        else next(free)
        for i, kind in enumerate(kinds)
    }


def text_colour(background: str) -> str:
    """Return the colour of text on ``background``: ink or white, whichever has the greater contrast (WCAG 2.1).

    >>> text_colour("#0072B2"), text_colour("#E69F00")
    ('white', '#1f2937')
    """
    contrast = (1.05) / (_luminance(background) + 0.05), (_luminance(background) + 0.05) / (_luminance(INK) + 0.05)
    return "white" if contrast[0] > contrast[1] else INK


def _luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def number(value: float) -> str:
    r"""Write a figure with three significant digits and no exponent.

    >>> [number(value) for value in (0, 0.01234, 4.5678, 123.4, 12345)]
    ['0', '0.0123', '4.57', '123', '12\xa0300']
    """
    rounded = float(f"{value:.3g}")
    if abs(rounded) < 1000:
        return f"{rounded:.12f}".rstrip("0").rstrip(".")
    return f"{rounded:,.0f}".replace(",", "\N{NO-BREAK SPACE}")


def percent(value: float) -> str:
    """Write a percentage: one digit behind the point below ten, none above.

    >>> percent(4.321), percent(43.21)
    ('4.3 %', '43 %')
    """
    return f"{value:.1f} %" if abs(value) < 9.95 else f"{value:.0f} %"
