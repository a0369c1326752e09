"""Native tools over the earlier results of a run: as SQL tables to query, and as files to write.

The SQL is answered by a DuckDB database in memory that can only be read (``swarm.tabular.query_engine``).
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from swarm import ToolContext, ToolError, ToolResult, tool
from swarm.tabular.explain import count
from swarm.tabular.file_table import FileTable
from swarm.tabular.names import written
from swarm.tabular.query_engine import columns_of, selected

SHOWN_CHARACTERS = 6_000
"""Of a printed table, about 2,000 tokens; the data holds all rows."""
CELL_CHARACTERS = 200
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Row = dict[str, JsonValue]
_KINDS = {"VARCHAR": "TEXT", "BIGINT": "INTEGER", "HUGEINT": "INTEGER", "DOUBLE": "REAL"}


@tool(effect="pure")
def tables(context: ToolContext) -> ToolResult:
    """List the earlier results that are tables, with columns, row counts and two rows each."""
    earlier = context.tables()
    lines = [_described(name, rows) for name, rows in earlier.items()]
    names: list[JsonValue] = [{"table": name, "rows": len(rows)} for name, rows in earlier.items()]
    return ToolResult(text="\n".join(lines) or "(no earlier result is a table)", data=names)


@tool(effect="pure")
def query(sql: str, context: ToolContext) -> ToolResult:
    """Run one SQL SELECT over the earlier results; each result is a table named after its step."""
    columns, rows = selected(sql, context.tables())
    return ToolResult(text=_printed(columns, rows), data=[*rows])


@tool(effect="idempotent")
def write(sql: str, path: str, context: ToolContext) -> ToolResult:
    """Run one SQL SELECT over the earlier results and write its rows to a .csv, .json or .md file."""
    parts = _parts(path)
    form = {".csv": _csv, ".json": _json, ".md": _markdown}.get(PurePosixPath(parts[-1]).suffix.lower())
    if form is None:
        raise ToolError(f"{path!r} has no known ending; name a .csv, .json or .md file")
    columns, rows = selected(sql, context.tables())
    _put(context.workspace, parts, form(columns, rows).encode("utf-8", "replace"))
    shown = "/".join(parts)
    number = f"{len(rows)} row{'s' * (len(rows) != 1)}"
    return ToolResult(
        text=f"wrote {number} to {shown}\n{_printed(columns, rows[:5], len(rows))}",
        data=[*rows],
        files=(shown,),
    )


def _described(name: str, rows: Sequence[Row]) -> str:
    if isinstance(rows, FileTable):
        known = rows.description
        parts = ", ".join(f"{written(column)} {kind}" for column, kind in known.kinds.items())
        return _with_examples(
            f"{written(name)}({parts}) -- {count(rows)}", [list(one.values()) for one in known.first]
        )
    columns = columns_of(rows)
    parts = ", ".join(f"{written(column)} {_KINDS[one.kind]}" for column, one in columns.items())
    some = (
        [[column.values[n] for column in columns.values()] for n in range(min(2, len(rows)))]
        if columns
        else []
    )
    return _with_examples(f"{written(name)}({parts}) -- {count(rows)}", some)


def _with_examples(line: str, rows: Sequence[Sequence[JsonValue]]) -> str:
    some = [f"({', '.join(map(_literal, values))})" for values in rows]
    return f"{line}\n  e.g. {', '.join(some)}" if some else line


def _literal(value: JsonValue) -> str:
    return repr(value[:60]) if isinstance(value, str) else "NULL" if value is None else _shown(value)


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
