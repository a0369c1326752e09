"""Runs that begin long after anything moved in their process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.runs import workers_project
from benchmarks.turns import result_turn
from swarm import Plan, Run, Step, Swarm
from swarm.clock.pulse import PULSE
from swarm.engine.watch import TICK_SECONDS
from swarm.testing import ScriptedModel

pytestmark = pytest.mark.anyio


async def test_silence_from_before_a_run_is_not_held_against_it(tmp_path: Path) -> None:
    model = ScriptedModel(lambda _: result_turn("Done."), latency_seconds=2 * TICK_SECONDS)
    plan = Plan(steps=(Step(id="wait", agent="worker", brief="Do it."),))
    async with asyncio.timeout(60), Swarm.open(workers_project(tmp_path / "project"), model=model) as swarm:
        PULSE.get().at -= 1_000_000

        run: Run[str] = await swarm.start("Do it.", plan=plan)

        assert (await run.answer()).status == "done"


async def test_a_given_plan_is_told_of_once(tmp_path: Path) -> None:
    model = ScriptedModel(lambda _: result_turn("Done."))
    plan = Plan(steps=(Step(id="wait", agent="worker", brief="Do it."),))
    kept: list[Plan | None] = []
    async with asyncio.timeout(60), Swarm.open(workers_project(tmp_path / "project"), model=model) as swarm:
        run: Run[str] = await swarm.start("Do it.", plan=plan)
        kept += [event.plan async for event in run.events() if event.kind == "plan_made"]

    assert kept == [plan]
