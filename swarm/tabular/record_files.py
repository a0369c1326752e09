"""Tables in JSON, JSON Lines and XLSX files, as rows of plain values. Numbers stay exactly what they were."""

from __future__ import annotations

import datetime
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import python_calamine
from pydantic import JsonValue

from swarm.errors import ToolError
from swarm.tabular.encoding import decoded
from swarm.tabular.names import column_names
from swarm.tabular.number_spelling import MOST_DIGITS

Cell = str | int | float | bool | None
Rows = list[dict[str, Cell]]
WHOLE_DIGITS = 38
"""Digits of the longest whole number that SQL counts with (HUGEINT)."""
LINES = (".jsonl", ".ndjson")
MOST_SHEET_BYTES = 256 * 1024 * 1024
_ERROR_CELL = re.compile(r'<c\b(?=[^>]*\bt="e")(?:[^>]*\br="(\w+)"|)[^>]*>')
_NO_VALUE = re.compile(
    r'<c\b[^>]*\br="(\w+)"[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)
"""Cells of a sheet (ECMA-376 part 1, 18.3.1.4): ``t="e"`` is an error, ``f`` a formula, ``v`` its value."""


def json_rows(path: Path) -> Rows | None:
    """The objects of a JSON file, one of each line in JSON Lines; None where it is JSON and no list of objects.

    Raises:
        ToolError: it is no JSON; says in which line.
        OSError: it cannot be read.
    """
    text = decoded(path)
    if path.suffix.lower() in LINES:
        return [
            _object(line, number) for number, line in enumerate(text.split("\n"), start=1) if line.strip()
        ]
    found = _parsed(text.removeprefix("\ufeff"), 0)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        return None
    return [_row(row) for row in found if isinstance(row, dict)]


def _object(line: str, number: int) -> dict[str, Cell]:
    found = _parsed(line, number)
    if not isinstance(found, dict):
        raise ToolError(f"line {number} is no JSON object")
    return _row(found)


def _row(row: Mapping[str, JsonValue]) -> dict[str, Cell]:
    return {
        key: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        for key, value in row.items()
    }


def _parsed(text: str, line: int) -> JsonValue:
    try:
        found: JsonValue = json.loads(
            text, parse_float=_decimal, parse_int=_whole, parse_constant=_no_number, object_pairs_hook=_pairs
        )
    except json.JSONDecodeError as error:
        where = f"line {line}" if line else f"line {error.lineno}"
        raise ToolError(f"{where} is no valid JSON ({error.msg}, column {error.colno})") from error
    except RecursionError as error:
        raise ToolError("its JSON is nested too deeply") from error
    return found


def _decimal(text: str) -> float | str:
    """The number, or its text where a binary number would lose digits of it."""
    digits = sum(map(str.isdigit, text.lower().split("e")[0].lstrip("-0.")))
    number = float(text)
    is_kept = (digits <= MOST_DIGITS or repr(number) == text) and abs(number) != float("inf")
    return number if is_kept else text


def _whole(text: str) -> int | str:
    return int(text) if len(text.lstrip("-")) <= WHOLE_DIGITS else text


def _no_number(text: str) -> JsonValue:
    raise ToolError(f"it holds {text}, which is no JSON; write null for no value")


def _pairs(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ToolError(f"an object has two values for {twice[:80]!r}")
    return found


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook that hold anything.

    Raises:
        ToolError: it is no workbook that can be read.
    """
    return [name for name, rows in _sheets(path).items() if rows]


def sheet_rows(path: Path, sheet: str = "") -> tuple[list[str], list[list[Cell]]]:
    """The names of the columns of a sheet, the first that holds anything where none is named, and its rows.

    Raises:
        ToolError: it is no workbook, has no such sheet, or its first line is no line of names.
    """
    sheets = _sheets(path)
    known = [name for name, rows in sheets.items() if rows]
    name = sheet or next(iter(known), "")
    if not name:
        raise ToolError("it is empty")
    if name not in known:
        raise ToolError(f"it has no sheet {name[:80]!r} with cells; it has {', '.join(map(repr, known[:5]))}")
    return _table(sheets[name])


def _sheets(path: Path) -> dict[str, list[list[Cell]]]:
    try:
        # The stub of the library leaves the kind of a PathLike open.
        _check_cells(path)
        book = python_calamine.load_workbook(str(path))  # pyright: ignore[reportUnknownMemberType]
        return {name: _cells(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names}
    except python_calamine.PasswordError as error:
        raise ToolError("it has a password; save it without one") from error
    except (python_calamine.CalamineError, zipfile.BadZipFile, ValueError, TypeError) as error:
        raise ToolError(f"it is no workbook that can be read ({str(error)[:80]})") from error


def _check_cells(path: Path) -> None:
    """Refuses cells that the reader would give as empty ones.

    Raises:
        ToolError: a cell is an error, or a formula whose value the program that wrote it left out.
    """
    with zipfile.ZipFile(path) as book:
        for part in book.namelist():
            if (
                not re.fullmatch(r"xl/worksheets/[^/]+\.xml", part)
                or book.getinfo(part).file_size > MOST_SHEET_BYTES
            ):
                continue
            text = book.read(part).decode("utf-8", "replace")
            if error := _ERROR_CELL.search(text):
                raise ToolError(f"cell {error[1] or 'of a sheet'} is an error (like #DIV/0!); mend it first")
            if formula := _NO_VALUE.search(text):
                raise ToolError(
                    f"cell {formula[1]} is a formula without a value; open the file in a spreadsheet and save it"
                )


def _cells(rows: Iterable[Sequence[object]]) -> list[list[Cell]]:
    plain = [[_plain(value) for value in row] for row in rows]
    return [row for row in plain if any(value is not None for value in row)]


def _plain(value: object) -> Cell:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 10**MOST_DIGITS else value
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(*[" "] * isinstance(value, datetime.datetime))
    text = "" if value is None else str(value)
    return text.strip() or None


def _table(rows: Sequence[list[Cell]]) -> tuple[list[str], list[list[Cell]]]:
    """Names and rows; lines with one cell above the names are titles."""
    start = 0
    while start < len(rows) - 1 and _filled(rows[start]) == 1 < _filled(rows[start + 1]):
        start += 1
    header = rows[start]
    numbers = [cell for cell in header if isinstance(cell, int | float) and not 1900 <= cell < 2100]
    if numbers and len(numbers) == _filled(header):
        raise ToolError("its first line looks like data; write a first line with the names of the columns")
    width = max(len(row) for row in rows)
    used = [n for n in range(width) if any(n < len(row) and row[n] is not None for row in rows[start:])]
    wide = [[row[n] if n < len(row) else None for n in used] for row in rows[start:]]
    return column_names(["" if cell is None else str(cell) for cell in wide[0]]), wide[1:]


def _filled(row: Sequence[Cell]) -> int:
    return sum(cell is not None for cell in row)
