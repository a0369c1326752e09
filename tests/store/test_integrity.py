"""What is read is what was written: damage and older states of a run's file are noticed."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from swarm.errors import StoreError
from swarm.nouns.events import EVENT, Notice
from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Thread
from swarm.nouns.result import Result
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.store.file import sums
from swarm.store.file.seal import Witness, last_state, witness_path
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import LedgerEntry, RunRecord
from swarm.store.shelf.reader import read_events, read_run, read_steps, read_threads

pytestmark = pytest.mark.anyio

THREAD = Thread(run="r", step="notes", item=0)


async def made(path: Path, turns: int = 3) -> Path:
    """A run's file with a row in each table."""
    record = RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)
    async with Journal.open(path, record=record, clock=lambda: 5.0) as journal:
        journal.note(Notice(text="began"))
        await go_on(journal, turns)
        journal.note_result(THREAD, Result(text="z"))
        journal.note_step("notes", Result(text="z"))
        await journal.put_text("a text")
        place = {"configurable": {"thread_id": str(THREAD), "checkpoint_ns": ""}}
        await journal.saver.aput_writes(
            {"configurable": {**place["configurable"], "checkpoint_id": "1"}}, [("value", 3)], "task"
        )
    return path


async def notices(journal: Journal) -> list[str]:
    events = [EVENT.validate_json(text) for text in await journal.events()]
    return [event.text for event in events if isinstance(event, Notice)]


def digest(turn: int) -> str:
    return f"digest of turn {turn}"


async def go_on(journal: Journal, turns: int) -> None:
    for turn in range(turns):
        question = Request(messages=(Message(role="user", content=f"asked {turn} " * 500),))
        await journal.note_reply(THREAD, turn, digest(turn), Reply(text=f"said {turn}"), question)
        call = ToolCall(tool="mail.send", args={"to": f"x{turn}"})
        key = (str(THREAD), turn, 0)
        await journal.ledger.leave(key, LedgerEntry(call=call, effect="irreversible"))
        await journal.ledger.settle(key, ToolResult(text=f"sent {turn}"))


def damage(path: Path, table: str, column: str, rowid: int, by: bytes = b"?") -> None:
    """Changes the last byte of a value, as a disk does: past SQLite."""
    with closing(sqlite3.connect(path)) as connection:
        query = f"SELECT CAST({column} AS BLOB) FROM {table} WHERE rowid = ?"
        value: bytes = connection.execute(query, (rowid,)).fetchone()[0]
    data = path.read_bytes()
    assert data.count(value) == 1, data.count(value)
    path.write_bytes(data.replace(value, value[:-1] + by))


async def refusal(path: Path) -> str:
    with pytest.raises(StoreError) as refused:
        async with Journal.open(path):
            pass
    return str(refused.value)


def test_a_checksum_is_the_same_with_every_python() -> None:
    with closing(sqlite3.connect(":memory:")) as driver:
        sums.register(driver)
        row = driver.execute("SELECT row_sum('ä', 7, 1 << 40, 0.5, x'00ff', NULL)").fetchone()
    assert row == (3613546217,)


async def test_a_changed_row_is_refused_with_its_table_its_key_and_what_is_whole(tmp_path: Path) -> None:
    path = await made(tmp_path / "r.db")
    damage(path, "replies", "body", 2)
    refused = await refusal(path)
    assert f"{path}: the file is damaged in replies (row r/notes/0/1/1)" in refused
    assert "whole of what was asked for: blobs, calls, questions, results, runs, steps, texts" in refused
    assert "restore it from a backup or start the task again" in refused
    with pytest.raises(StoreError, match="damaged in replies"):
        read_threads(path)
    assert read_run(path).id == "r"
    assert read_events(path) == [Notice(seq=1, at=5.0, text="began")]
    assert read_steps(path) == {"notes": Result(text="z")}


async def test_a_text_that_is_no_text_any_more_is_refused_like_any_other_damage(tmp_path: Path) -> None:
    path = await made(tmp_path / "r.db")
    damage(path, "replies", "digest", 2, by=b"\xff")
    assert "the file is damaged in replies (row r/notes/0/1/1)" in await refusal(path)


