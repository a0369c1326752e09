"""What lies in a workspace, in a few lines: text files by pattern, and tables with their columns.

It is gathered by tools before the first question to a model, so that the planner plans with
names that exist and pays no turns for looking around.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from swarm.effects import act
from swarm.errors import ProjectError, ServerError
from swarm.plan import Thread
from swarm.tabular.endings import BOOKS, DELIMITED, JSON, OTHERS
from swarm.tabular.file_table import FileTable
from swarm.tabular.names import written
from swarm.tool import Row, ToolResult
from swarm.work import At, Work, one_line

TEXT_ENDINGS = (".md", ".txt", ".rst", ".log", ".eml", ".html", ".tex", ".org")
TABLE_ENDINGS = (*DELIMITED, *JSON, *BOOKS, *OTHERS)
"""Those that are read, and those that are told of."""
DATABASE_ENDINGS = (".db", ".sqlite", ".sqlite3")
MOST_GROUPS = 12
MOST_STORED = 60
MOST_NAMED = 20
MOST_COLUMNS = 60
MOST_UNREAD = 8
MOST_REASON = 200
_TABLE = re.compile(
    r"""(?:(?P<place>[^()"`]+?\.\w+):\ )?(?P<name>(?:"(?:[^"]|"")+"|`[^`]+`|\w+)(?:\.(?:"(?:[^"]|"")+"|`[^`]+`|\w+))*)\(""",
    re.VERBOSE,
)
_PART = re.compile(r'"(?:[^"]|"")+"|`[^`]+`|\w+')
_SIGN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[(),]|[^\s(),'"`\[]+|\s+|.""", re.DOTALL
)
"""The parts of a list of columns: texts, names, brackets and commas."""
_UNREAD = re.compile(r"^\S[^(]*: (?:not read|can't be read|cannot be read|is locked|not opened)\b")
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
    unread: tuple[str, ...] = ()
    """What lies there and could not be read, each with its reason."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """What an ``each`` over files may name."""
        return tuple(group.pattern for group in self.texts)

    @property
    def has_tables(self) -> bool:
        """Whether there is anything to query before a step has run."""
        return bool(self.tables or self.database_tables or self.database)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What lies there and is not in the survey, each with its reason."""
        lacking = (f"some files, which are not listed: {self.unlisted}",) if self.unlisted else ()
        return (*self.unread, *lacking)

    def lines(self) -> str:
        """The survey as a model reads it; names are written as SQL needs them."""
        texts = _cut([_text_line(group) for group in self.texts], MOST_GROUPS, "groups of text files")
        tables = [f"{signature(t.name, t.columns)} from {t.pattern}" for t in self.tables]
        tables = _cut(tables, MOST_GROUPS, "table files", [t.pattern for t in self.tables])
        stored = [f"{signature(t.name, t.columns)} in {t.pattern}" for t in self.database_tables]
        stored = _cut(stored, MOST_STORED, "tables", [written(t.name) for t in self.database_tables])
        lines = [
            f"Text files: {'; '.join(texts) or 'none'}",
            f"Tables: {'; '.join([*tables, *stored]) or 'none'}",
        ]
        if self.unread:
            names = [line.partition(": ")[0] for line in self.unread]
            unread = _cut(list(self.unread), MOST_UNREAD, "that were not read", names)
            lines.append(f"Not read: {'; '.join(unread)}")
        if self.unlisted:
            lines.append(f"Not all files are listed: {self.unlisted[:400]}")
        return "\n".join(lines)


def signature(name: str, columns: Sequence[str]) -> str:
    """A table with its columns as they must be written, ``trips("order", total)``."""
    return f"{written(name)}({', '.join(_cut([written(one) for one in columns], MOST_COLUMNS, 'columns'))})"


def _cut(parts: Sequence[str], most: int, what: str, names: Sequence[str] = ()) -> list[str]:
    """The first parts, and how many more there are, by name where few words name them."""
    if len(parts) <= most:
        return [*parts]
    left = len(parts) - most
    named = ", ".join(names[most : most + MOST_NAMED])
    return [
        *parts[:most],
        f"and {left} more {what}" + f" ({named}{', …' * (left > MOST_NAMED)})" * bool(named),
    ]


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
    unread: list[str] = []
    listing = await _look(work, At(thread, 0, 0), "files.glob", {"pattern": "**/*"})
    paths, unlisted = listed(listing)
    tables: tuple[TableGroup, ...] = ()
    # Where the files could not be listed, the tool that reads tables may find them all the same.
    if unlisted or any(path.lower().endswith(TABLE_ENDINGS) for path in paths):
        tables = _tables(await _look(work, At(thread, 0, 1), "tables.find", {}), unread)
    has_file = any(path.lower().endswith(DATABASE_ENDINGS) for path in paths)
    asks = has_file or work.has_database
    schema = await _look(work, At(thread, 0, 2), "database.schema", {}) if asks else None
    if has_file and schema is None:
        unread.append("the database: no tool of this project reads it; enable the server 'database'")
    if schema is not None and schema.is_error:
        unread.append(f"the database: {one_line(schema.text, MOST_REASON)}")
    database = "" if schema is None or schema.is_error else schema.text
    place = next((path for path in paths if path.lower().endswith(DATABASE_ENDINGS)), "the database")
    return Survey(
        paths=paths,
        texts=_texts(paths),
        tables=tables,
        database=database,
        database_tables=_stored(schema, place, unread),
        unread=tuple(unread),
        unlisted=unlisted,
    )


async def _look(work: Work, at: At, name: str, args: dict[str, object]) -> ToolResult | None:
    """A tool's answer, or None when the project has no such tool."""
    try:
        (tool,) = await work.box.tools((name,))
    except ProjectError:
        return None
    except ServerError as error:
        if name.startswith("files."):
            raise
        return ToolResult(text=str(error), is_error=True)
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


def _tables(found: ToolResult | None, unread: list[str]) -> tuple[TableGroup, ...]:
    """The tables in files; each file that could not be read goes to ``unread``."""
    if found is None:
        unread.append("the table files: no tool of this project reads them; it has none called tables.find")
        return ()
    if found.is_error or not isinstance(found.data, list):
        unread.append(f"the table files: {one_line(found.text, MOST_REASON)}")
        return ()
    rows = [row for row in found.data if isinstance(row, dict)]
    unread += [f"{row['pattern']}: {row['unread']}" for row in rows if row.get("unread")]
    return tuple(TableGroup.model_validate(row) for row in rows if not row.get("unread"))


def _stored(schema: ToolResult | None, place: str, unread: list[str]) -> tuple[TableGroup, ...]:
    """The tables of the databases, from the rows of the answer: its text may be cut."""
    if schema is None or schema.is_error:
        return ()
    rows = [row for row in schema.data if isinstance(row, dict)] if isinstance(schema.data, list) else []
    unread += [line.strip() for line in schema.text.splitlines() if _UNREAD.search(line)]
    found: list[TableGroup] = []
    for row in rows:
        groups = _database_tables(str(row.get("schema", "")), str(row.get("database") or place))
        found += groups
    return tuple(found) or _database_tables(schema.text, place)


def _database_tables(schema: str, place: str) -> tuple[TableGroup, ...]:
    """The tables that the lines of a schema tell, with all their columns."""
    found: list[TableGroup] = []
    for line in schema.splitlines():
        if (table := _TABLE.match(line)) and not line.startswith(" "):
            columns = tuple(_column_names(line[table.end() :]))
            name = ".".join(_unquoted(part) for part in _PART.findall(table["name"]))
            found.append(TableGroup(name=name, pattern=table["place"] or place, columns=columns))
    return tuple(found)


def _column_names(text: str) -> list[str]:
    """Names of the columns up to the bracket that closes the list; brackets and commas within one stay in it."""
    names: list[str] = []
    depth, start = 0, True
    for sign in _SIGN.finditer(text):
        part = sign[0]
        if part == ")" and not depth:
            return names
        depth += (part == "(") - (part == ")")
        if start and part.strip():
            names.append(_unquoted(part))
            start = False
        elif part == "," and not depth:
            start = True
    return names


def _unquoted(name: str) -> str:
    sign = name[:1]
    return name[1:-1].replace(sign * 2, sign) if sign in ('"', "`") else name.strip("[]")


def sample(rows: Sequence[Row], most: int = 2) -> str:
    """The first rows as compact text."""
    return "; ".join(", ".join(str(value) for value in row.values()) for row in rows[:most])


def describe(name: str, rows: Sequence[Row], note: str = "") -> str:
    """A table as a model reads it: ``name(column TYPE, …)``, the number of rows and two of them."""
    if isinstance(rows, FileTable):
        known = rows.description
        kinds: Mapping[str, str] = known.kinds
        count, first = f"about {known.about_rows:,} rows", [dict(row) for row in known.first]
    else:
        columns = dict.fromkeys(key for row in rows for key in row)
        kinds = {column: _type_of(rows, column) for column in columns}
        count, first = f"{len(rows)} row{'s' * (len(rows) != 1)}", list(rows[:2])
    typed = ", ".join(f"{written(column)} {kind}" for column, kind in kinds.items())
    shown = f"; first: {sample(first)}" if first else ""
    return f"{written(name)}({typed}){note} -- {count}{shown}"


def _type_of(rows: Sequence[Row], column: str) -> str:
    values = [row.get(column) for row in rows if row.get(column) is not None]
    if values and all(isinstance(value, int | float) for value in values):
        return "NUMBER"
    return "TEXT"
