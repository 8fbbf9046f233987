"""What a configuration says of a kernel's model in any format: its builder, padding and second operand."""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import TypeVar

from edgejoule.errors import EdgejouleError

B = TypeVar("B")
Configuration = Mapping[str, object]


def builder_of(c: Configuration, builders: Mapping[str, B]) -> B:
    """Return what builds a kernel of this kind.

    Raises:
        EdgejouleError: the kind cannot be rebuilt from a configuration alone.
    """
    kind = str(c["kind"])
    if kind not in builders:
        raise EdgejouleError(
            f"kernel '{c['kernel']}': a kernel of kind '{kind}' cannot be rebuilt from its configuration; "
            "it is timed inside its networks only (nodes.parquet)"
        )
    return builders[kind]


def margins(c: Configuration) -> list[tuple[int, int]]:
    """Return the padding before and behind height and width that takes the input map to the output map.

    It is split evenly, the odd row or column at the end.
    """
    pairs = []
    for axis in ("height", "width"):
        reach = (c[f"output_{axis}"] - 1) * c["stride"] + c["dilation"] * (c[f"kernel_{axis}"] - 1) + 1
        total = max(0, reach - c[f"input_{axis}"])
        pairs.append((total // 2, total - total // 2))
    return pairs


def second_operand(
    c: Configuration, shape: tuple[int, ...], elements: int, keeping: Iterable[tuple[bool, ...]]
) -> tuple[int, ...]:
    """Return the shape of the second operand, which is broadcast: the first one with as many elements as were counted.

    Args:
        c: the kernel.
        shape: of the first operand.
        elements: of the second one.
        keeping: which axes it may share with the first one, likeliest first.

    Raises:
        EdgejouleError: none of these has so many elements.
    """
    for kept in keeping:
        other = tuple(size if keep else 1 for size, keep in zip(shape, kept, strict=True))
        if math.prod(other) == elements:
            return other
    raise EdgejouleError(
        f"kernel '{c['kernel']}': its second operand has {elements} elements, which no broadcast to {shape} explains"
    )


def channels_first(c: Configuration, shape: tuple[int, ...], elements: int) -> tuple[int, ...]:
    """Return the second operand's shape; of several, the one that keeps the foremost axes behind the batch.

    That is a scale per channel rather than one per column.

    Raises:
        EdgejouleError: no broadcast has so many elements.
    """
    rests = [*itertools.product((True, False), repeat=len(shape) - 1)]
    return second_operand(c, shape, elements, [(batch, *rest) for batch in (False, True) for rest in rests])
