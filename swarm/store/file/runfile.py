"""What a run's file is: its mark, its version, and how its faults are told to a person.

Only the standard library, so that a command can look at runs without loading anything heavy.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from swarm.errors import StoreError

SCHEMA_VERSION = 4
"""Version of the tables, kept in the file's ``PRAGMA user_version``."""

APPLICATION_ID = 0x53574D31
"""Marks a file as a run's (``PRAGMA application_id``): the letters SWM1."""

SqlValue = str | int | float | bytes | None
Row = dict[str, SqlValue]
"""One row of a table, by the names of its columns."""

RESTORE = "restore it from a backup or start the task again"
"""What to do about a damaged file."""

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and resume the run",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only; make both writable and resume the run",
    sqlite3.SQLITE_IOERR: "the disk failed; check it, then resume the run",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check that it and its folder may be read and written",
    sqlite3.SQLITE_CORRUPT: f"the file is damaged; {RESTORE}",
    sqlite3.SQLITE_NOTADB: "this is not the file of a run; name another one",
    sqlite3.SQLITE_BUSY: "another program holds the file; close it and resume the run",
    sqlite3.SQLITE_LOCKED: "another program holds the file; close it and resume the run",
    sqlite3.SQLITE_NOMEM: "there is not enough memory; free some and resume the run",
    sqlite3.SQLITE_PROTOCOL: "another program holds the file; close it and resume the run",
}


def is_fault(error: BaseException | None) -> bool:
    """Whether the file or its disk is at fault, and not what was asked of it."""
    return isinstance(error, sqlite3.Error) and _code(error) in _REMEDIES


def fault(path: Path, error: sqlite3.Error) -> StoreError:
    """The error for a person: the file, what SQLite said, and what to do."""
    remedy = _REMEDIES.get(_code(error), "this is a bug or a damaged file; start the task again")
    return StoreError(f"{path}: {error}: {remedy}")


def damaged(what: str) -> sqlite3.DatabaseError:
    """The fault of a file in which something is not as it was written."""
    error = sqlite3.DatabaseError(f"{what} is not as it was written")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def check_version(path: Path, application_id: int, version: int) -> None:
    """Refuses a file that is no run's or is newer than this program.

    Raises:
        StoreError: names the file and what to do.
    """
    if application_id != APPLICATION_ID or version == 0:
        raise StoreError(f"{path}: {_REMEDIES[sqlite3.SQLITE_NOTADB]}")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: written by a newer version (schema {version!r}, this program reads "
            f"{SCHEMA_VERSION!r}); upgrade sovereign-swarm"
        )


def must_exist(path: Path) -> None:
    """Refuses a path where no file is.

    Raises:
        StoreError: names the path.
    """
    if not path.is_file():
        raise StoreError(f"{path}: no such run; `swarm runs` lists those there are")


def copy_file(path: Path, target: Path) -> None:
    """Copies one state of a run's file, also while its owner writes.

    Raises:
        StoreError: no such file, or it cannot be read, or not be written there.
    """
    must_exist(path)
    address = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=10.0)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise fault(path, error) from error


def version_of(path: Path) -> int:
    """The version of the file's tables.

    Raises:
        StoreError: it is no run's file, or newer than this program.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            application_id: int = connection.execute("PRAGMA application_id").fetchone()[0]
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise fault(path, error) from error
    check_version(path, application_id, version)
    return version


def size_of(path: Path) -> int:
    """Bytes of a run's file and its log."""
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.is_file() else 0)


def _code(error: sqlite3.Error) -> int:
    # The low byte is the primary code; the rest says more (https://sqlite.org/rescode.html).
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
