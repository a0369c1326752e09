"""A run that is told what to do while it works: by its program, or by a command from elsewhere."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from swarm.nouns.commands import Allow, Command, Heard, Pause, Stop
from swarm.nouns.events import LimitReached, Notice
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.run.deadline import PauseAt
from swarm.run.run import AskMore, Run
from swarm.run.swarm import Swarm
from swarm.store.file.mailbox import tell
from swarm.store.shelf.reader import read_events, read_run, read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

WIDTH = 6
PLAN = Plan(steps=tuple(Step(id=f"words_{n}", agent="writer", brief=f"Say {n}.") for n in range(WIDTH)))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


class Held:
    """A model whose replies wait until they are let go."""

    def __init__(self, slots: int) -> None:
        self.model = ScriptedModel(self._reply, slots=slots)
        self._awaited = slots
        self.asked = asyncio.Event()
        """Set when all slots are busy."""
        self.go = asyncio.Event()

    async def _reply(self, request: Request) -> str:
        self._awaited -= 1
        if self._awaited <= 0:
            self.asked.set()
        await self.go.wait()
        return json.dumps({"result": "said"})


async def start(swarm: Swarm, ask_more: AskMore | None = None) -> Run[str]:
    return await swarm.start("Say it.", plan=PLAN, ask_more=ask_more)


async def told(run: Run[str], swarm: Swarm, command: Command) -> Heard:
    heard = await asyncio.to_thread(tell, run_path(swarm.project.root, run.id), command)
    assert heard is not None
    return heard


async def resumed(project: Path, id: str) -> tuple[str, ScriptedModel]:
    model = ScriptedModel(lambda request: json.dumps({"result": "said"}), slots=WIDTH)
    async with asyncio.timeout(60), Swarm.open(project, model=model) as swarm:
        run: Run[str] = await swarm.resume(id)
        return (await run.answer()).status, model


async def test_a_paused_run_lets_calls_in_flight_end_and_starts_no_other(project: Path) -> None:
    held = Held(slots=2)
    async with asyncio.timeout(60), Swarm.open(project, model=held.model) as swarm:
        run = await start(swarm)
        await held.asked.wait()
        heard = await told(run, swarm, Pause())
        held.go.set()
        answer = await run.answer()

    path = run_path(project, run.id)
    recorded = sum(len(thread.turns) for thread in read_threads(path))
    assert heard.ok
    assert heard.text.startswith("pausing; it ends when ")
    assert (answer.status, read_run(path).status, answer.reached) == ("paused", "paused", None)
    assert re.fullmatch(r"paused by the user; [0-2] of 6 steps are done", answer.text)
    assert recorded == len(held.model.log) == 2
    notices = [event.text for event in read_events(path) if isinstance(event, Notice)]
    assert notices == ["paused by the user: it pauses when the 2 calls in flight have ended"]

    status, second = await resumed(project, run.id)
    assert status == "done"
    assert len(second.log) == WIDTH - recorded + 1, "the items that are left, and the answer"


async def test_a_program_pauses_a_run_with_a_method(project: Path) -> None:
    held = Held(slots=1)
    async with asyncio.timeout(60), Swarm.open(project, model=held.model) as swarm:
        run = await start(swarm)
        await held.asked.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(run.pause("lunch"))
            held.go.set()
        assert (await run.answer()).text.startswith("lunch; ")
        await run.pause()


async def test_a_stop_from_elsewhere_cuts_the_calls_in_flight_off(project: Path) -> None:
    held = Held(slots=2)
    async with asyncio.timeout(60), Swarm.open(project, model=held.model) as swarm:
        run = await start(swarm)
        await held.asked.wait()
        heard = await told(run, swarm, Stop(reason="stopped from afar"))
        answer = await run.answer()

    assert heard == Heard(ok=True, text="stopping")
    assert (answer.status, answer.text) == ("stopped", "stopped from afar")
    assert (await resumed(project, run.id))[0] == "done"


async def test_a_run_rests_when_its_time_is_up(project: Path) -> None:
    held = Held(slots=1)
    left = [1_000.0]
    async with asyncio.timeout(60), Swarm.open(project, model=held.model) as swarm:
        run = await start(swarm)
        run.pause_by(PauseAt("it is late", lambda: left[0]))
        await held.asked.wait()
        held.go.set()
        left[0] = 0.0
        run.pause_by(PauseAt("it is late", lambda: left[0]))
        answer = await run.answer()

    assert (answer.status, answer.text.partition(";")[0]) == ("paused", "it is late")


async def test_a_limit_raised_from_elsewhere_ends_the_question_and_the_run_goes_on(project: Path) -> None:
    asked = asyncio.Event()

    async def nobody_answers(reached: LimitReached) -> float | None:
        asked.set()
        await asyncio.Event().wait()
        return None

    model = ScriptedModel(lambda request: json.dumps({"result": "said"}), slots=WIDTH)
    limits = Limits(model_calls=2)
    async with asyncio.timeout(60), Swarm.open(project, model=model, limits=limits) as swarm:
        run = await start(swarm, nobody_answers)
        await asked.wait()
        heard = await told(run, swarm, Allow(limit="model_calls", value=100))
        answer = await run.answer()

    assert heard == Heard(ok=True, text="limits.model_calls is 100 now")
    assert (answer.status, len(model.log)) == ("done", WIDTH + 1)
    assert read_run(run_path(project, run.id)).limits.model_calls == 100


async def test_a_limit_that_cannot_be_changed_is_refused_with_those_that_can(project: Path) -> None:
    held = Held(slots=1)
    async with asyncio.timeout(60), Swarm.open(project, model=held.model) as swarm:
        run = await start(swarm)
        turns = await told(run, swarm, Allow(limit="turns", value=3))
        wrong = await told(run, swarm, Allow(limit="tokens", value=-1))
        await run.stop()

    assert not turns.ok
    assert "limits.turns cannot be changed while a run works" in turns.text
    assert wrong == Heard(ok=False, text="limits.tokens = -1.0: Input should be greater than or equal to 1")
