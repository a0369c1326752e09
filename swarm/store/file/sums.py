"""What makes each loss in a run's file visible: a checksum on every row, the totals of every table,
and a digest over all of that under the number of the commit.

The checksum is a generated column, so each statement that writes a row makes it; triggers keep the
totals. Both cost some 8 microseconds a row (measured). Only the standard library.
"""

from __future__ import annotations

import hashlib
import marshal
import re
import sqlite3
import zlib
from dataclasses import dataclass

from swarm.store.file import runfile
from swarm.store.file.runfile import SqlValue

SINCE = 3
"""The first version of the tables that has checksums."""

_OWN = ("totals", "commits")
"""Tables about tables: the digest covers them."""

_COLUMN = re.compile(r"\s*checksum INTEGER GENERATED ALWAYS AS \(row_sum\([^)]*\)\) STORED,")

_NAMED = 3
"""Damaged rows that an error names."""


@dataclass(frozen=True)
class Totals:
    """What a run's file holds, told in few bytes."""

    number: int
    """How many commits changed the file."""
    digest: str
    """Over the totals of all tables, the tables' definitions, and the number."""


@dataclass(frozen=True)
class Damage:
    """What is wrong with a table."""

    table: str
    keys: tuple[tuple[SqlValue, ...], ...]
    """Of the first rows that are not as they were written; empty where only the totals tell."""
    rowids: tuple[int, ...]
    """Of all such rows."""
    lost: int
    """Rows that are gone; below zero: rows too many."""

    def __str__(self) -> str:
        rows = ", ".join("/".join(str(value) for value in key) for key in self.keys)
        more = f" and {len(self.rowids) - len(self.keys)} more" if len(self.rowids) > len(self.keys) else ""
        what = f"row {rows}{more}" if rows else f"{self.lost} rows lost" if self.lost else "its totals"
        return f"{self.table} ({what})"


def register(driver: sqlite3.Connection) -> None:
    """Lets a connection make and check checksums; without it the file can be read and not written."""
    driver.create_function("row_sum", -1, _row_sum, deterministic=True)


def _row_sum(*values: SqlValue) -> int:
    # Format 2 of marshal tells types and lengths, depends on the values alone, and has been the same
    # since Python 2.5; a test holds it to that.
    return zlib.crc32(marshal.dumps(values, 2))


def install(driver: sqlite3.Connection) -> None:
    """Lays checksums and totals over all tables, inside the transaction that is under way."""
    register(driver)
    driver.execute(
        "CREATE TABLE IF NOT EXISTS totals"
        " (name TEXT NOT NULL PRIMARY KEY, rows INTEGER NOT NULL, total INTEGER NOT NULL) WITHOUT ROWID"
    )
    driver.execute("CREATE TABLE IF NOT EXISTS commits (number INTEGER NOT NULL, digest TEXT NOT NULL)")
    driver.execute("INSERT INTO commits SELECT 0, '' WHERE NOT EXISTS (SELECT * FROM commits)")
    for table in tables_of(driver):
        if not _has_checksum(driver, table):
            _rebuild(driver, table, is_summed=True)
        _keep_totals(driver, table)
        count(driver, table)
    advance(driver, basis(driver))


def lift(driver: sqlite3.Connection) -> None:
    """Takes checksums and totals off all tables, so that the tables can be changed; ``install`` follows."""
    register(driver)
    for (trigger,) in driver.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        driver.execute(f'DROP TRIGGER "{trigger}"')
    for table in tables_of(driver):
        _rebuild(driver, table, is_summed=False)


def count(driver: sqlite3.Connection, table: str) -> None:
    """Takes the totals of a table from its rows."""
    driver.execute(
        f"INSERT OR REPLACE INTO totals SELECT '{table}', count(*), coalesce(sum(checksum), 0) FROM \"{table}\""
    )


def tables_of(driver: sqlite3.Connection) -> list[str]:
    """The tables that have checksums."""
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
    return [name for (name,) in driver.execute(query) if name not in _OWN]


def with_checksum(definition: str, columns: list[str]) -> str:
    """The ``CREATE TABLE`` of a table that has checksums, from that of the table without."""
    head, _, body = definition.partition("(")
    return f"{head}(checksum INTEGER GENERATED ALWAYS AS ({expression(columns)}) STORED,{body}"


def expression(columns: list[str]) -> str:
    """The checksum of a row as SQL: the same for any order of the columns."""
    return f"row_sum({_listed(sorted(columns))})"


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def columns_of(driver: sqlite3.Connection, table: str) -> list[str]:
    """The columns that a table's checksums are made of."""
    # Column 6 is 0 for what is neither hidden nor generated (https://sqlite.org/pragma.html).
    return [row[1] for row in driver.execute(f'PRAGMA table_xinfo("{table}")') if row[6] == 0]


def _has_checksum(driver: sqlite3.Connection, table: str) -> bool:
    return any(row[1] == "checksum" for row in driver.execute(f'PRAGMA table_xinfo("{table}")'))


