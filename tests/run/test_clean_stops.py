"""Stopping a run: what is in flight may end and is recorded, nothing further starts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from swarm.nouns.events import ToolReturned
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.tool import tool
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.rows.records import CallRecord
from swarm.store.shelf.reader import read_run, read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

PLAN = Plan(steps=(Step(id="send", agent="generalist", brief="Send two letters."),))


def script(request: Request) -> str:
    """Two letters, then the result."""
    sent = sum(message.role == "assistant" for message in request.messages)
    if sent < 2:
        return json.dumps({"tool": "python.send", "args": {"to": f"person {sent}"}})
    return json.dumps({"result": "sent"})


class Post:
    """A tool that sends letters as long as it is told to."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.sent: list[str] = []

        @tool(effect="irreversible")
        async def send(to: str) -> str:
            """Sends a letter."""
            self.begun.set()
            await self.may_end.wait()
            self.sent.append(to)
            return f"sent to {to}"

        self.send = send


def calls_of(project: Path, run: str) -> list[CallRecord]:
    """The calls of the step, without those of the survey."""
    threads = read_threads(run_path(project, run))
    return [call for thread in threads if thread.thread.step == "send" for call in thread.calls]


async def test_a_tool_call_in_flight_ends_and_is_recorded_and_no_other_starts(tmp_path: Path) -> None:
    post = Post()
    model = ScriptedModel(script)
    async with asyncio.timeout(60), Swarm.open(tmp_path, model=model, tools=(post.send,)) as swarm:
        run: Run[str] = await swarm.start("Send letters.", plan=PLAN)
        await post.begun.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(run.stop("told to"))
            await asyncio.sleep(0)
            post.may_end.set()
        answer = await run.answer()
    assert (answer.status, answer.text) == ("stopped", "told to")
    assert post.sent == ["person 0"]
    assert [call.result and call.result.text for call in calls_of(tmp_path, run.id)] == ["sent to person 0"]
    async with (
        asyncio.timeout(60),
        Swarm.open(tmp_path, model=ScriptedModel(script), tools=(post.send,)) as swarm,
    ):
        resumed: Run[str] = await swarm.resume("last")
        assert (await resumed.answer()).status == "done"
    assert post.sent == ["person 0", "person 1"]


async def test_a_tool_call_that_does_not_end_is_left_in_doubt(tmp_path: Path) -> None:
    post = Post()
    async with (
        asyncio.timeout(60),
        Swarm.open(tmp_path, model=ScriptedModel(script), tools=(post.send,)) as swarm,
    ):
        run: Run[str] = await swarm.start("Send letters.", plan=PLAN)
        await post.begun.wait()
        await run.stop()
        events = [event async for event in run.events()]
    assert read_run(run_path(tmp_path, run.id)).status == "stopped"
    assert [call.result for call in calls_of(tmp_path, run.id)] == [None]
    assert not [event for event in events if isinstance(event, ToolReturned) and event.step == "send"]


@pytest.mark.parametrize("turns", [0, 1, 3, 6, 12, 24])
async def test_a_program_that_is_cancelled_while_its_run_begins_leaves_a_stopped_one(
    tmp_path: Path, turns: int
) -> None:
    post = Post()
    post.may_end.set()

    async def program() -> None:
        async with Swarm.open(tmp_path, model=ScriptedModel(script), tools=(post.send,)) as swarm:
            run: Run[str] = await swarm.start("Send letters.", plan=PLAN)
            await run.stop()

    folder = tmp_path / ".swarm" / "runs"
    task = asyncio.create_task(program())
    async with asyncio.timeout(60):
        while not list(folder.glob("*.seal")):  # noqa: ASYNC110 - another thread makes it
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    (path,) = folder.glob("*.db")
    assert read_run(path).status == "stopped"


async def test_a_call_with_an_effect_leaves_once_the_reply_that_asked_for_it_is_durable(
    tmp_path: Path,
) -> None:
    found: list[int] = []

    @tool(effect="idempotent")
    async def send(to: str) -> str:
        """Sends a letter."""
        (path,) = (tmp_path / ".swarm" / "runs").glob("*.db")
        found.append(sum(thread.thread.step == "send" and len(thread.turns) for thread in read_threads(path)))
        return f"sent to {to}"

    async with asyncio.timeout(60), Swarm.open(tmp_path, model=ScriptedModel(script), tools=(send,)) as swarm:
        run: Run[str] = await swarm.start("Send letters.", plan=PLAN)
        assert (await run.answer()).status == "done"
    assert found == [1, 2]
