"""Which tasks go to programs, and what becomes of one whose programs come to nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swarm.nouns.events import PlanMade
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_events
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

TASK = "How many lines of logs say ERROR? Write errors.txt with a line for each file."
RIGHT = """
rows = [{"file": name, "errors": sum(" ERROR " in line for line in lines(name))} for name in files("logs")]
save("errors.txt", "\\n".join(f"{row['file']} {row['errors']}" for row in rows))
answer(sum(row["errors"] for row in rows))
"""
PLAN = {"steps": [{"id": "told", "agent": "writer", "brief": "Tell what was asked.", "writes": "errors.txt"}]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"logs/{name}.log").write_text("07:01 ERROR x\n07:02 INFO y\n", encoding="utf-8")
    return tmp_path


def model(program: str) -> ScriptedModel:
    def reply(request: Request) -> str:
        said = "\n".join(message.content for message in request.messages)
        if "sql(query)" in said:
            return f"```python\n{program}\n```"
        if "Fields of a step" in said:
            return json.dumps(PLAN)
        return json.dumps({"result": "file,errors\na,1"})

    return ScriptedModel(reply)


async def ended(project: Path, program: str, candidates: int = 2) -> tuple[str, str, list[PlanMade]]:
    limits = Limits(candidates=candidates, attempts=1)
    async with Swarm.open(project, model=model(program), limits=limits) as swarm:
        run: Run[str] = await swarm.start(TASK)
        answer = await run.answer()
    events = read_events(run_path(project, answer.run))
    return answer.status, answer.text, [event for event in events if isinstance(event, PlanMade)]


async def test_a_task_over_logs_is_done_by_programs_that_agree(project: Path) -> None:
    status, text, plans = await ended(project, RIGHT)

    assert (status, text) == ("done", "2\n\nFiles: errors.txt")
    assert [plan.origin for plan in plans] == ["direct"]
    written = (project / "errors.txt").read_text(encoding="utf-8")
    assert written == "logs/a.log 1\nlogs/b.log 1\n"


async def test_a_task_whose_programs_come_to_nothing_is_planned(project: Path) -> None:
    _, _, plans = await ended(project, "answer(lines('nowhere.log'))")

    assert [[step.id for step in plan.plan.steps] for plan in plans] == [["program"], ["told"]]
    assert "programs did not come to one result" in plans[1].note


async def test_programs_that_agree_and_read_but_some_of_the_files_are_doubted(project: Path) -> None:
    first = RIGHT.replace('files("logs")]', 'files("logs")[:1]]')

    status, text, _ = await ended(project, first)

    assert status == "degraded"
    assert "1 of 2 files that it looked for were read, and not logs/b.log" in text


@pytest.mark.parametrize("name", ["logs/c.log", "logs/c.csv"])
async def test_what_could_not_be_read_beside_what_was_is_doubted(project: Path, name: str) -> None:
    (project / name).write_bytes(b"a,b\n1,2\n3\n" if name.endswith(".csv") else b"\x89PNG\0\1\2")
    careless = """
errors = 0
for name in files("logs"):
    try:
        errors += sum(" ERROR " in line for line in lines(name)) if name.endswith(".log") else 0
    except ValueError:
        pass
save("errors.txt", f"all {errors}")
answer(errors)
"""

    status, text, _ = await ended(project, careless)

    assert status == "degraded"
    assert name in text


async def test_no_program_is_written_where_none_is_wanted(project: Path) -> None:
    _, _, plans = await ended(project, RIGHT, candidates=0)

    assert [[step.id for step in plan.plan.steps] for plan in plans] == [["told"]]
