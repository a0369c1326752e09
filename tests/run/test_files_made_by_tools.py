"""Files that no text is: who is to make them, and that one which was not made is missed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from swarm import Answer, Run, Swarm
from swarm.nouns.events import PlanMade
from swarm.nouns.messages import Request
from swarm.planner.unwritten import still_missing, unwritten
from swarm.store.shelf.reader import read_events
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

TOOL = '''from pathlib import Path

from swarm import tool
from swarm.nouns.tool import ToolContext


@tool(effect="idempotent")
def print_page(name: str, run: ToolContext) -> str:
    """Prints a PDF file."""
    (run.workspace / name).write_bytes(b"%PDF-1.4")
    return f"printed {name}"
'''
TASK = "Add up prices and print the sum into sum.pdf."
PLAN = {"steps": [{"id": "sum", "agent": "analyst", "brief": "Add up the prices of prices.csv."}]}


async def ended(project: Path, *turns: str) -> tuple[Answer[str], PlanMade, list[str]]:
    """What a run came to whose agent says these, its plan, and what was asked of the model."""
    heard: list[str] = []
    coming = iter(turns)

    def script(request: Request) -> str:
        heard.append("\n".join(message.content for message in request.messages))
        if '"steps"' in json.dumps(request.output_schema):
            return json.dumps(PLAN)
        return next(coming, '{"result": "It is done."}') if "You do one step" in heard[-1] else "answer(3)"

    (project / "prices.csv").write_text("what,price\nlamp,1\npot,2\n", encoding="utf-8")
    async with asyncio.timeout(100), Swarm.open(project, model=ScriptedModel(script)) as swarm:
        run: Run[str] = await swarm.start(TASK)
        answer = await run.answer()
    events = read_events(run_path(project, answer.run))
    return answer, next(event for event in events if isinstance(event, PlanMade)), heard


@pytest.mark.anyio
@pytest.mark.usefixtures("files_alone")
async def test_a_file_that_only_added_tools_make_is_made_by_the_agent_that_has_them(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "printing.py").write_text(TOOL, encoding="utf-8")
    call = json.dumps({"tool": "printing.print_page", "args": {"name": "sum.pdf"}})
    answer, made, heard = await ended(tmp_path, call)

    assert [step.agent for step in made.plan.steps] == ["generalist"]
    assert made.note == "only the tools that the project adds make a file that the task asks for"
    assert (answer.status, answer.text) == ("done", "It is done.")
    assert not any("You plan work" in text for text in heard)
    assert "Files that lie there:\nprices.csv\n" in heard[0]
    assert (tmp_path / "sum.pdf").is_file()


@pytest.mark.anyio
@pytest.mark.usefixtures("files_alone")
async def test_a_file_that_was_asked_for_and_is_not_there_is_missed_whatever_was_said(tmp_path: Path) -> None:
    answer, _, _ = await ended(tmp_path)

    assert answer.status == "degraded"
    assert answer.missing[-1] == "sum.pdf is asked for, and there is no such file"


@pytest.mark.parametrize(
    ("task", "named"),
    [
        ("Convert plan.docx into plan.pdf and out/plan.png.", ["plan.pdf", "out/plan.png"]),
        ("Rename Plan.DOCX to b.docx; c.txt stays.", ["b.docx"]),
        ("Name them after the month, such as may.xlsx.", []),
        ("Read https://example.com/a.pdf and sum it up in a.md.", []),
    ],
)
def test_files_that_are_asked_for_are_those_that_are_not_there_yet(
    task: str, named: list[str], tmp_path: Path
) -> None:
    assert unwritten(task, ["in/plan.docx"]) == named
    assert len(still_missing(task, ["in/plan.docx"], tmp_path)) == len(named)
    (tmp_path / "new").mkdir()
    for name in named:
        (tmp_path / "new" / Path(name).name).touch()
    assert still_missing(task, ["in/plan.docx"], tmp_path) == ()
