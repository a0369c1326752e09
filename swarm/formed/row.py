"""Rows of texts, and the types of their columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from swarm.formed.moment import date_in
from swarm.tabular.spelling import spelling_of

Cell = str | int | float | None
Row = dict[str, Cell]
Text = tuple[str, str]
"""The path of a file and its text."""
_MEASURED = re.compile(
    r"(?P<before>(?:[A-Z]{3} |[$€£¥] ?)?)(?P<number>[-+]?\d(?:[\d.,' ]*\d)?)(?P<behind>(?: [^\W\d_]{1,12}| ?(?:[^\W\d_]{2,12}|[$€£¥%]))?)"
)
"""A number with at most one unit: a code of letters and digits, ``M19912``, is none."""
_SIGNS = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "%": "percent"}


def typed(rows: Sequence[Row], *, but: Collection[str]) -> list[Row]:
    """The rows with columns of numbers and of dates as such, all of a column or none.

    A column of numbers with one unit, ``295.63 EUR``, has its unit in its name: ``fee_eur``.
    """
    columns = [*dict.fromkeys(name for row in rows for name in row)]
    given = {name: name if name in but else "" for name in columns}
    cells: dict[str, list[Cell]] = {}
    for name in columns:
        texts = [row.get(name) for row in rows]
        title, values = (name, texts) if name in but else _column(name, texts)
        given[name] = title if title not in cells else name
        cells[given[name]] = values
    return [{given[name]: cells[given[name]][number] for name in columns} for number in range(len(rows))]


def _column(name: str, cells: Sequence[Cell]) -> tuple[str, list[Cell]]:
    """The name and the cells of a column."""
    texts = [cell.strip() if isinstance(cell, str) else None for cell in cells]
    some = [text for text in texts if text]
    if not some:
        return name, list(texts)
    if (dates := [date_in(text) for text in some]) and all(dates):
        return name, [date_in(text) if text else None for text in texts]
    measured = [_MEASURED.fullmatch(text) for text in some]
    units = {(one["before"] + one["behind"]).replace(" ", "").lower() for one in measured if one}
    if not all(measured) or len(units) != 1:
        return name, list(texts)
    unit = units.pop()
    numbers = [
        one["number"].strip() if text and (one := _MEASURED.fullmatch(text)) else None for text in texts
    ]
    spelling = spelling_of(numbers, name)
    if spelling is None:
        return name, list(texts)
    title = f"{name}_{_SIGNS.get(unit, unit)}" if unit and not name.endswith(unit) else name
    return title, [None if number is None else spelling.read(number) for number in numbers]
