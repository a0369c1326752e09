"""Steps that fail and are changed: tried again, reworded, split, given to another, or dropped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.nouns.events import AgentEnded, AgentStarted, Event, PlanMade, StepChanged
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.planner.draft import table_schema
from swarm.run.answer import Answer
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.account import read_stand, unaccounted
from swarm.store.shelf.reader import read_events, read_run
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers", "writer")]

NAMES = Step(id="names", agent="writer", brief="Name the towns.")
FACTS = Step(id="facts", agent="writer", brief="Tell the facts.")
SUM = Step(id="sum", agent="writer", brief="Sum it up.", needs=("names", "facts"))
PLAN = Plan(steps=(NAMES, FACTS, SUM))
QUESTION = "A step of its plan failed"
Agent = Callable[[str], str | None]
"""What an agent gives for its prompt; None for that it can't."""


@pytest.fixture
def writer(tmp_path: Path) -> None:
    """A writer with a tool: an agent without any can't give up."""
    (tmp_path / "agents").mkdir()
    card = "---\ndescription: writes\ntools: [calculate]\n---\nYou write.\n"
    (tmp_path / "agents" / "writer.md").write_text(card, encoding="utf-8")


def result(data: JsonValue) -> str:
    return json.dumps({"result": data})


class Team:
    """A model that plays agents and planner; ``choices`` are what the planner chooses, one after the other."""

    def __init__(self, agent: Agent, *choices: dict[str, JsonValue]) -> None:
        self.agent = agent
        self.choices = list(choices)
        self.questions: list[Request] = []
        self.asked: list[str] = []

    def __call__(self, request: Request) -> str:
        prompt = "\n".join(message.content for message in request.messages)
        if "It has been worked on" in prompt:
            return result("That is all.")
        if QUESTION in prompt:
            self.questions.append(request)
            return json.dumps({"why": "so be it", **self.choices.pop(0)}) if self.choices else "no idea"
        said = self.agent(prompt)
        self.asked.append(prompt.rpartition("Your step: ")[2])
        return json.dumps({"cannot": "I know too little"}) if said is None else result(said)


async def run(
    project: Path, team: Team, plan: Plan = PLAN, limits: Limits | None = None
) -> tuple[Answer[str], list[Event]]:
    async with (
        asyncio.timeout(60),
        Swarm.open(project, model=ScriptedModel(team), limits=limits) as swarm,
    ):
        started: Run[str] = await swarm.start("Tell of the towns.", plan=plan)
        answer = await started.answer()
    path = run_path(project, answer.run)
    assert unaccounted(path) == []
    return answer, read_events(path)


def changes_in(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.step, event.change) for event in events if isinstance(event, StepChanged)]


def stand(project: Path, answer: Answer[str]) -> list[str]:
    return list(read_stand(run_path(project, answer.run)).values())


def only(*briefs: str) -> Agent:
    """An agent that can do all but these."""
    return lambda prompt: None if prompt.rpartition("Your step: ")[2].startswith(briefs) else "done"


async def test_a_retry_has_attempts_of_its_own_and_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    tries: list[int] = []

    def third_time(prompt: str) -> str | None:
        if "Your step: Name the towns." not in prompt:
            return "done"
        tries.append(1)
        return "Bonn" if len(tries) == 3 else None

    team = Team(third_time, {"change": "retry"})
    answer, events = await run(tmp_path, team)
    assert answer.status == "done"
    assert changes_in(events) == [("names", "retry")]
    attempts = [event.attempt for event in events if isinstance(event, AgentEnded) and event.step == "names"]
    assert attempts == [1, 2, 3]
    assert team.asked.count("Tell the facts.") == 1
    assert len([event for event in events if isinstance(event, PlanMade)]) == 1


async def test_a_reworded_step_has_a_new_brief(tmp_path: Path) -> None:
    better = "Name the towns on the Rhine."
    team = Team(only("Name the towns."), {"change": "reword", "brief": better})
    answer, events = await run(tmp_path, team)
    assert answer.status == "done"
    assert better in team.asked
    plan = read_run(run_path(tmp_path, answer.run)).plan
    assert plan is not None
    assert plan.step("names") == NAMES.model_copy(update={"brief": better})
    assert [event.note for event in events if isinstance(event, PlanMade)] == ["", "reword names"]


