"""Files of older versions: migrated after a backup by their owner, read as they are by others."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from swarm.errors import StoreError
from swarm.nouns.events import EVENT
from swarm.nouns.messages import Reply
from swarm.nouns.plan import Thread
from swarm.nouns.result import Result
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.store.file.migrate import FOLDER, backup_path, migrate, migrated_copy
from swarm.store.file.runfile import SCHEMA_VERSION
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import RunRecord
from swarm.store.shelf.reader import read_run, read_steps, read_text, read_threads

pytestmark = pytest.mark.anyio

THREAD = Thread(run="r", step="notes", item=0)
HANDLE = "t-734194ed"
VERSION_1 = Path(__file__).parent / "version_1.sql"

ADD_A_COLUMN = """
from alembic import op
from sqlalchemy import Column, Integer

revision, down_revision = "{number}", {before!r}

def upgrade() -> None:
    op.add_column("steps", Column("more{number}", Integer, nullable=False, server_default="7"))
"""
FAIL = """
from alembic import op

revision, down_revision = "{number}", {before!r}

def upgrade() -> None:
    op.execute("DELETE FROM nowhere")
"""


def old_file(path: Path) -> Path:
    """A file as version 1 left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1.read_text("utf-8"))
    return path


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version


def schema_of(connection: sqlite3.Connection) -> dict[str, object]:
    """Tables, their columns and indexes; in any order, and without defaults, which only old rows need."""
    tables = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {
        name: (
            {row[1]: (row[2], row[3], row[5]) for row in connection.execute(f"PRAGMA table_xinfo({name})")},
            {tuple(_columns(connection, row[1])) for row in connection.execute(f"PRAGMA index_list({name})")},
            "WITHOUT ROWID" in sql,
        )
        for name, sql in tables
    }


def _columns(connection: sqlite3.Connection, index: str) -> list[str]:
    return [row[2] for row in connection.execute(f"PRAGMA index_info({index})")]


def revisions(folder: Path, *texts: str) -> Path:
    for number, text in enumerate(texts, 2):
        before = str(number - 1) if number > 2 else None
        (folder / f"v{number}.py").write_text(text.format(number=number, before=before), "utf-8")
    return folder


async def test_a_migrated_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    record = RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)
    async with Journal.open(tmp_path / "new.db", record=record):
        pass
    with (
        closing(sqlite3.connect(tmp_path / "new.db")) as new,
        closing(sqlite3.connect(old_file(tmp_path / "old.db"))) as old,
    ):
        with closing(migrated_copy(old, 1)) as migrated:
            assert schema_of(migrated) == schema_of(new)
        assert old.execute("PRAGMA user_version").fetchone() == (1,)


def test_the_last_revision_is_the_version_of_the_tables() -> None:
    heads = ScriptDirectory(FOLDER, version_locations=[FOLDER]).get_heads()
    assert heads == ([] if SCHEMA_VERSION == 1 else [str(SCHEMA_VERSION)])


async def test_an_older_run_goes_on_with_all_it_had_recorded(tmp_path: Path) -> None:
    path = old_file(tmp_path / "r.db")
    async with Journal.open(path) as journal:
        assert await journal.reply(THREAD, 1) == Reply(text="x")
        assert await journal.ledger.result((str(THREAD), 1, 0)) == ToolResult(text="y")
        assert await journal.result(THREAD) == Result(text="z")
        last = await journal.saver.aget_tuple({"configurable": {"thread_id": str(THREAD)}})
        assert last is not None
        assert last.checkpoint["channel_values"] == {"turn": 1, "value": ["x"]}
        assert last.pending_writes == [("task", "value", 3)]
        events = [EVENT.validate_json(text) for text in await journal.events()]
        told = [event.text for event in events if event.kind == "notice"]
    assert read_text(path, HANDLE) == "a text"
    assert version_of(path) == SCHEMA_VERSION
    if SCHEMA_VERSION > 1:
        backup = backup_path(path, 1)
        assert told == ["n1", f"an older version wrote this run; as it was it is kept in {backup}"]
        assert version_of(backup) == 1
        assert not backup.with_suffix(".part").exists()


def test_an_older_file_is_read_and_stays_as_it_is(tmp_path: Path) -> None:
    path = old_file(tmp_path / "r.db")
    before = path.read_bytes()
    assert read_run(path).id == "r"
    assert read_steps(path) == {"notes": Result(text="z")}
    assert read_text(path, HANDLE) == "a text"
    [thread] = read_threads(path)
    assert [call.call for call in thread.calls] == [ToolCall(tool="files.read", args={"path": "a.md"})]
    assert [turn.asked[0].content for turn in thread.turns] == ["Read. " * 1_000]
    assert path.read_bytes() == before


def test_revisions_run_in_their_order_from_the_files_version_on(tmp_path: Path) -> None:
    folder = revisions(tmp_path, ADD_A_COLUMN, ADD_A_COLUMN, ADD_A_COLUMN)
    with closing(sqlite3.connect(old_file(tmp_path / "r.db"), isolation_level=None)) as connection:
        for to in (3, 4):
            migrate(connection, 1 if to == 3 else 3, to=to, folder=folder)
        assert connection.execute("SELECT more2, more3, more4 FROM steps").fetchall() == [(7, 7, 7)]
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    folder = revisions(tmp_path, ADD_A_COLUMN, FAIL)
    path = old_file(tmp_path / "r.db")
    before = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
            migrate(connection, 1, to=3, folder=folder)
        with pytest.raises(sqlite3.OperationalError, match="no such column: more2"):
            connection.execute("SELECT more2 FROM steps")
    assert path.read_bytes() == before


async def test_a_newer_file_is_refused_by_owner_and_reader(tmp_path: Path) -> None:
    path = old_file(tmp_path / "r.db")
    shutil.copy(path, tmp_path / "before.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match=r"written by a newer version .schema 99.*upgrade sovereign-swarm"):
        read_run(path)
    with pytest.raises(StoreError, match="written by a newer version"):
        async with Journal.open(path):
            pass
    assert version_of(path) == 99
