"""Whether a file holds what is right, in parsed form."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import cast

from benchmarks.kinds.figure import Rounded, is_number, is_spelled
from benchmarks.kinds.folder import snapshot
from benchmarks.kinds.kind import Aim, Cell, Content, Page, Roll, Sheet, Tree
from benchmarks.kinds.said import answer_faults

Record = dict[str, object]
Records = list[Record]

SEPARATORS = ",;\t"
LONGEST = 10**15
"""Numbers from there on are no spelling of a text of digits."""


class Unlike(Exception):
    """A file is not what was asked for; the message says in what."""


def faults(aim: Aim, before: Mapping[str, str], folder: Path, answer: str) -> list[str]:
    """What is not right, one sentence each; ``before`` is the snapshot of the folder before the work."""
    found = [fault for name, content in aim.files.items() for fault in file_faults(folder / name, content)]
    return found + answer_faults(aim, answer) + _changes(aim, before, folder)


def extra_files(aim: Aim, before: Mapping[str, str], folder: Path) -> list[str]:
    """New files that nobody asked for."""
    return [name for name in snapshot(folder) if name not in before and name not in aim.files]


def _changes(aim: Aim, before: Mapping[str, str], folder: Path) -> list[str]:
    after = snapshot(folder)
    return [
        f"{name} was {'changed' if name in after else 'removed'}"
        for name, fingerprint in before.items()
        if name not in aim.files and after.get(name) != fingerprint
    ]


def file_faults(path: Path, content: Content) -> list[str]:
    """Why a file is not right; empty when it is."""
    if not path.is_file():
        return [f"{path.name} is not there"]
    try:
        text = path.read_text(encoding="utf-8-sig")
        _compare(path, text, content)
    except UnicodeDecodeError:
        return [f"{path.name} is no UTF-8 text"]
    except (OSError, csv.Error) as error:
        return [f"{path.name} can't be read: {error}"]
    except Unlike as unlike:
        return [f"{path.name}: {unlike}"]
    return []


def _compare(path: Path, text: str, content: Content) -> None:
    if isinstance(content, Tree):
        if not _is_value(_json(text), content.value, content.is_ordered):
            raise Unlike("the value is another one")
    elif isinstance(content, Roll):
        _compare_roll(text, content)
    elif isinstance(content, Page):
        for heading, sheet in content.sheets.items():
            _compare_section(text, heading, sheet)
    else:
        read = {".csv": _separated, ".md": _table, ".json": _objects}[path.suffix]
        _compare_sheet(read(text, content), content)


def _compare_roll(text: str, roll: Roll) -> None:
    lines = [re.sub(r"^\s*([-*]|\d+[.)])\s+", "", line).strip(" \t`") for line in text.splitlines()]
    found, right = [line for line in lines if line], list(roll.entries)
    if (found if roll.is_ordered else sorted(found)) != (right if roll.is_ordered else sorted(right)):
        raise Unlike(f"the lines are others: {len(found)} there, {len(right)} right")


def _compare_sheet(found: Records, sheet: Sheet) -> None:
    wanted = [dict(zip(map(str.casefold, sheet.columns), row, strict=True)) for row in sheet.rows]
    if len(found) != len(wanted):
        raise Unlike(f"{len(found)} rows, and {len(wanted)} are right")
    left = list(range(len(wanted)))
    for index, record in enumerate(found):
        candidates = [index] if sheet.is_ordered else sorted(left, key=lambda place: place != index)
        fits = next((i for i in candidates if _is_row(record, wanted[i], sheet.is_cased)), None)
        if fits is None:
            raise Unlike(f"row {index + 1} is not right: {list(record.values())}"[:200])
        left.remove(fits)


def _is_row(record: Record, right: Mapping[str, Cell], is_cased: bool) -> bool:
    return all(_is_cell(record[column], cell, is_cased) for column, cell in right.items())


def _is_cell(value: object, right: Cell, is_cased: bool) -> bool:
    if isinstance(value, bool):
        return isinstance(right, str) and right.casefold() == str(value).casefold()
    if not isinstance(right, str):
        if isinstance(value, str):
            return is_spelled(value, right)
        return isinstance(value, int | float) and is_number(Decimal(value), right)
    text = "" if value is None else str(value)
    return _plain(text, is_cased) == _plain(right, is_cased)


def _plain(text: str, is_cased: bool) -> str:
    plain = " ".join(unicodedata.normalize("NFC", text).split()).removeprefix("./")
    return plain if is_cased else plain.casefold()


def _separated(text: str, sheet: Sheet) -> Records:
    """The rows of CSV, with the separator under which its head has the columns."""
    heads: list[list[str]] = []
    for separator in SEPARATORS:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(map(str.strip, row))]
        if rows and _is_head(rows[0], sheet):
            return [_record(rows[0], row) for row in rows[1:]]
        heads += rows[:1]
    raise Unlike(f"the columns are {heads[0] if heads else 'missing'}"[:200])


def _is_head(head: list[str], sheet: Sheet) -> bool:
    return sorted(name.strip().casefold() for name in head) == sorted(map(str.casefold, sheet.columns))


def _record(head: list[str], row: list[str]) -> Record:
    if len(row) != len(head):
        raise Unlike(f"a row has {len(row)} values for {len(head)} columns: {row}"[:200])
    return {name.strip().casefold(): value for name, value in zip(head, row, strict=True)}


def _table(text: str, sheet: Sheet) -> Records:
    """The rows of the only Markdown table that has the columns."""
    found: list[Records] = []
    lines = [_cells(line) for line in text.splitlines()]
    for index, head in enumerate(lines):
        if not head or not _is_head(head, sheet) or not _is_rule(lines[index + 1 : index + 2]):
            continue
        rows: Records = []
        for row in lines[index + 2 :]:
            if not row:
                break
            rows.append(_record(head, row))
        found.append(rows)
    if len(found) != 1:
        raise Unlike(f"{len(found)} tables have the columns {', '.join(sheet.columns)}")
    return found[0]


def _cells(line: str) -> list[str]:
    if "|" not in line:
        return []
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    cells = re.split(r"(?<!\\)\|", inner)
    return [_unmarked(cell.strip()).replace("\\|", "|") for cell in cells]


def _unmarked(cell: str) -> str:
    for mark in "**", "`":
        if len(cell) > 2 * len(mark) and cell.startswith(mark) and cell.endswith(mark):
            return cell[len(mark) : -len(mark)].strip()
    return re.sub(r"\\([_*#<>])", r"\1", cell)


def _is_rule(lines: list[list[str]]) -> bool:
    return bool(lines and lines[0]) and all(re.fullmatch(r":?-+:?", cell) for cell in lines[0])


def _compare_section(text: str, heading: str, sheet: Sheet) -> None:
    """Nothing where the table stands under one of the headings that name it."""
    why = "no such heading"
    for section in _sections(text, heading):
        try:
            _compare_sheet(_table(section, sheet), sheet)
        except Unlike as unlike:
            why = str(unlike)
        else:
            return
    raise Unlike(f"under {heading!r}: {why}")


def _sections(text: str, heading: str) -> Iterator[str]:
    """What stands under each heading that has the name, to the next heading as high."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        mark = re.match(r"(#+)\s+(.*)", line)
        if mark and re.search(rf"(?<!\w){re.escape(heading)}(?!\w)", mark[2], re.IGNORECASE):
            rest = lines[index + 1 :]
            ends = (i for i, later in enumerate(rest) if re.match(rf"#{{1,{len(mark[1])}}}\s", later))
            yield "\n".join(rest[: next(ends, len(rest))])


def _objects(text: str, sheet: Sheet) -> Records:
    value = _json(text)
    if not isinstance(value, list):
        raise Unlike("it is no list of objects")
    found: Records = []
    for item in cast(list[object], value):
        if not isinstance(item, dict):
            raise Unlike("it is no list of objects")
        record = cast(Record, item)
        if not _is_head(list(record), sheet):
            raise Unlike(f"an object has the keys {list(record)}"[:200])
        found.append({name.casefold(): entry for name, entry in record.items()})
    return found


def _json(text: str) -> object:
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError) as error:
        raise Unlike(f"it is no JSON: {error}") from error


