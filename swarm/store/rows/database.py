"""Opening a run's file for its one writer: pragmas, version, the first tables."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from swarm.errors import RunBusy, StoreError
from swarm.store.file import runfile, sums
from swarm.store.file.inspection import CHECKPOINTS, inspect
from swarm.store.file.owner import TAKEN
from swarm.store.file.sums import Damage
from swarm.store.rows.tables import definitions
from swarm.store.rows.writer import Check, driver_of

_PRAGMAS = (
    "journal_mode=WAL",
    # An acknowledged commit survives a power cut: 0 of 400 cuts lost one with FULL, NORMAL lost
    # some in 74 % (measured on a file system that drops unsynced writes).
    "synchronous=FULL",
    "journal_size_limit=16777216",
    "temp_store=MEMORY",
    "cache_size=-512",
    # SQLite before 3.51.3 may damage a file that is read through a memory map while it is written.
    "mmap_size=0",
)


# To the log and back, SQLite changes some bytes in the first sector. By default it keeps a journal of
# that, and where a power cut leaves one, nobody can read the file who may not write it.
_NO_JOURNAL = "PRAGMA journal_mode=MEMORY"

_REMARKS = "remarks"


@contextmanager
def create(path: Path) -> Generator[Connection]:
    """The writer's connection to a new file with empty tables.

    Raises:
        DBAPIError: the file or its folder does not take it.
    """
    # An empty file is a new database; SQLite's own would be readable to all users of the machine.
    with suppress(OSError):  # which SQLite tells of in its own words
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    with _connect(path, "rwc") as connection:
        _set_up(connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        for definition in definitions():
            connection.exec_driver_sql(definition)
        connection.exec_driver_sql(f"PRAGMA application_id={runfile.APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={runfile.SCHEMA_VERSION}")
        sums.install(driver_of(connection))
        connection.exec_driver_sql("COMMIT")
        yield connection
        _fold(connection)


@contextmanager
def open_existing(path: Path) -> Generator[Connection]:
    """The writer's connection to a file that is there.

    A file of an older version is migrated after a backup, and rows are mended that a run can do
    without; ``remarks_on`` tells so.

    Raises:
        StoreError: it is no run's file, newer than this program, damaged, or not its last state.
        DBAPIError: it cannot be opened.
    """
    found = inspect(path)
    with _connect(path, "rw") as connection:
        _set_up(connection)
        connection.info[_REMARKS] = remarks = list(found.remarks)
        if found.damages:
            remarks.append(_mend(connection, found.damages))
        if found.version < runfile.SCHEMA_VERSION:
            backup = _migrate(connection, path, found.version)
            remarks.append(f"an older version wrote this run; as it was it is kept in {backup}")
        yield connection
        _fold(connection)


def remarks_on(connection: Connection) -> Sequence[str]:
    """What a person must be told of the file that was opened: sentences."""
    remarks: list[str] = connection.info.get(_REMARKS, [])
    return remarks


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
        creator=partial(_driver, address),
        # One connection for the life of the writer; it says itself where a transaction begins and ends.
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        yield connection


def _driver(address: str) -> sqlite3.Connection:
    driver = sqlite3.connect(address, uri=True, timeout=10.0)
    sums.register(driver)
    return driver


def _set_up(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal":
        connection.exec_driver_sql(_NO_JOURNAL)
    for pragma in _PRAGMAS:
        connection.exec_driver_sql(f"PRAGMA {pragma}")


def _migrate(connection: Connection, path: Path, version: int) -> Path:
    from swarm.store.file.migrate import back_up, migrate

    driver = driver_of(connection)
    backup = back_up(driver, path, version)
    migrate(driver, version)
    return backup


def _mend(connection: Connection, damages: Sequence[Damage]) -> str:
    """Lets go of damaged events, and of all checkpoints where one is damaged: the journal goes before them."""
    driver = driver_of(connection)
    driver.execute("BEGIN IMMEDIATE")
    for damage in damages:
        if damage.table == "events":
            driver.executemany("DELETE FROM events WHERE rowid = ?", [(rowid,) for rowid in damage.rowids])
        else:
            for table in CHECKPOINTS:
                driver.execute(f"DELETE FROM {table}")
    for table in ("events", *CHECKPOINTS):
        sums.count(driver, table)
    sums.advance(driver, sums.basis(driver))
    driver.execute("COMMIT")
    where = ", ".join(str(damage) for damage in damages)
    return f"the run's file was damaged in {where}; the run goes on from its journal, which is whole"


def _fold(connection: Connection) -> None:
    """Leaves a closed run as one plain file, which readers open without making files beside it."""
    with suppress(DBAPIError):  # someone reads it just now, or its disk failed and that was told
        connection.exec_driver_sql("PRAGMA busy_timeout=1000")
        connection.exec_driver_sql(_NO_JOURNAL)
