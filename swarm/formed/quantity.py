"""Numbers in texts."""

from __future__ import annotations

import re

MOST_DIGITS = 300
"""Of a number: a longer one is a code, and no binary number holds it."""
_SIGN = r"(?:[-+\u2212]|(?<!\S)\u2013(?=\d))?"
_NUMBER = re.compile(
    rf"(?<![\w.,]){_SIGN}(?:(?P<grouped>[1-9]\d{{0,2}}(?P<sign>[.,' \u2019\u00a0\u202f])\d{{3}}(?:(?P=sign)\d{{3}})*+)|(?P<whole>\d++))"
    r"(?:(?P<mark>[.,])(?P<fraction>\d++))?(?!\w|[.,]\d)"
)
"""A number that stands alone: dates (``9.9.2026``), versions and numbers glued to letters are none."""


def first_number(text: str) -> int | float | None:
    """The first number that stands alone in a text; None where none does.

    A sign before three digits that comes again, or before a group that another sign follows, parts thousands.
    ``1,234`` is a thousand, as in English, and ``1.234`` a fraction.
    """
    found = _NUMBER.search(text)
    if found is None or len(found[0]) > MOST_DIGITS:
        return None
    return _value(found)


def _value(found: re.Match[str]) -> int | float:
    is_negative = found[0][0] in "-\u2212\u2013"
    grouped, sign = found["grouped"] or "", found["sign"] or ""
    whole, fraction = found["whole"] or grouped, found["fraction"] or ""
    if sign == "." and whole.count(".") == 1 and not fraction:
        whole, _, fraction = whole.partition(".")
    plain = re.sub(r"\D", "", whole)
    value = float(f"{plain}.{fraction}") if fraction else int(plain)
    return -value if is_negative else value
