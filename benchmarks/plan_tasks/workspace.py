"""The workspace of a task: small files with invented content, the same at each making."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path, PurePosixPath

from benchmarks.plan_tasks.task import PlanTask
from swarm.survey import Survey, TableGroup, TextGroup

ROWS = 6
_NUMBERS = re.compile(
    r"amount|price|quantity|hours|wage|votes|points|turnover|temperature|minutes|grade|value|ph$|planned|expected"
)
_DATES = re.compile(r"_on$|day|date|born|birthday|arrival|departure|signed_up|due")


def paths_of(pattern: str, count: int) -> list[str]:
    """The files of a pattern: ``letters/*.txt`` has ``letters/letter-1.txt`` and so on."""
    at = PurePosixPath(pattern)
    if "*" not in at.name:
        return [pattern]
    stem = at.parent.name.rstrip("s") or "file"
    return [str(at.parent / f"{stem}-{number}{at.suffix}") for number in range(1, count + 1)]


def write_workspace(task: PlanTask, folder: Path) -> None:
    """Writes every file that the task's workspace has."""
    folder.mkdir(parents=True, exist_ok=True)
    for pattern, count in task.texts.items():
        for number, path in enumerate(paths_of(pattern, count), start=1):
            _write(folder / path, f"{PurePosixPath(path).stem}\n\nEntry {number} of {task.id}.\n")
    for pattern, (count, columns) in task.tables.items():
        for number, path in enumerate(paths_of(pattern, count), start=1):
            _write(folder / path, _table(PurePosixPath(path).suffix, columns.split(), number))
    for name, tables in task.database.items():
        with closing(sqlite3.connect(folder / name)) as connection, connection:
            for table, columns in tables.items():
                _fill(connection, table, columns.split())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _table(suffix: str, columns: list[str], seed: int) -> str:
    rows = [[_value(column, seed + row) for column in columns] for row in range(ROWS)]
    if suffix == ".json":
        return json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=1)
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t" if suffix == ".tsv" else ",", lineterminator="\n")
    writer.writerows([columns, *rows])
    return out.getvalue()


def _value(column: str, number: int) -> str | int:
    if _NUMBERS.search(column):
        return number * 7 % 50
    if _DATES.search(column):
        return f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}"
    return f"{column}-{number}"


def _fill(connection: sqlite3.Connection, table: str, columns: list[str]) -> None:
    typed = ", ".join(f"{column} {'NUMERIC' if _NUMBERS.search(column) else 'TEXT'}" for column in columns)
    connection.execute(f"CREATE TABLE {table} ({typed})")
    rows = [[_value(column, row) for column in columns] for row in range(ROWS)]
    connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)


def survey_of(task: PlanTask) -> Survey:
    """What the framework finds in the task's workspace, in its order."""
    texts: dict[tuple[str, str], list[str]] = {}
    for path in _sorted(path for pattern, count in task.texts.items() for path in paths_of(pattern, count)):
        at = PurePosixPath(path)
        texts.setdefault((str(at.parent), at.suffix), []).append(path)
    tables: dict[tuple[str, str, str], list[str]] = {}
    columns_of = {
        path: columns
        for pattern, (count, columns) in task.tables.items()
        for path in paths_of(pattern, count)
    }
    for path in _sorted(columns_of):
        at = PurePosixPath(path)
        folder = str(at.parent) if at.parent != PurePosixPath() else at.stem
        tables.setdefault((folder, at.suffix, columns_of[path]), []).append(path)
    return Survey(
        paths=tuple(
            _sorted([*(path for paths in texts.values() for path in paths), *columns_of, *task.database])
        ),
        texts=tuple(_text_group(folder, suffix, paths) for (folder, suffix), paths in texts.items()),
        tables=tuple(_table_group(*key, paths) for key, paths in tables.items()),
        database_tables=tuple(
            TableGroup(name=table, pattern=name, columns=tuple(columns.split()))
            for name, stored in task.database.items()
            for table, columns in sorted(stored.items())
        ),
    )


def _sorted(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=PurePosixPath)


def _text_group(folder: str, suffix: str, paths: list[str]) -> TextGroup:
    pattern = f"{'' if folder == '.' else folder + '/'}*{suffix}" if len(paths) > 1 else paths[0]
    return TextGroup(pattern=pattern, paths=tuple(paths))


def _table_group(folder: str, suffix: str, columns: str, paths: list[str]) -> TableGroup:
    """Files of one folder with the same columns are one table, of the folder's name."""
    is_one = len(paths) == 1
    stem = PurePosixPath(paths[0] if is_one else folder).stem
    return TableGroup(
        name=stem,
        pattern=paths[0] if is_one else f"{folder}/*{suffix}",
        columns=(*(() if is_one else ("file",)), *columns.split()),
    )
