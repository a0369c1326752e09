"""A run at its limit and the figures of time, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import MODEL, RUN, MakeProject, here

SCRIPT = """
import json

def reply(request):
    said = request.messages[-1].content
    if "Task:" in said:
        step = {"id": "tell", "agent": "writer", "each": "", "needs": [], "columns": [], "writes": ""}
        return json.dumps({"steps": [{**step, "brief": "Tell who owes most."}]})
    return json.dumps({"result": "Ana owes most."})
"""
BESIDE = """
import asyncio, json

asked = []

def latency(request):
    return 0.05

async def reply(request):
    asked.append(request)
    while len(asked) < 2:
        await asyncio.sleep(0.01)
    return json.dumps({"result": "Ana owes most."})
"""
"""Two agents are asked before either gets its reply, which takes some time."""
STEP = {"agent": "writer", "brief": "Say who owes most."}
STEPS = ({"id": "owes", **STEP}, {"id": "pays", **STEP})


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project(SCRIPT, STEPS)


def test_a_run_at_its_limit_exits_with_3_and_names_the_command_that_goes_on(project: Path) -> None:
    paused = here(*RUN, "--limit", "model_calls=1", at=project)

    assert (paused.exit_code, paused.stdout) == (3, "")
    *_, last = paused.stderr.splitlines()
    assert "the run has used 1 of 1 model calls and needs one more for turn 1 of " in last
    assert " of 2 steps are done; go on with: swarm resume " in last
    command = last.split("go on with: swarm ")[1].split()
    assert command[2:] == ["--limit", "model_calls=2"]
    listed = here("runs", at=project).stdout.splitlines()
    assert listed[1].split()[1] == "paused"

    again = here(*command, *MODEL, at=project)
    assert again.exit_code == 3, "two steps and the answer need three calls"
    ended = here("resume", *MODEL, "--limit", "model_calls=1_000", at=project)
    assert (ended.exit_code, ended.stdout.splitlines()[0]) == (0, "Ana owes most.")


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("money=3", "no limit is called 'money'; there are: tokens, model_calls, "),
        ("tokens=many", "--limit tokens=many: "),
        ("tokens", "--limit tokens=: "),
    ],
)
def test_a_limit_that_means_nothing_is_refused(project: Path, limit: str, words: str) -> None:
    refused = here(*RUN, "--limit", limit, at=project)

    assert words in str(refused.exception)
    assert not (project / ".swarm").exists()


def test_a_run_tells_what_working_side_by_side_gained(make_project: MakeProject) -> None:
    project = make_project(BESIDE, STEPS)
    done = here(*RUN, at=project)
    shown = here("show", at=project).stdout
    whole = json.loads(here("show", "--json", at=project).stdout)

    assert " times as fast as one after another: " in done.stderr
    assert " times as fast as one after another: " in shown
    assert " on 8 slots (ideal " in shown
    assert whole["speedup"]["slots"] == 8
    assert set(whole["speedup"]["lost"]) == {
        "queue",
        "swap",
        "prefill",
        "approval",
        "retry",
        "start",
        "other",
    }


def test_a_plan_is_shown_with_the_time_it_should_take(project: Path) -> None:
    made = here("run", "Who owes most?", "--plan-only", *MODEL, at=project)

    assert made.stdout.split()[:3] == ["1", "tell", "writer"]
    assert made.stderr.splitlines()[-1].endswith(" on 8 slots, 1 sub-agent")
    assert made.stderr.splitlines()[-1].startswith("about ")
