"""Steps that wait for a person's decision, in an execution whose engine is the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from swarm.agent.assignment import Assignment
from swarm.errors import CallInDoubt
from swarm.hub.hub import Hub
from swarm.nouns.card import AgentCard
from swarm.nouns.limits import Limits
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result, Status
from swarm.nouns.tool import ToolCall
from swarm.project.project import open_project
from swarm.run.execution import Execution
from swarm.scheduler.slots import Slots
from swarm.store.rows.journal import Journal
from swarm.store.rows.ledger import Ledger
from swarm.store.rows.records import LedgerEntry, RunRecord
from swarm.survey import Survey
from swarm.testing import ScriptedModel
from swarm.work.budget import Budget
from swarm.work.context import Work

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

DONE = Result(status="done", text="done")
LOST = LedgerEntry(call=ToolCall(tool="post.send"), effect="irreversible")
Do = Callable[[Assignment, Ledger], Awaitable[Result]]


class Waiting(dict[int, asyncio.Event]):
    """What a ledger wakes by a decision; tells when somebody waits for one."""

    def __init__(self, begun: asyncio.Event) -> None:
        super().__init__()
        self._begun = begun

    def __setitem__(self, number: int, woken: asyncio.Event) -> None:
        super().__setitem__(number, woken)
        self._begun.set()


class Acting:
    """An engine that does what a function says."""

    def __init__(self, do: Do, ledger: Ledger) -> None:
        self._do = do
        self._ledger = ledger

    async def run(self, assignment: Assignment, *, priority: int = 0) -> Result:
        return await self._do(assignment, self._ledger)

    async def watch(self) -> None:
        """Nothing dies here."""


async def executed(folder: Path, do: Do, *steps: Step) -> dict[str, Status]:
    """How the steps ended."""
    record = RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)
    limits, plan = Limits(), Plan(steps=steps)
    cards = {"writer": AgentCard(name="writer", description="Writes.", instructions="Write.")}
    opened = Journal.open(folder / "r.db", record=record)
    async with asyncio.timeout(20), Hub.open(open_project(folder)) as box, opened as journal:
        work = Work(
            journal=journal,
            model=ScriptedModel(lambda _: ""),
            slots=Slots([]),
            box=box,
            budget=Budget(limits, clock=time.monotonic),
            limits=limits,
            workspace=folder,
            note=lambda event: None,
        )
        execution = Execution(work, Acting(do, journal.ledger), "t", plan, cards, Survey())
        return {step: result.status for step, result in (await execution.run()).items()}


async def in_doubt(assignment: Assignment, ledger: Ledger) -> CallInDoubt:
    key = str(assignment.thread), 1, 0
    await ledger.leave(key, LOST)
    question = await ledger.ask(key, "nobody knows")
    return CallInDoubt("nobody knows", question.number)


def step(id: str, each: str | None = None) -> Step:
    return Step(id=id, agent="writer", brief="Do {item}." if each else "Do it.", each=each)


async def test_a_decision_that_comes_before_anybody_waits_for_it_is_heard(tmp_path: Path) -> None:
    heard = asyncio.Event()

    async def do(assignment: Assignment, ledger: Ledger) -> Result:
        if assignment.step.id == "other":
            await heard.wait()
        elif ledger.state((str(assignment.thread), 1, 0)) is None:
            error = await in_doubt(assignment, ledger)
            await ledger.decide(error.question, "done")
            raise error
        heard.set()
        return DONE

    assert await executed(tmp_path, do, step("asks"), step("other")) == {"asks": "done", "other": "done"}


async def test_an_item_waits_for_a_person_while_another_one_is_tried_again(tmp_path: Path) -> None:
    waits = asyncio.Event()

    async def do(assignment: Assignment, ledger: Ledger) -> Result:
        if assignment.step.id == "names":
            return DONE.model_copy(update={"data": ["asks", "fails"]})
        if assignment.item == "asks":
            if ledger.state((str(assignment.thread), 1, 0)) is None:
                ledger.waiting = Waiting(waits)
                raise await in_doubt(assignment, ledger)
            return DONE
        if assignment.thread.attempt == 1:
            await waits.wait()
            return Result.failed("it is too hard")
        await ledger.decide(1, "done")
        return DONE

    ended = await executed(tmp_path, do, step("names"), step("send", each="names"))
    assert ended == {"names": "done", "send": "done"}
