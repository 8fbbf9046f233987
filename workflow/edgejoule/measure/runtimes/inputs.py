"""The same pseudo-random input for every runtime."""

from collections.abc import Sequence

import numpy as np

from edgejoule.errors import EdgejouleError


def random_input(name: str, shape: Sequence, dtype: np.dtype | type, seed: int = 0) -> np.ndarray:
    """Return a standard-normal tensor, or small whole numbers for integer types (token and mask inputs).

    Args:
        name: of the input, for the message.
        shape: of the input; every length has to be a number.
        dtype: of the input.
        seed: of the generator; equal seeds give equal inputs.

    Raises:
        EdgejouleError: a length is symbolic.
    """
    if any(not isinstance(length, int) or length <= 0 for length in shape):
        raise EdgejouleError(
            f"input '{name}' has the shape {list(shape)}; measuring needs fixed lengths: export with a batch size"
        )
    generator = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return generator.standard_normal(shape, dtype=np.float32).astype(dtype)
    return generator.integers(0, 2, size=shape).astype(dtype)
