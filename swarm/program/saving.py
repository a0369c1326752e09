"""What a program saves, as the text of a file: its form goes by the ending of the file's name."""

from __future__ import annotations

import csv
import decimal
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from pathlib import PurePosixPath

SEPARATED = {".csv": ",", ".tsv": "\t"}
LINES = (".jsonl", ".ndjson")
PROSE = (".md", ".txt", ".html", ".log", ".rst", ".ini", ".yaml", ".yml", ".toml", "")

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def text_of(name: str, data: object, columns: Sequence[str] | None = None) -> str:
    """The text of a file of that name.

    Raises:
        ValueError: the data has another form; says which one is wanted.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending in SEPARATED:
        return _separated(name, data, columns, SEPARATED[ending])
    if ending == ".json":
        if isinstance(data, str) and _is_json(data):
            return data
        return json.dumps(plain(data), ensure_ascii=False, indent=2) + "\n"
    if ending in LINES:
        lines = data if isinstance(data, list | tuple) else [data]
        return "".join(f"{json.dumps(plain(line), ensure_ascii=False)}\n" for line in lines)
    if isinstance(data, str):
        return data if data.endswith("\n") or not data else f"{data}\n"
    if ending == ".md" and (rows := _rows(data, columns)) is not None:
        return _markdown(*rows)
    if isinstance(data, list | tuple) and all(isinstance(line, str) for line in data):
        return "".join(f"{line}\n" for line in data)
    raise ValueError(f"save({name!r}, …) wants a text, not {_kind(data)}; make one of it first")


def plain(value: object) -> Plain:
    """A value as JSON holds it; sets become sorted lists, dates texts, whole floats stay what they are.

    Raises:
        ValueError: it holds something that JSON has no form for.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return None if value != value else float(f"{value:.13g}")
        case decimal.Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {_key(key): plain(inner) for key, inner in value.items()}
        case set() | frozenset():
            return sorted((plain(inner) for inner in value), key=lambda one: (str(type(one)), str(one)))
        case Iterable() if not isinstance(value, bytes | bytearray):
            return [plain(inner) for inner in value]
    raise ValueError(f"{_kind(value)} can't be saved or answered; give texts, numbers, lists and dicts")


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


def _rows(data: object, columns: Sequence[str] | None) -> tuple[list[str], list[list[object]]] | None:
    """The names and cells of a table; None where the data is none."""
    if isinstance(data, Mapping | str) or not isinstance(data, Iterable):
        return None
    rows = list(data)
    if all(isinstance(row, Mapping) for row in rows):
        found = columns or list(dict.fromkeys(str(key) for row in rows for key in row))
        return [*found], [[row.get(name) for name in found] for row in rows]
    if rows and all(isinstance(row, list | tuple) for row in rows):
        head = columns or [str(cell) for cell in rows[0]]
        body = rows if columns and [*rows[0]] != [*columns] else rows[1:]
        return [*head], [[*row] for row in body]
    return None


def _separated(name: str, data: object, columns: Sequence[str] | None, separator: str) -> str:
    if isinstance(data, str) and (separator in data or "\n" in data.strip()):
        return data if data.endswith("\n") else f"{data}\n"
    found = _rows(data, columns)
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
