"""Forks: a new run with the beginning of another one's journal, on real files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ProjectError
from swarm.nouns.events import Notice
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_events, read_run, read_threads
from swarm.store.shelf.runs import list_runs, run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

WIDTH = 5
NAMES = Step(
    id="names", agent="writer", brief="Name them.", expects={"type": "array", "items": {"type": "string"}}
)
LETTERS = Step(id="letters", agent="generalist", each="names", brief="Post {item}.")
PLAN = Plan(steps=(NAMES, LETTERS))
posted: list[str] = []


def post(text: str) -> str:
    """Posts a letter."""
    posted.append(text)
    return f"posted {text}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    posted.clear()
    return tmp_path


def model(word: str = "sent") -> ScriptedModel:
    """Posts each letter, then says so; one agent after the other."""

    def reply(request: Request) -> str:
        said = "\n".join(message.content for message in request.messages)
        number = next((n for n in range(WIDTH) if f"Post letter {n}" in said), None)
        answer: JsonValue = {"result": word}
        if "Name them." in said:
            answer = {"result": [f"letter {n}" for n in range(WIDTH)]}
        elif number is not None and "gave:" not in said:
            answer = {"tool": "python.post", "args": {"text": f"letter {number}"}}
        return json.dumps(answer)

    return ScriptedModel(reply, slots=1)


async def done(project: Path) -> str:
    """A run that came to its end."""
    async with asyncio.timeout(60), Swarm.open(project, model=model(), tools=[post]) as swarm:
        run: Run[str] = await swarm.start("Post the letters.", plan=PLAN)
        assert (await run.answer()).status == "done"
        return run.id


async def resumed(project: Path, id: str, word: str) -> ScriptedModel:
    other = model(word)
    async with asyncio.timeout(60), Swarm.open(project, model=other, tools=[post]) as swarm:
        run: Run[str] = await swarm.resume(id, limits=Limits(tokens=1_000_000))
        assert (await run.answer()).status == "done"
    return other


async def test_a_fork_goes_on_from_its_turn_and_repeats_no_effect_before_it(project: Path) -> None:
    id = await done(project)
    before = read_events(run_path(project, id)), read_threads(run_path(project, id))
    posted.clear()
    async with Swarm.open(project, model=model(), tools=[post]) as swarm:
        made = await swarm.fork(id, "letters[2]:2")
    assert (made.replies, made.calls, posted) == (1 + 5, 3, [])
    assert made.later == ("python.post letter 3 (done)", "python.post letter 4 (done)")

    other = await resumed(project, made.path.stem, "sent by the fork")
    assert posted == ["letter 3", "letter 4"]
    assert len(other.log) == 1 + 2 * 2 + 1, "the turn, two letters, and the answer"
    results = [
        thread.result.data
        for thread in read_threads(made.path)
        if thread.thread.step == "letters"
        if thread.result
    ]
    assert sorted(map(str, results)) == ["sent", "sent", *["sent by the fork"] * 3]
    assert {thread.thread.run for thread in read_threads(made.path)} == {made.path.stem}
    assert (read_events(run_path(project, id)), read_threads(run_path(project, id))) == before


async def test_a_fork_says_where_it_comes_from_and_counts_what_it_took_over(project: Path) -> None:
    id = await done(project)
    async with Swarm.open(project, model=model(), tools=[post]) as swarm:
        made = await swarm.fork("last", "letters[1]:1")
    record, events = read_run(made.path), read_events(made.path)
    assert record.settings["fork"] == {"run": id, "event": made.event}
    assert (record.id, record.status, record.plan) == (made.path.stem, "stopped", PLAN)
    assert isinstance(events[-1], Notice)
    assert events[-1].text == f"a fork of run {id} after its event {made.event}"
    assert events[:-1] == read_events(run_path(project, id))[: made.event]
    assert {record.id for record in list_runs(project).records} == {id, made.path.stem}
    assert [
        path.suffix for path in made.path.parent.glob(f"{made.path.stem}.*") if path.suffix == ".fork"
    ] == []


async def test_a_fork_of_a_fork_and_a_fork_at_the_first_event_are_runs_like_others(project: Path) -> None:
    id = await done(project)
    async with Swarm.open(project, model=model(), tools=[post]) as swarm:
        first = await swarm.fork(id, "1")
        assert (first.replies, first.calls, len(first.later)) == (0, 0, WIDTH)
        second = await swarm.fork((await swarm.fork(id, "answer:1")).path.stem, "letters[4]:2")
    assert second.replies == 1 + 2 * WIDTH - 1
    posted.clear()

    await resumed(project, second.path.stem, "again")
    assert posted == []
    await resumed(project, first.path.stem, "anew")
    assert posted == [f"letter {number}" for number in range(WIDTH)]


async def test_a_turn_that_was_never_asked_is_refused_with_those_that_were(project: Path) -> None:
    id = await done(project)
    async with Swarm.open(project, model=model(), tools=[post]) as swarm:
        for at, words in {
            "letters:2": r"no such turn was asked; there are names:1, letters\[0\]:1 to :2, ",
            "letters[2]:3": "no such turn was asked",
            "0": "the run has the events 1 to ",
            "99999": "the run has the events 1 to ",
            "the end": "write a turn as STEP:TURN",
        }.items():
            with pytest.raises(ProjectError, match=words):
                await swarm.fork(id, at)
    assert len(list_runs(project).records) == 1
