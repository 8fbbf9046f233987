"""Nearest valid names, for messages about misspelt ones."""

from collections.abc import Iterable
from difflib import get_close_matches

#: So many names that begin as the one that was given are all offered; so many that are valid are all listed.
FEW, MANY = 4, 12


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return the end of an error sentence that names the nearest valid names, or lists some.

    >>> did_you_mean("mobilnet", ["mobilenet", "resnet"])
    "did you mean 'mobilenet'?"
    """
    valid = sorted(set(valid))
    begun = [one for one in valid if name and one.startswith(name)]
    near = begun if len(begun) <= FEW and begun else get_close_matches(name, valid, n=1, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    if not valid:
        return "there is none to choose from"
    listed = ", ".join(valid[:MANY]) + (", ..." if len(valid) > MANY else "")
    return f"valid: {listed}"
