"""Nearest valid names, for messages about misspelt ones."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return the end of an error sentence that names the nearest valid name, or lists a few.

    >>> did_you_mean("mobilnet", ["mobilenet", "resnet"])
    "did you mean 'mobilenet'?"
    """
    valid = sorted(set(valid))
    near = get_close_matches(name, valid, n=1, cutoff=0.5)
    if near:
        return f"did you mean '{near[0]}'?"
    if not valid:
        return "there is none to choose from"
    listed = ", ".join(valid[:8]) + (", ..." if len(valid) > 8 else "")
    return f"valid: {listed}"
