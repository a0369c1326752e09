"""Native tools over the earlier results of a run: as SQL tables to query, and as files to write.

The rows are loaded into an SQLite database in memory that only answers questions: an authorizer
denies all but reading, and a statement that takes too long is stopped.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import json
import math
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from swarm import ToolContext, ToolError, ToolResult, tool

SECONDS = 10.0
"""Time one statement may take."""
MOST_ROWS = 100_000
VALUE_BYTES = 50_000_000
"""The largest value that SQLite may build, so that no expression can fill the memory."""
SHOWN_CHARACTERS = 6_000
"""Of a printed table, about 2,000 tokens; the data holds all rows."""
CELL_CHARACTERS = 200
READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
NUMBER = re.compile(r"[+-]?(0|[1-9]\d{0,14})(\.\d{1,12})?")
"""A text that is a number and no code: codes begin with 0 or are longer."""
NOT_CODE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/""", re.DOTALL)
"""Texts, quoted names and comments of a statement."""
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Row = dict[str, JsonValue]
Cell = None | int | float | str
"""A value as SQLite keeps it."""


@tool(effect="pure")
def tables(context: ToolContext) -> ToolResult:
    """List the earlier results that are tables, with columns, row counts and two rows each."""
    earlier = context.tables()
    lines = [_described(name, rows) for name, rows in earlier.items()]
    names: list[JsonValue] = [{"table": name, "rows": len(rows)} for name, rows in earlier.items()]
    return ToolResult(text="\n".join(lines) or "(no earlier result is a table)", data=names)


@tool(effect="pure")
def query(sql: str, context: ToolContext) -> ToolResult:
    """Run one SQLite SELECT over the earlier results; each result is a table named after its step."""
    columns, rows = _selected(sql, context.tables())
    return ToolResult(text=_printed(columns, rows), data=[*rows])


@tool(effect="idempotent")
def write(sql: str, path: str, context: ToolContext) -> ToolResult:
    """Run one SQLite SELECT over the earlier results and write its rows to a .csv, .json or .md file."""
    parts = _parts(path)
    form = {".csv": _csv, ".json": _json, ".md": _markdown}.get(PurePosixPath(parts[-1]).suffix.lower())
    if form is None:
        raise ToolError(f"{path!r} has no known ending; name a .csv, .json or .md file")
    columns, rows = _selected(sql, context.tables())
    _put(context.workspace, parts, form(columns, rows).encode("utf-8", "replace"))
    shown = "/".join(parts)
    count = f"{len(rows)} row{'s' * (len(rows) != 1)}"
    return ToolResult(
        text=f"wrote {count} to {shown}\n{_printed(columns, rows[:5], len(rows))}",
        data=[*rows],
        files=(shown,),
    )


def _selected(sql: str, earlier: Mapping[str, Sequence[Row]]) -> tuple[list[str], list[Row]]:
    """Columns and rows of one statement over the tables.

    Raises:
        ToolError: it is not one SELECT, it fails, or it takes too long; the text says what there is.
    """
    statement = re.sub(r"^```\w*\n|```$", "", sql.strip()).strip().rstrip(";").strip()
    if not statement or ";" in NOT_CODE.sub(" ", statement):
        raise ToolError("sql must be one SELECT; send each statement in its own call")
    try:
        with _loaded(earlier) as connection:
            cursor = connection.execute(statement)
            if cursor.description is None:
                raise ToolError("only reading is possible here; write one SELECT")
            columns = _unique([name for name, *_ in cursor.description])
            found: list[tuple[Cell, ...]] = cursor.fetchmany(MOST_ROWS + 1)
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise ToolError(_explained(str(error), earlier)) from error
    if len(found) > MOST_ROWS:
        raise ToolError(f"over {MOST_ROWS} rows; select less, with WHERE or GROUP BY")
    return columns, [dict(zip(columns, map(_exact, values), strict=True)) for values in found]


