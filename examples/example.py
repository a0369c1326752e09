"""What the examples share: the truth of a generated workspace, how a table is checked, the commands."""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import random
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from examples.cells import Kind, canonical, is_same

FOLDER = Path(__file__).parent

Row = dict[str, str]
"""A row as text, by column name."""


@dataclass(frozen=True)
class Column:
    """A column that the file of an example must have."""

    name: str
    kind: Kind
    words: tuple[str, ...] = ()
    """A header that has one of these in it is taken for this column: a user does not mind
    whether it says ``actual`` or ``actual_total``."""
    is_key: bool = False
    """Whether it says which row is meant."""


@dataclass(frozen=True)
class Truth:
    """What a right outcome of an example holds. It is never written into the workspace."""

    file: str
    """The table the task asks for, relative to the workspace."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    """The rows it must have: no more, no less, in any order."""
    decoys: dict[str, str] = field(default_factory=dict[str, str])
    """What looks like a fault and is none, by what names it, with the reason."""
    answer: tuple[str, ...] = ()
    """What the answer must name; each example says how."""


@dataclass(frozen=True)
class Score:
    """What is right, missing and wrong in an outcome, in words."""

    right: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether all of it is right."""
        return not self.missing and not self.wrong

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.missing + other.missing, self.wrong + other.wrong)

    def __str__(self) -> str:
        lines = [f"right:   {text}" for text in self.right]
        lines += [f"missing: {text}" for text in self.missing]
        lines += [f"wrong:   {text}" for text in self.wrong]
        return "\n".join([*lines, "entirely right" if self.is_right else "not right"])


class Example(Protocol):
    """What ``examples/NAME/generate.py`` and ``check.py`` give together."""

    def write(self, folder: Path, seed: int) -> None:
        """Writes the workspace of a seed into a folder."""
        ...

    def truth(self, seed: int) -> Truth:
        """What is right for a seed."""
        ...

    def check(self, workspace: Path, answer: str, seed: int) -> Score:
        """How an outcome compares with the truth."""
        ...


class _Generator(Protocol):
    def write(self, folder: Path, seed: int) -> None: ...
    def truth(self, seed: int) -> Truth: ...


class _Checker(Protocol):
    def check(self, workspace: Path, answer: str, seed: int) -> Score: ...


@dataclass(frozen=True)
class _Loaded:
    generator: _Generator
    checker: _Checker

    def write(self, folder: Path, seed: int) -> None:
        self.generator.write(folder, seed)

    def truth(self, seed: int) -> Truth:
        return self.generator.truth(seed)

    def check(self, workspace: Path, answer: str, seed: int) -> Score:
        return self.checker.check(workspace, answer, seed)


def load(name: str) -> Example:
    """The example of that folder's name.

    Raises:
        ModuleNotFoundError: there is no such example.
    """
    checker = cast(_Checker, importlib.import_module(f"examples.{name}.check"))
    return _Loaded(_generator(name), checker)


def _generator(name: str) -> _Generator:
    # A folder with a hyphen can't be named in an import statement, only by its text.
    return cast(_Generator, importlib.import_module(f"examples.{name}.generate"))


def truth_of(name: str, seed: int) -> Truth:
    """The truth of an example for a seed."""
    return _generator(name).truth(seed)


def task_of(name: str) -> str:
    """The task in the user's words."""
    return (FOLDER / name / "task.txt").read_text(encoding="utf-8").strip()


def names() -> list[str]:
    """The examples, in the order of their names."""
    return sorted(path.parent.name for path in FOLDER.glob("*/task.txt"))


def dice(name: str, seed: int) -> random.Random:
    """The random numbers of an example's data: the same for the same seed, everywhere."""
    return random.Random(f"{name}/{seed}")


def write_text(path: Path, text: str) -> None:
    """Writes a text file with ``\\n`` line ends, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_database(path: Path, schema: str, rows: Iterable[Sequence[str | int | float]]) -> None:
    """Writes a SQLite file anew with one table: its CREATE TABLE statement and its rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    table = schema.split("(", 1)[0].split()[-1]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(schema)
        for row in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def read_table(path: Path) -> list[Row]:
    """The rows of a CSV file with a header, or of a JSON list of objects, as text.

    Raises:
        ValueError: the file is neither.
    """
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".json":
        return [_row_of(entry) for entry in _list_of(json.loads(text))]
    return [{key.strip(): value or "" for key, value in row.items() if key} for row in _csv(text)]


def _csv(text: str) -> list[dict[str, str | None]]:
    return cast(list[dict[str, str | None]], list(csv.DictReader(text.splitlines())))


