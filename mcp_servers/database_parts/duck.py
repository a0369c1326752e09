"""DuckDB files, by DuckDB's own API: nothing outside the file can be reached by any statement."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import cast

import duckdb
from sqlalchemy.engine import make_url

from mcp_servers.database_parts import numbers
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
from mcp_servers.database_parts.statement import TENDING, Token, first_word, tokens

MAGIC = b"DUCK"  # From the ninth byte on.
MEMORY = "1GB"
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": MEMORY,
    "temp_directory": "",  # Nothing is written beside the file.
    "lock_configuration": "true",
}
EXACT = re.compile(
    r"BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)|VARCHAR|BLOB|UUID|ENUM\(.*\)"
)
"""Types whose values Python holds as they are; an interval of a month is 30 days to it."""
NESTED = re.compile(r"(?!.*(DATE|TIME|INTERVAL|BIT|UNION)).*(\[\d*\]|STRUCT\(.*\)|MAP\(.*\))", re.DOTALL)

SHORT = frozenset({"real", "float", "float4", "numeric", "decimal", "dec"})


class DuckSession:
    """One open file; see ``Session``."""

    dialect = "duckdb"
    quote = make_url("postgresql://").get_dialect()().identifier_preparer  # DuckDB quotes as PostgreSQL does

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, deadline: Deadline, *, is_writable: bool
    ) -> None:
        self.deadline = deadline
        self._connection = connection
        self._is_writable = is_writable
        self._is_begun = False

    def names(self) -> list[Name]:
        """The tables and views of all schemas, those outside ``main`` with their schema."""
        found = self.rows(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary"
            " UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal AND NOT temporary"
            " ORDER BY ALL"
        )
        return [self._name(str(schema), str(table)) for schema, table in found if table != CALLS]

    def columns(self, name: Name) -> list[Column]:
        """The columns, from DuckDB's own tables."""
        place = (name.schema or "main", name.table)
        keys: set[str] = set()
        parents: dict[str, str] = {}
        for kind, columns, table, referred in self._constraints(place):
            keys |= set(columns) if kind == "PRIMARY KEY" else set()
            if kind == "FOREIGN KEY":
                parents |= {one: f"{table}.{other}" for one, other in zip(columns, referred, strict=False)}
        found = self.rows(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?"
            " ORDER BY column_index",
            place,
        )
        return [
            Column(str(one), str(kind), str(kind) == "VARCHAR", str(one) in keys, parents.get(str(one), ""))
            for one, kind in found
        ]

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> list[tuple[object, ...]]:
        """All rows of a statement of our own."""
        if sql.startswith(("CREATE", "INSERT", "UPDATE")):
            self._begin()
        with self._timed():
            if not parameters and sql.startswith("SELECT"):
                return self._exact(self._connection.sql(sql))
            return self._connection.execute(sql, [*parameters]).fetchall()

    def run(self, statement: str, limit: int) -> Found:
        """What a caller's statement gives."""
        statement = _wide(statement, tokens(statement, self.dialect))
        parts = tokens(statement, self.dialect)
        if not self._is_writable:
            if first_word(parts) in TENDING - {"pragma"}:
                raise Trouble(ONLY_READ, needs_write=True)
            with self._timed():
                return self._selected(statement, limit)
        if first_word(parts) not in TENDING:
            self._begin()
        with self._timed():
            return self._written(statement, limit, has_rows="returning" in {token.word for token in parts})

    def end(self, *, keep: bool) -> None:
        """Makes what was written durable, or takes it back."""
        if self._is_begun:
            with self._timed():
                self._connection.execute("COMMIT" if keep else "ROLLBACK")
            self._is_begun = False

    def _begin(self) -> None:
        if not self._is_begun:
            with self._timed():
                self._connection.execute("BEGIN")
            self._is_begun = True

    def _selected(self, statement: str, limit: int) -> Found:
        edit = numbers.Edit(statement)
        if first_word(tokens(statement, self.dialect)) in {"select", "with", "from"}:
            edit = numbers.checked(
                self, statement, numbers.places_of(self, statement), ("CAST(", " AS DOUBLE)")
            )
        try:
            return self._related(statement, edit, limit)
        except duckdb.Error as error:
            raise numbers.told(self._trouble(error), edit) from error

    def _related(self, statement: str, edit: numbers.Edit, limit: int) -> Found:
        # The stub leaves out that what gives no rows gives no relation either.
        relation = cast("duckdb.DuckDBPyRelation | None", self._connection.sql(edit.sql))
        if relation is None:
            return Found()
        columns = self._connection.sql(statement).columns if edit.is_changed else relation.columns
        rows = self._exact(relation.limit(limit + 1))
        return Found([*columns], rows[:limit], has_more=len(rows) > limit)

    @staticmethod
    def _exact(relation: duckdb.DuckDBPyRelation) -> list[tuple[object, ...]]:
        shown = [_shown(str(kind), at) for at, kind in enumerate(relation.types, start=1)]
        return relation.project(", ".join(shown)).fetchall()

    def _written(self, statement: str, limit: int, *, has_rows: bool) -> Found:
        result = self._connection.execute(statement)
        names = [str(name) for name, *_ in result.description or []]
        rows: list[tuple[object, ...]] = result.fetchmany(limit + 1) if names else []
        if names == ["Success"]:
            return Found()
        if names == ["Count"] and not has_rows:
            (count,) = rows[0] if rows else (None,)
            return Found(changed=count if isinstance(count, int) else None)
        return Found(names, rows[:limit], has_more=len(rows) > limit)

    def _constraints(self, place: tuple[str, str]) -> list[tuple[str, list[str], str, list[str]]]:
        found = self.rows(
            "SELECT constraint_type, constraint_column_names, referenced_table, referenced_column_names"
            " FROM duckdb_constraints() WHERE schema_name = ? AND table_name = ?",
            place,
        )
        return [
            (str(kind), _names(columns), str(table), _names(referred))
            for kind, columns, table, referred in found
        ]

    def _name(self, schema: str, table: str) -> Name:
        written = self.quote.quote(table)
        if schema != "main":
            written = f"{self.quote.quote(schema)}.{written}"
        return Name(written, schema, table)

    @contextlib.contextmanager
    def _timed(self) -> Generator[None]:
        """Interrupts what runs at the deadline, and tells what went wrong."""
        if not self.deadline.left():
            raise Trouble(self.deadline.stopped())
        timer = threading.Timer(self.deadline.left(), self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        except duckdb.Error as error:
            raise self._trouble(error) from error
        finally:
            timer.cancel()

    def _trouble(self, error: duckdb.Error) -> Trouble:
        reason = _reason(error)
        if isinstance(error, duckdb.InterruptException) or "Interrupted" in reason:
            return Trouble(self.deadline.stopped())
        if re.search("read-only mode|read-only transaction", reason):
            return Trouble(ONLY_READ, needs_write=True)
        if isinstance(error, duckdb.PermissionException):
            return Trouble(f"{reason}: {NEVER_ALLOWED}")
        if isinstance(error, duckdb.OutOfMemoryException):
            return Trouble(f"it needs more than {MEMORY} of memory; ask for less, with WHERE or LIMIT")
        unknown = re.match(
            r"(?:\w+ Error: )?(?:Referenced column|Table with name|Referenced table) \"?(.+?)\"? (?:not found|does not)",
            reason,
        )
        return Trouble(reason, unknown=unknown[1] if unknown else "")


def _wide(statement: str, parts: Sequence[Token]) -> str:
    """The statement with casts to 64 bits: a REAL of DuckDB's has 32, and a bare NUMERIC three decimals."""
    for before, token, after in reversed([*zip(parts, parts[1:], [*parts[2:], None], strict=False)]):
        is_cast = before.text == "::" or (before.word == "as" and after is not None and after.text == ")")
        if token.word in SHORT and is_cast and (after is None or after.text != "("):
            statement = f"{statement[: token.start]}DOUBLE{statement[token.end :]}"
    return statement


def _shown(kind: str, at: int) -> str:
    """A column of a result, as a text where Python would hold something else."""
    return f"#{at}" if EXACT.fullmatch(kind) or NESTED.fullmatch(kind) else f"CAST(#{at} AS VARCHAR)"


def _names(value: object) -> list[str]:
    return [str(one) for one in cast("list[object]", value)] if isinstance(value, list | tuple) else []


def _reason(error: duckdb.Error) -> str:
    return str(error).strip().split("\n")[0][:300]


def is_duckdb(path: Path) -> bool:
    """Whether a file is one of DuckDB, by what it begins with."""
    with path.open("rb") as file:
        return file.read(12)[8:] == MAGIC


@contextlib.contextmanager
def opened(path: Path, deadline: Deadline, *, is_writable: bool) -> Generator[DuckSession]:
    """The file for one call; raises Trouble where it cannot be read."""
    try:
        connection = duckdb.connect(str(path), read_only=not is_writable, config=CONFIG)
    except duckdb.Error as error:
        raise Trouble(_why_closed(error), is_final=True) from error
    with contextlib.closing(connection):
        yield DuckSession(connection, deadline, is_writable=is_writable)


def _why_closed(error: duckdb.Error) -> str:
    reason = _reason(error)
    if re.search(r"\bset lock\b", reason):
        return "it is locked by another program; ask again when that is done"
    return f"it cannot be opened: {reason}"
