"""The ledger: what leaves is on record first, and a call in doubt stays one until somebody decides."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from swarm.errors import ProjectError, StoreError
from swarm.nouns.plan import Thread
from swarm.nouns.tool import CallState, Reading, ToolCall, ToolResult
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import LedgerEntry, RunRecord
from swarm.store.shelf.reader import read_questions

pytestmark = pytest.mark.anyio

KEY = (str(Thread(run="r", step="extract", item=3, attempt=2)), 1, 0)
OTHER = (KEY[0], 2, 0)
CALL = ToolCall(tool="files.write", args={"path": "notes/a.md", "content": "x" * 9_000})
ENTRY = LedgerEntry(call=CALL, effect="verifiable", pin="files 1", before=Reading(now="a", after="b"))


def record() -> RunRecord:
    return RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)


async def test_what_left_before_a_restart_is_known_with_all_that_is_needed_to_settle_it(
    tmp_path: Path,
) -> None:
    async with Journal.open(tmp_path / "r.db", record=record(), clock=lambda: 5.0) as journal:
        journal.ledger.intend(KEY, ENTRY)
        await journal.ledger.leave(KEY, ENTRY)
    async with Journal.open(tmp_path / "r.db") as journal:
        left = ENTRY.model_copy(update={"state": "sent", "sent_at": 5.0})
        assert await journal.ledger.entry(KEY, CALL) == left
        assert await journal.ledger.result(KEY) is None


async def test_a_call_that_has_left_is_on_the_disk_before_it_leaves(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await journal.ledger.leave(KEY, ENTRY)
        with closing(sqlite3.connect(tmp_path / "r.db")) as elsewhere:
            assert elsewhere.execute("SELECT state FROM calls").fetchall() == [("sent",)]


async def test_a_call_that_leaves_again_has_the_class_and_version_that_it_left_with(tmp_path: Path) -> None:
    again = ENTRY.model_copy(update={"effect": "irreversible", "pin": "files 2"})
    async with Journal.open(tmp_path / "r.db", record=record(), clock=lambda: 5.0) as journal:
        journal.ledger.intend(KEY, ENTRY)
        journal.ledger.intend(OTHER, ENTRY)
    async with Journal.open(tmp_path / "r.db", clock=lambda: 6.0) as journal:
        journal.ledger.intend(KEY, again)
        assert await journal.ledger.entry(KEY, CALL) == again
        await journal.ledger.leave(OTHER, again)
        left = again.model_copy(update={"state": "sent", "sent_at": 6.0})
        assert await journal.ledger.entry(OTHER, CALL) == left


@pytest.mark.parametrize(("is_error", "state"), [(False, "done"), (True, "failed")])
async def test_an_answer_settles_a_call_for_good(tmp_path: Path, is_error: bool, state: CallState) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        journal.ledger.intend(KEY, ENTRY)
        await journal.ledger.leave(KEY, ENTRY)
        await journal.ledger.settle(KEY, ToolResult(text="y", is_error=is_error))
    async with Journal.open(tmp_path / "r.db") as journal:
        assert journal.ledger.state(KEY) == state
        assert await journal.ledger.result(KEY) == ToolResult(text="y", is_error=is_error)
        known = await journal.ledger.entry(KEY, CALL)
        assert known is not None
        assert known.call == CALL


async def test_many_calls_of_one_moment_keep_each_its_own_state(tmp_path: Path) -> None:
    keys = [(KEY[0], turn, 0) for turn in range(20)]

    async def call(journal: Journal, number: int) -> None:
        journal.ledger.intend(keys[number], ENTRY)
        if number % 2:
            await journal.ledger.leave(keys[number], ENTRY)
        if number % 4 == 3:
            await journal.ledger.settle(keys[number], ToolResult(text=str(number)))

    async with (
        Journal.open(tmp_path / "r.db", record=record()) as journal,
        asyncio.TaskGroup() as group,
    ):
        for number in range(20):
            group.create_task(call(journal, number))
    async with Journal.open(tmp_path / "r.db") as journal:
        states = [journal.ledger.state(key) for key in keys]
    assert states == ["intent", "sent", "intent", "done"] * 5


async def test_another_call_in_the_place_of_a_recorded_one_is_refused(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        journal.ledger.intend(KEY, ENTRY)
        with pytest.raises(StoreError, match=r"is recorded as 'files\.write' with other arguments"):
            await journal.ledger.entry(KEY, ToolCall(tool="files.write"))


async def test_a_result_needs_no_intent(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await journal.ledger.settle(KEY, ToolResult(text="5", data=5))
        assert await journal.ledger.result(KEY) == ToolResult(text="5", data=5)


async def test_a_question_is_asked_once_and_stays_open_until_it_is_decided(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record(), clock=lambda: 5.0) as journal:
        await journal.ledger.leave(KEY, ENTRY)
        await journal.ledger.leave(OTHER, ENTRY)
        first = await journal.ledger.ask(KEY, "nobody knows")
        assert (first.number, first.call, first.evidence, first.sent_at) == (1, CALL, "nobody knows", 5.0)
        assert await journal.ledger.ask(KEY, "still nobody") == first
        assert (await journal.ledger.ask(OTHER, "nor here")).number == 2
    async with Journal.open(tmp_path / "r.db", clock=lambda: 7.0) as journal:
        assert journal.ledger.state(KEY) == "in-doubt"
        decided = await journal.ledger.decide(1, "done", "it is in the outbox")
        assert (decided.decision, decided.note, decided.answered_at) == ("done", "it is in the outbox", 7.0)
        with pytest.raises(ProjectError, match="question 1 is decided already: done"):
            await journal.ledger.decide(1, "repeat")
        with pytest.raises(ProjectError, match="there is no question 3"):
            await journal.ledger.decide(3, "repeat")
    assert [(one.number, one.is_open) for one in read_questions(tmp_path / "r.db")] == [(1, False), (2, True)]


async def test_a_call_that_is_repeated_and_cut_off_again_is_asked_about_again(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await journal.ledger.leave(KEY, ENTRY)
        await journal.ledger.ask(KEY, "nobody knows")
        await journal.ledger.decide(1, "repeat")
        await journal.ledger.leave(KEY, ENTRY)
        again = await journal.ledger.ask(KEY, "nobody knows again")
        assert (again.number, again.is_open) == (2, True)
        assert await journal.ledger.question_of(KEY) == again


async def test_who_waits_for_a_decision_is_woken_by_it(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await journal.ledger.leave(KEY, ENTRY)
        await journal.ledger.ask(KEY, "nobody knows")
        journal.ledger.waiting[1] = asyncio.Event()
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(journal.ledger.waiting[1].wait())
            group.create_task(journal.ledger.decide(1, "abandon"))
