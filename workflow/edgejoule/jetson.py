"""Rails of NVIDIA's Jetson boards: how ``tegrastats`` prints their power, and which of them make up the board's power.

Meters and importers share it, so that a board counts alike live and replayed; a board that records needs nothing but
the standard library for it.
"""

import re
from collections.abc import Iterable

#: ``VDD_IN 4021mW/4000mW`` or, in older versions, ``POM_5V_IN 2101/2101``: now / running mean, in mW.
RAIL = re.compile(r"\b([A-Z][A-Z0-9_]*[A-Z0-9]) (-?\d+)(?:mW)?/-?\d+(?:mW)?(?=\s|/|$)")
#: What is written like a rail but is none.
NO_RAILS = {"RAM", "SWAP", "IRAM"}
#: Rails of the whole board's input, by generation; without one, all rails are parts of the total.
TOTALS = ("VDD_IN", "POM_5V_IN", "VIN")
#: Rails that another one feeds, and which: they do not count beside it. The AGX Orin's memory is fed by its 5 V input.
PARTS = {"VDDQ_VDD2_1V8AO": "VIN_SYS_5V0"}


def rails_in(line: str) -> dict[str, float]:
    """Return the power (W) of each rail that a line of tegrastats names; empty where it names none."""
    return {name: int(now) * 1e-3 for name, now in RAIL.findall(line) if name not in NO_RAILS}


def counted(names: Iterable[str]) -> set[str]:
    """Return those of a board's rails whose sum is its power: its input, or all that no other one feeds."""
    names = set(names)
    total = next((name for name in TOTALS if name in names), None)
    return {total} if total else {name for name in names if PARTS.get(name) not in names}