async def test_a_step_that_is_given_to_another_agent_is_done_by_that(tmp_path: Path) -> None:
    team = Team(
        lambda prompt: (
            None if "Name the towns" in prompt and "You do the task yourself" not in prompt else "done"
        ),
        {"change": "reassign", "agent": "generalist"},
    )
    answer, events = await run(tmp_path, team, PLAN.model_copy(update={"steps": (NAMES, FACTS, SUM)}))
    agents = [event.agent for event in events if isinstance(event, AgentStarted) and event.step == "names"]
    assert agents[-1] == "generalist"
    assert answer.status == "done"


async def test_a_split_step_is_its_parts_together_and_who_needs_it_waits_for_all(tmp_path: Path) -> None:
    table = table_schema(["town:text"])
    names = NAMES.model_copy(update={"expects": table, "writes": "towns.csv"})

    def agent(prompt: str) -> str | None:
        step = prompt.rpartition("Your step: ")[2]
        return None if step.startswith("Name the towns") else json.dumps(step)

    def rows(request: Request) -> str:
        prompt = request.messages[-1].content
        for river in ("Rhine", "Elbe"):
            if f"Your step: Name those on the {river}" in prompt:
                return result([{"town": f"on the {river}"}])
        return team(request)

    briefs: JsonValue = ["Name those on the Rhine.", "Name those on the Elbe."]
    team = Team(agent, {"change": "split", "briefs": briefs})
    async with asyncio.timeout(60), Swarm.open(tmp_path, model=ScriptedModel(rows)) as swarm:
        started: Run[str] = await swarm.start("Towns.", plan=Plan(steps=(names, FACTS, SUM)))
        answer = await started.answer()
    path = run_path(tmp_path, answer.run)
    assert unaccounted(path) == []
    assert read_stand(path) == dict.fromkeys(("names_1", "names_2", "names", "facts", "sum"), "done")
    assert (tmp_path / "towns.csv").read_text(encoding="utf-8") == "town\non the Rhine\non the Elbe\n"
    (change,) = [event for event in read_events(path) if isinstance(event, StepChanged)]
    assert change.parts == ("names_1", "names_2")


async def test_a_split_of_prose_is_its_texts_in_order_and_a_lost_part_degrades_it(tmp_path: Path) -> None:
    briefs: JsonValue = ["Name the big towns.", "Name the small towns."]
    team = Team(only("Name the towns.", "Name the small"), {"change": "split", "briefs": briefs})
    answer, _ = await run(tmp_path, team, limits=Limits(replans=3))
    assert stand(tmp_path, answer) == ["done", "failed", "degraded", "done", "degraded"]
    assert len(team.questions) == 1


async def test_what_needs_a_dropped_step_is_told_and_goes_on_without_it(tmp_path: Path) -> None:
    prompts: list[str] = []

    def agent(prompt: str) -> str | None:
        prompts.append(prompt)
        return only("Name the towns.")(prompt)

    team = Team(agent, {"change": "drop", "why": "nobody knows them"})
    answer, events = await run(tmp_path, team)
    assert stand(tmp_path, answer) == ["dropped", "done", "degraded"]
    assert "There is no result of names: do what can be done without it." in prompts[-1]
    assert answer.missing == (
        "step names dropped: nobody knows them",
        "step sum degraded: it was done without names, which was dropped",
    )
    assert changes_in(events) == [("names", "drop")]


async def test_what_has_nothing_left_to_work_on_is_skipped(tmp_path: Path) -> None:
    alone = Step(id="alone", agent="writer", brief="Write on the towns.", needs=("names",))
    team = Team(only("Name the towns."), {"change": "drop"})
    answer, _ = await run(tmp_path, team, Plan(steps=(NAMES, FACTS, alone)))
    assert stand(tmp_path, answer) == ["dropped", "done", "skipped"]


