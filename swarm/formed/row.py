"""Rows of texts, and the types of their columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from swarm.formed.moment import date_in
from swarm.tabular.number_spelling import agreed, spelling_of

Cell = str | int | float | None
Row = dict[str, Cell]
Text = tuple[str, str]
"""The path of a file and its text."""
MOST_CHARACTERS = 60
"""Of a number with its unit, or a date."""
_BLANK = " \u00a0\u202f"
_MEASURED = re.compile(
    rf"(?P<before>(?:[A-Z]{{3}}[{_BLANK}]|[$€£¥][{_BLANK}]?)?)(?P<number>[-+]?\d(?:[\d.,'{_BLANK}]*\d)?)"
    rf"(?P<behind>(?:[{_BLANK}][^\W\d_]{{1,12}}|[{_BLANK}]?(?:[^\W\d_]{{2,12}}|[$€£¥%]))?)"
)
"""A number with at most one unit: a code of letters and digits, ``M19912``, is none."""
_SIGNS = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "%": "percent"}
_NO_UNITS = frozenset({"am", "pm", "st", "nd", "rd", "th"})
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_CODE = re.compile(
    r"(?:^|_)(?:phone|telephone|tel|telefon|fax|mobile|mobil|cell|iban|account|konto|ip)(?:_|$)"
)
"""Names of columns whose digits count nothing."""


def lines_of(text: str) -> list[str]:
    """The lines of a text as an editor counts them: other signs that part lines stand in them."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def typed(rows: Sequence[Row], *, but: Collection[str]) -> list[Row]:
    """The rows with columns of numbers and of dates as such, all of a column or none.

    A column of numbers with one unit, ``295.63 EUR``, has its unit in its name: ``fee_eur``.
    """
    columns = [*dict.fromkeys(name for row in rows for name in row)]
    cells = {name: [row.get(name) for row in rows] for name in columns}
    measured = {
        name: found for name in columns if name not in but and (found := _measured(name, cells[name]))
    }
    numbers = {name: found for name, (_, found) in measured.items()}
    # One country's signs are those of all columns.
    spellings = agreed({name: spelling_of(found, name) for name, found in numbers.items()}, numbers)
    given: dict[str, str] = {}
    for name in columns:
        given[name] = name
        if spelling := spellings.get(name):
            title = _titled(name, measured[name][0])
            given[name] = title if title not in {*columns, *given.values()} else name
            cells[name] = [None if one is None else spelling.read(one) for one in numbers[name]]
        elif name not in but:
            cells[name] = _dated(cells[name])
    return [{given[name]: cells[name][number] for name in columns} for number in range(len(rows))]


def _dated(cells: Sequence[Cell]) -> list[Cell]:
    """The cells as dates, where all are some; else as they are."""
    texts = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    some = [text for text in texts if isinstance(text, str) and text]
    if not some or not all(len(text) <= MOST_CHARACTERS and date_in(text) for text in some):
        return [*texts]
    return [date_in(text) if isinstance(text, str) and text else None for text in texts]


def _measured(name: str, cells: Sequence[Cell]) -> tuple[str, list[str | None]] | None:
    """The one unit of a column of numbers, and the numbers as they are written; None where it is no such column."""
    texts = [cell.strip() if isinstance(cell, str) and cell.strip() else None for cell in cells]
    if _CODE.search(name) or any(text and len(text) > MOST_CHARACTERS for text in texts):
        return None
    found = [_MEASURED.fullmatch(text) if text else None for text in texts]
    some = [one for one in found if one]
    if not some or len(some) < sum(map(bool, texts)) or all(_ADDRESS.fullmatch(one[0]) for one in some):
        return None
    units = {_unit(one) for one in some}
    if len(units) != 1 or units & _NO_UNITS:
        return None
    return units.pop(), [one["number"] if one else None for one in found]


def _unit(found: re.Match[str]) -> str:
    """The unit of a number. Case tells short ones apart: ``m`` and ``M`` are two."""
    unit = re.sub(rf"[{_BLANK}]", "", found["before"] + found["behind"])
    return unit.lower() if len(unit) > 2 else unit


def _titled(name: str, unit: str) -> str:
    unit = _SIGNS.get(unit, unit.lower())
    return name if not unit or f"_{name}".endswith(f"_{unit}") else f"{name}_{unit}"
