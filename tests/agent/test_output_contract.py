"""What becomes of an agent whose model talks its own dialect, makes no sense, circles or refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.turns import unmarked
from swarm.hub.hub import Hub
from swarm.models.pool import Member
from swarm.nouns.events import AgentEnded, Event, ModelReplied, StepEnded
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.project.project import Project
from swarm.run.answer import Answer
from swarm.run.run import Run
from swarm.run.setting import Setting
from swarm.run.swarm import Swarm
from swarm.scheduler.slots import Slots
from swarm.testing import ScriptedModel
from swarm.testing.double.dialects import REFUSALS, spoken
from swarm.testing.double.faults import WordFault
from tests.conftest import Quick

pytestmark = pytest.mark.anyio

ONCE = Limits(attempts=1, replans=0)
READ = Step(id="read", agent="generalist", brief="Say what the note is about.")
CALL = {"tool": "files.read", "args": {"path": "note.txt"}}
DONE = json.dumps({"result": "It is about the lift of Ulm."})


@pytest.fixture
def project(tmp_path: Path, files_alone: None, quick: Quick) -> Project:
    (tmp_path / "note.txt").write_text("The lift of Ulm is out of order.\n", encoding="utf-8")
    return quick(tmp_path)


def turns_of(request: Request) -> int:
    """How many replies the agent has given so far."""
    return sum(message.role == "assistant" for message in request.messages)


async def run(
    project: Project, script: Callable[[Request], str], limits: Limits = ONCE
) -> tuple[Answer[str], list[Event], list[Request]]:
    asked: list[Request] = []

    def reply(request: Request) -> str:
        asked.append(request)
        return script(request)

    async with asyncio.timeout(60), Swarm.open(project, model=ScriptedModel(reply), limits=limits) as swarm:
        started: Run[str] = await swarm.start("What is the note about?", plan=Plan(steps=(READ,)))
        events = [event async for event in started.events()]
        return await started.answer(), events, asked


def result_of(events: list[Event]) -> Result:
    return next(event.result for event in events if isinstance(event, StepEnded))


@pytest.mark.parametrize(
    "dialect", ["hermes", "fenced", "bare-json", "python", "pipes", "mistral", "xml", "two-calls"]
)
async def test_a_call_in_any_dialect_is_made_and_remembered_as_a_turn(
    project: Project, dialect: WordFault
) -> None:
    def script(request: Request) -> str:
        return DONE if turns_of(request) else spoken(dialect, json.dumps(CALL), request, 1)

    answer, events, asked = await run(project, script)
    assert answer.status == "done"
    assert json.loads(asked[1].messages[2].content.partition("\n")[0]) == CALL
    assert unmarked(asked[1].messages[3].content).startswith("files.read gave:\nThe lift of Ulm")
    assert next(event.action for event in events if isinstance(event, ModelReplied)) == "files.read note.txt"


async def test_a_reply_that_is_no_turn_gets_one_corrective_turn_and_then_fails_the_agent(
    project: Project,
) -> None:
    answer, events, asked = await run(project, lambda _: '{"tool": "files.remove", "args": {}}')
    assert answer.status == "failed"
    assert len(asked) == 2
    assert unmarked(asked[1].messages[-1].content).startswith(
        "That can't be used: there is no tool 'files.remove'"
    )
    result = result_of(events)
    assert result.reason.startswith("no usable reply after a correction: there is no tool 'files.remove'")
    assert result.refused_by == ""


async def test_a_good_reply_after_a_correction_earns_another_one(project: Project) -> None:
    said = ["{", json.dumps(CALL), "{", DONE]
    answer, _, asked = await run(project, lambda request: said[turns_of(request)])
    assert answer.status == "done"
    assert len(asked) == 4


async def test_an_agent_that_learns_nothing_new_is_told_and_then_ended(project: Project) -> None:
    def script(request: Request) -> str:
        turn = turns_of(request)
        return json.dumps({"tool": "files.read", "args": {"path": "note.txt", "lines": 50 + turn}})

    _, events, asked = await run(project, script)
    assert result_of(events).reason == "no progress in 5 turns"
    # The first reading was new.
    assert len(asked) == 6
    nudged = [
        request
        for request in asked
        if "Nothing new has come of your last 4 turns" in request.messages[-1].content
    ]
    assert nudged == [asked[5]]


async def test_calls_that_each_change_something_are_progress_though_answered_alike(project: Project) -> None:
    def script(request: Request) -> str:
        if (turn := turns_of(request)) == 8:
            return DONE
        return json.dumps({"tool": "files.write", "args": {"path": "count.txt", "content": str(turn)}})

    _, events, asked = await run(project, script)
    assert result_of(events).status == "done"
    assert len({request.messages[-1].content for request in asked[1:]}) == 1
    assert (project.root / "count.txt").read_text(encoding="utf-8") == "7"


@pytest.mark.parametrize(
    "said", [REFUSALS[0], json.dumps({"result": REFUSALS[1]}), json.dumps({"result": READ.brief})]
)
async def test_words_in_place_of_work_are_no_result_but_a_refusal(project: Project, said: str) -> None:
    answer, events, asked = await run(project, lambda _: said)
    assert answer.status == "failed"
    assert len(asked) == 2
    result = result_of(events)
    assert result.refused_by == "scripted"
    assert result.reason.startswith("the model declined to work: ")


async def test_after_a_refusal_a_model_of_another_family_is_asked(project: Project) -> None:
    models = [ScriptedModel(lambda _: REFUSALS[0], name="prim"), ScriptedModel(lambda _: DONE, name="frank")]
    async with asyncio.timeout(60), Hub.open(project) as box, asyncio.TaskGroup() as group:
        setting = Setting(
            model=models[0],
            slots=Slots([Member(model) for model in models]),
            box=box,
            cards=project.cards,
            runs_folder=project.runs_folder,
            workspace=project.workspace,
            limits=Limits(),
            given=Limits(),
        )
        swarm = Swarm(project, setting, group)
        begun: Run[str] = await swarm.start("What is the note about?", plan=Plan(steps=(READ,)))
        events = [event async for event in begun.events()]
        answer = await begun.answer()
    assert answer.status == "done"
    assert answer.text == "It is about the lift of Ulm."
    ended = [(event.attempt, event.status) for event in events if isinstance(event, AgentEnded)]
    assert ended == [(1, "failed"), (2, "done")]
    assert len(models[0].log) == 2
