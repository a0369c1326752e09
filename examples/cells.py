"""When two cells of a table mean the same: numbers, dates and months in the forms people write."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

Kind = Literal["text", "number", "date", "month", "phrase"]
"""``phrase``: the cell must have the expected words in it."""

_MONTHS = ("%Y-%m", "%B %Y", "%b %Y", "%Y-%m-%d", "%m/%Y")
_DATES = ("%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%d %b %Y", "%Y-%m-%dT%H:%M:%S")


def is_same(kind: Kind, cell: str, expected: str) -> bool:
    """Whether a cell says what is expected."""
    if kind == "phrase":
        return canonical("text", expected) in canonical("text", cell)
    return canonical(kind, cell) == canonical(kind, expected)


def canonical(kind: Kind, cell: str) -> str:
    """The one form of all the ways to write a cell; a cell that is not of its kind stays as it is."""
    text = cell.strip()
    if kind == "number":
        return _number(text)
    if kind == "date":
        return _moment(text, _DATES, "%Y-%m-%d")
    if kind == "month":
        return _moment(text, _MONTHS, "%Y-%m")
    return re.sub(r"[^0-9a-z]+", " ", text.casefold()).strip()


def _number(text: str) -> str:
    try:
        return str(Decimal(re.sub(r"[\s,_]", "", text)).quantize(Decimal("0.01")))
    except InvalidOperation:
        return text


def _moment(text: str, forms: tuple[str, ...], wanted: str) -> str:
    for form in forms:
        try:
            # Data of an example has calendar dates only, without a zone.
            return datetime.strptime(text, form).strftime(wanted)
        except ValueError:
            continue
    return text


def written(day: date) -> str:
    """A date as prose has it: ``12 March 2026``."""
    return f"{day.day} {day:%B %Y}"


def sentences(text: str) -> list[str]:
    """The lines and sentences of a text, without the empty ones."""
    return [part.strip() for part in re.split(r"\n|(?<=[.!?;])\s+", text) if part.strip()]
