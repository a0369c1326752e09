"""The journal: what was recorded comes back, what was not costs nothing, what disagrees is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from swarm.errors import RunBusy, StoreError
from swarm.nouns.events import EVENT, Notice, StepEnded
from swarm.nouns.limits import Limits, Usage
from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Plan, Step, Thread
from swarm.nouns.result import Evidence, Result
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.store.file.runfile import SCHEMA_VERSION
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import RunRecord
from swarm.store.shelf.reader import read_text

pytestmark = pytest.mark.anyio

THREAD = Thread(run="r", step="extract", item=3, attempt=2)
KEY = (str(THREAD), 1, 0)
CALL = ToolCall(tool="files.read", args={"path": "notes/a.md"})


def record() -> RunRecord:
    return RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)


def question(turns: int) -> Request:
    said = [Message(role="user", content=f"turn {turn} " + "w" * 1_000) for turn in range(turns)]
    return Request(messages=(Message(role="system", content="You read notes."), *said))


async def test_a_reply_is_found_again_after_the_file_was_closed(tmp_path: Path) -> None:
    reply = Reply(text="42", finish="length", model="m", usage=Usage(written_tokens=2, model_calls=1))
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        assert await journal.reply(THREAD, 1) is None
        await journal.note_reply(THREAD, 1, "abc", reply, question(1))
        assert await journal.reply(THREAD, 1) == reply
    async with Journal.open(tmp_path / "r.db") as journal:
        assert await journal.reply(THREAD, 1) == reply
        assert await journal.reply(THREAD, 2) is None


async def test_a_reply_is_found_by_its_place_and_never_recorded_twice(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await journal.note_reply(THREAD, 1, "abc", Reply(text="42"))
        await journal.note_reply(THREAD, 1, "def", Reply(text="43"))
        assert await journal.reply(THREAD, 1) == Reply(text="42")
        assert journal.question(THREAD, 1) == "abc"
        assert journal.turns(THREAD) == 1


async def test_a_miss_costs_no_transaction(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        before = journal.transactions
        assert await journal.reply(THREAD, 1) is None
        assert await journal.ledger.entry(KEY, CALL) is None
        assert await journal.ledger.result(KEY) is None
        assert await journal.result(THREAD) is None
        assert journal.transactions == before


async def test_results_of_sub_agents_and_steps_come_back_whole_even_when_large(tmp_path: Path) -> None:
    large = Result(
        status="degraded",
        text="many rows",
        data=[{"id": n, "owner": "Ada"} for n in range(2_000)],
        evidence=(Evidence(tool="files.read", call="r/extract/3/2/1/0"),),
        reason="one file was empty",
    )
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        journal.note_result(THREAD, large)
        journal.note_step("write", Result(text="done"))
        journal.note_step("extract", large)
    async with Journal.open(tmp_path / "r.db") as journal:
        assert await journal.result(THREAD) == large
        assert await journal.result(THREAD.model_copy(update={"attempt": 3})) is None
        assert list((await journal.steps()).items()) == [("write", Result(text="done")), ("extract", large)]


async def test_events_are_numbered_in_order_over_restarts(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record(), clock=lambda: 5.0) as journal:
        assert journal.note(Notice(text="a")) == Notice(text="a", seq=1, at=5.0)
        assert journal.note(StepEnded(step="s", result=Result(text="x" * 9_000)))
    async with Journal.open(tmp_path / "r.db", clock=lambda: 7.0) as journal:
        journal.note(Notice(text="c"))
        assert [EVENT.validate_json(text) for text in await journal.events()] == [
            Notice(text="a", seq=1, at=5.0),
            StepEnded(step="s", result=Result(text="x" * 9_000), seq=2, at=5.0),
            Notice(text="c", seq=3, at=7.0),
        ]
        (last,) = await journal.events(after=2)
        assert EVENT.validate_json(last) == Notice(text="c", seq=3, at=7.0)


async def test_usage_is_the_sum_of_recorded_replies_and_tool_results(tmp_path: Path) -> None:
    spent = Usage(prefilled_tokens=10, cached_tokens=5, written_tokens=3, model_calls=1, model_seconds=0.5)
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await journal.note_reply(THREAD, 1, "a", Reply(text="x", usage=spent))
        await journal.note_reply(THREAD, 2, "b", Reply(text="y", usage=spent))
        await journal.ledger.settle(KEY, ToolResult(text="z"))
        total = await journal.usage()
    assert total == spent + spent + Usage(tool_calls=1)
    async with Journal.open(tmp_path / "r.db") as journal:
        assert await journal.usage() == total


async def test_the_record_of_the_run_changes_field_by_field(tmp_path: Path) -> None:
    plan = Plan(steps=(Step(id="a", agent="analyst", brief="Count." * 2_000),))
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await journal.save_run(plan=plan, settings={"answer": {"type": "integer"}})
        await journal.save_run(status="done", limits=Limits(turns=3))
    async with Journal.open(tmp_path / "r.db") as journal:
        assert journal.run == record().model_copy(
            update={
                "plan": plan,
                "settings": {"answer": {"type": "integer"}},
                "status": "done",
                "limits": Limits(turns=3),
            }
        )


async def test_one_text_has_one_short_handle(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        handle = await journal.put_text("a long text " * 10_000)
        assert handle == "t-2eaf7256"
        assert await journal.put_text("a long text " * 10_000) == handle
    assert read_text(tmp_path / "r.db", handle) == "a long text " * 10_000
    with pytest.raises(StoreError, match="no text has the handle 't-0'"):
        read_text(tmp_path / "r.db", "t-0")


async def test_the_file_grows_with_what_was_said_and_not_with_its_square(tmp_path: Path) -> None:
    async def size_after(turns: int) -> int:
        path = tmp_path / f"{turns}.db"
        async with Journal.open(path, record=record()) as journal:
            for turn in range(turns):
                journal.note(Notice(text="asked"))
                await journal.note_reply(THREAD, turn, "d" * 64, Reply(text="said " * 20), question(turn + 1))
        return path.stat().st_size

    assert await size_after(400) <= 2.2 * await size_after(200)


async def test_a_new_run_never_replaces_the_file_of_another(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()):
        pass
    with pytest.raises(StoreError, match="a run is there already"):
        async with Journal.open(tmp_path / "r.db", record=record()):
            pass


async def test_a_file_that_is_missing_foreign_or_newer_is_refused_with_what_to_do(tmp_path: Path) -> None:
    async def refusal(path: Path) -> str:
        with pytest.raises(StoreError) as refused:
            async with Journal.open(path):
                pass
        return str(refused.value)

    (tmp_path / "text.db").write_text("no database " * 1_000, "utf-8")
    async with Journal.open(tmp_path / "newer.db", record=record()):
        pass
    with sqlite3.connect(tmp_path / "newer.db") as newer:
        newer.execute("PRAGMA user_version=9")
    newer.close()
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE notes (text)")
    other.close()
    assert "no such run" in await refusal(tmp_path / "missing.db")
    assert "this is not the file of a run" in await refusal(tmp_path / "text.db")
    assert "this is not the file of a run" in await refusal(tmp_path / "other.db")
    newest = f"newer version (schema 9, this program reads {SCHEMA_VERSION}); upgrade"
    assert newest in await refusal(tmp_path / "newer.db")


async def test_a_damaged_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    async with Journal.open(path, record=record()) as journal:
        for turn in range(50):
            await journal.note_reply(THREAD, turn, "d", Reply(text="said " * 500))
    with path.open("r+b") as file:
        file.seek(8_192)
        file.write(b"\xff" * 80_000)
    with pytest.raises(StoreError, match=r"the file is damaged .*; restore it from a backup"):
        async with Journal.open(path):
            pass


async def test_a_folder_that_takes_no_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file", "utf-8")
    with pytest.raises(StoreError, match="make the project's folder writable"):
        async with Journal.open(tmp_path / "runs" / "r.db", record=record()):
            pass


async def test_an_owner_that_lost_its_lock_file_is_fenced_by_the_next_one(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()):
        pass

    async def lose_the_lock_file() -> None:
        async with Journal.open(tmp_path / "r.db") as first:
            (tmp_path / "r.lock").unlink()
            async with Journal.open(tmp_path / "r.db") as second:
                second.note_step("a", Result(text="second"))
                with pytest.raises(StoreError, match="another process took the run over"):
                    await first.save_run(status="stopped")
                assert await second.steps() == {"a": Result(text="second")}

    with pytest.raises(StoreError, match="another process took the run over"):
        await lose_the_lock_file()


async def test_a_second_journal_on_the_run_is_refused(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()):
        with pytest.raises(RunBusy, match="run 'r' is being worked on by process"):
            async with Journal.open(tmp_path / "r.db"):
                pass
