"""What went wrong or was changed in a run, as its views tell it."""

from __future__ import annotations

import pytest

from swarm.nouns.events import (
    AgentDied,
    Event,
    LoopBlocked,
    PlanMade,
    RunEnded,
    RunStarted,
    ServerChanged,
    StepChanged,
    StepEnded,
)
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.view.plain import line_of
from swarm.view.rows import stage_of, step_rows
from swarm.view.state import RunState

LINES: list[tuple[Event, str]] = [
    (
        AgentDied(step="notes", item=3, text="MemoryError: no room", goes_on=True),
        "notes[3]: its worker died, another goes on: MemoryError: no room",
    ),
    (AgentDied(step="notes", text="a bug", goes_on=False), "notes: its worker died: a bug"),
    (LoopBlocked(seconds=7.4), "nothing in this process could run for 7 s: blocked or halted"),
    (
        ServerChanged(server="files", state="died", text="exit code 3"),
        "the server 'files' died: exit code 3",
    ),
    (
        ServerChanged(server="files", state="died", text="the server 'files' did not start: no such program"),
        "the server 'files' did not start: no such program",
    ),
    (ServerChanged(server="files", state="restarted"), "the server 'files' runs again"),
    (
        StepChanged(step="notes", change="split", why="it was too much", parts=("notes_1", "notes_2")),
        "notes: split into notes_1, notes_2: it was too much",
    ),
    (
        RunEnded(status="degraded", answer="", steps={"a": "done", "b": "done", "c": "dropped"}),
        "degraded (steps: 2 done, 1 dropped) in 0.0s: 0 prompt tokens (0 cached), 0 written",
    ),
]


@pytest.mark.parametrize(("event", "line"), LINES, ids=lambda value: getattr(value, "kind", ""))
def test_trouble_has_a_line(event: Event, line: str) -> None:
    assert line_of(event) == line


STEPS = tuple(Step(id=id, agent="writer", brief="Work.") for id in ("lost", "gone", "late"))


def stages(*events: Event) -> list[str]:
    state = RunState()
    for event in (RunStarted(run="r", task="t", model="m"), PlanMade(plan=Plan(steps=STEPS)), *events):
        state.apply(event)
    assert len(step_rows(state, width=100)) == len(STEPS)
    return [stage_of(step) for step in state.steps.values()]


def test_every_step_of_a_run_that_ended_is_shown_where_it_stands() -> None:
    failed = StepEnded(step="lost", result=Result.failed("why"))
    dropped = StepEnded(step="gone", result=Result(status="dropped", reason="nobody can"))
    cut = RunEnded(
        status="stopped", answer="", steps={"lost": "failed", "gone": "dropped", "late": "unfinished"}
    )
    again = StepChanged(step="lost", change="retry", why="by chance")
    resumed = RunStarted(run="r", task="t", model="m", is_resumed=True)

    assert stages(failed, dropped) == ["failed", "dropped", "waiting"]
    assert stages(failed, dropped, again) == ["waiting", "dropped", "waiting"]
    assert stages(failed, dropped, cut) == ["failed", "dropped", "unfinished"]
    assert stages(failed, dropped, cut, resumed) == ["waiting", "dropped", "waiting"]
