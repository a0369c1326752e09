"""Numbers in texts."""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"(?<![\w.,])[-+]?(?:\d{1,3}(?:([.,' \u00a0\u202f])\d{3})(?:\1\d{3})*|\d+)(?:([.,])\d+)?(?![\w])"
)


def first_number(text: str) -> int | float | None:
    """The first number that stands alone in a text; None where none does.

    A sign before three digits that comes again, or before a group that another sign follows, parts thousands.
    ``1,234`` is a thousand, as in English, and ``1.234`` a fraction.
    """
    found = _NUMBER.search(text)
    return None if found is None else _value(found[0])


def _value(said: str) -> int | float:
    plain = re.sub(r"[' \u00a0\u202f]", "", said)
    signs = [sign for sign in plain if sign in ".,"]
    if not signs:
        return int(plain)
    last = signs[-1]
    is_fraction = len(set(signs)) == 2 or (
        len(signs) == 1 and not (last == "," and re.search(r",\d{3}$", plain))
    )
    if not is_fraction:
        return int(re.sub(r"[.,]", "", plain))
    whole, _, fraction = plain.rpartition(last)
    return float(f"{re.sub(r'[.,]', '', whole)}.{fraction}")
