"""What lies in a workspace, in a few lines: text files by pattern, and tables with their columns.

It is gathered by tools before the first question to a model, so that the planner plans with
names that exist and pays no turns for looking around.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from swarm.effects import act
from swarm.errors import ProjectError, ServerError
from swarm.plan import Thread
from swarm.tool import Row, ToolResult
from swarm.work import At, Work

TEXT_ENDINGS = (".md", ".txt", ".rst", ".log", ".eml", ".html", ".tex", ".org")
TABLE_ENDINGS = (".csv", ".tsv", ".json", ".jsonl")
DATABASE_ENDINGS = (".db", ".sqlite", ".sqlite3")
MOST_GROUPS = 12
MOST_NAMED = 3
_TABLE = re.compile(r"^\s*([A-Za-z_][\w.]*)\((.*?)\)", re.MULTILINE)
_PATHS = TypeAdapter(list[str])


class TextGroup(BaseModel):
    """Text files of one folder with one ending."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str
    paths: tuple[str, ...]


class TableGroup(BaseModel):
    """Table files that make one table."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    pattern: str
    columns: tuple[str, ...]


class Survey(BaseModel):
    """What lies in a workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paths: tuple[str, ...] = ()
    texts: tuple[TextGroup, ...] = ()
    tables: tuple[TableGroup, ...] = ()
    database: str = ""
    """The schema of the database as its server tells it; empty when there is none."""
    database_tables: tuple[TableGroup, ...] = ()
    unlisted: str = ""
    """What the listing of files does not hold, in words; empty where it is whole."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """What an ``each`` over files may name."""
        return tuple(group.pattern for group in self.texts)

    @property
    def has_tables(self) -> bool:
        """Whether there is anything to query before a step has run."""
        return bool(self.tables or self.database_tables or self.database)

    def lines(self) -> str:
        """The survey as a model reads it."""
        texts = [_text_line(group) for group in self.texts[:MOST_GROUPS]]
        tables = [f"{t.name}({', '.join(t.columns)}) from {t.pattern}" for t in self.tables[:MOST_GROUPS]]
        tables += [f"{t.name}({', '.join(t.columns)}) in {t.pattern}" for t in self.database_tables]
        lines = f"Text files: {'; '.join(texts) or 'none'}\nTables: {'; '.join(tables) or 'none'}"
        return f"{lines}\nNot all files are listed: {self.unlisted[:400]}" if self.unlisted else lines


def _text_line(group: TextGroup) -> str:
    if len(group.paths) == 1:
        return group.pattern
    return f"{group.pattern} ({len(group.paths)} files)"


async def survey(work: Work) -> Survey:
    """What lies in the run's workspace, looked up once a run.

    Raises:
        ServerError: the file server could not be asked.
    """
    thread = Thread(run=work.journal.run.id, step="_survey", attempt=0)
    listing = await _look(work, At(thread, 0, 0), "files.glob", {"pattern": "**/*"})
    paths, unlisted = listed(listing)
    tables: tuple[TableGroup, ...] = ()
    if any(path.lower().endswith(TABLE_ENDINGS) for path in paths):
        tables = _tables(await _look(work, At(thread, 0, 1), "tables.find", {}))
    has_file = any(path.lower().endswith(DATABASE_ENDINGS) for path in paths)
    asks = has_file or work.has_database
    schema = await _look(work, At(thread, 0, 2), "database.schema", {}) if asks else None
    database = "" if schema is None or schema.is_error else schema.text
    place = next((path for path in paths if path.lower().endswith(DATABASE_ENDINGS)), "the database")
    return Survey(
        paths=paths,
        texts=_texts(paths),
        tables=tables,
        database=database,
        database_tables=_database_tables(database, place),
        unlisted=unlisted,
    )


async def _look(work: Work, at: At, name: str, args: dict[str, object]) -> ToolResult | None:
    """A tool's answer, or None when the project has no such tool."""
    try:
        (tool,) = await work.box.tools((name,))
    except ProjectError:
        return None
    except ServerError:
        if name.startswith("files."):
            raise
        return None
    return await act(work, at, tool, args, {})


def listed(found: ToolResult | None) -> tuple[tuple[str, ...], str]:
    """The paths that ``files.glob`` gave, and what they lack, in words; empty where they are whole."""
    if found is None:
        return (), ""
    if found.is_error:
        return (), found.text
    data, lacks = found.data, ""
    if isinstance(data, dict) and isinstance(left_out := data.get("left_out"), list):
        data, lacks = data.get("result"), "; ".join(map(str, left_out))
    try:
        return tuple(_PATHS.validate_python(data)), lacks
    except ValidationError:
        return (), f"files.glob gave no list of paths, but: {found.text[:200]}"


def _texts(paths: tuple[str, ...]) -> tuple[TextGroup, ...]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        at = PurePosixPath(path)
        if at.suffix.lower() in TEXT_ENDINGS:
            groups[str(at.parent), at.suffix].append(path)
    return tuple(_text_group(folder, suffix, found) for (folder, suffix), found in groups.items())


def _text_group(folder: str, suffix: str, paths: list[str]) -> TextGroup:
    if len(paths) == 1:
        return TextGroup(pattern=escaped(paths[0]), paths=tuple(paths))
    prefix = "" if folder == "." else f"{escaped(folder)}/"
    return TextGroup(pattern=f"{prefix}*{escaped(suffix)}", paths=tuple(paths))


def escaped(path: str) -> str:
    """A path as a pattern that matches it alone."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def _tables(found: ToolResult | None) -> tuple[TableGroup, ...]:
    rows: JsonValue = None if found is None or found.is_error else found.data
    return tuple(TableGroup.model_validate(row) for row in rows) if isinstance(rows, list) else ()


def _database_tables(schema: str, place: str) -> tuple[TableGroup, ...]:
    return tuple(
        TableGroup(name=name, pattern=place, columns=tuple(_column_names(columns)))
        for name, columns in _TABLE.findall(schema)
    )


def _column_names(columns: str) -> list[str]:
    return [column.split()[0].strip('"`[]') for column in columns.split(",") if column.split()]


def sample(rows: list[Row], most: int = 2) -> str:
    """The first rows as compact text."""
    return "; ".join(", ".join(str(value) for value in row.values()) for row in rows[:most])


def describe(name: str, rows: list[Row], note: str = "") -> str:
    """A table as a model reads it: ``name(column TYPE, …)``, the number of rows and two of them."""
    columns = dict.fromkeys(key for row in rows[:200] for key in row)
    typed = ", ".join(f"{column} {_type_of(rows, column)}" for column in columns)
    shown = f"; first: {sample(rows)}" if rows else ""
    return f"{name}({typed}){note} -- {len(rows)} rows{shown}"


def _type_of(rows: list[Row], column: str) -> str:
    values = [row.get(column) for row in rows[:200] if row.get(column) is not None]
    if values and all(isinstance(value, int | float) for value in values):
        return "NUMBER"
    return "TEXT"