def _list_of(document: object) -> list[object]:
    if not isinstance(document, list):
        raise ValueError(f"it holds a {type(document).__name__} and not a list of objects")
    return cast(list[object], document)


def _row_of(entry: object) -> Row:
    if not isinstance(entry, dict):
        raise ValueError(f"its list holds {entry!r} and not only objects")
    pairs = cast(dict[str, object], entry)
    return {key: "" if value is None else str(value) for key, value in pairs.items()}


def check_table(workspace: Path, truth: Truth) -> Score:
    """How the file of a truth compares with it: rows right, missing, and wrong or too many."""
    path = workspace / truth.file
    if not path.is_file():
        return Score(missing=(f"{truth.file} was not written",))
    try:
        found = read_table(path)
    except (ValueError, csv.Error) as error:
        return Score(wrong=(f"{truth.file} can't be read as a table: {error}",))
    headers = _headers(found, truth.columns)
    lacking = [column.name for column in truth.columns if column.name not in headers]
    if found and lacking:
        return Score(wrong=(f"{truth.file} has no column for {', '.join(lacking)}: it has {list(found[0])}",))
    rows = [{name: row.get(header, "") for name, header in headers.items()} for row in found]
    return _compare(rows, truth)


def _headers(rows: list[Row], columns: tuple[Column, ...]) -> dict[str, str]:
    """The header in the file for each column: by its name, else by its words."""
    free = list(rows[0]) if rows else []
    taken: dict[str, str] = {}
    for is_fit in (_is_named, _is_meant):
        for column in columns:
            fits = [header for header in free if column.name not in taken and is_fit(header, column)]
            if fits:
                taken[column.name] = fits[0]
                free.remove(fits[0])
    return taken


def _is_named(header: str, column: Column) -> bool:
    return canonical("text", header) == canonical("text", column.name)


def _is_meant(header: str, column: Column) -> bool:
    return any(word in header.casefold() for word in column.words)


def _compare(rows: list[Row], truth: Truth) -> Score:
    keys = [column for column in truth.columns if column.is_key]
    left = list(rows)
    right: list[str] = []
    missing: list[str] = []
    wrong: list[str] = []
    for expected in truth.rows:
        label = _label(expected, keys)
        same = [row for row in left if _differences(row, expected, keys) == []]
        if not same:
            missing.append(f"{truth.file}: no row for {label}")
            continue
        # Of several rows with the key the best is taken; the others are too many.
        best = min(same, key=lambda row: len(_differences(row, expected, truth.columns)))
        left.remove(best)
        faults = _differences(best, expected, truth.columns)
        wrong += [f"{truth.file}: {label}: {fault}" for fault in faults]
        right += [] if faults else [f"{truth.file}: {label}"]
    wrong += [f"{truth.file}: {_describe(row, truth)} does not belong there" for row in left]
    return Score(tuple(right), tuple(missing), tuple(wrong))


def _differences(row: Row, expected: Row, columns: Sequence[Column]) -> list[str]:
    return [
        f"{column.name} is {row[column.name]!r} and should be {expected[column.name]!r}"
        for column in columns
        if not is_same(column.kind, row[column.name], expected[column.name])
    ]


def _label(row: Row, keys: Sequence[Column]) -> str:
    return " ".join(row[column.name] for column in keys)


def _describe(row: Row, truth: Truth) -> str:
    text = " | ".join(row.values())
    seen = canonical("text", text)
    reasons = [why for name, why in truth.decoys.items() if canonical("text", name) in seen]
    return f"{text!r} ({reasons[0]})" if reasons else repr(text)


def run_generator(name: str) -> None:
    """The command of a ``generate.py``: writes the workspace of a seed."""
    parser = argparse.ArgumentParser(prog=f"examples.{name}.generate", description=run_generator.__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder of the workspace; made when absent")
    args = parser.parse_args()
    _generator(name).write(args.out, args.seed)


def run_checker(name: str, check: Callable[[Path, str, int], Score]) -> None:
    """The command of a ``check.py``: prints the score, exits with 1 when it is not entirely right."""
    parser = argparse.ArgumentParser(prog=f"examples.{name}.check", description=run_checker.__doc__)
    parser.add_argument("--workspace", type=Path, default=FOLDER / name / "data")
    parser.add_argument("--answer", type=Path, help="a file with the answer; standard input when left out")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    answer = args.answer.read_text(encoding="utf-8") if args.answer else sys.stdin.read()
    score = check(args.workspace, answer, args.seed)
    print(score)
    raise SystemExit(0 if score.is_right else 1)
