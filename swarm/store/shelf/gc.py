"""Making a run's file small: old checkpoints go, texts nobody names any more, and the room they took."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, delete, func, select, union

from swarm.errors import StoreError
from swarm.store.file import runfile, sums
from swarm.store.file.owner import lease
from swarm.store.rows import database
from swarm.store.rows.blobs import NAME
from swarm.store.rows.journal import saver_on
from swarm.store.rows.tables import Blobs, StoreTable, Texts, table_of
from swarm.store.rows.writer import Writer


@dataclass(frozen=True)
class Collected:
    """What was taken out of a run's file."""

    checkpoints: int
    texts: int
    size_before: int
    """Bytes, its log included."""
    size: int


async def collect(path: Path, *, keep: int) -> Collected:
    """Removes what a run's file can do without, and gives the room back.

    Of a thread's checkpoints the last ``keep`` stay, and those that a run keeps as it goes. What was
    said and done stays, whole.

    Raises:
        RunBusy: a live process owns the run.
        StoreError: the file fails; it is as it was, or smaller.
    """
    before = runfile.size_of(path)
    with lease(path):
        async with Writer.open(path, partial(database.open_existing, path)) as writer:
            checkpoints = await saver_on(writer, set()).thin(keep)
            texts = await writer.do(_drop_blobs)
        _vacuum(path)
    return Collected(checkpoints, texts, before, runfile.size_of(path))


async def foresee(path: Path, *, keep: int) -> Collected:
    """What ``collect`` would do, tried on a copy; the file stays as it is, and a live process may own it.

    Raises:
        StoreError: the file cannot be read, or the folder for passing files does not take the copy.
    """
    with tempfile.TemporaryDirectory(prefix="swarm-gc-") as folder:
        copy = Path(folder) / path.name
        runfile.copy_file(path, copy)
        found = await collect(copy, keep=keep)
    return Collected(found.checkpoints, found.texts, runfile.size_of(path), found.size)


def _drop_blobs(connection: Connection) -> int:
    """Removes the blobs that no row names, and counts them."""
    named = [select(table_of(Texts).c.hash)]
    # All columns, whatever they are meant for: a text that is named anywhere stays.
    for table in StoreTable.metadata.tables.values():
        for column in table.columns:
            is_name = func.substr(column, 1, len(NAME)) == NAME
            named.append(select(func.substr(column, len(NAME) + 1)).where(is_name))
    blobs = table_of(Blobs)
    return connection.execute(delete(blobs).where(blobs.c.hash.not_in(union(*named)))).rowcount


def _vacuum(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path, timeout=10.0, isolation_level=None)) as connection:
            sums.register(connection)
            connection.execute("VACUUM")
    except sqlite3.Error as error:
        fault = runfile.fault(path, error)
        raise StoreError(f"{fault} (nothing is lost: only the room was not given back)") from error
