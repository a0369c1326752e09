"""Numbers as people write them, and whether a text is a spelling of the one that is right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

CLOSE = Decimal("0.000001")
"""Sums of binary fractions differ by less from the exact sum, for the sizes that occur here."""

_PLAIN = re.compile(r"\d+(\.\d*)?([eE][+-]?\d{1,3})?|\.\d+")
_ENGLISH = re.compile(r"\d{1,3}([,'\u00a0\u202f ]\d{3})+(\.\d+)?")
_GERMAN = re.compile(r"\d{1,3}(\.\d{3}){2,}(,\d+)?|\d{1,3}(\.\d{3})+,\d+")
_COMMA = re.compile(r"\d+,\d+")


@dataclass(frozen=True)
class Rounded:
    """A number that is asked for with so many places; both neighbours of a tie are right."""

    exact: Fraction
    places: int

    @property
    def shown(self) -> Decimal:
        """It as most people write it."""
        unit = Decimal(1).scaleb(-self.places)
        digits = Decimal(self.exact.numerator) / Decimal(self.exact.denominator)
        return digits.quantize(unit, rounding=ROUND_HALF_UP)


Number = int | Decimal | Rounded


def readings(text: str) -> set[Decimal]:
    """What numbers a text may stand for: none when it is no number, two for ``1,234``."""
    bare = text.strip().replace("\u2212", "-")
    sign = -1 if bare.startswith("-") else 1
    digits = bare[1:].strip() if bare[:1] in {"-", "+"} else bare
    found: set[Decimal] = set()
    if _PLAIN.fullmatch(digits):
        found.add(sign * Decimal(digits))
    if _ENGLISH.fullmatch(digits):
        found.add(sign * Decimal(re.sub(r"[^\d.]", "", digits)))
    if _GERMAN.fullmatch(digits):
        found.add(sign * Decimal(digits.replace(".", "").replace(",", ".")))
    if _COMMA.fullmatch(digits):
        found.add(sign * Decimal(digits.replace(",", ".")))
    return found


def is_number(value: Decimal, right: Number) -> bool:
    """Whether a number is the one that is right."""
    if not value.is_finite():
        return False
    if not isinstance(right, Rounded):
        return abs(value - right) <= CLOSE
    steps = value.scaleb(right.places)
    if abs(steps - steps.to_integral_value()) > CLOSE * 10:
        return False
    half = Fraction(1, 2 * 10**right.places)
    return abs(Fraction(value) - right.exact) <= half + Fraction(1, 10**9)


def is_spelled(text: str, right: Number) -> bool:
    """Whether a text is a spelling of the number that is right."""
    return any(is_number(value, right) for value in readings(text))


def plainly(right: Number) -> str:
    """The number in digits, as a program writes it."""
    return str(right.shown if isinstance(right, Rounded) else right)
