"""The live picture: what it says, and that it always fits."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from swarm.nouns.events import (
    AgentEnded,
    AgentStarted,
    AgentWaiting,
    Event,
    ModelAsked,
    ModelReplied,
    Notice,
    PlanMade,
    RunStarted,
    StepEnded,
    StepExpanded,
    ToolCalled,
    ToolReturned,
)
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.view.rows import live_rows, step_rows
from swarm.view.state import RunState

PLAN = Plan(
    steps=(
        Step(id="notes", agent="researcher", brief="List the notes."),
        Step(id="extract", agent="researcher", each="notes", brief="Read {item}."),
        Step(id="write", agent="writer", needs=("extract",), brief="Write actions.csv."),
    )
)


def picture(*events: Event, width: int = 100, height: int = 24, now: float = 0.0) -> list[str]:
    return [row.plain.rstrip() for row in live_rows(state(*events), now=now, width=width, height=height)]


def state(*events: Event) -> RunState:
    known = RunState()
    for event in events:
        known.apply(event)
    return known


def wide(items: int, started: int) -> list[Event]:
    """A plan whose middle step has many items, some of them at work."""
    labels = tuple(f"notes/{item:03}.md" for item in range(items))
    events: list[Event] = [
        RunStarted(run="k3f9a2bc", task="Who owes most?", model="small"),
        PlanMade(plan=PLAN),
        StepEnded(step="notes", result=Result(text="the notes")),
        StepExpanded(step="extract", items=labels),
    ]
    for item, label in enumerate(labels[:started]):
        events += [AgentStarted(step="extract", item=item, agent="researcher", label=label)]
    return events


def test_each_step_says_what_it_does_or_waits_for() -> None:
    rows = picture(
        RunStarted(run="k3f9a2bc", task="Who owes most?", model="small", at=10.0),
        PlanMade(plan=PLAN, at=11.0),
        AgentStarted(step="notes", agent="researcher", at=12.0),
        ModelAsked(step="notes", turn=1, at=12.0),
        ModelReplied(
            step="notes", turn=1, usage=Usage(prefilled_tokens=400, written_tokens=30, model_calls=1), at=14.0
        ),
        ToolCalled(step="notes", turn=1, tool="files.glob", summary="pattern=notes/*.md", at=14.0),
        now=15.0,
    )

    assert rows == [
        "run k3f9a2bc · small · 5.0s",
        "Who owes most?",
        "▶ notes    researcher  files.glob pattern=notes/*.md                                 400→30     3.0s",
        "· extract  researcher  waits for notes",
        "· write    writer      waits for extract",
        "1 at work · 400 prefilled · 0 cached · 30 written · 1 model calls",
    ]


def test_before_there_is_a_plan_it_says_that_it_plans() -> None:
    rows = picture(RunStarted(run="k3f9a2bc", task="Who owes most?", model="small"))

    assert rows[2] == "planning …"


def test_the_runs_own_work_is_shown_while_it_lasts_and_gone_afterwards() -> None:
    looking = ToolCalled(step="_survey", turn=0, tool="files.glob", summary="**/*")
    planning = ModelAsked(step="_plan", turn=1)

    assert picture(looking)[2].startswith("▶ survey")
    assert [row.split()[:2] for row in picture(looking, planning)[2:-1]] == [["●", "plan"]]
    assert [row.split()[1] for row in picture(looking, planning, PlanMade(plan=PLAN))[2:-1]] == [
        "notes",
        "extract",
        "write",
    ]


def test_a_wide_step_is_folded_to_counts_and_what_moves() -> None:
    rows = picture(*wide(300, started=60), height=12)

    assert len(rows) == 12
    assert rows[3].split() == [
        "●",
        "extract",
        "researcher",
        "░" * 19,
        "300",
        "left",
        "60",
        "at",
        "work",
        "0.0s",
    ]
    assert [row.split()[1] for row in rows[4:9]] == [f"notes/{item:03}.md" for item in range(5)]
    assert rows[9] == "  + 55 at work · 240 waiting"


@pytest.mark.parametrize("height", [1, 3, 5, 10, 40, 400])
@pytest.mark.parametrize("width", [20, 66, 200])
def test_the_picture_fits_the_terminal(width: int, height: int) -> None:
    events = [*wide(300, started=200), Notice(text="a long note " * 30)]
    events += [AgentWaiting(step=f"more{number}", what="question") for number in range(30)]

    rows = picture(*events, width=width, height=height)

    assert len(rows) <= height
    assert max(cell_len(row) for row in rows) <= max(width, 60)


def test_with_more_steps_than_rows_those_that_move_are_shown() -> None:
    steps = tuple(Step(id=f"s{number}", agent="writer", brief="Write.") for number in range(50))
    rows = picture(
        PlanMade(plan=Plan(steps=steps)), AgentStarted(step="s40", agent="writer", label="x"), height=8
    )

    assert any(row.startswith("● s40") for row in rows)
    assert rows[-2] == "… 46 more steps: 46 waiting"


def test_text_of_models_and_tools_cannot_steer_the_terminal() -> None:
    rows = picture(
        PlanMade(plan=PLAN),
        AgentEnded(step="notes", status="done", text="red \x1b[31m and \x9b2J a bell \a and \u202eback"),
        StepEnded(step="notes", result=Result(text="red \x1b[31m and \x9b2J a bell \a and \u202eback")),
    )

    assert "red [31m and 2J a bell and back" in rows[2]


def test_a_wide_character_takes_two_columns() -> None:
    rows = picture(PlanMade(plan=PLAN), StepEnded(step="notes", result=Result(text="日本語" * 40)), width=80)

    assert cell_len(rows[2]) <= 80


def test_what_was_in_flight_when_a_run_stopped_waits_after_the_resume() -> None:
    events = wide(2, started=2)
    known = state(*events, RunStarted(run="k3f9a2bc", task="Who owes most?", model="small", is_resumed=True))

    assert [agent.stage for agent in known.steps["extract"].agents.values()] == ["waiting", "waiting"]


def test_finding_the_items_of_a_step_counts_as_no_sub_agent() -> None:
    found = ToolReturned(
        step="extract", turn=0, tool="files.glob", is_error=False, summary="2 files", seconds=0.1
    )
    known = state(
        PlanMade(plan=PLAN),
        found,
        StepExpanded(step="extract", items=("a.md", "b.md")),
        found,
        AgentStarted(step="extract", item=0, agent="researcher"),
    )

    assert list(known.steps["extract"].agents) == [0]


def test_looking_back_names_each_failure_and_folds_many() -> None:
    events = wide(30, started=30)
    events += [
        AgentEnded(step="extract", item=item, status="failed", text="no JSON twice") for item in range(12)
    ]
    rows = [row.plain for row in step_rows(state(*events), width=100)]

    assert rows[2].split() == ["✗", "notes/000.md", "no", "JSON", "twice", "0.0s"]
    assert rows[12] == "  + 2 failed or degraded"
