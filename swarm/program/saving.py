"""What a program saves, as the text of a file: its form goes by the ending of the file's name."""

from __future__ import annotations

import csv
import decimal
import io
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from pathlib import PurePosixPath

from swarm.program.shapes import dict_of, dicts_of, items_of, lists_of

SEPARATED = {".csv": ",", ".tsv": "\t"}
LINES = (".jsonl", ".ndjson")
UNWRITTEN = (
    ".xlsx",
    ".xls",
    ".ods",
    ".parquet",
    ".db",
    ".sqlite",
    ".sqlite3",
    ".duckdb",
    ".pdf",
    ".docx",
    ".zip",
)
"""Endings of files that are no text, so that none can be made of one."""
MOST_NESTED = 60
"""Lists and dicts within each other."""
EXACT_PLACES = 13
"""Digits of a float that are kept; what a sum of floats adds lies behind them."""
LEAST_PLACES = 4
"""Digits behind the point that are kept however large the number is."""

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def text_of(name: str, data: object, columns: Sequence[str] | None = None) -> str:
    """The text of a file of that name.

    Raises:
        ValueError: the data has another form; says which one is wanted.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending in UNWRITTEN:
        raise ValueError(
            f"save({name!r}, …) can't write {ending}; save a table as .csv and a text as .md or .txt"
        )
    columns = columns.split(",") if isinstance(columns, str) else columns
    if ending in SEPARATED:
        return _separated(name, data, columns, SEPARATED[ending])
    if ending == ".json":
        if isinstance(data, str) and _is_json(data):
            return data
        return json.dumps(plain(data), ensure_ascii=False, indent=2) + "\n"
    if ending in LINES:
        if isinstance(data, str) and all(_is_json(line) for line in data.splitlines()):
            return data if data.endswith("\n") or not data else f"{data}\n"
        lines = items_of(data)
        return "".join(
            f"{json.dumps(plain(line), ensure_ascii=False)}\n"
            for line in ([data] if lines is None else lines)
        )
    if isinstance(data, str):
        return data if data.endswith("\n") or not data else f"{data}\n"
    items = items_of(data)
    if ending == ".md" and (rows := _rows(items, columns)) is not None:
        return _markdown(*rows)
    texts = [line for line in items or [] if isinstance(line, str)]
    if items is not None and len(texts) == len(items):
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in texts)
    raise ValueError(f"save({name!r}, …) wants a text, not {_kind(data)}; make one of it first")


def plain(value: object, depth: int = 0) -> Plain:
    """A value as JSON holds it; sets become sorted lists, dates texts, whole floats stay what they are, and what
    is not a number (NaN) is nothing.

    Raises:
        ValueError: it holds something that JSON has no form for.
    """
    if depth > MOST_NESTED:
        raise ValueError(f"lists and dicts nest deeper than {MOST_NESTED} here; does one hold itself?")
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value)
        case float() | decimal.Decimal():
            return _number(value)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _:
            return _several(value, depth)


def _several(value: object, depth: int) -> Plain:
    if (keyed := dict_of(value)) is not None:
        return _object(keyed, depth)
    items = items_of(value)
    if items is not None:
        found = [plain(inner, depth + 1) for inner in items]
        is_set = isinstance(value, set | frozenset)
        return sorted(found, key=lambda one: (str(type(one)), str(one))) if is_set else found
    raise ValueError(f"{_kind(value)} can't be saved or answered; give texts, numbers, lists and dicts")


def _number(value: float | decimal.Decimal) -> Plain:
    if value != value:
        return None
    if value in (math.inf, -math.inf):
        raise ValueError("an infinite number can't be saved or answered; was something divided by nothing?")
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    value = float(value)
    if value.is_integer():
        return value
    return round(value, max(EXACT_PLACES - 1 - math.floor(math.log10(abs(value))), LEAST_PLACES))


def _object(value: Mapping[object, object], depth: int) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for key, inner in value.items():
        name = _key(key)
        if name in found:
            raise ValueError(
                f"two keys of a dict are {name!r} once they are texts; give them different names"
            )
        found[name] = plain(inner, depth + 1)
    return found


def _key(key: object) -> str:
    if isinstance(key, tuple):
        raise ValueError(f"the key {key!r} is a tuple; make a list of dicts, one for each row, instead")
    return key if isinstance(key, str) else str(plain(key))


def _is_json(data: str) -> bool:
    """Whether a text is JSON itself and no text to be put into quotes."""
    if not data.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _rows(
    items: list[object] | None, columns: Sequence[str] | None
) -> tuple[list[str], list[list[object]]] | None:
    """The names and cells of a table; None where the items are none."""
    if items is None:
        return None
    if (rows := dicts_of(items)) is not None:
        there = list(dict.fromkeys(_key(key) for row in rows for key in row))
        if columns and rows and (lacking := [name for name in columns if name.strip() not in there]):
            raise ValueError(f"no row has {', '.join(lacking)}; the rows have {', '.join(there)}")
        found = [name.strip() for name in columns] if columns else there
        named = [{_key(key): cell for key, cell in row.items()} for row in rows]
        return found, [[row.get(name) for name in found] for row in named]
    lists = lists_of(items)
    if lists:
        head = columns or [str(cell) for cell in lists[0]]
        return [*head], lists if columns and lists[0] != [*columns] else lists[1:]
    return None


def _separated(name: str, data: object, columns: Sequence[str] | None, separator: str) -> str:
    if isinstance(data, str) and (separator in data or "\n" in data.strip()):
        return data if data.endswith("\n") else f"{data}\n"
    found = _rows(items_of(data), columns)
    if found is None:
        raise ValueError(f"save({name!r}, …) wants a list of dicts, one for each row, not {_kind(data)}")
    names, rows = found
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ValueError(
                f"row {number} for {name!r} has {len(row)} cells, and there are {len(names)} names"
            )
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    if names:
        writer.writerow(names)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _markdown(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [[*names], ["---"] * len(names), *([_cell(cell) for cell in row] for row in rows)]
    marked = (" | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) for line in lines)
    return "".join(f"| {line} |\n" for line in marked)


def _cell(value: object) -> str:
    found = plain(value)
    if found is None:
        return ""
    if isinstance(found, float):
        return f"{found:.0f}" if found.is_integer() and abs(found) < 1e15 else repr(found)
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _kind(data: object) -> str:
    name = type(data).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
