"""A model need not say the same again: greedy text differs between a cold and a warm prompt cache."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path

import pytest

from swarm.nouns.events import StepEnded
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_steps, read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from tests.conftest import write_cards

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

CALL = {"tool": "calculate.calculate", "args": {"expression": "1 + 1"}}
FIRST = Step(id="first", agent="helper", brief="Do the first.")
SECOND = Step(id="second", agent="helper", brief="Do the second.", needs=("first",))


async def test_a_resumed_run_takes_no_reply_for_the_one_that_it_would_get_now(tmp_path: Path) -> None:
    project = write_cards(tmp_path, helper="calculate")
    held = asyncio.Event()

    def model(sitting: str, *, holds: bool) -> ScriptedModel:
        """Says something else each time it is asked, and with ``holds`` nothing more in the second step's last turn."""
        numbers = itertools.count(1)

        async def reply(request: Request) -> str:
            if len(request.messages) < 4:
                return json.dumps(CALL | {"args": {"expression": f"{next(numbers)} + 1"}})
            if holds and "Do the second." in request.messages[1].content:
                held.set()
                await asyncio.Event().wait()
            return json.dumps({"result": f"{sitting} says {next(numbers)}"})

        return ScriptedModel(reply)

    async with asyncio.timeout(60), Swarm.open(project, model=model("the first", holds=True)) as swarm:
        run: Run[str] = await swarm.start("Do it.", plan=Plan(steps=(FIRST, SECOND)))
        await held.wait()
        await run.stop()
    path = run_path(project, run.id)
    before = {str(one.thread): one.turns for one in read_threads(path)}

    async with asyncio.timeout(60), Swarm.open(project, model=model("the second", holds=False)) as swarm:
        resumed: Run[str] = await swarm.resume(run.id)
        ended = [event async for event in resumed.events() if isinstance(event, StepEnded)]
        assert (await resumed.answer()).status == "done"

    after = {str(one.thread): one.turns for one in read_threads(path)}
    assert [after[thread][: len(turns)] for thread, turns in before.items()] == list(before.values())
    assert {name: result.data for name, result in read_steps(path).items()} == {
        "first": "the first says 2",
        "second": "the second says 1",
    }
    assert "second" in [event.step for event in ended]
