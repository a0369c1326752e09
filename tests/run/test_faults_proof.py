"""Sub-agents on a server with a fault: whoever does not meet it loses nothing, and the run tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults import AGENTS, PLAN, run
from benchmarks.runs import workers_project
from benchmarks.turns import result_turn
from swarm import Run, Swarm
from swarm.models.client.litellm import LitellmModel
from swarm.models.model import Endpoint
from swarm.nouns.events import Notice
from swarm.testing import Fault, ScriptedModel, serving
from swarm.testing.double.faults import FaultKind

# Importing litellm takes seconds, on a starved machine minutes.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return workers_project(tmp_path / "project")


@pytest.mark.parametrize("fault", ["cut", "empty", "html"])
async def test_siblings_of_an_agent_that_meets_a_fault_are_done_and_asked_once(
    project: Path, fault: FaultKind
) -> None:
    ran = await run(project, Fault(fault), is_streamed=True, seconds=120.0, pause=0.01)

    assert (ran.expected, ran.lost, ran.asked_again) == (AGENTS - 1, 0, 0)


async def test_a_server_that_restarts_fails_no_step(project: Path) -> None:
    ran = await run(project, Fault("restart", seconds=0.2), is_streamed=True, seconds=120.0, pause=0.02)

    assert (ran.expected, ran.lost) == (AGENTS, 0)


async def test_what_holds_a_call_up_is_an_event_of_its_step(project: Path) -> None:
    server = ScriptedModel(lambda _: result_turn("Done."), faults=[Fault("503", times=1, seconds=0.01)])

    async with serving(server) as url:
        endpoint = Endpoint(kind="llamacpp", model="scripted", url=url)
        async with LitellmModel(endpoint) as model, Swarm.open(project, model=model) as swarm:
            running: Run[str] = await swarm.start("Do every piece of work.", plan=PLAN)
            notices = [event async for event in running.events() if isinstance(event, Notice)]

    (notice,) = notices
    assert notice.step in {step.id for step in PLAN.steps}
    assert "failed with status 503" in notice.text
    assert notice.text.endswith("it is asked again in 0.0 s")
