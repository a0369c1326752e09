"""The MCP server ``database``: tables, schema and queries of SQL databases.

    python -P database.py [--root FOLDER]... [--url URL]... [--write] [--seconds N]

With ``--url`` any SQLAlchemy URL, else the SQLite files found below the folders. Nothing is changed
unless ``--write`` is given. SQLite enforces that itself (a read-only file and an authorizer); other
databases get a read-only transaction that is rolled back: give them an account that may only read.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import decimal
import difflib
import math
import os
import re
import sqlite3
import sys
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import sqlalchemy
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import JsonValue
from sqlalchemy import exc
from sqlalchemy.engine import Connection, Engine, Inspector, make_url
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

SECONDS = 10.0  # That one call may take in the database.
MOST_ROWS, MOST_CHARACTERS = 10_000, 2_000_000  # Of one answer; of all its values together.
VALUE_BYTES = 50_000_000  # The largest that SQLite may build: no expression can fill the memory.
SHOWN_CHARACTERS, CELL_CHARACTERS = 6_000, 200  # Of a printed table, about 2,000 tokens; of a value in it.
FEW, LOOKED_AT = 8, 10_000  # Values of a text column that a schema names; rows they are looked for in.
KEPT_CHARACTERS = 20_000  # Of an answer that is kept under its key.
COUNTED = 1_000_000  # Rows up to which a table is counted.
FOUND_FILES, FOLDERS = 50, 5_000  # That are taken; that are looked through for files.
SUFFIXES = frozenset({".db", ".db3", ".sqlite", ".sqlite3"})

READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
NEVER = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
"""What reaches beyond the one file that was granted, or changes how it is kept."""
PRAGMAS = re.compile(r"(table|index|foreign_key|database|collation)_(x?info|list)|read_uncommitted", re.I)
"""The pragmas that only describe; SQLAlchemy asks the last one."""
TENDING_WORDS = re.compile(r"\s*(pragma|vacuum|analy[sz]e|reindex)\b", re.IGNORECASE)
READING_WORDS = re.compile(r"\s*\(*\s*(select|with|values|table|explain|show|desc(ribe)?)\b", re.IGNORECASE)
"""How a statement begins that may run on a database which is not SQLite."""
WRITING_WORDS = re.compile(r"\b(insert|update|delete|merge|into)\b", re.IGNORECASE)
GUARDS = {
    "postgresql": ("SET TRANSACTION READ ONLY", "SET LOCAL statement_timeout = {milliseconds}"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_execution_time = {milliseconds}"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_statement_time = {seconds}"),
}
"""How a dialect is told to read only and to stop in time."""
NOT_CODE = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$""", re.DOTALL
)
"""Texts, quoted names and comments of a statement."""

CALLS = sqlalchemy.Table(
    "swarm_calls",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("key", sqlalchemy.String(255), primary_key=True),
    sqlalchemy.Column("answer", sqlalchemy.Text, nullable=False),
)
"""In a database that is written to: what each keyed call gave. The row is written in the transaction of
the effect, so a call that is repeated after a crash has its effect once. It may be emptied between runs."""

SQLITE_HINT = "; this is SQLite: dates with strftime('%Y-%m', column), joining texts with ||"
ONLY_READ = "this database is only read: write one SELECT"

Row = dict[str, JsonValue]


@dataclass(frozen=True)
class Source:
    """A database: what callers call it, and how it is reached."""

    name: str
    url: sqlalchemy.URL


