"""Opening a run's file to read it, and refusing what is not as it was written.

Only the standard library, and read-only: it never checkpoints the owner's log, and a file that is
refused stays as it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from swarm.errors import StoreError
from swarm.store.file import runfile, sums
from swarm.store.file.seal import last_state, witness_path
from swarm.store.file.sums import Damage, Totals

CHECKPOINTS = ("checkpoints", "channels", "writes")
"""Tables a run goes on without, because it resumes from its journal."""

_MENDABLE = {"events", *CHECKPOINTS}


@dataclass(frozen=True)
class Found:
    """What is to be said of a file that may be worked on."""

    version: int
    damages: tuple[Damage, ...]
    """In tables a run goes on without."""
    remarks: tuple[str, ...]


@contextmanager
def reading(path: Path, *tables: str) -> Generator[sqlite3.Connection]:
    """A connection that sees one state of the file; an older file as it would be after its migration.

    Raises:
        StoreError: no such file, no run's, newer than this program, or an older state of it; or one
            of ``tables`` is not as it was written.
    """
    with _opened(path) as (connection, version, state):
        _refuse_damage(path, connection, [table for table in tables if state])
        with _current(connection, version) as current:
            current.row_factory = sqlite3.Row
            yield current


def inspect(path: Path) -> Found:
    """Looks at all of the file, before its owner works on it.

    Raises:
        StoreError: as for ``reading``, or the file is damaged and cannot be mended.
    """
    with _opened(path) as (connection, version, state):
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise StoreError(f"{path}: the file is damaged ({verdict.splitlines()[-1]}); {runfile.RESTORE}")
        tables = sums.tables_of(connection) if state else []
        _refuse_damage(path, connection, [table for table in tables if table not in _MENDABLE])
        found = [sums.damage_in(connection, table) for table in tables if table in _MENDABLE]
    is_alone = state is not None and last_state(path) is None
    remark = f"{witness_path(path).name} is missing beside the run's file: an older state of it would not be noticed"
    return Found(version, tuple(damage for damage in found if damage), (remark,) if is_alone else ())


@contextmanager
def _opened(path: Path) -> Generator[tuple[sqlite3.Connection, int, Totals | None]]:
    """A connection in a transaction, the version of the tables, and the file's state where it has one."""
    runfile.must_exist(path)
    # First, because the owner may write on meanwhile: the file is never behind what it said before.
    last = last_state(path)
    address = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=10.0, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            application_id = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and last is not None:
                raise StoreError(_without_log(path, last))
            runfile.check_version(path, application_id, version)
            yield connection, version, _state(path, connection, version, last)
    except sqlite3.Error as error:
        raise runfile.fault(path, error) from error


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _without_log(path: Path, last: Totals) -> str:
    """What a person must know of a file whose rows were all in its log still."""
    return (
        f"{path}: its {_log_of(path).name} is missing, and all {last.number} commits of the run were in it (a "
        "backup of *.db alone?); put it back beside the file, from where the run was; without it the task "
        "must be started again, and what was done so far is done again"
    )


def _state(path: Path, connection: sqlite3.Connection, version: int, last: Totals | None) -> Totals | None:
    if version < sums.SINCE and last is None:
        return None
    sums.register(connection)
    state = sums.state_of(connection)
    if state is None:
        raise StoreError(f"{path}: the file is damaged (its totals); {runfile.RESTORE}")
    if last and (state.number < last.number or (state.number == last.number and state != last)):
        lacks = "" if _log_of(path).exists() else f" (there is no {_log_of(path).name} beside it)"
        raise StoreError(
            f"{path}: this is not its last state: it holds commit {state.number}, and {last.number} was "
            f"written{lacks}; put the newer file back, with its {path.name}-wal if there was one; or, to go on "
            f"from this state and maybe repeat what was done since, remove {witness_path(path)}"
        )
    return state


def _refuse_damage(path: Path, connection: sqlite3.Connection, tables: list[str]) -> None:
    found = {table: sums.damage_in(connection, table) or _disorder(connection, table) for table in tables}
    damaged = [str(damage) for damage in found.values() if damage]
    if damaged:
        whole = ", ".join(table for table, damage in found.items() if not damage) or "nothing else"
        raise StoreError(
            f"{path}: the file is damaged in {', '.join(damaged)}; whole of what was asked for: {whole}; "
            f"{runfile.RESTORE}"
        )


def _disorder(connection: sqlite3.Connection, table: str) -> str:
    """What is wrong with the pages of a table whose rows are all there, such as two that changed places: its rows
    would be read in another order. Empty for nothing."""
    (verdict,) = connection.execute(f'PRAGMA quick_check("{table}")').fetchone()
    return "" if verdict == "ok" else f"{table} ({verdict.splitlines()[-1]})"


@contextmanager
def _current(connection: sqlite3.Connection, version: int) -> Generator[sqlite3.Connection]:
    """The connection, or one to a copy in memory with the tables of this program."""
    if version == runfile.SCHEMA_VERSION:
        yield connection
        return
    from swarm.store.file.migrate import migrated_copy

    with closing(migrated_copy(connection, version)) as copy:
        yield copy
