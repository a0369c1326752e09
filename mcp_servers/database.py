"""The MCP server ``database``: tables, schema and queries of SQL databases.

    python -P database.py [--root FOLDER]... [--url URL]... [--write] [--seconds N]

With ``--url`` any SQLAlchemy URL, else the SQLite and DuckDB files found below the folders. Nothing
is changed unless ``--write`` is given. SQLite and DuckDB enforce that themselves (a file that is only
read, and no way out of it); other databases get a read-only transaction that is rolled back: give them
an account that may only read. What is of one database alone lies in ``database_parts/``.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import re
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import JsonValue
from sqlalchemy import exc
from sqlalchemy.engine import make_url

if not __package__:  # started as a file, with -P: its parts are beside it
    sys.path.append(str(Path(__file__).resolve().parents[1]))

from mcp_servers.database_parts import duck, files, remote, sqlite, statement
from mcp_servers.database_parts.session import (
    CALLS,
    ONLY_READ,
    Column,
    Deadline,
    Name,
    Session,
    Source,
    Trouble,
)
from mcp_servers.database_parts.values import Row, answer, counted, cut, literal, table, unique

SECONDS = 10.0  # That one call may take in the database.
MOST_ROWS = 10_000  # Of one answer.
FEW, LOOKED_AT = 8, 10_000  # Values of a text column that a schema names; rows they are looked for in.
KEPT_CHARACTERS = 20_000  # Of an answer that is kept under its key.
COUNTED = 1_000_000  # Rows up to which a table is counted.
NAMES_CHARACTERS = 1_500  # Of the tables that an error names.


class Databases:
    """The tools over the databases that were named, or else the files of the folders."""

    def __init__(
        self,
        folders: Sequence[Path],
        urls: Sequence[str],
        *,
        writable: bool = False,
        seconds: float = SECONDS,
        may_be_superuser: bool = False,
    ) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._named = [self._source(url) for url in urls]
        self._writable = writable
        self.keyed = False  # Whether writing calls that come with a key are kept in CALLS.
        self._seconds = seconds
        self._may_be_superuser = may_be_superuser

    def sources(self) -> list[Source]:
        """The databases there are now: a file may have come since the start."""
        return self._named or files.find(self._folders).sources

    def tables(self, database: str = "") -> CallToolResult:
        """List the tables with their row counts."""
        report = _Report()

        def look(source: Source, session: Session) -> None:
            for name in _shared(session):
                with report.part(source, name.written):
                    count = _count(session, name)
                    report.add(source, name.written, f"{name.written} ({_rows(count)})", {"rows": count})

        self._visit(database, report, look)
        return report.answer("(no tables)", "tables")

    def schema(self, table: str = "", database: str = "") -> CallToolResult:
        """Show columns, example rows and frequent values of all tables or one: read it before a query."""
        report = _Report()
        known: list[str] = []

        def look(source: Source, session: Session) -> None:
            for name in _shared(session, table):
                known.append(name.written)
                if table.casefold() in {"", name.table.casefold(), name.written.casefold()}:
                    with report.part(source, name.written):
                        _describe(report, source, session, name)

        self._visit(database, report, look)
        if table and report.is_empty:
            meant = "".join(f"did you mean {one!r}? " for one in difflib.get_close_matches(table, known, 1))
            there = f"no table {table!r}; {meant}there is {', '.join(known[:100]) or 'none'}"
            raise ToolError("\n".join([there, *report.troubles]))
        return report.answer("(no tables)", "tables; name one to see it")

    def query(
        self, sql: str, limit: int = 200, database: str = "", ctx: Context | None = None
    ) -> CallToolResult:
        """Run one SQL statement; gives the rows it selects."""
        deadline = Deadline.after(self._seconds)
        source = self._reached(database, sql, deadline)
        kind = _kind(source)
        most = max(1, min(limit, MOST_ROWS))
        try:
            text = statement.single(sql, kind)
            parts = statement.tokens(text, kind)
            is_reading = statement.is_reading(parts, kind)
            if not (self._writable or is_reading or source.path):
                raise ToolError(ONLY_READ)
            if not self._writable or is_reading:
                with contextlib.suppress(_NeedsWrite), self._opened(source, deadline) as session:
                    return self._ran(source, session, text, most)
            meta = ctx.request_context.meta if ctx and self.keyed else None
            is_tending = statement.first_word(parts) in statement.TENDING
            key = "" if is_tending else str((meta or {}).get("swarm/key", ""))
            with self._opened(source, deadline, is_writable=True) as session:
                return self._kept(source, session, text, most, key)
        except Trouble as trouble:
            is_read = trouble.is_final and source.name not in trouble.reason
            told = f"database {source.name!r} cannot be read: {trouble.reason}" if is_read else trouble.reason
            raise ToolError(told) from trouble

    def warn(self) -> None:
        """Tells the person who starts the server of accounts that can do more than read a database."""
        for source in self._named:
            if (
                source.url is not None
                and source.url.get_backend_name() == "postgresql"
                and not self._writable
            ):
                soon = Deadline.after(min(self._seconds, 3.0))
                try:
                    with remote.opened(source.url, soon, is_writable=False, may_be_superuser=False):
                        pass
                except Trouble as trouble:
                    remote.warn(f"{source.name!r}: {trouble.reason}")

    def _kept(self, source: Source, session: Session, text: str, most: int, key: str) -> CallToolResult:
        """What a writing statement gives; under a key it gave it before, that."""
        if key and (known := _begun(session, key)):
            return known
        given = self._ran(source, session, text, most)
        if key:
            kept = given.model_dump_json(by_alias=True)
            if len(kept) > KEPT_CHARACTERS:
                kept = answer("done; its rows were too many", []).model_dump_json(by_alias=True)
            quoted = session.quote.quote("key")
            session.rows(f"UPDATE {CALLS} SET answer = ? WHERE {quoted} = ?", (kept, key))
        session.end(keep=True)
        return given

    def _ran(self, source: Source, session: Session, text: str, most: int) -> CallToolResult:
        try:
            found = session.run(text, most)
        except Trouble as trouble:
            if trouble.needs_write and self._writable:
                raise _NeedsWrite from trouble
            raise ToolError(self._explained(source, trouble)) from trouble
        if found.columns:
            printed, rows = table(found, unique(found.columns))
            return answer(printed, [*rows])
        return answer("done" if found.changed is None else f"done; {counted(found.changed)} changed", [])

    def _source(self, text: str) -> Source:
        """The database of a URL, a relative file in the first folder; raises ValueError for neither."""
        try:
            url = make_url(text)
        except exc.ArgumentError:
            raise ValueError("--url is no database URL; write e.g. sqlite:///sales.db") from None
        if url.get_backend_name() not in {"sqlite", "duckdb"}:
            return Source(url.database or url.get_backend_name(), url=url)
        path = self._folders[0] / (url.database or "")
        if not path.is_file():
            raise ValueError(f"--url names {str(path)!r}, which is no file")
        return Source(files.shown(Path(path.name)), path)

    def _picked(self, database: str) -> tuple[list[Source], list[str]]:
        """The databases that are meant, the one named or all, and what was left out."""
        found = files.Listing(self._named, []) if self._named else files.find(self._folders)
        if not found.sources:
            reason = "there is no database; put a .db file in the workspace or start with --url"
            raise ToolError("\n".join([reason, *found.left_out]))
        names = [source for source in found.sources if database in {"", source.name}]
        picked = names or [source for source in found.sources if Path(source.name).stem == database]
        if not picked:
            there = ", ".join(repr(source.name) for source in found.sources)
            raise ToolError("\n".join([f"no database {database!r}; there is {there}", *found.left_out]))
        return picked, [] if database else found.left_out

    def _visit(self, database: str, report: _Report, look: Callable[[Source, Session], None]) -> None:
        """Looks into each database that is meant; those that cannot be read are reported by name."""
        deadline = Deadline.after(self._seconds)
        picked, left_out = self._picked(database)
        report.begin(picked, left_out)
        for number, source in enumerate(picked):
            try:
                with self._opened(source, deadline.share(len(picked) - number)) as session:
                    look(source, session)
            except Trouble as trouble:
                report.fail(source, "", trouble.reason)

    def _reached(self, database: str, sql: str, deadline: Deadline) -> Source:
        """The one database a statement is for: the one named, or the only one with its tables."""
        sources, left_out = self._picked(database)
        if len(sources) == 1:
            return sources[0]
        fitting: list[Source] = []
        for number, source in enumerate(sources):
            try:
                # Half of the time is for the statement itself.
                share = deadline.share(2 * (len(sources) - number))
                words = statement.identifiers(statement.tokens(sql, _kind(source)))
                with self._opened(source, share) as session:
                    if words & {name.table.casefold() for name in session.names()}:
                        fitting.append(source)
            except Trouble as trouble:
                left_out.append(f"{source.name}: cannot be read: {trouble.reason}")
        if len(fitting) != 1:
            names = ", ".join(repr(source.name) for source in sources)
            raise ToolError("\n".join([f"say which database: give database= one of {names}", *left_out]))
        return fitting[0]

    def _opened(
        self, source: Source, deadline: Deadline, *, is_writable: bool = False
    ) -> contextlib.AbstractContextManager[Session]:
        """A connection that takes back what was not kept, and stops in time."""
        if source.path is not None:
            if _kind(source) == "duckdb":
                return duck.opened(source.path, deadline, is_writable=is_writable)
            return sqlite.opened(source.path, deadline, is_writable=is_writable)
        if source.url is None:
            raise Trouble("it has no address", is_final=True)
        return remote.opened(
            source.url, deadline, is_writable=is_writable, may_be_superuser=self._may_be_superuser
        )

    def _explained(self, source: Source, trouble: Trouble) -> str:
        """The reason with what there is instead, where a name or a word was wrong."""
        is_syntax = re.search("syntax error|no such function", trouble.reason, re.I)
        if not (trouble.unknown or is_syntax):
            return trouble.reason
        columns: dict[str, list[str]] = {}
        with (
            contextlib.suppress(Trouble),
            self._opened(source, Deadline.after(min(self._seconds, 2.0))) as session,
        ):
            for name in session.names():
                with contextlib.suppress(Trouble):
                    columns[name.written] = [session.quote.quote(one.name) for one in session.columns(name)]
        meant = _meant(trouble.unknown, [*columns, *(one for names in columns.values() for one in names)])
        tables = [f"{name}({', '.join(names)})" for name, names in columns.items()]
        there = cut(tables, "tables", room=NAMES_CHARACTERS) if tables else "none that can be read"
        return f"{trouble.reason}; {meant}the tables are:\n{there}"


class _NeedsWrite(Exception):
    """A statement that looked like a reading one, and changes something."""


class _Report:
    """What was listed, part by part, with a line about each part that could not be read."""

    def __init__(self) -> None:
        self.rows: list[JsonValue] = []
        self.troubles: list[str] = []
        self._texts: list[str] = []
        self._has_prefix = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not self._texts

    def begin(self, sources: Sequence[Source], left_out: Iterable[str]) -> None:
        """Takes what the listing is about."""
        self._has_prefix = len(sources) > 1
        self.troubles.extend(left_out)

    def add(self, source: Source, name: str, text: str, row: Row) -> None:
        """A table that was read."""
        self.rows.append({"database": source.name, "table": name, **row})
        self._texts.append(f"{source.name}: {text}" if self._has_prefix else text)

    def fail(self, source: Source, name: str, reason: str) -> None:
        """A table, or a whole database, that cannot be read."""
        named: Row = {"table": name} if name else {}
        self.rows.append({"database": source.name, **named, "error": reason})
        prefix = f"{source.name}: " if self._has_prefix or not name else ""
        whole = f"database {source.name!r} cannot be read: {reason}"
        self.troubles.append(f"{prefix}{name} cannot be read: {reason}" if name else whole)

    @contextlib.contextmanager
    def part(self, source: Source, name: str) -> Generator[None]:
        """Reports what goes wrong with one table, and lets the others be read."""
        try:
            yield
        except Trouble as trouble:
            self.fail(source, name, trouble.reason)

    def answer(self, empty: str, what: str) -> CallToolResult:
        """The whole report; an error where nothing could be read."""
        if not self._texts and any(isinstance(row, dict) and "error" in row for row in self.rows):
            raise ToolError("\n".join(self.troubles))
        return answer("\n".join([cut(self._texts, what) or empty, *self.troubles]), self.rows)


def _shared(session: Session, table: str = "") -> Generator[Name]:
    """The tables, each with its share of the time: one that takes long leaves enough to the others."""
    names, whole = session.names(), session.deadline
    for number, name in enumerate(names):
        session.deadline = whole if table else whole.share(len(names) - number)
        yield name
    session.deadline = whole


def _kind(source: Source) -> str:
    """The name of the dialect; of a file by what it begins with, whatever its ending."""
    if source.url is not None:
        return source.url.get_backend_name()
    try:
        is_duckdb = source.path is not None and duck.is_duckdb(source.path)
    except OSError:  # said when it is opened
        is_duckdb = False
    return "duckdb" if is_duckdb else "sqlite"


def _meant(unknown: str, known: Sequence[str]) -> str:
    near = (
        difflib.get_close_matches(unknown, [name for name in known if name != unknown], 1) if unknown else []
    )
    return "".join(f"did you mean {one!r}? " for one in near)


def _begun(session: Session, key: str) -> CallToolResult | None:
    """What the call of that key gave when it was made; None where it is made now, in this transaction."""
    quoted = session.quote.quote("key")
    session.rows(
        f"CREATE TABLE IF NOT EXISTS {CALLS} ({quoted} VARCHAR(255) PRIMARY KEY, answer TEXT NOT NULL)"
    )
    session.end(keep=True)
    try:
        session.rows(f"INSERT INTO {CALLS} ({quoted}, answer) VALUES (?, ?)", (key, ""))
        return None
    except Trouble as trouble:  # it was made before, perhaps a moment ago by a server that is dying
        session.end(keep=False)
        kept = session.rows(f"SELECT answer FROM {CALLS} WHERE {quoted} = ?", (key,))
        if not kept:
            raise trouble
    text = str(kept[0][0])
    if not text:
        raise ToolError("this was begun before, and its end is not known; look before you send it again")
    return CallToolResult.model_validate_json(text)


def _count(session: Session, name: Name) -> int:
    """Rows of a table, counted up to one more than ``COUNTED``."""
    sql = f"SELECT count(*) FROM (SELECT 1 AS one FROM {name.written} LIMIT {COUNTED + 1}) AS counted"
    (count,) = session.rows(sql)[0]
    return count if isinstance(count, int) else 0


def _rows(count: int) -> str:
    return f"over {COUNTED} rows" if count > COUNTED else counted(count)


def _describe(report: _Report, source: Source, session: Session, name: Name) -> None:
    """Adds a table as one line like its CREATE statement, and lines that show what is in it."""
    columns = session.columns(name)
    quote = session.quote.quote
    parts = ", ".join(_defined(quote(column.name), column) for column in columns)
    row: Row = {"columns": [column.name for column in columns]}
    lines: list[str] = []
    try:
        count = _count(session, name)
        row["rows"] = count
        line = f"{name.written}({parts}) -- {_rows(count)}"
        lines = _shown(session, name, columns)
    except Trouble as trouble:
        row["error"] = trouble.reason
        line = f"{name.written}({parts}) -- its rows cannot be read: {trouble.reason}"
    line = f"{line}; {name.note}" if name.note else line
    report.add(source, name.written, "\n".join([line, *lines]), {"schema": line, **row})


def _defined(written: str, column: Column) -> str:
    kind = f" {column.kind}" if column.kind else ""
    parent = f" -> {column.parent}" if column.parent else ""
    return f"{written}{kind}{' PK' * column.is_key}{parent}"


def _shown(session: Session, name: Name, columns: Sequence[Column]) -> list[str]:
    """Example rows of a table, and the values of its text columns that are a vocabulary."""
    if not columns:
        return []
    selected = ", ".join(session.quote.quote(column.name) for column in columns)
    samples = session.rows(f"SELECT {selected} FROM {name.written} LIMIT 2")
    rows = [f"({', '.join(literal(value) for value in row)})" for row in samples]
    shown = [f"  e.g. {', '.join(rows)}"] if rows else []
    texts = [column.name for column in columns if column.is_text]
    return [*shown, *(few for text in texts if (few := _few_values(session, name, text)))]


def _few_values(session: Session, name: Name, column: str) -> str:
    """The values of a text column, where they are few and short enough to be a vocabulary."""
    written = session.quote.quote(column)
    some = f"SELECT {written} FROM {name.written} LIMIT {LOOKED_AT}"
    found = session.rows(f"SELECT DISTINCT {written} FROM ({some}) AS looked LIMIT {FEW + 1}")
    values = [value for (value,) in found if value is not None]
    if not 0 < len(values) <= FEW or any(len(str(value)) > 40 for value in values):
        return ""
    return f"  {column}: {', '.join(sorted(literal(value) for value in values))}"


def build(arguments: Sequence[str]) -> MCPServer:
    """The server that a command line asks for; ends the process where it is wrong."""
    parser = argparse.ArgumentParser(prog="database", description="MCP server for SQL databases.")
    parser.add_argument(
        "--root", type=Path, action="append", help="folder with database files; else this one"
    )
    parser.add_argument("--url", action="append", default=[], help="SQLAlchemy URL of a database")
    parser.add_argument("--write", action="store_true", help="allow statements that change data")
    parser.add_argument("--no-keys", action="store_true", help="with --write, keep no table of calls")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time limit of one call")
    parser.add_argument("--allow-superuser", action="store_true", help="read with a PostgreSQL superuser too")
    options = parser.parse_args(arguments)
    folders = options.root or [Path.cwd()]
    try:
        found = Databases(
            folders,
            options.url,
            writable=options.write,
            seconds=options.seconds,
            may_be_superuser=options.allow_superuser,
        )
        found.keyed = options.write and not options.no_keys
        found.warn()
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
