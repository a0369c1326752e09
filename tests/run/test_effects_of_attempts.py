"""Effects of attempts that failed: the next attempt hears of them, and does not make them again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from pydantic import JsonValue

from benchmarks.turns import unmarked
from swarm.errors import ModelUnavailable
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.nouns.tool import EffectClass, ToolResult, tool
from swarm.run.answer import Answer
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.rows.journal import Journal
from swarm.store.shelf.reader import read_questions, read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from swarm.work.effects import BEFORE
from tests.conftest import write_cards

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

PLAN = Plan(steps=(Step(id="send", agent="analyst", brief="Send it."),))
LIMITS = Limits(replans=0)
ANA: dict[str, JsonValue] = {"tool": "python.send", "args": {"to": "Ana"}}
BEN: dict[str, JsonValue] = {"tool": "python.send", "args": {"to": "Ben"}}
CANNOT: dict[str, JsonValue] = {"cannot": "it is too hard"}
DONE: dict[str, JsonValue] = {"result": "sent"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_cards(tmp_path, analyst="python", clerk="files")


class Agent:
    """A model that does one thing after the other, and the last one for ever; and what it was asked."""

    def __init__(self, *turns: dict[str, JsonValue] | ModelUnavailable) -> None:
        self._turns = list(turns)
        self.asked: list[str] = []
        self.model = ScriptedModel(self._reply)

    def _reply(self, request: Request) -> str:
        self.asked.append(request.messages[-1].content)
        turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
        if isinstance(turn, ModelUnavailable):
            raise turn
        return json.dumps(turn)


class Post:
    """A tool that sends, and to whom it did; ``answers`` tells what each call does then."""

    def __init__(self, effect: EffectClass, answers: Iterable[str | type[BaseException]] = ()) -> None:
        self.sent: list[str] = []
        self.stands = asyncio.Event()
        coming = iter(answers)

        async def send(to: str) -> str:
            """Send it."""
            self.sent.append(to)
            answer = next(coming, f"sent to {to}")
            if isinstance(answer, str):
                return answer
            if answer is TimeoutError:
                self.stands.set()
                await asyncio.Event().wait()
            raise answer

        self.send: Callable[..., object] = tool(effect=effect)(send)


async def work(
    project: Path, agent: Agent, post: Post, id: str = "", plan: Plan = PLAN, limits: Limits = LIMITS
) -> Answer[str]:
    opening = Swarm.open(project, model=agent.model, tools=[post.send], limits=limits)
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await (swarm.resume(id) if id else swarm.start("Do it.", plan=plan))
        return await run.answer()


async def cut_off(project: Path, agent: Agent, post: Post) -> str:
    """A run that is stopped while a call stands still; gives its id."""
    opening = Swarm.open(project, model=agent.model, tools=[post.send], limits=LIMITS)
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.start("Do it.", plan=PLAN)
        await post.stands.wait()
        await run.stop()
        return run.id


async def test_what_an_attempt_did_before_it_failed_is_told_to_the_next_and_not_done_again(
    project: Path,
) -> None:
    post, agent = Post("irreversible"), Agent(ANA, CANNOT, ANA, DONE)
    assert (await work(project, agent, post)).status == "done"
    assert post.sent == ["Ana"]
    told = "Earlier attempts did this; do not do it again:\n- python.send Ana: done\n"
    assert [told in one for one in agent.asked[:3]] == [False, False, True]
    assert unmarked(agent.asked[3]) == f"python.send gave:\n{BEFORE}\nsent to Ana"


async def test_an_attempt_that_the_planner_adds_does_not_do_it_again_either(project: Path) -> None:
    retry: dict[str, JsonValue] = {"why": "so be it", "change": "retry"}
    post, agent = Post("irreversible"), Agent(ANA, CANNOT, retry, ANA, DONE)
    assert (await work(project, agent, post, limits=Limits(attempts=1))).status == "done"
    assert post.sent == ["Ana"]


async def test_as_many_identical_calls_are_made_as_one_attempt_made(project: Path) -> None:
    post, agent = Post("keyed"), Agent(ANA, CANNOT, ANA, BEN, ANA, CANNOT, ANA, ANA, BEN, DONE)
    assert (await work(project, agent, post, limits=Limits(replans=0, attempts=3))).status == "done"
    assert post.sent == ["Ana", "Ben", "Ana"]
    assert agent.asked[6].count("- python.send") == 2


async def test_a_call_that_failed_is_made_again(project: Path) -> None:
    post, agent = Post("irreversible", (ValueError,)), Agent(ANA, ANA, CANNOT, ANA, DONE)
    assert (await work(project, agent, post)).status == "done"
    assert post.sent == ["Ana", "Ana"]


async def test_a_repeatable_call_is_made_again_and_not_told(project: Path) -> None:
    post, agent = Post("idempotent"), Agent(ANA, CANNOT, ANA, DONE)
    await work(project, agent, post)
    assert post.sent == ["Ana", "Ana"]
    assert not any("Earlier attempts" in one for one in agent.asked)


async def test_what_a_person_gave_up_is_not_done_by_any_later_call(project: Path) -> None:
    post = Post("irreversible", (TimeoutError,))
    id = await cut_off(project, Agent(ANA), post)
    assert (await work(project, Agent(CANNOT), post, id)).status == "paused"
    async with Journal.open(run_path(project, id)) as journal:
        await journal.ledger.decide(1, "abandon")
    agent = Agent(ANA, CANNOT, ANA, ANA, DONE)
    assert (await work(project, agent, post, id)).status == "done"
    assert post.sent == ["Ana"]
    assert "- python.send Ana: given up by a person" in agent.asked[2]
    assert [unmarked(one).startswith("python.send failed:\nA person gave") for one in agent.asked[:5]] == [
        *(True, True, False, True, True)
    ]


async def test_what_is_in_doubt_of_an_attempt_is_put_to_a_person_and_not_done_by_the_next(
    project: Path,
) -> None:
    post = Post("keyed", (asyncio.CancelledError, asyncio.CancelledError))
    paused = await work(project, agent := Agent(ANA), post)
    assert (paused.status, post.sent) == ("paused", ["Ana", "Ana"])
    assert "- python.send Ana: maybe done" in agent.asked[-1]
    (question,) = read_questions(run_path(project, paused.run))
    assert question.thread.endswith("/send/-/2")
    assert question.evidence.startswith("an attempt ended before its answer was recorded")


async def test_an_attempt_that_is_resumed_is_told_the_same_as_before(project: Path) -> None:
    post = Post("irreversible", ("sent", TimeoutError))
    id = await cut_off(project, Agent(ANA, CANNOT, ANA, BEN), post)
    async with Journal.open(run_path(project, id)) as journal:
        await journal.ledger.ask((f"{id}/send/-/2", 2, 0), "nobody knows")
        await journal.ledger.decide(1, "done")
    assert (await work(project, Agent(DONE), post, id)).status == "done"
    assert post.sent == ["Ana", "Ben"]


def file(content: str) -> dict[str, JsonValue]:
    return {"tool": "files.write", "args": {"path": "note.txt", "content": content}}


@pytest.mark.usefixtures("files_alone")
@pytest.mark.parametrize(
    ("first", "made"),
    [((file("one"),), [False]), ((file("one"), file("two")), [True])],
    ids=["it is there", "it is there no more"],
)
async def test_a_file_is_written_again_only_where_its_text_is_no_longer_there(
    project: Path, first: tuple[dict[str, JsonValue], ...], made: list[bool]
) -> None:
    agent = Agent(*first, CANNOT, file("one"), DONE)
    step = PLAN.steps[0].model_copy(update={"agent": "clerk"})
    answer = await work(project, agent, Post("pure"), plan=Plan(steps=(step,)))
    assert (answer.status, (project / "note.txt").read_text("utf-8")) == ("done", "one")
    threads = read_threads(run_path(project, answer.run))
    calls = [call for one in threads if one.thread.attempt == 2 for call in one.calls]
    assert [not call.result.text.startswith(BEFORE) for call in calls if call.result] == made


@pytest.mark.usefixtures("files_alone")
async def test_a_file_that_a_person_gave_up_is_not_written_by_the_next_attempt(project: Path) -> None:
    step = PLAN.steps[0].model_copy(update={"agent": "clerk"})
    agent = Agent(file("one"), CANNOT, ModelUnavailable("away"))
    paused = await work(project, agent, Post("pure"), plan=Plan(steps=(step,)))
    assert paused.status == "paused"
    (project / "note.txt").write_text("another's", encoding="utf-8")
    async with Journal.open(run_path(project, paused.run)) as journal:
        given_up = ToolResult(text="A person gave this call up.", is_error=True)
        await journal.ledger.settle((f"{paused.run}/send/-/1", 1, 0), given_up, "abandoned")
    resumed = await work(project, Agent(file("one"), DONE), Post("pure"), paused.run)
    assert (resumed.status, (project / "note.txt").read_text("utf-8")) == ("done", "another's")


class Splitter:
    """A model whose first step pays and fails, whose planner would split it, and whose parts pay again."""

    def __init__(self) -> None:
        self.questions: list[Request] = []
        self.parts: list[str] = []
        self.model = ScriptedModel(self._reply)

    def _reply(self, request: Request) -> str:
        prompt = "\n".join(message.content for message in request.messages)
        if "It has been worked on" in prompt:
            return json.dumps({"result": "It is over."})
        if "A step of its plan failed" in prompt:
            self.questions.append(request)
            briefs: list[JsonValue] = ["Send Ana hers.", "Send Ben his."]
            return json.dumps({"why": "too much", "change": "split", "briefs": briefs})
        turn = sum(message.role == "assistant" for message in request.messages)
        if "Your step: Send it." in prompt:
            return json.dumps(ANA if turn == 0 else CANNOT)
        self.parts.append(request.messages[-1].content)
        return json.dumps([ANA, DONE][min(turn, 1)])


@pytest.mark.parametrize("effect", ["irreversible", "keyed", "verifiable"])
async def test_a_step_whose_attempts_did_something_is_not_split_and_the_planner_is_told(
    project: Path, effect: EffectClass
) -> None:
    splitter, post = Splitter(), Post(effect)
    opening = Swarm.open(project, model=splitter.model, tools=[post.send])
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.start("Do it.", plan=PLAN)
        answer = await run.answer()
    assert post.sent == ["Ana"]
    assert answer.status == "failed"
    case = splitter.questions[0].messages[-1].content
    assert case.endswith("Its attempts did this, which is not to be done again:\n- python.send Ana: done")
    assert "- split:" not in splitter.questions[0].messages[0].content


@pytest.mark.parametrize("effect", ["pure", "idempotent"])
async def test_a_step_whose_calls_may_be_repeated_is_split_as_ever(
    project: Path, effect: EffectClass
) -> None:
    splitter, post = Splitter(), Post(effect)
    opening = Swarm.open(project, model=splitter.model, tools=[post.send])
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.start("Do it.", plan=PLAN)
        answer = await run.answer()
    assert answer.status == "done"
    assert "to be done again" not in splitter.questions[0].messages[-1].content


@pytest.mark.parametrize("effect", ["irreversible", "keyed"])
async def test_the_parts_of_a_step_do_not_do_again_what_its_attempts_did(
    project: Path, effect: EffectClass
) -> None:
    """As in a run that was split before its calls were looked at."""
    splitter, post = Splitter(), Post(effect)
    opening = Swarm.open(project, model=splitter.model, tools=[post.send], limits=LIMITS)
    async with asyncio.timeout(60), opening as swarm:
        begun: Run[str] = await swarm.start("Do it.", plan=PLAN)
        await begun.answer()
    step = PLAN.steps[0]
    parts = [step.model_copy(update={"id": f"send_{n}", "brief": f"Send part {n}."}) for n in (1, 2)]
    split = step.model_copy(update={"joins": ("send_1", "send_2")})
    async with Journal.open(run_path(project, begun.id)) as journal:
        await journal.save_run(plan=Plan(steps=(*parts, split)))
        journal.note_step("send", Result(status="unfinished"))
    async with asyncio.timeout(60), Swarm.open(project, model=splitter.model, tools=[post.send]) as swarm:
        run: Run[str] = await swarm.resume(begun.id)
        answer = await run.answer()
    assert answer.status == "done", answer.text
    assert post.sent == ["Ana"]
    told = [text for text in splitter.parts if "Your step: " in text]
    assert len(told) == 2
    assert all("Earlier attempts did this; do not do it again:\n- python.send Ana" in text for text in told)
