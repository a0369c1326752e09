"""Databases that are reached by a URL, through SQLAlchemy: PostgreSQL, MySQL and others.

They get a read-only transaction that is rolled back. What a transaction can't keep from an account
(a superuser of PostgreSQL reads the server's files) is looked at when it is opened.
"""

from __future__ import annotations

import contextlib
import re
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from typing import TypeVar

import sqlalchemy
from sqlalchemy import exc
from sqlalchemy.engine import Connection, Inspector
from sqlalchemy.pool import NullPool

from mcp_servers.database_parts import numbers
from mcp_servers.database_parts.session import CALLS, ONLY_READ, Column, Deadline, Found, Name, Trouble
from mcp_servers.database_parts.statement import first_word, is_reading, tokens

Opened = TypeVar("Opened")

READ_ONLY = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
TIMED = {
    "postgresql": "SET statement_timeout = {milliseconds}",
    "mysql": "SET SESSION max_execution_time = {milliseconds}",
    "mariadb": "SET SESSION max_statement_time = {seconds}",
}
"""How a dialect is told to stop in time."""
CONNECTING = {
    "psycopg": ("connect_timeout",),
    "psycopg2": ("connect_timeout",),
    "pg8000": ("timeout",),
    "pymysql": ("connect_timeout", "read_timeout", "write_timeout"),
    "mysqldb": ("connect_timeout", "read_timeout", "write_timeout"),
}
"""How a driver is told to stop waiting; each takes whole seconds."""
POSTGRESQL_TABLES = """
    SELECT n.nspname, c.relname, pg_table_is_visible(c.oid), c.relkind FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2
"""
POSTGRESQL_POWERS = """
    SELECT r.rolname FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER')
    AND (r.rolsuper OR r.rolname IN
    ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')) LIMIT 1
"""
EXACT_TYPES = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")
"""Of PostgreSQL: Python has no infinite date, none before Christ, no 24:00, and no month as an interval."""
EXACT_OIDS = (1082, 1083, 1266, 1114, 1184, 1186)
UNKNOWN = re.compile(
    r"(?:relation|column) \"?([^\"]+?)\"? (?:of relation .* )?does not exist|Unknown column '([^']+)'|Table '([^']+)' doesn't"
)
STOPPED = re.compile(
    r"statement timeout|canceling statement|execution time|max_statement_time|timed out", re.I
)


