"""Right results written as a careful person would, and results that are nearly right: the checker's own proof."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

from benchmarks.kinds.figure import Number, Rounded, plainly
from benchmarks.kinds.folder import csv_text
from benchmarks.kinds.kind import Aim, Cell, Content, Fact, Page, Roll, Sheet, Tree
from benchmarks.kinds.said import shown

Mutant = tuple[str, Aim]


def write_aim(aim: Aim, folder: Path) -> str:
    """Writes the files of a result into the folder; gives the answer."""
    for name, content in aim.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(name, content), encoding="utf-8")
    return "Done. " + "; ".join(shown(fact) for fact in aim.said)


def text_of(name: str, content: Content) -> str:
    """A file's text."""
    if isinstance(content, Tree):
        return json.dumps(jsonable(content.value), indent=1, ensure_ascii=False)
    if isinstance(content, Roll):
        return "".join(f"{entry}\n" for entry in content.entries)
    if isinstance(content, Page):
        return "\n".join(f"## {heading}\n\n{_markdown(sheet)}" for heading, sheet in content.sheets.items())
    if name.endswith(".md"):
        return _markdown(content)
    rows = [[jsonable(cell) for cell in row] for row in content.rows]
    if name.endswith(".json"):
        return json.dumps([dict(zip(content.columns, row, strict=True)) for row in rows])
    return csv_text(content.columns, rows)


def jsonable(value: object) -> object:
    """The value without types of our own."""
    if isinstance(value, Mapping):
        return {key: jsonable(item) for key, item in cast(Mapping[str, object], value).items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in cast(list[object], value)]
    if isinstance(value, Decimal | Rounded):
        return float(plainly(value))
    return value


def _markdown(sheet: Sheet) -> str:
    rows = [[plainly(cell) if not isinstance(cell, str) else cell for cell in row] for row in sheet.rows]
    lines = [list(sheet.columns), ["---"] * len(sheet.columns), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def mutants(aim: Aim) -> Iterator[Mutant]:
    """Results with one mistake each."""
    for name, content in aim.files.items():
        yield (
            f"{name} missing",
            replace(aim, files={key: value for key, value in aim.files.items() if key != name}),
        )
        for what, wrong in _wrong_contents(content):
            yield f"{name}: {what}", replace(aim, files={**aim.files, name: wrong})
    for index, fact in enumerate(aim.said):
        others = aim.said[:index] + aim.said[index + 1 :]
        yield f"{shown(fact)} not said", replace(aim, said=others)
        yield f"{shown(fact)} said wrongly", replace(aim, said=(*others, _other_fact(fact)))
    for name in aim.unsaid:
        yield f"{name} said", replace(aim, said=(*aim.said, name))


def _wrong_contents(content: Content) -> Iterator[tuple[str, Content]]:
    if isinstance(content, Sheet):
        yield from _wrong_sheets(content)
    elif isinstance(content, Page):
        for heading, sheet in content.sheets.items():
            rest = {key: value for key, value in content.sheets.items() if key != heading}
            yield f"{heading} missing", Page(rest)
            for what, wrong in _wrong_sheets(sheet):
                yield f"{heading}: {what}", Page({**rest, heading: wrong})
    elif isinstance(content, Roll):
        yield "a line missing", replace(content, entries=content.entries[1:])
        yield "a line more", replace(content, entries=(*content.entries, "one more"))
        yield "a line changed", replace(content, entries=(f"{content.entries[0]}x", *content.entries[1:]))
    else:
        yield from ((what, replace(content, value=wrong)) for what, wrong in _wrong_values(content.value))


def _wrong_sheets(sheet: Sheet) -> Iterator[tuple[str, Sheet]]:
    rows = sheet.rows
    if not rows:
        yield "a row too many", replace(sheet, rows=(tuple("x" for _ in sheet.columns),))
        return
    last = len(rows) - 1
    yield "first row missing", replace(sheet, rows=rows[1:])
    yield "last row missing", replace(sheet, rows=rows[:last])
    yield "a row twice", replace(sheet, rows=(*rows, rows[0]))
    yield "a column renamed", replace(sheet, columns=(f"{sheet.columns[0]}_", *sheet.columns[1:]))
    for column, name in enumerate(sheet.columns):
        wrong = (*rows[last][:column], _other_cell(rows[last][column]), *rows[last][column + 1 :])
        yield f"{name} off", replace(sheet, rows=(*rows[:last], wrong))
    for column in range(1, len(sheet.columns)):
        swapped = tuple(_swapped(row, column) for row in rows)
        if sorted(map(repr, swapped)) != sorted(map(repr, rows)):
            yield f"columns {column} and {column + 1} swapped", replace(sheet, rows=swapped)
    if sheet.is_ordered and rows[0] != rows[last]:
        yield "order turned", replace(sheet, rows=rows[::-1])


def _swapped(row: tuple[Cell, ...], column: int) -> tuple[Cell, ...]:
    return (*row[: column - 1], row[column], row[column - 1], *row[column + 1 :])


def _other_cell(cell: Cell) -> Cell:
    return f"{cell}x" if isinstance(cell, str) else _other_number(cell)


def _other_number(number: Number) -> Number:
    if isinstance(number, Rounded):
        return number.shown + Decimal(1).scaleb(-number.places)
    return number + 1 if isinstance(number, int) else number + Decimal("0.01")


def _other_fact(fact: Fact) -> Fact:
    if isinstance(fact, date):
        return fact + timedelta(days=1)
    return f"{fact}x" if isinstance(fact, str) else _other_number(fact)


def _wrong_values(value: object) -> Iterator[tuple[str, object]]:
    """The value with one mistake somewhere in it."""
    if isinstance(value, dict):
        record = cast(dict[str, object], value)
        for key, item in list(record.items())[-4:]:
            yield f"{key} missing", {name: other for name, other in record.items() if name != key}
            for what, wrong in _wrong_values(item):
                yield f"{key}: {what}", {**record, key: wrong}
    elif isinstance(value, list | tuple):
        items = list(cast(list[object], value))
        if items:
            yield "first item missing", items[1:]
            yield "an item twice", [*items, items[0]]
            for what, wrong in _wrong_values(items[-1]):
                yield f"last item: {what}", [*items[:-1], wrong]
    elif isinstance(value, bool):
        yield "turned", not value
    elif isinstance(value, int | Decimal | Rounded):
        yield "off", _other_number(value)
    else:
        yield "another text", f"{value}x"