@pytest.mark.parametrize("table", ["replies", "calls", "results", "steps", "blobs", "texts", "runs"])
async def test_a_row_that_is_gone_is_noticed(tmp_path: Path, table: str) -> None:
    path = await made(tmp_path / "r.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f'DROP TRIGGER "{trigger}"')
        connection.execute(f"DELETE FROM {table} WHERE rowid = 1")
    assert "the file is damaged (its totals)" in await refusal(path)


def exchange_pages(path: Path, table: str) -> None:
    """Lets two pages of a table change places, each whole as it is (the format: https://sqlite.org/fileformat2.html)."""
    with closing(sqlite3.connect(path)) as connection:
        size: int = connection.execute("PRAGMA page_size").fetchone()[0]
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        root: int = connection.execute(query, (table,)).fetchone()[0]
    data = path.read_bytes()
    pages = [data[start : start + size] for start in range(0, len(data), size)]
    assert pages[root - 1][0] == 5  # an interior page of a table
    cells = struct.unpack_from(">2H", pages[root - 1], 12)
    one, other = (struct.unpack_from(">I", pages[root - 1], cell)[0] - 1 for cell in cells)
    pages[one], pages[other] = pages[other], pages[one]
    path.write_bytes(b"".join(pages))


@pytest.mark.parametrize("table", ["events", "replies"])
async def test_pages_that_changed_places_are_noticed_by_who_only_reads(tmp_path: Path, table: str) -> None:
    path = tmp_path / "r.db"
    record = RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)
    async with Journal.open(path, record=record) as journal:
        for number in range(300):
            journal.note(Notice(text=f"{number} {'x' * 200}"))
        await go_on(journal, 300)
    exchange_pages(path, table)
    with pytest.raises(StoreError, match=rf"the file is damaged in {table} \(.*out of order\)"):
        read_events(path) if table == "events" else read_threads(path)
    assert read_run(path).id == "r"


async def test_damaged_events_and_checkpoints_are_let_go_of_and_the_run_goes_on(tmp_path: Path) -> None:
    path = await made(tmp_path / "r.db")
    damage(path, "events", "body", 1)
    with pytest.raises(StoreError, match=r"damaged in events .row 1."):
        read_events(path)
    async with Journal.open(path) as journal:
        (told,) = await notices(journal)
        assert await journal.reply(THREAD, 1) == Reply(text="said 1")
    assert (
        told
        == "the run's file was damaged in events (row 1); the run goes on from its journal, which is whole"
    )
    async with Journal.open(path) as journal:
        assert len(await journal.events()) == 1


async def test_a_log_that_was_cut_off_is_refused_until_a_person_accepts_the_older_state(
    tmp_path: Path,
) -> None:
    path, killed = await made(tmp_path / "r.db"), tmp_path / "killed"
    async with Journal.open(path) as journal:
        for turn in range(3, 6):
            await journal.note_reply(THREAD, turn, digest(turn), Reply(text="said"))
            await journal.save_run()
        shutil.copytree(tmp_path, killed, ignore=shutil.ignore_patterns("killed", "*-shm"))
    left, log = killed / "r.db", killed / "r.db-wal"
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - 100)
    refused = await refusal(left)
    assert "this is not its last state: it holds commit " in refused
    assert (
        f"to go on from this state and maybe repeat what was done since, remove {killed / 'r.seal'}"
        in refused
    )
    assert log.exists()
    with pytest.raises(StoreError, match="not its last state"):
        read_run(left)
    witness_path(left).unlink()
    async with Journal.open(left) as journal:
        assert journal.question(THREAD, 4) == digest(4)
        assert journal.question(THREAD, 5) is None
        assert await notices(journal) == [
            "began",
            "r.seal is missing beside the run's file: an older state of it would not be noticed",
        ]


async def test_another_state_under_the_same_number_is_refused(tmp_path: Path) -> None:
    path = await made(tmp_path / "r.db")
    state = last_state(path)
    assert state
    with Witness.of(path) as witness:
        witness.tell(sums.Totals(state.number, "0" * 16))
    assert "this is not its last state" in await refusal(path)


@pytest.mark.parametrize("left", [b"", b"00000000", b"\xff" * 43])
async def test_a_witness_that_a_power_cut_tore_says_nothing(tmp_path: Path, left: bytes) -> None:
    path = await made(tmp_path / "r.db")
    witness_path(path).write_bytes(left)
    assert last_state(path) is None
    async with Journal.open(path) as journal:
        assert journal.question(THREAD, 2) == digest(2)
    assert last_state(path) is not None


async def test_reading_while_the_owner_writes_never_meets_an_older_state(tmp_path: Path) -> None:
    path = await made(tmp_path / "r.db", turns=1)
    async with Journal.open(path) as journal:
        for turn in range(1, 20):
            await journal.note_reply(THREAD, turn, digest(turn), Reply(text="said"))
            await journal.save_run()
            (thread,) = read_threads(path)
            assert len(thread.turns) == turn + 1