async def test_a_step_on_which_everything_hangs_can_not_be_dropped(tmp_path: Path) -> None:
    team = Team(only("Name the towns."), {"change": "drop"}, {"change": "retry"})
    after = Step(id="after", agent="writer", brief="Sum it up.", needs=("names",))
    answer, events = await run(tmp_path, team, Plan(steps=(NAMES, after)))
    assert changes_in(events) == [("names", "retry")]
    assert stand(tmp_path, answer) == ["failed", "skipped"]
    assert team.questions[1].messages[-1].content == (
        "That can't be: 'drop' can't be chosen; there are: retry, reword, split, reassign. Choose again."
    )


BAD: list[dict[str, JsonValue]] = [
    {"change": "reword", "brief": NAMES.brief},
    {"change": "reassign", "agent": "nobody"},
    {"change": "split", "briefs": ["Name the towns of today."]},
    {"change": "wait"},
]


@pytest.mark.parametrize("choice", BAD, ids=lambda choice: str(choice["change"]))
async def test_a_choice_that_can_not_be_is_asked_again_once_and_then_the_step_stays_failed(
    tmp_path: Path, choice: dict[str, JsonValue]
) -> None:
    team = Team(only("Name the towns."), choice, choice)
    answer, events = await run(tmp_path, team)
    assert changes_in(events) == []
    assert len(team.questions) == 2
    assert stand(tmp_path, answer) == ["failed", "done", "skipped"]


async def test_there_are_as_many_rounds_of_changes_as_the_limit_allows(tmp_path: Path) -> None:
    for replans in (0, 1, 2):
        again: dict[str, JsonValue] = {"change": "retry"}
        team = Team(only("Name the towns."), again, again, again)
        answer, events = await run(tmp_path, team, limits=Limits(replans=replans))
        assert changes_in(events) == [("names", "retry")] * replans
        assert team.asked.count("Name the towns.") == 2 * (replans + 1)
        assert stand(tmp_path, answer) == ["failed", "done", "skipped"]


@pytest.mark.usefixtures("files_alone")
async def test_items_that_are_done_stay_so_when_their_step_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "towns").mkdir()
    for name in ("bonn", "ulm"):
        (tmp_path / "towns" / f"{name}.md").write_text(f"{name}\n", encoding="utf-8")
    each = Step(id="each", agent="writer", each="towns/*.md", brief="Praise {item}.")
    words: list[str] = []

    def agent(prompt: str) -> str | None:
        words.append(prompt.rpartition("Your step: ")[2])
        return "fine" if "praise well" in prompt else None

    team = Team(agent, {"change": "reword", "brief": "Read and praise well."})
    answer, _ = await run(tmp_path, team, Plan(steps=(each,)))
    assert answer.status == "done"
    assert sorted(words[-2:]) == [f"For towns/{name}.md: Read and praise well." for name in ("bonn", "ulm")]


async def test_a_run_that_is_cut_off_in_a_second_round_goes_on_with_the_changed_plan(tmp_path: Path) -> None:
    reached = asyncio.Event()
    team = Team(only("Name the towns."), {"change": "reword", "brief": "Name the towns on the Rhine."})

    async def slow(request: Request) -> str:
        if "on the Rhine" in request.messages[-1].content:
            reached.set()
            await asyncio.Event().wait()
        return team(request)

    async with asyncio.timeout(60), Swarm.open(tmp_path, model=ScriptedModel(slow)) as swarm:
        started: Run[str] = await swarm.start("Tell.", plan=PLAN)
        await reached.wait()
        await started.stop("enough")
    assert read_stand(run_path(tmp_path, started.id)) == {
        "names": "unfinished",
        "facts": "done",
        "sum": "unfinished",
    }
    second = Team(lambda _: "done")
    async with asyncio.timeout(60), Swarm.open(tmp_path, model=ScriptedModel(second)) as swarm:
        resumed: Run[str] = await swarm.resume()
        answer = await resumed.answer()
    assert answer.status == "done"
    assert (second.asked, second.questions) == (["Name the towns on the Rhine.", "Sum it up."], [])
    assert unaccounted(run_path(tmp_path, answer.run)) == []