@contextlib.contextmanager
def _loaded(earlier: Mapping[str, Sequence[Row]]) -> Generator[sqlite3.Connection]:
    """The tables in a database that from then on can only be read, for a limited time."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
        # The matcher of LIKE checks no deadline, and backtracks once for every wildcard.
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)
        for name, rows in earlier.items():
            _load(connection, name, rows)
        connection.set_authorizer(_authorized)
        deadline = time.monotonic() + SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        yield connection


def _load(connection: sqlite3.Connection, name: str, rows: Sequence[Row]) -> None:
    columns = _columns(rows)
    # A table needs a column; an empty result has none that is known.
    defined = (
        ", ".join(f"{_quoted(column)} {kind}" for column, kind in _kinds(columns).items()) or '"(empty)"'
    )
    connection.execute(f"CREATE TABLE {_quoted(name)}({defined})")
    if columns:
        marks = ", ".join("?" * len(columns))
        values = zip(*columns.values(), strict=True)
        connection.executemany(f"INSERT INTO {_quoted(name)} VALUES ({marks})", values)


def _columns(rows: Sequence[Row]) -> dict[str, list[Cell]]:
    """The values of each column. Names that differ only in letter case are one, as they are in SQL."""
    spelled: dict[str, str] = {}
    for row in rows:
        for name in row:
            spelled.setdefault(name.casefold(), name)
    folded = [{name.casefold(): value for name, value in row.items()} for row in rows]
    columns = {name: [_cell(row.get(key)) for row in folded] for key, name in spelled.items()}
    return {name: _numbers(values) for name, values in columns.items()}


def _cell(value: JsonValue) -> Cell:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and abs(value) >= 2**63:
        return float(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _numbers(values: Sequence[Cell]) -> list[Cell]:
    """A column whose texts are all numbers as numbers: SQL finds '9' greater than '10', and than 10."""
    texts = [value for value in values if isinstance(value, str)]
    if not texts or not all(NUMBER.fullmatch(text) for text in texts):
        return [*values]
    return [_number(value) if isinstance(value, str) else value for value in values]


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _kinds(columns: Mapping[str, Sequence[Cell]]) -> dict[str, str]:
    """The SQL type of each column."""
    kinds: dict[str, str] = {}
    for name, values in columns.items():
        types = {type(value) for value in values if value is not None}
        if types <= {int} and types:
            kinds[name] = "INTEGER"
        else:
            # Text beside numbers stays what it is: a column without a type converts nothing.
            kinds[name] = "REAL" if types <= {int, float} and types else "TEXT" if types == {str} else ""
    return kinds


def _authorized(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """SQLite asks this for each thing a statement does (sqlite.org/c3ref/set_authorizer.html)."""
    is_function = action == sqlite3.SQLITE_FUNCTION and second != "load_extension"
    return sqlite3.SQLITE_OK if is_function or action in READING else sqlite3.SQLITE_DENY


def _explained(reason: str, earlier: Mapping[str, Sequence[Row]]) -> str:
    if reason == "interrupted":
        return f"stopped after {SECONDS:g} s; join on a condition, or select less"
    if re.search("not authorized|prohibited|authorization denied", reason):
        return "only reading is possible here; write one SELECT"
    columns = {name: [*_columns(rows)] for name, rows in earlier.items()}
    known = [*columns, *(column for names in columns.values() for column in names)]
    unknown = re.split(r"[.\s]", reason)[-1].strip("\"'`")
    near = difflib.get_close_matches(unknown, [name for name in known if name != unknown], 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    if "no such function" in reason:
        meant = "; this is SQLite: dates with strftime('%Y-%m', column), joining texts with ||"
    shown = [
        f"{_named(table)}({', '.join(map(_named, names))}) -- {len(earlier[table])} rows"
        for table, names in columns.items()
    ]
    return "\n".join([f"{reason}{meant}", "The tables are:" if shown else "There are no tables.", *shown])


def _described(name: str, rows: Sequence[Row]) -> str:
    columns = _columns(rows)
    parts = ", ".join(f"{_named(column)} {kind}".rstrip() for column, kind in _kinds(columns).items())
    some = [
        f"({', '.join(map(_literal, values))})" for values in list(zip(*columns.values(), strict=True))[:2]
    ]
    examples = f"\n  e.g. {', '.join(some)}" if some else ""
    return f"{_named(name)}({parts}) -- {len(rows)} row{'s' * (len(rows) != 1)}{examples}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _named(name: str) -> str:
    """A name as it must be written in a statement."""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else _quoted(name)


def _literal(value: Cell) -> str:
    return repr(value[:60]) if isinstance(value, str) else "NULL" if value is None else _shown(value)


def _unique(names: Sequence[str]) -> list[str]:
    """Column names, numbered where one comes twice: rows are objects."""
    taken: list[str] = []
    for name in names:
        number = 1
        wanted = name
        while wanted in taken:
            number += 1
            wanted = f"{name}_{number}"
        taken.append(wanted)
    return taken


def _exact(value: Cell | bytes) -> JsonValue:
    """A value without the noise of binary fractions.

    13 digits are what an added-up column is exact to: 12480.499999999998 is 12480.5.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        return float(f"{value:.13g}") + 0.0 if math.isfinite(value) else None
    return value


