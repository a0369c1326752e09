"""Tables that lie in the workspace as CSV, TSV, JSON or JSON Lines files: found and loaded whole."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from swarm import ToolContext, ToolError, ToolResult, tool

Cell = str | int | float | None
Row = dict[str, Cell]

ENDINGS = (".csv", ".tsv", ".jsonl", ".json")
_NOTHING: list[str] = []
MOST_FILES = 2_000
MOST_ROWS = 200_000
MOST_BYTES = 64 * 1024 * 1024
_OBJECT = TypeAdapter(dict[str, JsonValue])
_OBJECTS = TypeAdapter(list[dict[str, JsonValue]])
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)\.\d+")


@tool(effect="pure")
def find(context: ToolContext) -> ToolResult:
    """Table files of the workspace, files of one folder with the same columns as one table."""
    groups: dict[tuple[str, str, tuple[str, ...], str], list[str]] = defaultdict(list)
    for path in _files(context.workspace):
        columns = tuple(_columns(context.workspace / path))
        if columns:
            at = PurePosixPath(path)
            # Outside any folder old.csv and new.csv are two tables; only names like sales-2024.csv are a series.
            series = re.sub(r"\d+", "", at.stem) if at.parent == PurePosixPath() else ""
            groups[str(at.parent), at.suffix.lower(), columns, series].append(path)
    found = [_group(folder, suffix, columns, paths) for (folder, suffix, columns, _), paths in groups.items()]
    lines = [f"{group.name}({', '.join(group.columns)}) from {group.pattern}" for group in found]
    data: list[JsonValue] = [group.model_dump(mode="json") for group in found]
    return ToolResult(text="\n".join(lines) or "no table files", data=data)


@tool(effect="pure")
def load(pattern: str, context: ToolContext) -> ToolResult:
    """All rows of the table files that match a pattern, with the file of each when there are several."""
    paths = [path for path in _files(context.workspace) if PurePosixPath(path).match(pattern)]
    if not paths:
        raise ToolError(f"no table file matches {pattern!r}; tables.find lists those that are there")
    rows: list[Row] = []
    for path in paths:
        mark: Row = {"file": PurePosixPath(path).stem} if len(paths) > 1 else {}
        rows += [mark | row for row in _rows(context.workspace / path)]
        if len(rows) > MOST_ROWS:
            raise ToolError(f"{pattern!r} has more than {MOST_ROWS} rows; put it into a database")
    data: list[JsonValue] = [dict(row) for row in rows]
    return ToolResult(text=f"{len(rows)} rows of {len(paths)} files", data=data)


def _files(workspace: Path) -> Iterator[str]:
    """Table files in order of their paths, those in hidden folders and links left out."""
    count = 0
    for path in sorted(workspace.rglob("*")):
        inside = path.relative_to(workspace)
        if path.suffix.lower() not in ENDINGS or any(part.startswith(".") for part in inside.parts):
            continue
        if path.is_symlink() or not path.is_file() or not path.resolve().is_relative_to(workspace.resolve()):
            continue
        count += 1
        if count > MOST_FILES:
            return
        yield inside.as_posix()


class Group(BaseModel):
    """Table files that make one table."""

    name: str
    pattern: str
    columns: list[str]
    files: int


def _group(folder: str, suffix: str, columns: tuple[str, ...], paths: list[str]) -> Group:
    single = len(paths) == 1
    stem = PurePosixPath(paths[0]).stem if single or folder == "." else PurePosixPath(folder).name
    series = re.sub(r"\d+", "*", paths[0]) if folder == "." else f"{folder}/*{suffix}"
    return Group(
        name=re.sub(r"\W+", "_", stem).strip("_").lower() or "rows",
        pattern=paths[0] if single else series,
        columns=list(columns) if single else ["file", *columns],
        files=len(paths),
    )


def _columns(path: Path) -> list[str]:
    """Names of the columns, empty when the file is no table."""
    if path.suffix.lower() in (".csv", ".tsv"):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            first = file.readline(1_000_000)
        return _header(next(csv.reader([first], delimiter=_separator(path, first)), _NOTHING))
    try:
        rows = _rows(path)
    except ToolError:
        return []
    return list(dict.fromkeys(key for row in rows[:50] for key in row))


def _rows(path: Path) -> list[Row]:
    if path.stat().st_size > MOST_BYTES:
        raise ToolError(f"{path.name!r} is over {MOST_BYTES // 1024 // 1024} MB; put it into a database")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if path.suffix.lower() in (".csv", ".tsv"):
        return _csv_rows(path, text)
    try:
        if path.suffix.lower() == ".jsonl":
            found = [_OBJECT.validate_json(line) for line in text.splitlines() if line.strip()]
        else:
            found = _OBJECTS.validate_json(text)
    except ValidationError as error:
        raise ToolError(f"{path.name!r} holds no table; a table is a list of JSON objects") from error
    return [{key: _cell(value) for key, value in row.items()} for row in found]


def _csv_rows(path: Path, text: str) -> list[Row]:
    lines = csv.reader(io.StringIO(text), delimiter=_separator(path, text.partition("\n")[0]))
    header = _header(next(lines, _NOTHING))
    if not header:
        raise ToolError(f"{path.name!r} has no line of column names")
    return [
        dict(zip(header, map(_typed, _padded(line, len(header))), strict=True)) for line in lines if any(line)
    ]


def _padded(line: list[str], width: int) -> Iterable[str]:
    return (line + [""] * width)[:width]


def _header(names: list[str]) -> list[str]:
    cleaned = [re.sub(r"\W+", "_", name).strip("_").lower() for name in names]
    return cleaned if cleaned and all(cleaned) and len(set(cleaned)) == len(cleaned) else []


def _separator(path: Path, first: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    return ";" if first.count(";") > first.count(",") else ","


def _typed(cell: str) -> Cell:
    """A number where the text is one as a computer writes it; codes like 007 stay text."""
    cell = cell.strip()
    if _INTEGER.fullmatch(cell):
        return int(cell)
    if _NUMBER.fullmatch(cell):
        return float(cell)
    return cell or None


def _cell(value: JsonValue) -> Cell:
    return value if isinstance(value, str | int | float) or value is None else json.dumps(value)
