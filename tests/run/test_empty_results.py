"""What builds on a step that gave nothing: degraded, unless its agent was asked whether that is right."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.planner.draft import table_schema
from swarm.run.answer import Answer
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("files_alone")]

DEBTS = Step(
    id="debts", agent="analyst", brief="Give who owes more than 100.", expects=table_schema(["name:text"])
)
EMPTY = '{"result": "empty"}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "accounts.csv").write_text("name,owes\nAna,3\nBen,4\n", encoding="utf-8")
    (tmp_path / "agents").mkdir()
    cards = {"analyst": "tools: [results]\ntables: queried", "helper": "tools: [calculate]"}
    for name, more in cards.items():
        text = f"---\ndescription: Works.\n{more}\n---\nDo it.\n"
        (tmp_path / "agents" / f"{name}.md").write_text(text, encoding="utf-8")
    return tmp_path


def query(where: str) -> str:
    return json.dumps({"tool": "results.query", "args": {"sql": f"SELECT name FROM accounts WHERE {where}"}})


async def run(folder: Path, after: Step, *said: str) -> Answer[str]:
    """What a run comes to whose first agent says this, turn after turn."""

    def script(request: Request) -> str:
        prompt = "\n".join(one.content for one in request.messages)
        if DEBTS.brief in prompt:
            return said[sum(one.role == "assistant" for one in request.messages)]
        return '{"result": "Nobody owes so much."}'

    opening = Swarm.open(folder, model=ScriptedModel(script), limits=Limits(attempts=1, replans=0))
    async with asyncio.timeout(120), opening as swarm:
        started: Run[str] = await swarm.start("Who owes?", plan=Plan(steps=(DEBTS, after)))
        return await started.answer()


def after(**more: object) -> Step:
    return Step.model_validate({"id": "tell", "agent": "helper", "brief": "Tell it.", **more})


async def test_an_empty_result_that_its_agent_kept_to_when_asked_degrades_nothing(folder: Path) -> None:
    answer = await run(folder, after(needs=("debts",)), query("owes > 100"), EMPTY)
    assert (answer.status, answer.missing) == ("done", ())


async def test_nothing_is_to_be_done_for_each_of_no_rows_that_were_made_sure_of(folder: Path) -> None:
    each = after(each="debts", brief="Write to {item}.")
    answer = await run(folder, each, query("owes > 100"), EMPTY)
    assert (answer.status, answer.missing) == ("done", ())


async def test_rows_that_came_after_an_empty_result_are_what_counts(folder: Path) -> None:
    answer = await run(folder, after(needs=("debts",)), query("owes > 100"), query("owes > 3"))
    assert answer.status == "done"


async def test_an_empty_result_of_which_nobody_was_asked_degrades_what_builds_on_it(folder: Path) -> None:
    typed = (folder / "agents" / "analyst.md").read_text(encoding="utf-8").replace("queried", "typed")
    (folder / "agents" / "analyst.md").write_text(typed, encoding="utf-8")
    answer = await run(folder, after(needs=("debts",)), '{"result": []}')
    assert answer.status == "degraded"
    assert answer.missing == ("step tell degraded: it builds on debts, which gave nothing",)
