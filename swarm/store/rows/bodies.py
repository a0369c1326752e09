"""Reading the texts of a run's file, which stand in a row or in a blob beside it, each as it was written.

For the run's owner and for other processes alike: only SQLite from the standard library.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial

from swarm.store.file import runfile, sums
from swarm.store.file.runfile import SqlValue
from swarm.store.rows import blobs

MOST_CHARS = 100_000
"""Most of a context that is used; more would cost more time than it saves room."""


def texts_in(
    driver: sqlite3.Connection,
    table: str,
    column: str = "body",
    rest: str = "",
    values: tuple[SqlValue, ...] = (),
) -> list[str]:
    """The texts in a column; ``rest`` tells of which rows, and their order.

    Raises:
        sqlite3.DatabaseError: a row or a text is not as it was written.
    """
    return [text_of(driver, body) for body in _sound(driver, table, column, rest, values)]


def text_in(driver: sqlite3.Connection, table: str, column: str, **key: SqlValue) -> str:
    """The text in a column of the row that has these values.

    Raises:
        sqlite3.DatabaseError: it is not there, or damaged.
    """
    rest = f"WHERE {' AND '.join(f'{name} = ?' for name in key) or 'true'}"
    texts = texts_in(driver, table, column, rest, tuple(key.values()))
    if not texts:
        raise runfile.damaged(f"row {'/'.join(map(str, key.values()))} of {table}")
    return texts[0]


def text_of(driver: sqlite3.Connection, body: blobs.Packed, context: Callable[[], str] = str) -> str:
    """The text that a row holds or names; ``context`` gives what it was compressed with."""
    return blobs.unpack(body, partial(_blob, driver), context)


def kept_text(driver: sqlite3.Connection, hash: str) -> str:
    """The text of that hash.

    Raises:
        sqlite3.DatabaseError: it is not there, or damaged.
    """
    return blobs.inflate(_blob(driver, hash))


def context_of(connection: sqlite3.Connection, thread: str, turn: int) -> str:
    """What a question repeats and is compressed with, so that each is stored once: the reply and the tool
    results of the turn before, as they are recorded; none for the notes of a turn, which stand under its
    negative."""
    if turn < 0:
        return ""
    before = (thread, turn - 1)
    rows = [
        *connection.execute("SELECT body FROM replies WHERE thread = ? AND turn = ?", before),
        *connection.execute(
            "SELECT result FROM calls WHERE thread = ? AND turn = ? ORDER BY position", before
        ),
    ]
    return "\n".join(text_of(connection, row[0]) for row in rows)[:MOST_CHARS]


def _blob(driver: sqlite3.Connection, hash: str) -> bytes:
    found = _sound(driver, "blobs", "data", "WHERE hash = ?", (hash,))
    if not found or not isinstance(found[0], bytes):
        raise runfile.damaged(f"text {hash!r}")
    return found[0]


def _sound(
    driver: sqlite3.Connection, table: str, column: str, rest: str, values: tuple[SqlValue, ...]
) -> list[blobs.Packed]:
    is_whole = f"checksum IS {sums.expression(sums.columns_of(driver, table))}"
    rows = driver.execute(f"SELECT {column}, {is_whole} FROM {table} {rest}", values).fetchall()
    if not all(row[1] for row in rows):
        raise runfile.damaged(f"a row of {table}")
    return [row[0] for row in rows]
