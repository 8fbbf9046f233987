"""Putting data and parts into a page of HTML."""

import json
from collections.abc import Mapping


def embeddable(data: object) -> str:
    """Return JSON that may stand in a script element: ``<`` would end it if it came before ``/script``."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def fill(page: str, parts: Mapping[str, str]) -> str:
    """Return ``page`` with each ``{{ name }}`` replaced by that part.

    >>> fill("<p>{{ a }}</p>", {"a": "x"})
    '<p>x</p>'
    """
    first, *rest = page.split("{{")
    pieces = [first]
    for piece in rest:
        name, _, after = piece.partition("}}")
        pieces.append(parts[name.strip()] + after)
    return "".join(pieces)
