"""A run that goes on with another model than it had says so."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from swarm.nouns.events import Notice
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_events
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]


def model(name: str = "one", digest: str = "d1") -> ScriptedModel:
    def reply(_: Request) -> str:
        return json.dumps({"result": "said"})

    made = ScriptedModel(reply, name=name)
    made.endpoint = made.endpoint.model_copy(update={"digest": digest})
    return made


async def test_a_resumed_run_tells_with_which_other_model_it_goes_on(tmp_path: Path) -> None:
    plan = Plan(steps=(Step(id="say", agent="writer", brief="Say it."),))
    async with asyncio.timeout(60), Swarm.open(tmp_path, model=model()) as swarm:
        started: Run[str] = await swarm.start("Say it.", plan=plan)
        await started.answer()
    for other in (model(), model(digest="d2"), model("two"), model("two", digest="")):
        async with asyncio.timeout(60), Swarm.open(tmp_path, model=other) as swarm:
            await (await swarm.resume(started.id)).answer()

    events = read_events(run_path(tmp_path, started.id))
    assert [event.text for event in events if isinstance(event, Notice)] == [
        "so far the run asked one; it goes on with one with other weights or another template. "
        "What is recorded stays",
        "so far the run asked one; it goes on with two. What is recorded stays",
    ]
