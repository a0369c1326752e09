"""The two views, run on a stream of events."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from rich.console import Console

from swarm.events import AgentEnded, Event, PlanMade, RunEnded, RunStarted, StepEnded, ToolReturned
from swarm.limits import Usage
from swarm.plan import Plan, Step
from swarm.result import Result
from swarm.view.plain import show
from swarm.view.plan import plan_rows
from swarm.view.terminal import TerminalView

pytestmark = pytest.mark.anyio

PLAN = Plan(steps=(Step(id="ask", agent="generalist", brief="Say who owes most."),))
EVENTS: tuple[Event, ...] = (
    RunStarted(run="k3f9a2bc", task="Who owes most?", model="small", at=100.0),
    PlanMade(plan=PLAN, origin="direct", at=100.5),
    ToolReturned(
        step="ask", turn=1, tool="files.read", is_error=True, summary="no file 'a'", seconds=0.1, at=101.0
    ),
    AgentEnded(step="ask", status="done", text="Ana", at=104.0),
    StepEnded(step="ask", result=Result(text="Ana"), at=104.0),
    RunEnded(
        status="done", answer="Ana", usage=Usage(prefilled_tokens=1_200, model_calls=2), seconds=4.0, at=104.0
    ),
)


async def stream() -> AsyncIterator[Event]:
    for event in EVENTS:
        yield event


async def test_without_a_terminal_each_event_worth_one_is_a_line() -> None:
    out = io.StringIO()

    await show(stream(), out)

    assert out.getvalue().splitlines() == [
        "    0.0s  run k3f9a2bc on small: Who owes most?",
        "    0.5s  plan (direct): ask",
        "    1.0s  ask: files.read failed: no file 'a'",
        "    4.0s  ask: done: Ana",
        "    4.0s  done in 4.0s: 1.2k prompt tokens (0 cached), 0 written",
    ]


async def test_the_live_view_leaves_one_row_for_each_step() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=90, height=10, color_system=None)
    view = TerminalView(console, clock=lambda: 102.0)

    with console.capture() as capture:
        await view.show(stream())

    left = capture.get().replace("\x1b[2K", "").replace("\x1b[1A", "").splitlines()[-2:]
    assert [line.split() for line in left] == [
        ["✓", "ask", "Ana", "3.0s"],
        [
            "done",
            "in",
            "4.0s",
            "·",
            "1.2k",
            "prefilled",
            "·",
            "0",
            "cached",
            "·",
            "0",
            "written",
            "·",
            "2",
            "model",
            "calls",
        ],
    ]


def test_a_plan_is_one_row_for_each_step() -> None:
    plan = Plan(
        steps=(
            Step(id="notes", agent="researcher", brief="List the notes."),
            Step(id="read", agent="researcher", each="notes", brief="Read {item}."),
            Step(id="write", agent="writer", needs=("read",), brief="Write it.", writes="a.csv"),
        )
    )

    assert plan_rows(plan) == [
        "  1  notes  researcher  List the notes.",
        "  2  read   researcher  for each of notes: Read {item}.",
        "  3  write  writer      Write it. [after read] [writes a.csv]",
    ]