class RemoteSession:
    """One open connection; see ``Session``."""

    def __init__(self, connection: Connection, deadline: Deadline, secret: str, *, is_writable: bool) -> None:
        self.deadline = deadline
        self.dialect = connection.dialect.name
        self.quote = connection.dialect.identifier_preparer
        self._connection = connection
        self._secret = secret
        self._is_writable = is_writable

    def begin_reading(self, *, may_be_superuser: bool) -> None:
        """Makes the transaction a reading one, of an account that can do no harm by reading."""
        if sql := READ_ONLY.get(self.dialect):
            with self._told():
                self._connection.exec_driver_sql(sql)
        is_checked = self.dialect == "postgresql" and not may_be_superuser
        if is_checked and (powers := self.rows(POSTGRESQL_POWERS)):
            raise Trouble(
                f"its account has the role {powers[0][0]!r}, which can read or write the server's own files even"
                " where the database is only read; use an account that may only read, or start with --allow-superuser",
                is_final=True,
            )

    def names(self) -> list[Name]:
        """The tables and views; of PostgreSQL in all schemas, materialized views and foreign tables too."""
        if self.dialect == "postgresql":
            found = self.rows(POSTGRESQL_TABLES)
            return [self._name(*map(str, row[:2]), is_near=bool(row[2])) for row in found if row[1] != CALLS]
        with self._told():
            inspector = sqlalchemy.inspect(self._connection)
            tables = {*inspector.get_table_names(), *inspector.get_view_names()} - {CALLS}
        return [Name(self.quote.quote(table), None, table) for table in sorted(tables)]

    def columns(self, name: Name) -> list[Column]:
        """The columns, as SQLAlchemy reads them."""
        with self._told(), warnings.catch_warnings(), self._apart():
            warnings.simplefilter("ignore")  # of types that SQLAlchemy does not know
            inspector = sqlalchemy.inspect(self._connection)
            keys = set(inspector.get_pk_constraint(name.table, name.schema)["constrained_columns"])
            parents = _parents(inspector, name)
            return [
                Column(
                    column["name"],
                    self._kind(column["type"]),
                    isinstance(column["type"], sqlalchemy.String)
                    and not isinstance(column["type"], sqlalchemy.Enum),
                    column["name"] in keys,
                    parents.get(column["name"], ""),
                )
                for column in inspector.get_columns(name.table, name.schema)
            ]

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> list[tuple[object, ...]]:
        """All rows of a statement of our own."""
        names = [f"p{number}" for number in range(len(parameters))]
        for name in names:
            sql = sql.replace("?", f":{name}", 1)
        with self._told(), self._apart():
            self._time()
            if not parameters:
                result = self._connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
            else:
                result = self._connection.execute(
                    sqlalchemy.text(sql), dict(zip(names, parameters, strict=True))
                )
            return [tuple(row) for row in result] if result.returns_rows else []

    def run(self, statement: str, limit: int) -> Found:
        """What a caller's statement gives, streamed, so that many rows cost no memory."""
        parts = tokens(statement, self.dialect)
        is_streamed = not self._is_writable and first_word(parts) in {"select", "with", "values", "table"}
        if not (self._is_writable or is_reading(parts, self.dialect)):
            raise Trouble(ONLY_READ, needs_write=True)
        edit = numbers.Edit(statement)
        if first_word(parts) in {"select", "with"} and not self._is_writable:
            kind = "numeric" if self.dialect == "postgresql" else "DECIMAL(38, 10)"
            edit = numbers.checked(
                self, statement, numbers.places_of(self, statement), ("CAST(", f" AS {kind})")
            )
        try:
            return self._ran(edit.sql, first_word(parts), limit, is_streamed=is_streamed)
        except Trouble as trouble:
            raise numbers.told(trouble, edit) from trouble

    def _ran(self, sql: str, first: str, limit: int, *, is_streamed: bool) -> Found:
        options = {"no_parameters": True, "stream_results": is_streamed}
        with self._told():
            self._time()
            result = self._connection.exec_driver_sql(sql, execution_options=options)
            if not result.returns_rows:
                is_counted = first in {"insert", "update", "delete", "merge", "with", "replace"}
                return Found(changed=result.rowcount if is_counted and result.rowcount >= 0 else None)
            with contextlib.closing(result):
                rows = [tuple(row) for row in result.fetchmany(limit + 1)]
            return Found([*result.keys()], rows[:limit], has_more=len(rows) > limit)

    def end(self, *, keep: bool) -> None:
        """Makes what was written durable, or takes it back."""
        with self._told():
            (self._connection.commit if keep else self._connection.rollback)()

    def _kind(self, kind: sqlalchemy.types.TypeEngine[object]) -> str:
        if isinstance(kind, sqlalchemy.types.NullType):
            return ""
        try:
            return str(kind.compile(dialect=self._connection.dialect))
        except exc.SQLAlchemyError:
            return str(kind)

    def _name(self, schema: str, table: str, *, is_near: bool) -> Name:
        written = self.quote.quote(table)
        return Name(written if is_near else f"{self.quote.quote(schema)}.{written}", schema, table)

    def _time(self) -> None:
        """Tells the database how much of the call's time is left."""
        left = self.deadline.left()
        if not left:
            raise Trouble(self.deadline.stopped())
        if sql := TIMED.get(self.dialect):
            self._connection.exec_driver_sql(sql.format(seconds=left, milliseconds=max(1, int(left * 1_000))))

    def _apart(self) -> contextlib.AbstractContextManager[object]:
        """A part of the transaction that may fail by itself."""
        if self.dialect == "postgresql" and self._connection.in_transaction():
            return self._connection.begin_nested()
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except exc.SQLAlchemyError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: exc.SQLAlchemyError) -> Trouble:
        return _trouble(error, self.deadline, self._secret)


