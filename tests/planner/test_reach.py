"""Which agent a plan may use where a project adds servers that no card names."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from benchmarks.runs import NO_SERVERS
from swarm.nouns.card import AgentCard
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.planner.draft import table_schema
from swarm.planner.reach import alone, out_of_reach
from swarm.run.swarm import Swarm
from swarm.survey import FileGroup, Survey, TableGroup
from swarm.testing import ScriptedModel

TASK = "Cancel my first meeting of Monday."
CARDS = {
    "researcher": AgentCard(name="researcher", description="reads", tools=("files.read",)),
    "analyst": AgentCard(name="analyst", description="queries", tables="queried", tools=("results.query",)),
    "writer": AgentCard(name="writer", description="writes", tools=("files.read",)),
    "generalist": AgentCard(
        name="generalist", description="does all", tools=("files.list", "calendar", "mail.send")
    ),
}
WITHOUT = {
    **CARDS,
    "generalist": CARDS["generalist"].model_copy(update={"tools": ("files.list", "results.query")}),
}
FIND = Step(id="meetings", agent="generalist", brief="Find them.", expects=table_schema(["id:text"]))
SERVER = '"""Holds the meetings."""\n'


def why(*steps: Step, task: str = TASK, survey: Survey | None = None) -> str:
    return out_of_reach(Plan(steps=steps), task, CARDS, survey or Survey())


def test_what_the_generalist_alone_has_are_servers_that_no_other_card_names() -> None:
    assert alone(CARDS) == ["calendar", "mail"]
    assert alone(WITHOUT) == []
    assert alone({"writer": CARDS["writer"]}) == []


@pytest.mark.parametrize("agent", ["researcher", "writer"])
def test_a_role_without_the_servers_can_neither_look_up_nor_do_what_the_task_asks(agent: str) -> None:
    told = "the task names nothing in the workspace, and generalist alone has calendar, mail"
    assert why(Step(id="find", agent=agent, brief="Find it.")) == told
    assert why(FIND, Step(id="cancel", agent=agent, needs=("meetings",), brief="Cancel it.")) == told


def test_steps_of_the_generalist_and_those_that_work_on_what_it_gave_are_kept() -> None:
    count = Step(
        id="count", agent="analyst", needs=("meetings",), brief="Count.", expects=table_schema(["n:number"])
    )
    report = Step(id="report", agent="writer", needs=("meetings",), brief="Write it.", writes="report.md")
    assert why(FIND) == ""
    assert why(FIND, count, report) == ""


def test_a_plan_for_what_lies_in_the_workspace_is_kept() -> None:
    read = Step(id="read", agent="researcher", each="letters/*.txt", brief="Read {item}.")
    letters = FileGroup(pattern="letters/*.txt", kind="text", files=2, first="letters/a.txt")
    table = TableGroup(name="letters", pattern="letters.csv", columns=("id",))
    task = "Mail me what the letters say."
    assert why(read, task=task, survey=Survey(groups=(letters,))) == ""
    assert why(read, task=task, survey=Survey(tables=(table,))) == ""
    assert why(read, task=TASK, survey=Survey(groups=(letters,))) != ""
    assert out_of_reach(Plan(steps=(read,)), TASK, WITHOUT, Survey()) == ""


@pytest.mark.anyio
async def test_the_planner_reads_of_added_servers_and_a_plan_past_them_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "mcp_servers").mkdir()
    (tmp_path / "mcp_servers" / "meetings.py").write_text(SERVER, encoding="utf-8")
    (tmp_path / "swarm.toml").write_text(NO_SERVERS, encoding="utf-8")
    asked: list[str] = []

    def script(request: Request) -> str:
        asked.append(request.messages[0].content)
        step = {"id": "cancel", "agent": "writer", "brief": "Cancel the first meeting of Monday."}
        return json.dumps({"steps": [step]})

    async with asyncio.timeout(60), Swarm.open(tmp_path, model=ScriptedModel(script)) as swarm:
        plan = await swarm.plan(TASK)
    assert (
        "- generalist: does a whole small task alone; it alone has meetings (Holds the meetings.)" in asked[0]
    )
    assert [(step.agent, step.brief) for step in plan.steps] == [("generalist", TASK)]
