"""SQLite files: opened so that they can neither be left nor, unless granted, be changed, and read whole."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import stat
import tempfile
import time
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from mcp_servers.database_parts import aggregates, numbers, quotes, times
from mcp_servers.database_parts.session import (
    CALLS,
    NEVER_ALLOWED,
    ONLY_READ,
    Column,
    Deadline,
    Found,
    Name,
    Trouble,
)
from mcp_servers.database_parts.statement import TENDING, first_word, tokens

VALUE_BYTES = 50_000_000  # The largest that SQLite may build: no expression can fill the memory.
COPIED_BYTES = 2_000_000_000  # Of a file that must be copied to be read.
CHUNK_BYTES = 8_000_000
MAGIC = b"SQLite format 3\0"

READING = frozenset({
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_FUNCTION,
})
NEVER = {
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_TRANSACTION: "BEGIN or COMMIT",
}
"""What reaches beyond the one file that was granted, or changes how it is kept."""
PRAGMAS = re.compile(r"(table|index|foreign_key|database|collation|function|module)_(x?info|x?list)", re.I)
"""The pragmas that only describe."""
ASKED = frozenset({"data_version", "page_size"})
"""Pragmas that the constructors of full-text tables ask, without an argument."""
SHADOWS = {
    "fts": ("_data", "_idx", "_content", "_docsize", "_config", "_segments", "_segdir", "_stat"),
    "rtree": ("_node", "_parent", "_rowid"),
    "geopoly": ("_node", "_parent", "_rowid"),
}
"""The tables in which a virtual table keeps what it holds (sqlite.org/vtab.html#xshadowname)."""
KEPT_BY_RTREE = re.compile(r".*_(node|parent|rowid)", re.DOTALL)
FINAL = frozenset({
    "SQLITE_NOTADB",
    "SQLITE_CANTOPEN",
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_IOERR",
    "SQLITE_PROTOCOL",
})
HINT = "this is SQLite: dates with strftime('%Y-%m', column), joining texts with ||"


class SqliteSession:
    """One open file; see ``Session``."""

    dialect = "sqlite"
    quote = sqlite_dialect().identifier_preparer

    def __init__(self, connection: sqlite3.Connection, deadline: Deadline, *, is_writable: bool) -> None:
        self.deadline = deadline
        self._connection = connection
        self._is_writable = is_writable
        self._is_own = True
        self._denied = ""
        self._refusal = ""
        self._reads: set[tuple[str, str]] = set()
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        # The matcher of LIKE checks no deadline, and backtracks once for every wildcard.
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        connection.set_progress_handler(self._is_late, 10_000)
        if not is_writable:
            connection.execute("PRAGMA query_only = 1")
        connection.set_authorizer(self._authorized)
        aggregates.install(connection, self._refuse)
        times.install(connection, self._refuse)

    def begin_reading(self) -> None:
        """Reads the list of tables, so that what is wrong with the file as a whole is told at once."""
        try:
            self.rows("SELECT count(*) FROM sqlite_master")
        except Trouble as trouble:
            if self._is_writable or not trouble.reason.startswith("malformed database schema"):
                raise Trouble(trouble.reason, is_final=True) from trouble
            # One entry is not understood: it is left out, and the others can be read.
            self._connection.set_authorizer(None)
            self._connection.execute("PRAGMA writable_schema = 1")
            self._connection.set_authorizer(self._authorized)
            self.rows("SELECT count(*) FROM sqlite_master")

    def names(self) -> list[Name]:
        """The tables and views but those in which a virtual table keeps what it holds."""
        rows = self.rows(
            "SELECT name, coalesce(sql, '') FROM sqlite_master WHERE type IN ('table', 'view')"
            " AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
        )
        virtual = {str(name): _module(str(sql)) for name, sql in rows if _module(str(sql))}
        hidden = {
            name + ending
            for name, module in virtual.items()
            for kind, endings in SHADOWS.items()
            if module.startswith(kind)
            for ending in endings
        }
        named = [str(name) for name, _ in rows if name not in hidden and name != CALLS]
        return [
            Name(self.quote.quote(name), None, name, _note(name, virtual.get(name, ""))) for name in named
        ]

    def columns(self, name: Name) -> list[Column]:
        """The columns, the generated ones too."""
        written = _quoted(name.table)
        parents = {
            str(row[3]): f"{row[2]}.{row[4]}" if row[4] else str(row[2])
            for row in self.rows(f"PRAGMA foreign_key_list({written})")
        }
        described = self.rows(f"PRAGMA table_xinfo({written})")
        if not described:
            raise Trouble("its definition cannot be read by this SQLite")
        return [
            Column(
                name=str(column),
                kind=str(kind),
                is_text=bool(re.search("char|clob|text", str(kind), re.IGNORECASE)),
                is_key=bool(key),
                parent=parents.get(str(column), ""),
            )
            for _, column, kind, _, _, key, hidden in described
            if hidden != 1
        ]

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> list[tuple[object, ...]]:
        """All rows of a statement of our own."""
        self._is_own = True
        try:
            if self._is_writable and sql.startswith(("CREATE", "INSERT", "UPDATE")):
                self._begin()
            return self._connection.execute(sql, parameters).fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self._trouble(error) from error

    def run(self, statement: str, limit: int) -> Found:
        """What a caller's statement gives."""
        parts = tokens(statement, self.dialect)
        edit = self._checked(statement)
        self._is_own = False
        try:
            if self._is_writable and first_word(parts) not in TENDING:
                self._begin()
            cursor = self._connection.execute(edit.sql)
            if cursor.description is None:
                return Found(changed=self._changed(cursor, first_word(parts)))
            found: list[tuple[object, ...]] = cursor.fetchmany(limit + 1)
            columns = [str(name) for name, *_ in cursor.description]
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            raise self._trouble(error) from error
        finally:
            self._is_own = True
        if edit.is_changed:
            columns = self._columns_of(statement) or columns
        return Found(columns, found[:limit], has_more=len(found) > limit)

    def end(self, *, keep: bool) -> None:
        """Makes what was written durable, or takes it back."""
        self._is_own = True
        try:
            (self._connection.commit if keep else self._connection.rollback)()
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            is_own, self._is_own = self._is_own, True
            self._connection.execute("BEGIN")
            self._is_own = is_own

    def _changed(self, cursor: sqlite3.Cursor, first: str) -> int | None:
        if first not in {"insert", "update", "delete", "replace", "with"}:
            return None
        if cursor.rowcount >= 0:
            return cursor.rowcount
        # sqlite3 counts no statement that begins with WITH.
        self._is_own = True
        (count,) = self._connection.execute("SELECT changes()").fetchone()
        return int(count)

    def _columns_of(self, statement: str) -> list[str]:
        """The names of the columns as the caller's own words give them."""
        with contextlib.suppress(sqlite3.Error, sqlite3.Warning):
            named = self._connection.execute(f"SELECT * FROM ({statement}) LIMIT 0")
            return [str(name) for name, *_ in named.description]
        return []

    def _checked(self, statement: str) -> numbers.Edit:
        """The statement with texts that are taken for numbers converted exactly.

        Raises:
            Trouble: it names a column that is not there, or compares texts that are numbers.
        """
        parts = tokens(statement, self.dialect)
        first = first_word(parts)
        if first not in {"select", "with", "values", "insert", "update", "delete", "replace"}:
            return numbers.Edit(statement)
        self._reads.clear()
        self._is_own = False
        try:
            self._connection.execute(f"EXPLAIN {statement}").close()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self._trouble(error) from error
        finally:
            self._is_own = True
        reads = sorted(self._reads)
        self._told_quotes(statement, reads)

        def places(name: str) -> list[tuple[str, str]]:
            return [(_quoted(table), _quoted(column)) for table, column in reads if column.casefold() == name]

        edit = numbers.checked(self, statement, places, ("swarm_number(", ", {column})"))
        return aggregates.with_exact_casts(edit)

    def _told_quotes(self, statement: str, reads: Sequence[tuple[str, str]]) -> None:
        parts = tokens(statement, self.dialect)
        if not any(token.kind == "name" and token.text.startswith('"') for token in parts):
            return
        tables = sorted({table for table, _ in reads})
        columns = {
            table: [str(row[1]) for row in self.rows(f"PRAGMA table_xinfo({_quoted(table)})")]
            for table in tables
        }
        scope = quotes.Scope([*tables, *(column for _, column in reads)], columns)
        for token, column in quotes.doubtful(parts, scope):
            if not (column and self._holds(reads, column, token.value)):
                raise quotes.refusal(token)

    def _holds(self, reads: Sequence[tuple[str, str]], column: str, text: str) -> bool:
        """Whether a column of that name holds that text."""
        return any(
            self.rows(f"SELECT 1 FROM {_quoted(table)} WHERE {_quoted(one)} = ? LIMIT 1", (text,))
            for table, one in reads
            if one.casefold() == column.casefold()
        )

    def _is_late(self) -> bool:
        return time.monotonic() > self.deadline.at

    def _refuse(self, reason: str) -> None:
        """Keeps why a function of ours ended a statement: SQLite only says that it did."""
        self._refusal = reason

    def _authorized(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        """SQLite asks this for each thing a statement does (sqlite.org/c3ref/set_authorizer.html)."""
        if action == sqlite3.SQLITE_READ and first:
            # Of a table that is only counted, the column is empty.
            self._reads.add((first, second or ""))
        if action == sqlite3.SQLITE_TRANSACTION and self._is_own:
            return sqlite3.SQLITE_OK
        if self._allows(action, first or "", second):
            return sqlite3.SQLITE_OK
        self._denied = (
            f"PRAGMA {first}" if action == sqlite3.SQLITE_PRAGMA else NEVER.get(action, "this statement")
        )
        return sqlite3.SQLITE_DENY

    def _allows(self, action: int, first: str, second: str | None) -> bool:
        if action == sqlite3.SQLITE_FUNCTION:
            return second != "load_extension"
        if action == sqlite3.SQLITE_PRAGMA:
            return PRAGMAS.fullmatch(first) is not None or (first.lower() in ASKED and second is None)
        if action in READING or (self._is_writable and action not in NEVER):
            return True
        # What constructors of virtual tables prepare; a file that is only read refuses the change itself.
        is_kept = action in {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_DELETE} and KEPT_BY_RTREE.fullmatch(first)
        return bool(is_kept) or (action == sqlite3.SQLITE_UPDATE and first == "sqlite_master")

    def _trouble(self, error: Exception) -> Trouble:
        reason, code = str(error), str(getattr(error, "sqlite_errorname", ""))
        if self._refusal:
            reason, self._refusal = self._refusal, ""
            return Trouble(reason)
        if code == "SQLITE_INTERRUPT" or reason == "interrupted":
            return Trouble(self.deadline.stopped())
        if re.match("not authorized|authorization denied", reason) or "prohibited" in reason:
            return Trouble(f"{self._denied}: {NEVER_ALLOWED}") if self._is_writable else self._only_read()
        if code.startswith("SQLITE_READONLY") or "sqlite_master may not be modified" in reason:
            return Trouble("the file may not be written") if self._is_writable else self._only_read()
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return Trouble("it is locked by another program; ask again when that is done", is_final=True)
        unknown = re.fullmatch(r"no such (?:table|column): (?:.*\.)?(.+)", reason, re.DOTALL)
        if "no such function" in reason:
            reason = f"{reason}; {HINT}"
        return Trouble(reason, unknown=unknown[1].strip("\"'`") if unknown else "", is_final=code in FINAL)

    @staticmethod
    def _only_read() -> Trouble:
        return Trouble(ONLY_READ, needs_write=True)


def _module(sql: str) -> str:
    """The module of a virtual table in lower case; nothing for any other table."""
    found = re.match(
        r"\s*CREATE\s+VIRTUAL\s+TABLE\b.*?\bUSING\s+[\"'`\[]?(\w+)", sql, re.IGNORECASE | re.DOTALL
    )
    return found[1].lower() if found else ""


def _note(name: str, module: str) -> str:
    if module.startswith("fts"):
        return f"full-text: WHERE {_quoted(name) if not name.isidentifier() else name} MATCH 'word'"
    return f"virtual: {module}" if module else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def opened(path: Path, deadline: Deadline, *, is_writable: bool) -> Generator[SqliteSession]:
    """The file for one call; raises Trouble where it cannot be read."""
    header = _header(path)
    if not header and not is_writable:
        raise Trouble("the file is empty (0 bytes): no table was ever made in it", is_final=True)
    with contextlib.ExitStack() as stack:
        if is_writable:
            yield stack.enter_context(_session(path, "mode=rw", deadline, is_writable=True))
            return
        is_wal = 2 in header[18:20]
        has_wal, has_shm = _size(path, "-wal") > 0, _size(path, "-shm") >= 0
        if is_wal and has_wal and not has_shm:
            # SQLite would make a -shm file beside it, or, in a folder that is only read, give up.
            yield stack.enter_context(_copied(path, deadline))
        elif is_wal and not has_wal and not has_shm:
            yield stack.enter_context(_untouched(path, deadline))
        elif _size(path, "-journal") > 0 and not _is_readable(path, deadline):
            yield stack.enter_context(_copied(path, deadline))
        else:
            yield stack.enter_context(_session(path, "mode=ro", deadline))


def _header(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Trouble("it is no regular file", is_final=True)
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise Trouble(f"it cannot be opened: {error.strerror}", is_final=True) from error
    if header and not header.startswith(MAGIC):
        raise Trouble(
            f"it is no database of SQLite or DuckDB, or it is encrypted: it begins with {header[:16]!r}",
            is_final=True,
        )
    return header


def _size(path: Path, ending: str) -> int:
    """The size of a file beside the database; -1 where there is none."""
    try:
        return Path(f"{path}{ending}").stat().st_size
    except OSError:
        return -1


@contextlib.contextmanager
def _session(
    path: Path, options: str, deadline: Deadline, *, is_writable: bool = False
) -> Generator[SqliteSession]:
    try:
        # A lock is waited for, but not so long that nothing could be said of it in time.
        connection = sqlite3.connect(
            f"{path.as_uri()}?{options}",
            uri=True,
            timeout=deadline.left() * 0.8,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise Trouble(f"it cannot be opened: {error}", is_final=True) from error
    with contextlib.closing(connection):
        session = SqliteSession(connection, deadline, is_writable=is_writable)
        session.begin_reading()
        yield session


@contextlib.contextmanager
def _untouched(path: Path, deadline: Deadline) -> Generator[SqliteSession]:
    """A file that nobody has open, read without a lock: a lock would leave files beside it."""
    before = _stamp(path)
    with _session(path, "mode=ro&immutable=1", deadline) as session:
        yield session
    if _stamp(path) != before:
        raise Trouble("it was changed while it was read; ask again")


@contextlib.contextmanager
def _copied(path: Path, deadline: Deadline) -> Generator[SqliteSession]:
    """A file whose last change was not ended: read from a copy, in which SQLite ends it."""
    before = _stamp(path)
    with tempfile.TemporaryDirectory(prefix="swarm-database-") as folder:
        room = COPIED_BYTES
        for ending in ("", "-wal", "-journal"):
            if _size(path, ending) >= 0:
                room -= _size(path, ending)
                if room < 0:
                    raise Trouble(
                        "its last change was not ended; open it once with its own program", is_final=True
                    )
                _copy(Path(f"{path}{ending}"), Path(folder, f"copy.db{ending}"), deadline)
        if _stamp(path) != before:
            raise Trouble("it was changed while it was read; ask again", is_final=True)
        copy = Path(folder, "copy.db")
        with contextlib.closing(sqlite3.connect(copy)) as connection, contextlib.suppress(sqlite3.Error):
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with _session(copy, "mode=rw", deadline) as session:
            yield session


def _copy(source: Path, target: Path, deadline: Deadline) -> None:
    try:
        with source.open("rb") as reader, target.open("wb") as writer:
            while chunk := reader.read(CHUNK_BYTES):
                writer.write(chunk)
                if not deadline.left():
                    raise Trouble(deadline.stopped(), is_final=True)
    except OSError as error:
        raise Trouble(f"it cannot be copied to be read: {error.strerror}", is_final=True) from error


def _stamp(path: Path) -> list[tuple[int, int]]:
    """What changes with any change of the file or those beside it."""
    stamps: list[tuple[int, int]] = []
    for ending in ("", "-wal", "-journal"):
        try:
            found = Path(f"{path}{ending}").stat()
        except OSError:
            stamps.append((-1, -1))
        else:
            stamps.append((found.st_mtime_ns, found.st_size))
    return stamps


def _is_readable(path: Path, deadline: Deadline) -> bool:
    """Whether a file beside which a journal stands can be read as it is: its writer may be at work."""
    try:
        with _session(path, "mode=ro", deadline.share(2)):
            return True
    except Trouble as trouble:
        return "locked" in trouble.reason
