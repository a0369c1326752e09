"""Calls that were cut off: repeated, read back or put to a person, by their effect class."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from benchmarks.runs import NO_SERVERS
from swarm.nouns.commands import Decision
from swarm.nouns.events import Notice, QuestionAnswered, QuestionAsked, ToolCalled
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.tool import CallState, EffectClass, tool
from swarm.run.answer import Answer
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.rows.journal import Journal
from swarm.store.shelf.reader import read_events, read_questions, read_run, read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from tests.conftest import write_cards

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

SERVERS = Path(__file__).parents[1] / "hub" / "servers"
SEND = Step(id="send", agent="analyst", brief="Send it.")
TELL = Step(id="tell", agent="writer", brief="Tell it.")
Send = Callable[[str], Coroutine[None, None, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_cards(tmp_path, analyst="python", writer="")


def reply(request: Request) -> str:
    said = request.messages[-1].content
    if "Send it." in said and "gave:" not in said and "failed:" not in said:
        return json.dumps({"tool": "python.send", "args": {"to": "Ana"}})
    return json.dumps({"result": said.splitlines()[-1]})


class Post:
    """A tool that sends, and how often it did; the first call stands still before or after that."""

    def __init__(self, effect: EffectClass, stand: str) -> None:
        self.sent: list[str] = []
        self.stands = asyncio.Event()
        self._stand = stand
        self.send: Send = tool(effect=effect)(self._named())

    def _named(self) -> Send:
        async def send(to: str) -> str:
            """Send it."""
            await self._stop_here("before")
            self.sent.append(to)
            await self._stop_here("after")
            return f"sent to {to}"

        return send

    async def _stop_here(self, where: str) -> None:
        if where == self._stand:
            self._stand = ""
            self.stands.set()
            await asyncio.Event().wait()


async def cut_off(project: Path, post: Post, *steps: Step, model: ScriptedModel | None = None) -> str:
    """A run that is stopped while the call stands still; gives its id."""
    opening = Swarm.open(project, model=model or ScriptedModel(reply), tools=[post.send])
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.start("Do it.", plan=Plan(steps=(SEND, *steps)))
        await post.stands.wait()
        await run.stop()
        return run.id


async def resume(project: Path, post: Post, id: str) -> Answer[str]:
    async with (
        asyncio.timeout(60),
        Swarm.open(project, model=ScriptedModel(reply), tools=[post.send]) as swarm,
    ):
        run: Run[str] = await swarm.resume(id)
        return await run.answer()


def states(path: Path) -> list[CallState]:
    return [
        call.state for thread in read_threads(path) for call in thread.calls if thread.thread.step == "send"
    ]


async def test_a_repeatable_call_that_was_cut_off_is_made_again(project: Path) -> None:
    post = Post("idempotent", "before")
    id = await cut_off(project, post)
    assert (await resume(project, post, id)).status == "done"
    assert post.sent == ["Ana"]
    assert states(run_path(project, id)) == ["done"]


@pytest.mark.parametrize("effect", ["pure", "idempotent"])
async def test_a_call_that_was_taken_for_repeatable_is_asked_about_by_the_class_it_has_now(
    project: Path, effect: EffectClass
) -> None:
    post = Post(effect, "after")
    id = await cut_off(project, post)
    post.send = tool(effect="irreversible")(post.send)
    assert (await resume(project, post, id)).status == "paused"
    assert (post.sent, states(run_path(project, id))) == (["Ana"], ["in-doubt"])


async def test_an_irreversible_call_that_was_cut_off_pauses_the_run_when_all_else_is_done(
    project: Path,
) -> None:
    post = Post("irreversible", "after")
    id = await cut_off(project, post, TELL)
    path = run_path(project, id)
    assert states(path) == ["sent"]
    paused = await resume(project, post, id)
    assert (paused.status, read_run(path).status, states(path)) == ("paused", "paused", ["in-doubt"])
    assert (
        "question 1 about python.send (Ana): the run was cut off before its answer was recorded"
        in paused.text
    )
    assert (await resume(project, post, id)).status == "paused"
    assert [(one.number, one.call.tool, one.is_open) for one in read_questions(path)] == [
        (1, "python.send", True)
    ]
    assert len([event for event in read_events(path) if isinstance(event, QuestionAsked)]) == 1
    assert post.sent == ["Ana"]
    results = {thread.thread.step: thread.result for thread in read_threads(path)}
    assert results["send"] is None
    assert results["tell"] is not None


@pytest.mark.parametrize(
    ("stand", "decision", "state", "words"),
    [
        ("after", "done", "reconciled", "python.send took effect, as a person saw (it is there)"),
        ("before", "repeat", "done", "sent to Ana"),
        (
            "before",
            "failed",
            "failed",
            "python.send failed and had no effect, as a person saw (it is there). What was seen of it: the run "
            "was cut off before its answer was recorded",
        ),
        (
            "before",
            "abandon",
            "abandoned",
            "A person gave python.send up (it is there). Do not make this call again; go on without it. What was "
            "seen of it: the run was cut off before its answer was recorded",
        ),
    ],
)
async def test_what_a_person_decides_is_what_becomes_of_it(
    project: Path, stand: str, decision: Decision, state: CallState, words: str
) -> None:
    post = Post("irreversible", stand)
    id = await cut_off(project, post)
    path = run_path(project, id)
    assert (await resume(project, post, id)).status == "paused"
    async with Journal.open(path) as journal:
        await journal.ledger.decide(1, decision, "it is there")
    ended = await resume(project, post, id)
    assert (ended.status, states(path)) == ("done", [state])
    assert words in ended.text
    assert post.sent == ([] if decision in ("failed", "abandon") else ["Ana"])


async def test_a_call_that_a_person_says_failed_may_be_made_by_the_next_attempt(project: Path) -> None:
    post = Post("irreversible", "before")
    id = await cut_off(project, post)
    path = run_path(project, id)
    assert (await resume(project, post, id)).status == "paused"
    async with Journal.open(path) as journal:
        await journal.ledger.decide(1, "failed")

    def again(request: Request) -> str:
        """Gives its first attempt up, and calls in its second."""
        said = request.messages[-1].content
        if "Send it." in said:
            return json.dumps({"tool": "python.send", "args": {"to": "Ana"}})
        return json.dumps({"cannot": "no way"} if "failed" in said else {"result": "sent"})

    opening = Swarm.open(project, model=ScriptedModel(again), tools=[post.send])
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.resume(id)
        assert (await run.answer()).status == "done"
    assert (post.sent, states(path)) == (["Ana"], ["failed", "done"])


async def test_a_decision_is_heard_while_others_work(project: Path) -> None:
    post = Post("irreversible", "after")
    decided = asyncio.Event()

    async def slow(request: Request) -> str:
        if "Tell it." in request.messages[-1].content:
            await decided.wait()
        return reply(request)

    id = await cut_off(project, post, TELL, model=ScriptedModel(slow))
    async with (
        asyncio.timeout(60),
        Swarm.open(project, model=ScriptedModel(slow), tools=[post.send]) as swarm,
    ):
        run: Run[str] = await swarm.resume(id)
        async for event in run.events():
            if isinstance(event, QuestionAsked):
                await run.decide(event.number, "done")
            if isinstance(event, QuestionAnswered):
                decided.set()
        assert (await run.answer()).status == "done"
    assert states(run_path(project, id)) == ["reconciled"]


async def test_a_call_that_may_be_at_work_yet_is_read_back_again_when_its_time_is_over(project: Path) -> None:
    (project / "mcp_servers").mkdir()
    shutil.copy(SERVERS / "bare.py", project / "mcp_servers")
    settings = f'{NO_SERVERS}\n[servers.bare.effects]\nhold = "verifiable"\n'
    settings += '[servers.bare.read_back]\nhold = "look"\n'
    (project / "swarm.toml").write_text(settings, encoding="utf-8")
    card = "---\ndescription: Works.\ntools: [bare.hold]\n---\nDo it.\n"
    (project / "agents" / "analyst.md").write_text(card, encoding="utf-8")

    def script(request: Request) -> str:
        is_held = "bare.hold took effect" in request.messages[-1].content
        hold = {"tool": "bare.hold", "args": {"mark": "mark"}}
        return json.dumps({"result": "held"} if is_held else hold)

    async with asyncio.timeout(60), Swarm.open(project, model=ScriptedModel(script)) as swarm:
        run: Run[str] = await swarm.start("Do it.", plan=Plan(steps=(SEND,)))
        async for event in run.events():
            if isinstance(event, ToolCalled):
                await run.stop()
        resumed: Run[str] = await swarm.resume(run.id, limits=Limits(tool_seconds=0.5))
        async for event in resumed.events():
            if isinstance(event, Notice) and "may be at work yet" in event.text:
                (project / "mark").write_text("done", encoding="utf-8")
        assert (await resumed.answer()).status == "done"
    assert states(run_path(project, run.id)) == ["reconciled"]
