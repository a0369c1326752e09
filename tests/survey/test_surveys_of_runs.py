"""The survey of a run: recorded, so that a resumed and a forked run read what the first sitting saw."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("files_alone")]

PLANNED = Limits(candidates=0)
TASK = "Tell what lies here."
PLAN = json.dumps({"steps": [{"id": "tell", "agent": "writer", "brief": "Tell what lies here."}]})
OWN_TOOLS = '''"""Tools of this project."""

from swarm import tool


@tool(effect="pure")
def shout(text: str) -> str:
    """Say a text louder."""
    return text.upper()
'''


class Planner:
    """Keeps what it is asked for a plan, and stands still at it where it is to."""

    def __init__(self, *, waits: bool = False) -> None:
        self.seen: list[str] = []
        self.stands = asyncio.Event()
        self.waits = waits

    def model(self) -> ScriptedModel:
        async def reply(request: Request) -> str:
            last = request.messages[-1].content
            if not last.endswith(f"Task: {TASK}"):
                return '{"result": "Some files."}'
            self.seen.append(last)
            if self.waits:
                self.stands.set()
                await asyncio.Event().wait()
            return PLAN

        return ScriptedModel(reply)


def fill(project: Path) -> None:
    (project / ".env").write_text("API_KEY=sk-12345678901234567890\n", encoding="utf-8")
    (project / "src").mkdir()
    for name in ("a", "b"):
        (project / "src" / f"{name}.py").write_text("import os\n", encoding="utf-8")
    (project / "prices.html").write_text(
        "<table><tr><th>name<th>price<tr><td>Kettle<td>5,50</table>", encoding="utf-8"
    )
    (project / "bad.csv").write_bytes(b"")


async def cut_off(project: Path) -> tuple[str, str]:
    """A run that is stopped while it asks for a plan: its id, and what it had asked."""
    planner = Planner(waits=True)
    async with asyncio.timeout(60), Swarm.open(project, model=planner.model(), limits=PLANNED) as swarm:
        run: Run[str] = await swarm.start(TASK)
        await planner.stands.wait()
        await run.stop()
    return run.id, planner.seen[0]


async def gone_on(project: Path, id: str) -> str:
    """What a run that goes on asks for a plan."""
    planner = Planner()
    async with asyncio.timeout(60), Swarm.open(project, model=planner.model(), limits=PLANNED) as swarm:
        run: Run[str] = await swarm.resume(id, limits=Limits(tokens=1_000_000))
        assert (await run.answer()).status == "done"
    return planner.seen[0]


def looked_up(project: Path, id: str) -> list[str]:
    (thread,) = [one for one in read_threads(run_path(project, id)) if one.thread.step == "_survey"]
    return [call.call.tool for call in thread.calls if call.call is not None]


async def test_the_planner_reads_of_code_configuration_pages_and_what_is_broken(tmp_path: Path) -> None:
    fill(tmp_path)

    _, asked = await cut_off(tmp_path)

    assert asked.splitlines() == [
        "Text files: prices.html; src/*.py (2 files); swarm.toml",
        "Tables: prices(name, price) from prices.html",
        "Hidden files: .env with API_KEY, values hidden",
        "Not read: bad.csv: it is empty",
        f"Task: {TASK}",
    ]


async def test_a_resumed_run_reads_the_survey_that_was_recorded(tmp_path: Path) -> None:
    fill(tmp_path)
    id, asked = await cut_off(tmp_path)
    (tmp_path / "src" / "a.py").unlink()
    (tmp_path / "new.md").write_text("new\n", encoding="utf-8")

    assert await gone_on(tmp_path, id) == asked
    assert looked_up(tmp_path, id) == ["files.glob", "tables.find", "text.samples"]


async def test_a_fork_reads_the_survey_that_was_recorded(tmp_path: Path) -> None:
    fill(tmp_path)
    id, asked = await cut_off(tmp_path)
    await gone_on(tmp_path, id)
    (tmp_path / "prices.html").unlink()
    async with Swarm.open(tmp_path, model=Planner().model(), limits=PLANNED) as swarm:
        made = await swarm.fork(id, "plan:1")

    assert await gone_on(tmp_path, made.path.stem) == asked


async def test_a_run_that_was_begun_without_samples_goes_on_and_takes_them(tmp_path: Path) -> None:
    """Such as one of an earlier version; a project's own tools of that name stand in for it."""
    fill(tmp_path)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "text.py").write_text(OWN_TOOLS, encoding="utf-8")
    id, asked = await cut_off(tmp_path)
    assert looked_up(tmp_path, id) == ["files.glob", "tables.find"]
    assert asked.startswith("Text files: prices.html; src/*.py (2 files)")
    (tmp_path / "tools" / "text.py").unlink()

    assert "Hidden files: .env with API_KEY" in await gone_on(tmp_path, id)
    assert looked_up(tmp_path, id) == ["files.glob", "tables.find", "text.samples"]
