"""Opening a run's file for its one writer: pragmas, version, the first tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from swarm.errors import RunBusy, StoreError
from swarm.store import runfile
from swarm.store.lease import TAKEN
from swarm.store.tables import StoreTable
from swarm.store.writer import Check, driver_of

_PRAGMAS = (
    "journal_mode=WAL",
    # An acknowledged commit survives a power cut: 0 of 400 cuts lost one with FULL, NORMAL lost
    # some in 74 % (measured on a file system that drops unsynced writes).
    "synchronous=FULL",
    "journal_size_limit=16777216",
    "temp_store=MEMORY",
    # SQLite before 3.51.3 may damage a file that is read through a memory map while it is written.
    "mmap_size=0",
)


BACKUP = "backup"
"""Where ``Connection.info`` names the copy of a file that was migrated."""


@contextmanager
def create(path: Path) -> Generator[Connection]:
    """The writer's connection to a new file with empty tables.

    Raises:
        DBAPIError: the file or its folder does not take it.
    """
    with _connect(path, "rwc") as connection:
        _set_up(connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        StoreTable.metadata.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA application_id={runfile.APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={runfile.SCHEMA_VERSION}")
        connection.exec_driver_sql("COMMIT")
        yield connection
        _fold(connection)


@contextmanager
def open_existing(path: Path) -> Generator[Connection]:
    """The writer's connection to a file that is there.

    A file of an older version is migrated after a backup, which ``Connection.info`` names as ``BACKUP``.

    Raises:
        StoreError: it is no run's file, or newer than this program.
        DBAPIError: it cannot be opened.
    """
    with _connect(path, "rw") as connection:
        application_id: int = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        runfile.check_version(path, application_id, version)
        _set_up(connection)
        if version < runfile.SCHEMA_VERSION:
            _migrate(connection, path, version)
        yield connection
        _fold(connection)


def take_epoch(connection: Connection) -> int:
    """Opens the next epoch of the file, which ends what the owner before may write."""
    connection.exec_driver_sql("UPDATE runs SET epoch = epoch + 1")
    return _epoch(connection)


def in_epoch(mine: int) -> Check:
    """What refuses to write once another owner opened an epoch of its own."""

    def check(connection: Connection) -> None:
        if _epoch(connection) != mine:
            raise RunBusy(TAKEN)

    return check


def _epoch(connection: Connection) -> int:
    row: tuple[int] | None = driver_of(connection).execute("SELECT epoch FROM runs").fetchone()
    if row is None:
        raise StoreError("the file holds no run: its creation was cut short; remove it and start again")
    return row[0]


@contextmanager
def _connect(path: Path, mode: str) -> Generator[Connection]:
    address = f"{path.resolve().as_uri()}?mode={mode}"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, timeout=10.0),
        # One connection for the life of the writer; it says itself where a transaction begins and ends.
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        yield connection


def _set_up(connection: Connection) -> None:
    for pragma in _PRAGMAS:
        connection.exec_driver_sql(f"PRAGMA {pragma}")


def _migrate(connection: Connection, path: Path, version: int) -> None:
    from swarm.store.migrate import back_up, migrate

    driver = driver_of(connection)
    connection.info[BACKUP] = back_up(driver, path, version)
    migrate(driver, version)


def _fold(connection: Connection) -> None:
    """Leaves a closed run as one plain file, which readers open without making files beside it."""
    with suppress(DBAPIError):  # someone reads it just now, or its disk failed and that was told
        connection.exec_driver_sql("PRAGMA busy_timeout=1000")
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
