"""Quantities as people write them, read by ``pint``."""

import math
import re
from functools import cache

import pint

from edgejoule.errors import EdgejouleError

#: What may stand in a quantity; pint evaluates products, and a tower of powers would never end.
_PLAIN = re.compile(r"[0-9A-Za-zµμ.+*/ -]{1,60}")


#: Kilobytes as many write them, where pint knows kB only.
_KILOBYTE = re.compile(r"\bKB\b|(?<=[0-9])KB\b")
#: An exponent with the unit right behind it, which pint reads as an imaginary number: 1e2J.
_EXPONENT = re.compile(r"(?<![A-Za-z])([0-9.]+[eE][+-]?[0-9]+)(?=[A-Za-zµμ])")
#: The unit as it was written: what follows the number.
_UNIT = re.compile(r"[A-Za-zµμ].*$")
#: What the units that are asked for measure, for messages.
_KINDS = {
    "millijoule": "energy",
    "joule": "energy",
    "second": "time",
    "millisecond": "time",
    "watt": "power",
    "1/second": "rate",
    "byte": "size",
}


@cache
def _registry() -> pint.UnitRegistry:
    return pint.UnitRegistry()


def parse_quantity(text: str, unit: str, what: str, example: str) -> float:
    """Return ``text`` as a positive number of ``unit``.

    Products are allowed, so a battery may be given as ``3000mAh*3.7V``.

    Args:
        text: what the person wrote.
        unit: the unit to convert to, as pint names it.
        what: the option, for the message.
        example: a valid value, for the message.

    Raises:
        EdgejouleError: not a number with a unit of the right dimension, or not positive and finite.
    """
    if not text.strip():
        raise EdgejouleError(f"{what} is empty; write for instance {example}")
    if "," in text:
        raise EdgejouleError(f"{what} is '{text}'; write decimals with a point and no commas, such as {example}")
    wrong = EdgejouleError(f"{what} is '{text}', which is not a positive quantity such as {example}")
    if not _PLAIN.fullmatch(text.strip()) or "**" in text:
        raise wrong
    registry = _registry()
    try:
        quantity = registry.Quantity(_EXPONENT.sub(r"\1 ", _KILOBYTE.sub("kB", text.strip())))
        bare = quantity.unitless
        value = float("nan") if bare else float(quantity.to(unit).magnitude)
    except pint.UndefinedUnitError as error:
        names = [error.unit_names] if isinstance(error.unit_names, str) else error.unit_names
        raise EdgejouleError(
            f"{what} is '{text}', but '{names[0]}' is no known unit; write for instance {example}"
        ) from error
    except pint.DimensionalityError as error:
        if quantity.check("[current] * [time]") and unit == "joule":
            raise EdgejouleError(
                f"{what} is '{text}', which is a charge: give energy, e.g. 10Wh, or the voltage too, e.g. 3000mAh*3.7V"
            ) from error
        written = _UNIT.search(text)
        named = f"'{written[0]}'" if written else f"'{text}'"
        raise EdgejouleError(
            f"{what} is '{text}', but {named} is no unit of {_KINDS[unit]}; write for instance {example}"
        ) from error
    except (pint.PintError, ValueError, TypeError, ArithmeticError, AssertionError, SyntaxError) as error:
        raise wrong from error
    if bare:
        raise EdgejouleError(f"{what} is '{text}', which has no unit; write for instance {example}")
    if not math.isfinite(value) or value <= 0:
        raise wrong
    return value


def show_energy(millijoule: float) -> str:
    """Return an energy with a readable unit and three or four digits: ``12.34 mJ``, ``1.234 J``."""
    return _show(millijoule * 1e-3, "J")


def show_time(millisecond: float) -> str:
    """Return a time with a readable unit and three or four digits."""
    return _show(millisecond * 1e-3, "s")


def _show(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "unknown"
    for factor, prefix in ((1.0, ""), (1e-3, "m"), (1e-6, "µ")):
        if abs(value) >= factor or prefix == "µ":
            return f"{value / factor:.4g} {prefix}{unit}"
    raise AssertionError("the smallest prefix takes every value")
