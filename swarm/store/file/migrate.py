"""Bringing a run's file of an older version up to the tables of this program.

Importing it loads alembic, so whoever finds an older file does that, and nobody else.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from swarm.store.file import sums
from swarm.store.file.runfile import SCHEMA_VERSION

FOLDER = Path(__file__).parent / "migrations"


def migrate(
    driver: sqlite3.Connection, version: int, *, to: int = SCHEMA_VERSION, folder: Path = FOLDER
) -> None:
    """Brings the tables from one version to another, in one transaction: all of it or nothing.

    ``driver`` is in no transaction.

    Raises:
        sqlite3.Error: the file does not take it.
    """
    sums.register(driver)
    revisions = ScriptDirectory(folder, version_locations=[folder])
    engine = create_engine(
        "sqlite://", creator=lambda: driver, poolclass=StaticPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            sums.lift(driver)
            with Operations.context(MigrationContext.configure(connection)):
                for number in range(version + 1, to + 1):
                    revisions.get_revision(str(number)).module.upgrade()
            connection.exec_driver_sql(f"PRAGMA user_version={to}")
            sums.install(driver)
            connection.exec_driver_sql("COMMIT")
        except BaseException as error:
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
                raise error.orig from error
            raise


def back_up(driver: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copies the file at ``path`` as it is, beside it, and gives the copy.

    Raises:
        sqlite3.Error: the folder does not take it.
    """
    backup = backup_path(path, version)
    part = backup.with_suffix(".part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part)) as copy:
        driver.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    part.replace(backup)
    return backup


def backup_path(path: Path, version: int) -> Path:
    """Where the copy of a run's file stands that an older version wrote."""
    return path.with_suffix(f".db.v{version}.bak")


def migrated_copy(source: sqlite3.Connection, version: int) -> sqlite3.Connection:
    """A copy in memory with the tables of this program; the file stays as it is."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    source.backup(copy)
    migrate(copy, version)
    return copy