def _is_value(value: object, right: object, is_ordered: bool) -> bool:
    if isinstance(right, dict):
        wanted = cast(dict[str, object], right)
        if not isinstance(value, dict) or set(cast(Record, value)) != set(wanted):
            return False
        record = cast(Record, value)
        return all(_is_value(record[key], wanted[key], is_ordered) for key in wanted)
    if isinstance(right, list | tuple):
        items = list(cast(list[object], right))
        return isinstance(value, list) and _are_items(cast(list[object], value), items, is_ordered)
    return _is_scalar(value, right)


def _are_items(values: list[object], right: list[object], is_ordered: bool) -> bool:
    if len(values) != len(right):
        return False
    left = list(right)
    for value in values:
        candidates = left[:1] if is_ordered else left
        fits = next((item for item in candidates if _is_value(value, item, is_ordered)), _NOTHING)
        if fits is _NOTHING:
            return False
        del left[next(i for i, item in enumerate(left) if item is fits)]
    return True


_NOTHING = object()


def _is_scalar(value: object, right: object) -> bool:
    if isinstance(right, bool) or right is None or isinstance(value, bool):
        return value is right
    if isinstance(right, int | Decimal | Rounded):
        return isinstance(value, int | float) and is_number(Decimal(value), right)
    if isinstance(value, int):
        return abs(value) < LONGEST and str(value) == str(right)
    return isinstance(value, str) and _plain(value, True) == _plain(str(right), True)
