"""What a file says, apart from how it is written: rows of a table, JSON, or words."""

from __future__ import annotations

import csv
import decimal
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import JsonValue

from swarm.program.saving import LINES, SEPARATED

_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?![\w-])|[\w@./:+-]*\w")
_PLAIN_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]\d{1,3})?")
"""As programs write numbers; what begins with a nought, as many ids do, is none."""
_CLAUSE = re.compile(r"[\n;.!?](?:\s|$)|,\s|\s(?:and|but|while)\s")
_SMALL = re.compile(
    r"an?|the|is|are|was|were|be|been|has|have|had|of|in|on|at|to|for|by|from|with|as|its?|that|this|these|those"
    r"|there|and|or|so|which|who|total|answer|result"
)
"""Words that say nothing of their own beside a name or a number."""
DIGITS = 12
"""Of a fraction that are compared: what lies behind them comes of adding floats in another order."""


@dataclass(frozen=True)
class Rows:
    """A table: its columns in their order, and its rows."""

    columns: tuple[str, ...]
    cells: tuple[tuple[JsonValue, ...], ...]


Contents = Rows | JsonValue


def contents(name: str, text: str) -> Contents:
    """What a file of that name says: a table, JSON, or the text.

    Raises:
        ValueError: it does not parse as what its name's ending says.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending in SEPARATED:
        return separated(text, SEPARATED[ending])
    if ending in LINES:
        return _of_json([json.loads(line) for line in text.splitlines() if line.strip()])
    if ending == ".json":
        return _of_json(json.loads(text))
    return text


def separated(text: str, separator: str) -> Rows:
    """The table in a text with separators.

    Raises:
        ValueError: its rows differ in length.
    """
    try:
        rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if row
        ]
    except csv.Error as error:
        raise ValueError(str(error)) from error
    header, *body = rows or [[]]
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} cells, and the first has {len(header)}")
    return Rows(tuple(header), tuple(tuple(row) for row in body))


def _of_json(data: JsonValue) -> Contents:
    if not isinstance(data, list) or not data or not all(isinstance(row, dict) for row in data):
        return data
    rows = [row for row in data if isinstance(row, dict)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Rows(tuple(names), tuple(tuple(row.get(name) for name in names) for row in rows))


def canonical(found: Contents) -> JsonValue:
    """What is said, without what two right ways of writing it may differ in: the order of rows, how a number
    is spelled, spaces within a line, letter case of column names."""
    if isinstance(found, Rows):
        names = _folded(found.columns)
        order = sorted(range(len(names)), key=lambda at: names[at])
        rows = [[_value(row[at]) for at in order] for row in found.cells]
        # No other value has a None in it, so that none is taken for a table.
        return {"table": None, "columns": [names[at] for at in order], "rows": sorted(rows, key=_key)}
    if isinstance(found, str):
        lines = [_value(line) for line in found.splitlines() if line.strip()]
        return lines[0] if len(lines) == 1 else lines
    return _value(found)


def _key(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _folded(names: Sequence[str]) -> list[str]:
    """The names without their letter case, where that leaves them different."""
    folded = [name.strip().casefold() for name in names]
    return folded if len(set(folded)) == len(folded) else [*names]


def _value(value: JsonValue) -> JsonValue:
    match value:
        case bool():
            return value
        case None:
            return ""
        case int() | float():
            return _number(value)
        case str():
            text = " ".join(value.split())
            return _number(text) if _PLAIN_NUMBER.fullmatch(text) else text
        case list():
            values = [_value(one) for one in value]
            return sorted(values, key=_key) if all(isinstance(one, dict) for one in value) else values
        case dict():
            names = dict(zip(value, _folded([*value]), strict=True))
            return {names[key]: _value(one) for key, one in value.items()}


def _number(value: float | str) -> JsonValue:
    """A number in the one way that it is compared in: whole ones to the last digit, fractions to the twelfth."""
    if isinstance(value, int):
        return {"number": f"{value:d}" if abs(value) < 10**400 else hex(value)}
    exact = decimal.Decimal(repr(value) if isinstance(value, float) else value)
    if exact == exact.to_integral_value():
        return {"number": f"{exact.to_integral_value():f}" if exact else "0"}
    # Cents and their fractions are compared however large the sum is.
    with decimal.localcontext(prec=max(DIGITS, exact.adjusted() + 5)):
        return {"number": f"{(+exact).normalize():f}"}


def words(text: str) -> JsonValue:
    """A text as what each of its clauses holds: names, numbers and other words, whatever their order and what small
    words stand between them."""
    clauses: list[JsonValue] = []
    for clause in _CLAUSE.split(text.casefold()):
        found = {_key(_spelled(word)) for word in _WORD.findall(clause) if not _SMALL.fullmatch(word)}
        if found:
            clauses.append([*sorted(found)])
    return sorted(clauses, key=_key)


def numbers(text: str) -> list[str]:
    """The numbers of a text, in their order."""
    return [_key(_spelled(number)) for number in _NUMBER.findall(text)]


def _spelled(word: str) -> JsonValue:
    if not _NUMBER.fullmatch(word):
        return word
    plain = re.sub(r",(?=\d{3}(?:\D|$))", "", word)
    return _number(plain) if _PLAIN_NUMBER.fullmatch(plain) else plain


def is_hollow(found: Contents) -> bool:
    """Whether there is nothing in it: no rows, no text, or nothing but zeros and gaps."""
    if isinstance(found, Rows):
        return not found.cells or any(
            _are_nothing([row[at] for row in found.cells]) for at in range(len(found.columns))
        )
    if isinstance(found, dict):
        return not found or _are_nothing([*found.values()])
    if isinstance(found, list):
        return not found or _are_nothing(found)
    return _are_nothing([found])


def _are_nothing(cells: Sequence[JsonValue]) -> bool:
    return all(cell is None or cell in ("", 0, "0", [], {}) or _is_zero(cell) for cell in cells)


def _is_zero(cell: JsonValue) -> bool:
    return isinstance(cell, str) and (
        not cell.strip() or re.fullmatch(r"0+(?:\.0+)?", cell.strip()) is not None
    )
