"""Texts in a run's file: compressed alone or in their context, and read back as they were."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Thread
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.store.rows.blobs import PLAIN_CHARS, compress, compress_in, inflate, pack, unpack
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import LedgerEntry, RunRecord
from swarm.store.shelf.reader import read_threads

pytestmark = pytest.mark.anyio

THREAD = Thread(run="r", step="notes")
RECORD = RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)


def nothing(hash: str) -> bytes:
    raise AssertionError(f"{hash} is no blob of this text")


def numbers(start: int) -> str:
    """A text that repeats nothing."""
    return " ".join(str(number * 7_919 % 99_991) for number in range(start, start + 300))


@pytest.mark.parametrize("text", ["", "{}", "x" * PLAIN_CHARS, "x" * 4_096, '{"päge": "…"}' * 30])
def test_a_text_that_stays_in_its_row_is_read_as_it_was(text: str) -> None:
    body, blob = pack(text)
    assert blob is None
    assert unpack(body, nothing) == text
    assert isinstance(body, bytes) == (len(text) > PLAIN_CHARS)


def test_a_row_of_our_own_words_takes_a_quarter_of_its_text() -> None:
    body = compress(Reply(text='{"tool": "files.read", "args": {"path": "notes/a.md"}}').model_dump_json())
    assert len(body) < 100


def test_a_text_in_its_context_takes_little_and_is_not_read_in_another() -> None:
    context = numbers(0)
    text = json.dumps({"gave": context})
    body = compress_in(context, text)
    assert len(body) < len(compress(text)) / 10
    assert unpack(body, nothing, lambda: context) == text
    with pytest.raises(sqlite3.DatabaseError):
        unpack(body, nothing, lambda: numbers(1))


def test_a_blob_of_the_first_version_is_read() -> None:
    assert inflate(zlib.compress("ein großer Text".encode())) == "ein großer Text"


async def test_questions_hold_what_was_said_once_and_are_read_whole_after_a_resume(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    said = [Message(role="system", content="Read."), Message(role="user", content="a.md")]
    asked: list[tuple[Message, ...]] = []
    for sitting in range(2):
        async with Journal.open(path, record=None if sitting else RECORD) as journal:
            for turn in range(4 * sitting + 1, 4 * sitting + 5):
                reply = Reply(text=json.dumps({"tool": "files.read", "args": {"note": numbers(turn)}}))
                await journal.note_reply(THREAD, turn, f"{turn}", reply, Request(messages=tuple(said)))
                asked.append(tuple(said))
                call = ToolCall(tool="files.read", args={"path": "a.md"})
                key = (str(THREAD), turn, 0)
                await journal.ledger.leave(key, LedgerEntry(call=call, effect="irreversible"))
                result = ToolResult(text=numbers(1_000 * turn) * (20 if turn == 2 else 1))
                await journal.ledger.settle(key, result)
                said += [
                    Message(role="assistant", content=reply.text),
                    Message(role="user", content=f"files.read gave:\n{result.text}"),
                ]
    [thread] = await asyncio.to_thread(read_threads, path)
    before: tuple[Message, ...] = ()
    for recorded, whole in zip(thread.turns, asked, strict=True):
        before = (*before[: recorded.kept], *recorded.asked)
        assert before == whole
    with closing(sqlite3.connect(path)) as connection:
        sizes = dict(connection.execute("SELECT turn, length(asked) FROM replies"))
    assert max(size for turn, size in sizes.items() if turn not in (1, 5)) < 200


async def test_a_question_is_compressed_with_a_large_reply_of_the_same_transaction(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    said = Message(role="user", content="a.md")
    large = Reply(text=numbers(0) * 4)
    async with Journal.open(path, record=RECORD) as journal:
        before = journal.transactions
        await journal.note_reply(Thread(run="r", step="other"), 1, "1", Reply(text="short"))
        await journal.note_reply(THREAD, 1, "1", large, Request(messages=(said,)))
        answer = Message(role="assistant", content=large.text)
        await journal.note_reply(THREAD, 2, "2", Reply(text="x"), Request(messages=(said, answer)))
        await journal.flush()
        assert journal.transactions == before + 1
    [thread] = [one for one in await asyncio.to_thread(read_threads, path) if one.thread == THREAD]
    assert [turn.asked for turn in thread.turns] == [(said,), (answer,)]


async def test_questions_for_notes_of_two_turns_in_a_row_are_both_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    said = [Message(role="user", content=numbers(start)) for start in range(3)]
    async with Journal.open(path, record=RECORD) as journal:
        await journal.note_reply(THREAD, 1, "1", Reply(text="a"), Request(messages=(said[0],)))
        for turn in (2, 3):
            asked = Request(messages=tuple(said[:turn]))
            await journal.note_reply(THREAD, -turn, f"-{turn}", Reply(text=numbers(turn)), asked)
    [thread] = await asyncio.to_thread(read_threads, path)
    assert {turn.turn: turn.asked for turn in thread.turns} == {
        1: (said[0],),
        -2: (said[1],),
        -3: (said[2],),
    }
