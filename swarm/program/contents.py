"""What a file says, apart from how it is written: rows of a table, JSON, or words."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import JsonValue

from swarm.program.saving import LINES, SEPARATED

_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*")
_PLAIN_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_NAMED = re.compile(r"[\w./-]*[\d_A-Z][\w./-]*\w|\w*[A-Z\d]\w*")
"""Words that are names or values and not the writer's own: with a digit, a capital or an underscore."""


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
    is spelled, spaces, letter case of column names."""
    if isinstance(found, Rows):
        order = sorted(range(len(found.columns)), key=lambda at: found.columns[at].strip().casefold())
        rows = [[_value(row[at]) for at in order] for row in found.cells]
        return [[found.columns[at].strip().casefold() for at in order], sorted(rows, key=_key)]
    return _value(found)


def _key(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _value(value: JsonValue) -> JsonValue:
    match value:
        case bool() | None:
            return "" if value is None else value
        case int() | float():
            return float(f"{value:.10g}")
        case str():
            text = " ".join(value.split())
            return float(f"{float(text):.10g}") if _PLAIN_NUMBER.fullmatch(text) else text
        case list():
            values = [_value(one) for one in value]
            return sorted(values, key=_key) if all(isinstance(one, dict) for one in value) else values
        case dict():
            return {key.strip().casefold(): _value(one) for key, one in sorted(value.items())}


def values(found: Contents) -> list[str]:
    """The values in it, whatever words stand round them: numbers, and words that are names."""
    text = found if isinstance(found, str) else _key(canonical(found))
    numbers = {str(_value(number.replace(",", ""))) for number in _NUMBER.findall(text)}
    return sorted(numbers | {word.casefold() for word in _NAMED.findall(text) if not _NUMBER.fullmatch(word)})


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
