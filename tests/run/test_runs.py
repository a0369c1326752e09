"""Runs from their task to their answer, on a scripted model and with real servers and files."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, JsonValue

from swarm.errors import PlanError
from swarm.nouns.events import AgentEnded, Event, ModelReplied, PlanMade, RunEnded, StepEnded
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.planner.draft import table_schema
from swarm.project.project import Project
from swarm.run.answer import Answer
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.testing import ScriptedModel
from tests.conftest import Quick

pytestmark = pytest.mark.anyio

NOTES = {
    "a": "- Anna: call Ben, by 2026-03-31",
    "b": "- Ben: write to Clara, no date set",
    "c": "- Anna: rest",
}


@pytest.fixture
def project(tmp_path: Path, files_alone: None, quick: Quick) -> Project:
    for name, line in NOTES.items():
        (tmp_path / "notes").mkdir(exist_ok=True)
        (tmp_path / "notes" / f"{name}.md").write_text(f"# {name}\n{line}\n", encoding="utf-8")
    return quick(tmp_path)


def said(request: Request) -> str:
    """The whole prompt."""
    return "\n".join(message.content for message in request.messages)


def result(data: JsonValue) -> str:
    return json.dumps({"result": data})


def action_of(request: Request) -> str:
    """The rows that stand in the note of the prompt."""
    line = next(line for line in NOTES.values() if line in said(request))
    owner, _, rest = line.removeprefix("- ").partition(": ")
    action, _, due = rest.partition(", ")
    date = due.removeprefix("by ") if due.startswith("by ") else None
    return result([{"quote": line, "owner": owner, "action": action, "due_date": date}])


ACTIONS = Step(
    id="actions",
    agent="researcher",
    each="notes/*.md",
    brief="Read {item} and list the actions.",
    expects=table_schema(["owner:text", "action:text", "due_date:date"]),
    writes="actions.csv",
)
MOST = Step(
    id="most",
    agent="analyst",
    brief="Count the actions of each owner.",
    needs=("actions",),
    expects=table_schema(["owner:text", "number:number"]),
)
COUNT = "SELECT owner, COUNT(*) AS number FROM actions GROUP BY owner ORDER BY 2 DESC"


def reply(request: Request) -> str:
    """What the whole team says, by what it is asked."""
    prompt = said(request)
    if "It has been worked on" in prompt:
        return result("Anna owes most, 2 actions.")
    if "Count the actions" in prompt:
        return json.dumps({"tool": "results.query", "args": {"sql": COUNT}})
    return action_of(request)


async def run(
    project: Project, plan: Plan | None, script: Callable[[Request], str], limits: Limits | None = None
) -> tuple[Answer[str], list[Event], ScriptedModel]:
    model = ScriptedModel(script)
    async with asyncio.timeout(60), Swarm.open(project, model=model, limits=limits) as swarm:
        started: Run[str] = await swarm.start("List the actions. Who owes most?", plan=plan)
        events = [event async for event in started.events()]
        return await started.answer(), events, model


async def test_each_file_is_read_by_one_agent_and_the_rows_are_joined_and_written(project: Project) -> None:
    answer, events, _ = await run(project, Plan(steps=(ACTIONS, MOST)), reply)
    assert answer.status == "done", answer.text
    with (project.root / "actions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"owner": "Anna", "action": "call Ben", "due_date": "2026-03-31"},
        {"owner": "Ben", "action": "write to Clara", "due_date": ""},
        {"owner": "Anna", "action": "rest", "due_date": ""},
    ]
    assert answer.text.startswith("Anna owes most, 2 actions.")
    assert answer.files == ("actions.csv",)
    assert [event.step for event in events if isinstance(event, StepEnded)] == ["actions", "most"]
    assert isinstance(events[-1], RunEnded)


async def test_a_failed_item_does_not_cancel_its_siblings_and_the_answer_says_so(project: Project) -> None:
    def one_is_mad(request: Request) -> str:
        return "no idea" if NOTES["b"] in said(request) else reply(request)

    answer, events, _ = await run(project, Plan(steps=(ACTIONS,)), one_is_mad)
    ended = {
        event.item: event.status for event in events if isinstance(event, AgentEnded) and event.attempt == 2
    }
    assert ended == {1: "failed"}
    assert answer.status == "degraded"
    assert answer.missing[0].startswith(
        "step actions degraded: notes/b.md: the model declined to work: no idea"
    )
    assert "Anna" in (project.root / "actions.csv").read_text(encoding="utf-8")


async def test_a_step_whose_need_failed_is_skipped_with_that_reason_and_others_go_on(
    project: Project,
) -> None:
    lost = Step(id="lost", agent="writer", brief="Tell a joke.")
    after = Step(id="after", agent="writer", brief="Tell it again.", needs=("lost",))
    alone = Step(id="alone", agent="writer", brief="Say hello.")

    def script(request: Request) -> str:
        if "It has been worked on" in said(request):
            return result("hello")
        return result("hello") if "Say hello" in said(request) else json.dumps({"cannot": "I know none"})

    answer, _, _ = await run(project, Plan(steps=(lost, after, alone)), script)
    assert answer.status == "degraded"
    assert "step after skipped: it needs lost, which failed" in answer.missing
    assert answer.text.startswith("hello")


async def test_rows_that_quote_what_is_not_there_are_corrected_once_and_then_reported(
    project: Project,
) -> None:
    def invents(request: Request) -> str:
        row: dict[str, JsonValue] = {"quote": "- Zoe: fly to the moon", "owner": "Zoe"}
        return result([{**row, "action": "fly to the moon", "due_date": None}])

    answer, _, model = await run(project, Plan(steps=(ACTIONS,)), invents)
    assert answer.status == "degraded"
    assert "not found in what was read: - Zoe: fly to the moon" in answer.text
    # Each note: the rows and one correction; then twice the answer in words, which is no list.
    assert len(model.log) == 2 * len(NOTES) + 2


async def test_a_line_of_a_list_that_was_passed_over_is_asked_for_once(project: Project) -> None:
    lines = ("- Ben: water the plants", "- Anna: feed the cat")
    (project.root / "notes" / "d.md").write_text("# d\n\n{}\n{}\n".format(*lines), encoding="utf-8")

    def begins_late(request: Request) -> str:
        if lines[0] not in said(request):
            return reply(request)
        is_corrected = f"none for these lines of the same list:\n{lines[0]}\nGive" in said(request)
        rows: list[JsonValue] = []
        for line in lines if is_corrected else lines[1:]:
            owner, _, action = line.removeprefix("- ").partition(": ")
            rows.append({"quote": line, "owner": owner, "action": action, "due_date": None})
        return result(rows)

    answer, _, model = await run(project, Plan(steps=(ACTIONS,)), begins_late)
    assert answer.status == "done"
    with (project.root / "actions.csv").open(encoding="utf-8") as file:
        assert [row["action"] for row in csv.DictReader(file)][-2:] == ["water the plants", "feed the cat"]
    assert len(model.log) == len(NOTES) + 2 + 1  # Each note once, the last one twice, and the answer.


async def test_an_agent_that_repeats_one_call_is_ended(project: Project) -> None:
    circling = json.dumps({"tool": "files.read", "args": {"path": "notes/a.md"}})
    step = Step(id="read", agent="generalist", brief="What is there to do?")
    answer, events, _ = await run(project, Plan(steps=(step,)), lambda request: circling)
    assert answer.status == "failed"
    assert "the agent repeats one call: files.read notes/a.md" in answer.text
    assert len([event for event in events if isinstance(event, ModelReplied)]) <= 8


async def test_an_agent_that_repeats_a_call_that_fails_ends_with_what_the_tool_said(project: Project) -> None:
    circling = json.dumps({"tool": "files.read", "args": {"path": "notes/none.md"}})
    step = Step(id="read", agent="generalist", brief="What is there to do?")
    answer, _, _ = await run(project, Plan(steps=(step,)), lambda request: circling)
    assert "step read failed: files.read failed: " in answer.text
    assert "notes/none.md" in answer.text
    assert "(the agent repeats one call: files.read notes/none.md)" in answer.text


async def test_a_stopped_run_goes_on_where_it_was(project: Project) -> None:
    reached = asyncio.Event()

    async def slow(request: Request) -> str:
        if "Count the actions" in said(request):
            reached.set()
            await asyncio.Event().wait()
        return reply(request)

    async with asyncio.timeout(60), Swarm.open(project, model=ScriptedModel(slow)) as swarm:
        started: Run[str] = await swarm.start("List them.", plan=Plan(steps=(ACTIONS, MOST)))
        await reached.wait()
        await started.stop("enough")
        assert (await started.answer()).status == "stopped"
    second = ScriptedModel(reply)
    async with asyncio.timeout(60), Swarm.open(project, model=second) as swarm:
        resumed: Run[str] = await swarm.resume("last")
        ended = await resumed.answer()
    assert ended.status == "done"
    assert len(second.log) == 2


async def test_an_each_over_an_earlier_list_has_an_agent_for_each_item(project: Project) -> None:
    words = Step(
        id="words",
        agent="writer",
        brief="Give three words.",
        expects={"type": "array", "items": {"type": "string"}},
    )
    loud = Step(id="loud", agent="writer", each="words", brief="Shout {item}.")

    def script(request: Request) -> str:
        prompt = said(request)
        if "It has been worked on" in prompt:
            return result("done")
        return (
            result(["ja", "no", "si"])
            if "Give three words" in prompt
            else result(prompt.split("Shout ")[1][:2].upper())
        )

    answer, _, _ = await run(project, Plan(steps=(words, loud)), script)
    assert [cell in answer.text for cell in ("| ja | JA |", "| no | NO |", "| si | SI |")] == [
        True,
        True,
        True,
    ]


async def test_a_plan_that_can_not_run_is_refused_before_anything_runs(project: Project) -> None:
    model = ScriptedModel(reply)
    bad = Plan(steps=(Step(id="a", agent="nobody", brief="Do it.", needs=("b",)),))
    async with Swarm.open(project, model=model) as swarm:
        with pytest.raises(PlanError) as caught:
            await swarm.start("Do it.", plan=bad)
    assert len(caught.value.problems) == 2
    assert model.log == []


class Most(BaseModel):
    """Who owes most."""

    name: str
    actions: int


async def test_an_answer_can_be_typed(project: Project) -> None:
    def script(request: Request) -> str:
        asks = "It has been worked on" in said(request)
        return result({"name": "Anna", "actions": 2}) if asks else reply(request)

    async with asyncio.timeout(60), Swarm.open(project, model=ScriptedModel(script)) as swarm:
        started = await swarm.start("Who?", plan=Plan(steps=(ACTIONS, MOST)), answer_type=Most)
        answer = await started.answer()
    assert answer.value == Most(name="Anna", actions=2)


async def test_a_function_of_the_program_is_a_tool(project: Project) -> None:
    def shout(word: str) -> str:
        """Says a word loudly."""
        return word.upper() + "!"

    def script(request: Request) -> str:
        if "python.shout gave:" in said(request):
            return result("HEY!")
        return json.dumps({"tool": "python.shout", "args": {"word": "hey"}})

    plan = Plan(steps=(Step(id="shout", agent="generalist", brief="Shout hey."),))
    async with asyncio.timeout(60), Swarm.open(project, model=ScriptedModel(script), tools=[shout]) as swarm:
        started: Run[str] = await swarm.start("Shout.", plan=plan)
        answer = await started.answer()
    assert answer.text == "HEY!"


async def test_a_model_that_can_not_plan_leaves_it_to_one_agent(project: Project) -> None:
    def script(request: Request) -> str:
        if "You plan work" in said(request):
            return "I would rather not."
        return result("There are three notes.")

    answer, events, _ = await run(project, None, script)
    (made,) = [event for event in events if isinstance(event, PlanMade)]
    assert (made.origin, [step.agent for step in made.plan.steps]) == ("template", ["generalist"])
    assert answer.text == "There are three notes."