def _rebuild(driver: sqlite3.Connection, table: str, *, is_summed: bool) -> None:
    """Makes the table anew with checksums or without: SQLite adds no stored column to a table that is there."""
    query = "SELECT type, sql FROM sqlite_schema WHERE tbl_name = ? AND sql NOT NULL AND type IN ('table', 'index')"
    parts = driver.execute(query, (table,)).fetchall()
    (definition,) = (sql for kind, sql in parts if kind == "table")
    columns = columns_of(driver, table)
    plain = f'CREATE TABLE "new {table}" ({_COLUMN.sub("", definition.partition("(")[2], count=1)}'
    names = _listed(columns)
    order = "" if "WITHOUT ROWID" in definition else " ORDER BY rowid"
    driver.execute(with_checksum(plain, columns) if is_summed else plain)
    driver.execute(f'INSERT INTO "new {table}" ({names}) SELECT {names} FROM "{table}"{order}')
    driver.execute(f'DROP TABLE "{table}"')
    driver.execute(f'ALTER TABLE "new {table}" RENAME TO "{table}"')
    for kind, sql in parts:
        if kind == "index":
            driver.execute(sql)


def _keep_totals(driver: sqlite3.Connection, table: str) -> None:
    changes = {
        "INSERT": "rows = rows + 1, total = total + new.checksum",
        "UPDATE": "total = total + new.checksum - old.checksum",
        "DELETE": "rows = rows - 1, total = total - old.checksum",
    }
    for verb, change in changes.items():
        driver.execute(
            f'CREATE TRIGGER "{table} {verb.lower()}" AFTER {verb} ON "{table}"'
            f" BEGIN UPDATE totals SET {change} WHERE name = '{table}'; END"
        )


def basis(driver: sqlite3.Connection) -> bytes:
    """What of the digest only a migration changes: the version and the definitions of all tables."""
    version = driver.execute("PRAGMA user_version").fetchone()
    schema = driver.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
    return marshal.dumps((version, tuple(schema.fetchall())), 2)


def advance(driver: sqlite3.Connection, basis: bytes) -> Totals:
    """Counts the commit that is about to be made, and gives the state it leaves."""
    (number,) = driver.execute("SELECT number FROM commits").fetchone()
    state = _state(driver, basis, number + 1)
    driver.execute("UPDATE commits SET number = ?, digest = ?", (state.number, state.digest))
    return state


def state_of(driver: sqlite3.Connection) -> Totals | None:
    """The state the file is in, or None when the tables about its tables are damaged."""
    recorded = driver.execute("SELECT number, digest FROM commits").fetchone()
    if recorded is None:
        return None
    state = _state(driver, basis(driver), recorded[0])
    return state if state.digest == recorded[1] else None


def _state(driver: sqlite3.Connection, basis: bytes, number: int) -> Totals:
    totals = tuple(driver.execute("SELECT name, rows, total FROM totals ORDER BY name").fetchall())
    digest = hashlib.blake2b(marshal.dumps((number, totals), 2) + basis, digest_size=8)
    return Totals(number, digest.hexdigest())


def damage_in(driver: sqlite3.Connection, table: str) -> Damage | None:
    """What is wrong with a table, compared to what was written; None for nothing."""
    whole = f"checksum IS {expression(columns_of(driver, table))}"
    # Not by an index: a row that is missing there is in the table all the same.
    query = (
        f'SELECT count(*), coalesce(sum(checksum), 0), coalesce(sum({whole}), 0) FROM "{table}" NOT INDEXED'
    )
    expected = driver.execute("SELECT rows, total FROM totals WHERE name = ?", (table,)).fetchone() or (0, 0)
    try:
        rows, total, sound = driver.execute(query).fetchone()
    except sqlite3.OperationalError as error:
        if runfile.is_fault(error):
            raise
        rows, total, sound = -1, 0, -1  # a text that is none, or a checksum that is no number
    if (rows, total) == tuple(expected) and rows == sound:
        return None
    return _damage(driver, table, whole, expected[0])


def _damage(driver: sqlite3.Connection, table: str, whole: str, expected: int) -> Damage:
    """Row by row, because a text that is none ends the whole query."""
    driver.text_factory = _as_shown
    try:
        info = driver.execute(f'PRAGMA table_xinfo("{table}")').fetchall()
        keys = _listed([row[1] for row in sorted(info, key=lambda row: row[5]) if row[5]])
        has_rowid = _has_rowid(driver, table)
        rowid = "rowid" if has_rowid else "0"
        found = driver.execute(f'SELECT {rowid}, {keys} FROM "{table}" NOT INDEXED').fetchall()
        bad = [row for row in found if has_rowid and not _is_whole(driver, table, whole, row[0])]
    finally:
        driver.text_factory = str
    return Damage(
        table,
        tuple(tuple(row[1:]) for row in bad[:_NAMED]),
        tuple(row[0] for row in bad),
        expected - len(found),
    )


def _as_shown(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


def _has_rowid(driver: sqlite3.Connection, table: str) -> bool:
    (definition,) = driver.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    return "WITHOUT ROWID" not in definition


def _is_whole(driver: sqlite3.Connection, table: str, whole: str, rowid: int) -> bool:
    try:
        query = f'SELECT {whole} FROM "{table}" NOT INDEXED WHERE rowid = ?'
        row = driver.execute(query, (rowid,)).fetchone()
    except sqlite3.OperationalError:
        return False
    return row is not None and bool(row[0])  # there is none where the page says another number
