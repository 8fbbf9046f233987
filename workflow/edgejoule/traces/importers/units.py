"""Which columns of a table hold what, in which units, as far as their names say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgejoule.config.models import TraceColumns
from edgejoule.errors import EdgejouleError

TIME_NS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1, "min": 60e9}
POWER_W = {"W": 1.0, "mW": 1e-3, "uW": 1e-6}
CURRENT_A = {"A": 1.0, "mA": 1e-3, "uA": 1e-6, "nA": 1e-9}
VOLTAGE_V = {"V": 1.0, "mV": 1e-3}
ENERGY_J = {"J": 1.0, "mJ": 1e-3, "uJ": 1e-6, "Wh": 3600.0}


@dataclass(frozen=True)
class Role:
    """What a column may hold: its units, and the words by which its name is known."""

    units: tuple[str, ...]
    words: str


#: In the order in which a name is tried.
ROLES = {
    "time": Role((*TIME_NS, "datetime"), r"time(?:stamp)?|(?-i:^t(?:_[mun]?s)?$)"),
    "energy": Role(tuple(ENERGY_J), r"energy"),
    "power": Role(tuple(POWER_W), r"power|^(?:milli|micro)?watts?$|(?-i:^[mu]?W$)"),
    "current": Role(tuple(CURRENT_A), r"current|^main$|^usb$|^aux$"),
    "voltage": Role(tuple(VOLTAGE_V), r"volt(?:age|s)?"),
}
#: What may follow the word and is no unit.
NO_UNIT = {
    "average", "avg", "board", "consumption", "counter", "cpu", "cumulative", "dc", "device", "draw", "elapsed",
    "gpu", "in", "input", "main", "mean", "out", "output", "package", "pkg", "raw", "reading", "smoothed", "soc",
    "start", "sum", "system", "total", "usage", "used", "value", "wall",
}  # fmt: skip
#: Words that say that a column holds no readings but what they may be, or may have been.
NO_READING = {
    "cap", "default", "limit", "max", "maximum", "min", "minimum", "peak", "set", "setpoint", "target", "threshold",
}  # fmt: skip
#: Units spelt out: milliwatts, usec.
SPELT = re.compile(r"(milli|micro|nano|[mun])?(watt|joule|ampere|amp|volt|second|sec|minute)s?")
PREFIXES = {"milli": "m", "micro": "u", "nano": "n"}
SYMBOLS = {"ampere": "A", "amp": "A", "second": "s", "sec": "s", "minute": "min"}
#: What stands where a unit of time would and says that it is a date and a time of day.
DATES = {"utc", "gmt", "local", "iso8601"}


def guess_columns(
    names: Sequence[str], stated: Mapping[str, object], where: str, preferred: Sequence[str] = ()
) -> TraceColumns:
    """Return what the names of columns say about those that are not stated.

    ``Main(mA)`` is a current in mA, ``power.draw [W]`` a power in W, ``power_mW`` and ``powerMw`` a power in mW,
    ``time_us`` a time in us.

    Args:
        names: of the columns.
        stated: fields of ``TraceColumns`` that somebody stated; nothing is guessed against them.
        where: the file, for messages.
        preferred: patterns of the names, without units, of a known format's columns, in the order in which they are
            chosen where several could be the same.

    Raises:
        EdgejouleError: a column that is needed seems to have a unit, but none that is known, or is one of several.
    """
    candidates: dict[str, dict[str, str]] = {}
    odd: dict[str, tuple[str, str]] = {}
    for name in names:
        role = _role_of(name)
        if role is None or role in stated:
            continue
        unit, unknown = unit_of(name, role)
        if unknown and f"{role}_unit" not in stated:
            odd.setdefault(role, (name, unknown))
        else:
            candidates.setdefault(role, {})[name] = unit
    found: dict[str, object] = {}
    for role, units in candidates.items():
        # Current and voltage do not matter where there is power.
        if role in ("current", "voltage") and "power" in {*candidates, *stated}:
            continue
        name = _one_of(list(units), role, where, preferred)
        found[role] = name
        if units[name]:
            found[f"{role}_unit"] = units[name]
    for role in ROLES:
        if isinstance(stated.get(role), str) and (unit := unit_of(str(stated[role]), role)[0]):
            found[f"{role}_unit"] = unit
    for role, (name, unknown) in odd.items():
        spare = role in ("current", "voltage") and "power" in {*found, *stated, *odd}
        if role in found or spare:
            continue
        units = ROLES[role].units
        raise EdgejouleError(
            f"{where}: column '{name}': '{unknown}' is no unit of {role} known here ({', '.join(units)}); "
            f"state its unit with --column {role}_unit=..., or another column with --column {role}=..."
        )
    return TraceColumns.model_validate(found)


def _one_of(names: Sequence[str], role: str, where: str, preferred: Sequence[str]) -> str:
    """Return the column of a role: the only one, or that which a known format prefers."""
    if len(names) == 1:
        return names[0]
    for pattern in preferred:
        for name in names:
            if re.fullmatch(pattern, _split(name)[0], re.IGNORECASE):
                return name
    listed = ", ".join(f"'{name}'" for name in names)
    raise EdgejouleError(f"{where}: columns {listed} could be {role}; state one with --column {role}={names[-1]}")


def assumed_units(columns: TraceColumns) -> tuple[str, ...]:
    """Return a note on the columns whose units neither their names, nor a format, nor anybody said; else nothing."""
    used = ["time", *(["power"] if columns.power else ["current", "voltage"]), "energy"]
    unsaid = {
        role: getattr(columns, f"{role}_unit")
        for role in used
        if isinstance(getattr(columns, role), str) and f"{role}_unit" not in columns.model_fields_set
    }
    if not unsaid:
        return ()
    taken = ", ".join(f"'{getattr(columns, role)}' is taken to be in {unit}" for role, unit in unsaid.items())
    return (f"no unit is said: {taken}; if not, state it, such as --column {list(unsaid)[-1]}_unit=...",)


def unit_of(name: str, role: str) -> tuple[str, str]:
    """Return the unit that a column's name says for a role, and what stands there but is none known.

    Either is empty where there is none: ``power_mW`` has ``("mW", "")``, ``power_hp`` ``("", "hp")``.
    """
    units = ROLES[role].units
    word, bracketed = _split(name)
    if bracketed:
        unit = _unit_named(bracketed, units)
        return unit, "" if unit else bracketed
    *before, last = re.split(r"[_\-\s./]+", word.strip("_-. /\t"))
    match = re.search(ROLES[role].words, last, re.IGNORECASE)
    rest = last[match.end() :] if match else last
    # A name may be nothing but a unit: watts, W.
    if unit := _unit_named(rest or last, units):
        return unit, ""
    # Glued to its word, as in 'timeline' or 'power1', it is a unit only where a capital starts it.
    if rest and (rest[0].isupper() if match else before and rest[0].isalpha()) and rest.lower() not in NO_UNIT:
        return "", rest
    return next((unit for part in before if (unit := _unit_named(part, units))), ""), ""


def _role_of(name: str) -> str | None:
    word, bracketed = _split(name)
    # In a column of time, 'min' is its unit.
    words = {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", word)}
    if words & NO_READING and not re.search(ROLES["time"].words, word, re.IGNORECASE):
        return None
    by_word = next((role for role, about in ROLES.items() if re.search(about.words, word, re.IGNORECASE)), None)
    # A unit in brackets decides, but seconds may also be a duration; a word decides where there is none.
    for role, about in ROLES.items() if bracketed else ():
        if _unit_named(bracketed, about.units) and (role != "time" or "time" in word.lower()):
            return role
    return by_word


def _split(name: str) -> tuple[str, str]:
    """Return a column's name without brackets, and what stands in them, with one sign for micro."""
    name = name.replace("\u00b5", "u").replace("\u03bc", "u")
    match = re.search(r"[(\[]\s*([^)\]]+?)\s*[)\]]", name)
    return re.sub(r"[(\[].*", "", name).strip(), match[1] if match else ""


def _unit_named(text: str, units: Sequence[str]) -> str:
    """Return the unit that a text names, or nothing; ``MW`` is not taken for ``mW``."""
    if text in units:
        return text
    if text.lower() in DATES and "datetime" in units:
        return "datetime"
    if text.isupper() and text != "S":
        return ""
    text = text.lower()
    if match := SPELT.fullmatch(text):
        prefix, word = match.groups(default="")
        text = (PREFIXES.get(prefix, prefix) + SYMBOLS.get(word, word[0])).lower()
    return next((unit for unit in units if unit.lower() == text), "")
