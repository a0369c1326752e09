"""A run that reaches a limit: paused with nothing lost, and going on when more is allowed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from swarm.nouns.events import LimitRaised, LimitReached, RunEnded
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.project.project import Project
from swarm.run.answer import Answer
from swarm.run.run import AskMore, Run
from swarm.run.speedup import speedup_of
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_events, read_run, read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from tests.conftest import NO_DATABASE, Quick

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("files_alone")]

WIDTH = 12
WORDS = Step(id="words", agent="writer", each="notes/*.md", brief="Say {item}.")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_notes(tmp_path, WIDTH)
    return tmp_path


def write_notes(project: Path, width: int) -> None:
    (project / "notes").mkdir(exist_ok=True)
    for number in range(width):
        (project / "notes" / f"{number}.md").write_text(f"note {number}\n", encoding="utf-8")


async def reply(request: Request) -> str:
    await asyncio.sleep(0)
    return json.dumps({"result": "said"})


async def run(
    project: Project, model: ScriptedModel, limits: Limits, ask_more: AskMore | None = None
) -> Answer[str]:
    async with asyncio.timeout(60), Swarm.open(project, model=model, limits=limits) as swarm:
        started: Run[str] = await swarm.start("Say it.", plan=Plan(steps=(WORDS,)), ask_more=ask_more)
        return await started.answer()


async def resume(
    project: Project, model: ScriptedModel, id: str, limits: Limits | None = None
) -> Answer[str]:
    async with asyncio.timeout(60), Swarm.open(project, model=model) as swarm:
        resumed: Run[str] = await swarm.resume(id, limits=limits)
        return await resumed.answer()


async def test_300_agents_never_overrun_a_limit_and_lose_no_reply(project: Path, quick: Quick) -> None:
    write_notes(project, 300)
    first = ScriptedModel(reply, slots=300)
    paused = await run(quick(project), first, Limits(tokens=15_000))
    path = run_path(project, paused.run)
    recorded = sum(len(thread.turns) for thread in read_threads(path))
    assert (paused.status, read_run(path).status) == ("paused", "paused")
    assert paused.reached is not None
    assert paused.reached.limit == "tokens"
    assert 13_500 < paused.usage.tokens <= 15_000
    assert [served.error for served in first.log] == [""] * recorded
    assert "0 of 1 steps are done; raise limits.tokens and resume it" in paused.text

    second = ScriptedModel(reply, slots=300)
    ended = await resume(quick(project), second, paused.run, Limits(tokens=1_000_000))
    assert ended.status == "done"
    # Every item once, and the answer.
    assert len(first.log) + len(second.log) == 300 + 1
    assert not {served.digest for served in first.log} & {served.digest for served in second.log}


async def test_a_resumed_run_keeps_the_limits_it_was_given(project: Path, quick: Quick) -> None:
    paused = await run(quick(project), ScriptedModel(reply, slots=WIDTH), Limits(model_calls=5))
    (project / "swarm.toml").write_text(NO_DATABASE + "[limits]\nmodel_calls = 1_000\n", encoding="utf-8")
    second = ScriptedModel(reply, slots=WIDTH)
    again = await resume(quick(project), second, paused.run)
    assert (again.status, second.log) == ("paused", [])
    assert (await resume(quick(project), second, paused.run, Limits(model_calls=7))).status == "paused"
    assert len(second.log) == 2


async def test_a_limit_of_the_project_is_raised_in_its_file(project: Path, quick: Quick) -> None:
    settings = project / "swarm.toml"
    settings.write_text(NO_DATABASE + "[limits]\nsteps = 10\n", encoding="utf-8")
    model = ScriptedModel(reply, slots=WIDTH)
    paused = await run(quick(project), model, Limits())
    assert (paused.status, len(model.log)) == ("paused", 10)
    settings.write_text(NO_DATABASE + "[limits]\nsteps = 1_000\n", encoding="utf-8")
    assert (await resume(quick(project), model, paused.run)).status == "done"


async def test_a_person_who_allows_more_lets_the_run_go_on_where_it_is(project: Path, quick: Quick) -> None:
    model = ScriptedModel(reply, slots=WIDTH)
    asked: list[LimitReached] = []

    async def allow(reached: LimitReached) -> float | None:
        asked.append(reached)
        return reached.enough

    ended = await run(quick(project), model, Limits(model_calls=4), allow)
    assert ended.status == "done"
    assert [(one.used, one.enough) for one in asked] == [(4, 8), (8, 16)]
    assert len(model.log) == WIDTH + 1
    path = run_path(project, ended.run)
    raised = [event.allowed for event in read_events(path) if isinstance(event, LimitRaised)]
    assert raised == [8, 16]
    assert read_run(path).limits.model_calls == 16


async def test_a_person_who_allows_no_more_leaves_the_run_paused(project: Path, quick: Quick) -> None:
    async def refuse(reached: LimitReached) -> float | None:
        return None

    assert (await run(quick(project), ScriptedModel(reply), Limits(tool_calls=1), refuse)).status == "paused"


async def test_one_slot_that_is_held_by_who_waits_for_the_budget_does_not_block_the_rest(
    project: Path, quick: Quick
) -> None:
    paused = await run(quick(project), ScriptedModel(reply, slots=1), Limits(model_calls=3))
    assert (paused.status, paused.usage.model_calls) == ("paused", 3)


async def test_the_file_alone_tells_what_working_side_by_side_gained(project: Path, quick: Quick) -> None:
    model = ScriptedModel(reply, slots=WIDTH)
    async with asyncio.timeout(60), Swarm.open(quick(project), model=model) as swarm:
        started: Run[str] = await swarm.start("Say it.", plan=Plan(steps=(WORDS,)))
        await started.answer()
        told = started.speedup()
    events = read_events(run_path(project, started.id))
    assert speedup_of(events) == told
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.speedup is not None
    assert (ended.speedup.slots, ended.speedup.work_seconds) == (WIDTH, told.work_seconds)