def _parents(inspector: Inspector, name: Name) -> dict[str, str]:
    """What each column that is a key of another table points to."""
    parents: dict[str, str] = {}
    for key in inspector.get_foreign_keys(name.table, name.schema):
        schema = key.get("referred_schema")
        table = (
            f"{schema}.{key['referred_table']}" if schema and schema != name.schema else key["referred_table"]
        )
        pairs = zip(key["constrained_columns"], key["referred_columns"], strict=False)
        parents |= {column: f"{table}.{parent}" for column, parent in pairs}
    return parents


def _trouble(error: exc.SQLAlchemyError, deadline: Deadline, secret: str) -> Trouble:
    text = str(getattr(error, "orig", None) or error).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    hints = [line for line in lines[1:] if re.match(r"(HINT|DETAIL):", line)]
    reason = " ".join([lines[0], *hints])
    reason = reason.replace(secret, "***") if secret else reason
    if STOPPED.search(reason):
        return Trouble(deadline.stopped())
    if re.search(r"read-only transaction|READ ONLY transaction|readonly database", reason):
        return Trouble(ONLY_READ, needs_write=True)
    unknown = UNKNOWN.search(reason)
    name = next((one for one in unknown.groups() if one), "") if unknown else ""
    is_lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
    return Trouble(reason, unknown=name.split(".")[-1], is_final=is_lost)


@contextlib.contextmanager
def opened(
    url: sqlalchemy.URL, deadline: Deadline, *, is_writable: bool, may_be_superuser: bool
) -> Generator[RemoteSession]:
    """A connection for one call; raises Trouble where there is none."""
    secret = str(url.password or "")
    try:
        engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=_waits(url, deadline))
        connection = _within(deadline, engine.connect)
    except (exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise Trouble(f"it needs a driver that is not installed: {error}", is_final=True) from error
    except exc.SQLAlchemyError as error:
        reason = _trouble(error, deadline, secret).reason
        raise Trouble(f"it cannot be reached: {reason}", is_final=True) from error
    with contextlib.closing(connection):
        session = RemoteSession(connection, deadline, secret, is_writable=is_writable)
        _keep_dates(connection)
        if not is_writable:
            session.begin_reading(may_be_superuser=may_be_superuser)
        yield session


def _waits(url: sqlalchemy.URL, deadline: Deadline) -> dict[str, int]:
    """What a driver is told of waiting. libpq waits two seconds at least."""
    names = CONNECTING.get(url.get_driver_name(), ()) if url.get_backend_name() in {*TIMED} else ()
    return dict.fromkeys(names, max(1, int(deadline.left())))


def _within(deadline: Deadline, open_: Callable[[], Opened]) -> Opened:
    """What a function gives within the deadline; what comes later is left to itself."""
    given: list[Opened] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            given.append(open_())
        except Exception as error:  # noqa: BLE001 - foreign code: what a driver raises is raised below
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(deadline.left())
    if failed:
        raise failed[0]
    if not given:
        raise Trouble(f"its server did not answer within {deadline.seconds:g} s", is_final=True)
    return given[0]


def _keep_dates(connection: Connection) -> None:
    """Lets dates, times and intervals of PostgreSQL come as the texts that the server writes."""
    if connection.dialect.name != "postgresql":
        return
    raw = connection.connection.driver_connection
    if connection.dialect.driver == "psycopg":
        loader = import_module("psycopg.types.string").TextLoader
        for name in EXACT_TYPES:
            raw.adapters.register_loader(name, loader)  # type: ignore[union-attr]  # psycopg's own connection
    elif connection.dialect.driver == "psycopg2":
        extensions = import_module("psycopg2.extensions")
        text = extensions.new_type(EXACT_OIDS, "TEXT", _as_it_is)
        extensions.register_type(text, raw)
    elif connection.dialect.driver == "pg8000":
        for oid in EXACT_OIDS:
            raw.register_in_adapter(oid, str)  # type: ignore[union-attr]  # pg8000's own connection


def _as_it_is(value: str | None, _cursor: object) -> str | None:
    return value


def warn(reason: str) -> None:
    """Tells the person who started the server."""
    sys.stderr.write(f"database: {reason}\n")
