"""A runtime's rules: which operators it executes as one kernel.

The rules are data, one file per runtime in ``fusions/``:

``operators``   small operators that exporters write as several nodes and the runtime has as one (``patterns.yaml``)
``views``       operators that only change a tensor's shape in the runtime's layout: no kernel
``head``        operator: operators in front of it that it absorbs; a ``Pad`` only if the window could pad alike
``tail``        operator: slots of operators that it absorbs behind it, in this order, each at most once; a slot that
                holds ``*`` may repeat
``layout``      how activations lie in memory
``builders``    whose networks it is described for: TensorFlow Lite's runtimes take the checkpoints published for them
``precisions``  in which precisions
``source``      where the rules are from
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from edgejoule.errors import EdgejouleError
from edgejoule.names import did_you_mean

_STEP = re.compile(r"^\s*(\w+)\s*=\s*(\w+)\((.*)\)\s*$")


@dataclass(frozen=True)
class Step:
    """One line of a pattern: ``result = operator(arguments)``."""

    result: str
    operator: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """One runtime's rules."""

    runtime: str
    source: str
    layout: str
    builders: tuple[str, ...]
    precisions: tuple[str, ...]
    operators: tuple[str, ...]
    views: frozenset[str]
    head: Mapping[str, frozenset[str]]
    tail: Mapping[str, tuple[tuple[frozenset[str], bool], ...]]


@cache
def runtimes() -> tuple[str, ...]:
    """Return the runtimes that have a rules file."""
    folder = files("edgejoule.graphs") / "fusions"
    return tuple(sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml")))


@cache
def load_rules(runtime: str) -> Rules:
    """Read a runtime's rules.

    Raises:
        EdgejouleError: there is no rules file for this runtime, or it names an unknown key or pattern.
    """
    if runtime not in runtimes():
        raise EdgejouleError(f"runtime is '{runtime}', which has no rules; {did_you_mean(runtime, runtimes())}")
    where = f"fusions/{runtime}.yaml"
    data = yaml.safe_load((files("edgejoule.graphs") / "fusions" / f"{runtime}.yaml").read_text(encoding="utf-8"))
    unknown = set(data) - {"source", "layout", "builders", "precisions", "operators", "views", "head", "tail"}
    if unknown:
        raise EdgejouleError(f"{where}: unknown key '{sorted(unknown)[0]}'; see edgejoule.graphs.rules")
    for name in data["operators"]:
        if name not in patterns():
            raise EdgejouleError(f"{where}: no pattern for '{name}'; {did_you_mean(name, patterns())}")
    return Rules(
        runtime,
        data["source"],
        data["layout"],
        tuple(data["builders"]),
        tuple(data["precisions"]),
        tuple(data["operators"]),
        frozenset(data["views"]),
        {anchor: frozenset(heads) for anchor, heads in data["head"].items()},
        {anchor: tuple(_slot(slot) for slot in slots) for anchor, slots in data["tail"].items()},
    )


def _slot(words: list[str]) -> tuple[frozenset[str], bool]:
    return frozenset(word for word in words if word != "*"), "*" in words


@cache
def patterns() -> dict[str, list[tuple[Step, ...]]]:
    """Return the ways in which exporters write each small operator."""
    text = (files("edgejoule.graphs") / "patterns.yaml").read_text(encoding="utf-8")
    return {
        name: [tuple(_step(line) for line in steps) for steps in many] for name, many in yaml.safe_load(text).items()
    }


def _step(line: str) -> Step:
    found = _STEP.match(line)
    if not found:
        raise EdgejouleError(f"patterns.yaml: '{line}' is no step; write result = Operator(argument, ...)")
    return Step(found[1], found[2], tuple(part.strip() for part in found[3].split(",")))