class Databases:
    """The tools over the databases that were named, or else the SQLite files of the folders."""

    def __init__(
        self,
        folders: Sequence[Path],
        urls: Sequence[str],
        *,
        writable: bool = False,
        seconds: float = SECONDS,
    ) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._named = [self._source(url) for url in urls]
        self._writable = writable
        self.keyed = False  # Whether writing calls that come with a key are kept in CALLS.
        self._seconds = seconds

    def sources(self) -> list[Source]:
        """The databases there are now: a file may have come since the start."""
        return self._named or [*islice(self._files(), FOUND_FILES)]

    def tables(self, database: str = "") -> CallToolResult:
        """List the tables with their row counts."""
        rows: list[JsonValue] = []
        lines: list[str] = []
        for source, prefix in self._picked(database):
            with self._connected(source) as connection:
                for name in _tables(sqlalchemy.inspect(connection)):
                    count = _count(connection, name)
                    rows.append({"database": source.name, "table": name, "rows": count})
                    lines.append(f"{prefix}{name} ({_rows(count)})")
        return _answer("\n".join(lines) or "(no tables)", rows)

    def schema(self, table: str = "", database: str = "") -> CallToolResult:
        """Show columns, example rows and frequent values of all tables or one: read it before a query."""
        rows: list[JsonValue] = []
        texts: list[str] = []
        known: list[str] = []
        for source, prefix in self._picked(database):
            with self._connected(source) as connection:
                inspector = sqlalchemy.inspect(connection)
                names = _tables(inspector)
                known.extend(names)
                for name in (one for one in names if table.casefold() in {"", one.casefold()}):
                    line, values = _described(connection, inspector, name)
                    rows.append({"database": source.name, "table": name, "schema": line})
                    texts.append("\n".join([f"{prefix}{line}", *values]))
        if table and not texts:
            meant = "".join(f"did you mean {one!r}? " for one in difflib.get_close_matches(table, known, 1))
            raise ToolError(f"no table {table!r}; {meant}there is {', '.join(known) or 'none'}")
        return _answer(_cut(texts, "tables; name one to see it") or "(no tables)", rows)

    def query(
        self, sql: str, limit: int = 200, database: str = "", ctx: Context | None = None
    ) -> CallToolResult:
        """Run one SQL statement; gives the rows it selects."""
        statement = _single(sql)
        source = self._reached(database, statement)
        code = NOT_CODE.sub(" ", statement)
        is_read = READING_WORDS.match(code) and not WRITING_WORDS.search(code)
        if not (self._writable or is_read or source.url.get_backend_name() == "sqlite"):
            raise ToolError(ONLY_READ)
        meta = ctx.request_context.meta if ctx and self.keyed else None
        key = "" if is_read or TENDING_WORDS.match(code) else str((meta or {}).get("swarm/key", ""))
        with self._connected(source) as connection:
            known = _begun(connection, key) if key else None
            answer = known or _ran(connection, statement, limit)
            if key and not known:
                kept = answer.model_dump_json(by_alias=True)
                if len(kept) > KEPT_CHARACTERS:
                    kept = _answer("done; its rows were too many", []).model_dump_json(by_alias=True)
                connection.execute(CALLS.update().where(CALLS.c.key == key).values(answer=kept))
            if self._writable:
                connection.commit()
        return answer

    def _source(self, text: str) -> Source:
        """The database of a URL, a relative SQLite file in the first folder; raises ValueError for neither."""
        try:
            url = make_url(text)
        except exc.ArgumentError:
            raise ValueError("--url is no database URL; write e.g. sqlite:///sales.db") from None
        if url.get_backend_name() != "sqlite":
            return Source(url.database or url.get_backend_name(), url)
        path = self._folders[0] / (url.database or "")
        if not path.is_file():
            raise ValueError(f"--url names {str(path)!r}, which is no file")
        return Source(path.name, url.set(database=str(path)))

    def _files(self) -> Generator[Source]:
        for top in self._folders:
            for folder, inner, names in islice(os.walk(top), FOLDERS):
                inner[:] = sorted(name for name in inner if not name.startswith("."))
                for path in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
                    # A link may lead out of the folder that was granted.
                    if path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink():
                        name = path.relative_to(top) if top == self._folders[0] else path
                        yield Source(name.as_posix(), sqlalchemy.URL.create("sqlite", database=str(path)))

    def _picked(self, database: str) -> list[tuple[Source, str]]:
        """The databases that are meant, the one named or all, each with what its lines begin with."""
        sources = self.sources()
        if not sources:
            raise ToolError("there is no database; put a .db file in the workspace or start with --url")
        picked = [source for source in sources if database in {"", source.name, Path(source.name).stem}]
        if not picked:
            names = ", ".join(repr(source.name) for source in sources)
            raise ToolError(f"no database {database!r}; there is {names}")
        return [(source, f"{source.name}: " if len(picked) > 1 else "") for source in picked]

    def _reached(self, database: str, statement: str) -> Source:
        """The one database a statement is for: the one named, or the only one with its tables."""
        sources = [source for source, _ in self._picked(database)]
        words = {word.casefold() for word in re.findall(r"\w+", statement)}
        fitting = sources if len(sources) == 1 else []
        for source in sources if len(sources) > 1 else []:
            with self._connected(source) as connection:
                if words & {name.casefold() for name in _tables(sqlalchemy.inspect(connection))}:
                    fitting.append(source)
        if len(fitting) != 1:
            names = ", ".join(repr(source.name) for source in sources)
            raise ToolError(f"say which database: give database= one of {names}")
        return fitting[0]

    @contextlib.contextmanager
    def _connected(self, source: Source) -> Generator[Connection]:
        """A connection that is rolled back at the end and stops in time; refusals say what there is instead."""
        try:
            with _engine(source, self._writable, self._seconds).connect() as connection:
                times = {"seconds": self._seconds, "milliseconds": int(self._seconds * 1_000)}
                for guard in () if self._writable else GUARDS.get(connection.dialect.name, ()):
                    connection.exec_driver_sql(guard.format(**times))
                yield connection
        except (exc.NoSuchModuleError, ModuleNotFoundError) as error:
            raise ToolError(f"{source.name!r} needs a driver that is not installed: {error}") from error
        except exc.SQLAlchemyError as error:
            raise ToolError(self._explained(source, error)) from error

    def _explained(self, source: Source, error: exc.SQLAlchemyError) -> str:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        if re.search(r"^interrupted|statement timeout|execution time|max_statement_time", reason):
            return f"stopped after {self._seconds:g} s; ask for less, with WHERE or LIMIT"
        if re.search(
            r"^not authorized|^authorization denied|prohibited|readonly database|read-only|READ ONLY", reason
        ):
            return ONLY_READ
        try:
            hint = SQLITE_HINT if "no such function" in reason else ""
            return f"{reason}{hint}{self._there_is(source, reason)}"
        except exc.SQLAlchemyError:
            return f"database {source.name!r} cannot be read: {reason}"

    def _there_is(self, source: Source, reason: str) -> str:
        """The names that can be used instead of one that is unknown."""
        with _engine(source, writable=False, seconds=self._seconds).connect() as connection:
            inspector = sqlalchemy.inspect(connection)
            quote = connection.dialect.identifier_preparer.quote
            columns = {
                quote(name): [quote(column["name"]) for column in inspector.get_columns(name)]
                for name in _tables(inspector)
            }
        known = [*columns, *(name for names in columns.values() for name in names)]
        unknown = re.split(r"[.\s]", reason)[-1].strip("\"'`")
        near = difflib.get_close_matches(unknown, [name for name in known if name != unknown], 1)
        meant = "".join(f"did you mean {one!r}? " for one in near)
        tables = [f"{name}({', '.join(names)})" for name, names in columns.items()]
        return f"; {meant}the tables are:\n" + _cut(tables, "tables", room=1_500)


