"""Making runs' files smaller: what goes, what stays, and whose files are left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from swarm.errors import RunBusy
from swarm.nouns.events import Notice
from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Thread
from swarm.store.rows.checkpoints import PRUNE_EVERY, Saver
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import RunRecord
from swarm.store.shelf.gc import collect, foresee
from swarm.store.shelf.reader import read_events, read_text, read_threads

pytestmark = pytest.mark.anyio

THREAD = Thread(run="r", step="notes")
LONG = " ".join(str(number * 7_919 % 99_991) for number in range(3_000))
"""A text that hardly compresses."""


async def put(saver: Saver, number: int) -> None:
    checkpoint = {**empty_checkpoint(), "id": f"{number:03}"}
    config = {"configurable": {"thread_id": str(THREAD), "checkpoint_ns": ""}}
    await saver.aput(config, checkpoint, {"source": "loop", "step": number, "parents": {}}, {})  # type: ignore[arg-type]


async def make_run(path: Path) -> str:
    """A run with more checkpoints and texts than it needs; gives a text's handle."""
    record = RunRecord(id="r", task=LONG, project="/p", workspace="/w", model="m", created_at=1.0)
    async with Journal.open(path, record=record) as journal:
        for number in range(1, PRUNE_EVERY):
            await put(journal.saver, number)
        question = Request(messages=(Message(role="user", content=LONG),))
        await journal.note_reply(THREAD, 1, "d", Reply(text=LONG), question)
        journal.note(Notice(text=LONG))
        handle = await journal.put_text(LONG)
        for status in ("paused", "done"):  # each time the record is too long for its row
            await journal.save_run(status=status)
        return handle


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return count


async def test_old_checkpoints_and_texts_nobody_names_go_and_all_that_was_said_stays(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    handle = await make_run(path)
    threads, events, size = read_threads(path), read_events(path), path.stat().st_size
    done = await collect(path, keep=2)
    # The first and the last two stay; the record was kept twice under another status.
    assert (done.checkpoints, rows(path, "checkpoints")) == (PRUNE_EVERY - 1 - 3, 3)
    assert done.texts == 2
    assert (done.size_before, done.size) == (size, path.stat().st_size)
    assert done.size < size
    assert read_threads(path) == threads
    assert read_events(path) == events
    assert read_text(path, handle) == LONG
    async with Journal.open(path) as journal:
        last = await journal.saver.aget_tuple({"configurable": {"thread_id": str(THREAD)}})
        assert last is not None
        assert last.checkpoint["id"] == f"{PRUNE_EVERY - 1:03}"
    assert (await collect(path, keep=2)).checkpoints == 0


async def test_a_dry_run_tells_the_same_and_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    await make_run(path)
    before = path.read_bytes()
    foreseen = await foresee(path, keep=2)
    assert path.read_bytes() == before
    assert foreseen == await collect(path, keep=2)


async def test_a_run_at_work_is_not_collected(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    await make_run(path)
    async with Journal.open(path):
        with pytest.raises(RunBusy):
            await collect(path, keep=2)