def _shown(value: JsonValue) -> str:
    """A value as a person writes it: a whole number without a fraction, nothing for no value."""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return "" if value is None else str(value)


def _printed(columns: Sequence[str], rows: Sequence[Row], total: int | None = None) -> str:
    """A compact table that fits a small window, with the number of rows."""
    lines = [" | ".join(columns)]
    room = SHOWN_CHARACTERS
    for row in rows:
        line = " | ".join(_short(_shown(value)) for value in row.values())
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    total = len(rows) if total is None else total
    rest = f"first {len(lines) - 1} of " if len(lines) - 1 < total else ""
    return "\n".join([*lines, f"({rest}{total} row{'s' * (total != 1)})"])


def _short(text: str) -> str:
    line = re.sub(r"\s+", " ", text)
    return line if len(line) <= CELL_CHARACTERS else f"{line[:CELL_CHARACTERS]}…"


def _csv(columns: Sequence[str], rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_shown(value) for value in row.values()] for row in rows)
    return text.getvalue()


def _json(columns: Sequence[str], rows: Sequence[Row]) -> str:
    return json.dumps([*rows], ensure_ascii=False, indent=2) + "\n"


def _markdown(columns: Sequence[str], rows: Sequence[Row]) -> str:
    cells = [[*columns], ["---"] * len(columns), *([_shown(value) for value in row.values()] for row in rows)]
    escaped = (" | ".join(re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in line) for line in cells)
    return "".join(f"| {line} |\n" for line in escaped)


def _parts(path: str) -> tuple[str, ...]:
    """The folders and the name of a file of the workspace.

    Raises:
        ToolError: it is absolute, leads out with ``..``, or is hidden.
    """
    wanted = PurePosixPath(path.strip().replace("\\", "/"))
    if wanted.is_absolute() or ".." in wanted.parts or not wanted.parts:
        raise ToolError(f"{path!r} is no path below the workspace; name a file like 'report.csv'")
    if any(part.startswith(".") for part in wanted.parts) or re.search(r"[\0-\x1f\ud800-\udfff]", path):
        raise ToolError(f"{path!r} is hidden or no name; name a file like 'report.csv'")
    return wanted.parts


def _put(workspace: Path, parts: Sequence[str], data: bytes) -> None:
    """Writes a whole file at once, below the workspace and through no link."""
    opened = partial(os.open, flags=FOLDER_FLAGS)
    shown = "/".join(parts)
    with contextlib.ExitStack() as stack:
        try:
            folder = opened(workspace)
            stack.callback(os.close, folder)
            for part in parts[:-1]:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
                folder = opened(part, dir_fd=folder)
                stack.callback(os.close, folder)
            _replace(folder, parts[-1], data)
        except OSError as error:
            raise ToolError(
                f"{shown!r} cannot be written: {error.strerror}; links are not followed"
            ) from error


def _replace(folder: int, name: str, data: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        # A link or a folder of that name is in the way, and is not what the caller means.
        os.close(os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder))
    temporary = f".{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(temporary, flags, 0o666, dir_fd=folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