def _engine(source: Source, writable: bool, seconds: float) -> Engine:
    if source.url.get_backend_name() != "sqlite":
        return sqlalchemy.create_engine(source.url, poolclass=NullPool)
    opened = partial(_opened, Path(source.url.database or ""), writable, seconds)
    return sqlalchemy.create_engine("sqlite://", creator=opened, poolclass=NullPool)


def _opened(path: Path, writable: bool, seconds: float) -> sqlite3.Connection:
    """An SQLite file that stops after its time and can neither be left nor, unless granted, be changed."""
    address = f"{path.as_uri()}?mode={'rw' if writable else 'ro'}"
    connection = sqlite3.connect(address, uri=True, timeout=seconds, check_same_thread=False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    # The matcher of LIKE checks no deadline, and backtracks once for every wildcard.
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    connection.set_authorizer(partial(_authorized, writable))
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    return connection


def _authorized(writable: bool, action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """SQLite asks this for each thing a statement does (sqlite.org/c3ref/set_authorizer.html)."""
    if action == sqlite3.SQLITE_FUNCTION:
        is_allowed = second != "load_extension"
    elif action == sqlite3.SQLITE_PRAGMA:
        is_allowed = PRAGMAS.fullmatch(first or "") is not None
    else:
        is_allowed = action in READING or (writable and action not in NEVER)
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY


def _single(sql: str) -> str:
    """The one statement of a text, without the fence that models put around code."""
    statement = re.sub(r"^```\w*\n|```$", "", sql.strip()).strip().rstrip(";").strip()
    if not statement:
        raise ToolError("sql is empty; write one SELECT")
    if ";" in NOT_CODE.sub(" ", statement):
        raise ToolError("only one statement at a time; send each in its own call")
    return statement


def _ran(connection: Connection, statement: str, limit: int) -> CallToolResult:
    result = connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    if not result.returns_rows:
        return _answer(f"done; {max(result.rowcount, 0)} rows changed", [])
    columns = _unique(result.keys())
    rows, more = _fetched(columns, result, max(1, min(limit, MOST_ROWS)))
    return _answer(_printed(columns, rows, more), [*rows])


def _begun(connection: Connection, key: str) -> CallToolResult | None:
    """What the call of that key gave when it was made; None where it is made now, in this transaction."""
    connection.execute(CreateTable(CALLS, if_not_exists=True))
    connection.commit()
    try:
        connection.execute(CALLS.insert().values(key=key, answer=""))
        return None
    except exc.IntegrityError:  # it was made before, perhaps a moment ago by a server that is dying
        connection.rollback()
    kept = connection.scalar(sqlalchemy.select(CALLS.c.answer).where(CALLS.c.key == key))
    if not kept:
        raise ToolError("this was begun before, and its end is not known; look before you send it again")
    return CallToolResult.model_validate_json(kept)


def _tables(inspector: Inspector) -> list[str]:
    return sorted({*inspector.get_table_names(), *inspector.get_view_names()} - {CALLS.name})


def _count(connection: Connection, name: str) -> int:
    """Rows of a table, counted up to one more than ``COUNTED``."""
    some = sqlalchemy.select(sqlalchemy.literal(1)).select_from(sqlalchemy.table(name)).limit(COUNTED + 1)
    return connection.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(some.subquery())) or 0


def _rows(count: int) -> str:
    return f"over {COUNTED} rows" if count > COUNTED else f"{count} row{'s' * (count != 1)}"


def _described(connection: Connection, inspector: Inspector, name: str) -> tuple[str, list[str]]:
    """A table as one line like its CREATE statement, and lines that show what is in it."""
    quote = connection.dialect.identifier_preparer.quote
    columns = inspector.get_columns(name)
    keys = inspector.get_pk_constraint(name)["constrained_columns"]
    parents = {
        column: f" -> {key['referred_table']}.{parent}"
        for key in inspector.get_foreign_keys(name)
        for column, parent in zip(key["constrained_columns"], key["referred_columns"], strict=False)
    }
    parts = [
        f"{quote(column['name'])}{_type(column)}{' PK' * (column['name'] in keys)}{parents.get(column['name'], '')}"
        for column in columns
    ]
    line = f"{quote(name)}({', '.join(parts)}) -- {_rows(_count(connection, name))}"
    selected: list[sqlalchemy.ColumnClause[object]] = [
        sqlalchemy.column(column["name"]) for column in columns
    ]
    table = sqlalchemy.table(name, *selected)
    samples = connection.execute(sqlalchemy.select(table).limit(2)).all()
    rows = [f"({', '.join(_literal(value) for value in row)})" for row in samples]
    shown = [f"  e.g. {', '.join(rows)}"] if rows else []
    texts = [column["name"] for column in columns if isinstance(column["type"], sqlalchemy.String)]
    return line, [*shown, *(few for text in texts if (few := _few_values(connection, table, text)))]


def _type(column: ReflectedColumn) -> str:
    is_untyped = isinstance(column["type"], sqlalchemy.types.NullType)
    return "" if is_untyped else f" {column['type']}"


def _few_values(connection: Connection, table: sqlalchemy.TableClause, column: str) -> str:
    """The values of a text column, where they are few and short enough to be a vocabulary."""
    some = sqlalchemy.select(table.c[column]).limit(LOOKED_AT).subquery()
    distinct = sqlalchemy.select(some.c[column]).distinct().limit(FEW + 1)
    values = [value for value in connection.scalars(distinct) if value is not None]
    if not 0 < len(values) <= FEW or any(len(str(value)) > 40 for value in values):
        return ""
    return f"  {column}: {', '.join(sorted(_literal(value) for value in values))}"


def _literal(value: object) -> str:
    plain = _plain(value)
    return repr(plain)[:60] if isinstance(plain, str) else _cell(plain)


def _unique(names: Iterable[str]) -> list[str]:
    """Column names, numbered where one comes twice: rows are objects."""
    taken: list[str] = []
    for name in names:
        same = sum(1 for other in taken if re.fullmatch(re.escape(name) + r"(_\d+)?", other))
        taken.append(f"{name}_{same + 1}" if same else name)
    return taken


def _fetched(
    columns: Sequence[str], result: sqlalchemy.CursorResult[tuple[object, ...]], most: int
) -> tuple[list[Row], bool]:
    """The rows up to a number and a size, and whether there are more."""
    rows: list[Row] = []
    room = MOST_CHARACTERS
    for values in result:
        if len(rows) == most or room < 0:
            return rows, True
        row = dict(zip(columns, map(_plain, values), strict=True))
        room -= sum(len(value) for value in row.values() if isinstance(value, str))
        rows.append(row)
    return rows, False


def _plain(value: object) -> JsonValue:
    """A value as JSON can hold it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        # 13 digits: what an added-up REAL column is exact to; 12480.499999999998 is 12480.5.
        return float(f"{value:.13g}") if math.isfinite(value) else None
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"0x{value[:64].hex()}{'…' * (len(value) > 64)}"
    return str(value)


def _cell(value: JsonValue) -> str:
    if isinstance(value, float):
        return f"{value:.13g}"
    text = "" if value is None else re.sub(r"\s+", " ", str(value))
    return text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"


def _printed(columns: Sequence[str], rows: Sequence[Row], more: bool) -> str:
    if not rows:
        return f"{' | '.join(columns)}\n(0 rows)"
    lines = [" | ".join(_cell(value) for value in row.values()) for row in rows]
    shown = _cut([" | ".join(columns), *lines], "rows")
    count = f"first {len(rows)} rows of more: use WHERE, GROUP BY or limit" if more else _rows(len(rows))
    return f"{shown}\n({count})"


def _cut(parts: Sequence[str], what: str, room: int = SHOWN_CHARACTERS) -> str:
    """As many parts as fit, at least one, and how many are left out."""
    kept = 0
    for part in parts:
        room -= len(part) + 1
        if room < 0 and kept:
            break
        kept += 1
    rest = [f"[{len(parts) - kept} more {what}]"] if kept < len(parts) else []
    return "\n".join([*parts[:kept], *rest])


def _answer(text: str, rows: Sequence[JsonValue]) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], structured_content={"result": [*rows]})


def build(arguments: Sequence[str]) -> MCPServer:
    """The server that a command line asks for; ends the process where it is wrong."""
    parser = argparse.ArgumentParser(prog="database", description="MCP server for SQL databases.")
    parser.add_argument("--root", type=Path, action="append", help="folder with SQLite files; else this one")
    parser.add_argument("--url", action="append", default=[], help="SQLAlchemy URL of a database")
    parser.add_argument("--write", action="store_true", help="allow statements that change data")
    parser.add_argument("--no-keys", action="store_true", help="with --write, keep no table of calls")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time limit of one call")
    options = parser.parse_args(arguments)
    folders = options.root or [Path.cwd()]
    try:
        found = Databases(folders, options.url, writable=options.write, seconds=options.seconds)
        found.keyed = options.write and not options.no_keys
    except ValueError as error:
        parser.error(str(error))
    return _server(found, options.write, one=len(found.sources()) < 2)


def _server(databases: Databases, writable: bool, *, one: bool) -> MCPServer:
    reads = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    writes = ToolAnnotations(read_only_hint=False, idempotent_hint=False, destructive_hint=True)
    functions = (databases.tables, databases.schema, databases.query)
    tools = [Tool.from_function(each, annotations=reads, structured_output=False) for each in functions]
    if writable:
        tools[-1].annotations = writes
        tools[-1].meta = {"swarm/effect": "keyed"} if databases.keyed else None
    if one:
        # One parameter less that a small model can get wrong.
        for tool in tools:
            del tool.parameters["properties"]["database"]
    return MCPServer("database", version="1", tools=tools, log_level="WARNING")


server = _server(Databases([Path()], []), writable=False, one=False)

if __name__ == "__main__":
    build(sys.argv[1:]).run()
