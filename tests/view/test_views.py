"""The two views, run on a stream of events."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator

import pytest
from rich.cells import cell_len
from rich.console import Console

from swarm.cli.approval import approve
from swarm.events import (
    AgentEnded,
    Event,
    ModelAsked,
    PlanMade,
    RunEnded,
    RunStarted,
    StepEnded,
    ToolReturned,
)
from swarm.limits import Usage
from swarm.plan import Plan, Step
from swarm.result import Result
from swarm.view.plain import show
from swarm.view.plan import file_rows, plan_rows
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


async def test_without_a_terminal_the_wait_for_programs_is_told() -> None:
    out = io.StringIO()

    async def asking() -> AsyncIterator[Event]:
        yield EVENTS[0]
        for part in ("c1", "c2p3", ""):
            yield ModelAsked(step="ask", turn=1, part=part, at=101.0)

    await show(asking(), out)

    assert [line[8:] for line in out.getvalue().splitlines()[1:]] == [
        "  ask~c1: asks the model for programs",
        "  ask~c2p3: asks the model for programs",
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


LONG = "reports/2026/november/warehouse-north/" * 3 + "the whole audit with all its findings.md"
WRITING = Plan(
    steps=(
        Step(id="totals", agent="analyst", brief="Add up what each of the thirty warehouses reports. " * 3),
        Step(
            id="table",
            agent="writer",
            needs=("totals",),
            brief="Write the totals into one table with all that is known of them. " * 3,
            writes="totals.csv",
            expects={
                "type": "array",
                "items": {"type": "object", "properties": {"warehouse": {}, "total": {}}},
            },
        ),
        Step(id="audit", agent="writer", needs=("totals", "table"), brief="Write it. " * 9, writes=LONG),
        Step(id="odd", agent="writer", brief="Write it.", writes="a\x1b[2Jb.md"),
    )
)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_plan_shows_every_file_that_it_will_write_at_any_width(width: int) -> None:
    assert file_rows(WRITING) == [
        "It writes 3 files:",
        "  totals.csv  (step table: warehouse, total)",
        f"  {LONG}  (step audit)",
        r"  'a\x1b[2Jb.md'  (step odd)",
    ]
    rows = plan_rows(WRITING, width=width)
    assert max(map(cell_len, rows)) <= width
    assert any("[after totals] [writes totals.csv" in row for row in rows)
    assert file_rows(PLAN) == []


@pytest.mark.parametrize("width", [40, 80, 200])
async def test_the_approval_of_a_plan_shows_every_file_whole(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal's input is put in place of that of the test run, as a person's would be."""
    ours, theirs = os.pipe()
    os.write(theirs, b"y\n")
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    with os.fdopen(ours, encoding="utf-8") as typed, console.capture() as capture:
        monkeypatch.setattr("sys.stdin", typed)
        assert await approve(WRITING, console, lambda plan: "about 3 minutes") == WRITING
    os.close(theirs)

    shown = capture.get().splitlines()
    assert f"  {LONG}  (step audit)" in shown
    assert "  totals.csv  (step table: warehouse, total)" in shown
    assert not any("\x1b[2J" in row for row in shown)


class Screen(io.StringIO):
    """What is written to it, and a sign whenever that is a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = asyncio.Event()

    def write(self, text: str, /) -> int:
        if "Who owes most?" in text:
            self.drawn.set()
        return super().write(text)


async def test_the_picture_after_a_question_begins_below_it() -> None:
    """A picture that was drawn before must not be taken for the lines of the question."""
    screen, answered = Screen(), asyncio.Event()
    console = Console(file=screen, force_terminal=True, width=90, height=20, color_system=None)
    view = TerminalView(console, clock=lambda: 102.0)

    async def events() -> AsyncIterator[Event]:
        yield EVENTS[0]
        yield EVENTS[1]
        await answered.wait()
        yield EVENTS[-1]

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(view.show(events()))
        await screen.drawn.wait()
        with view.paused():
            console.print("Run this plan?")
            before = len(screen.getvalue())
            screen.drawn.clear()
        await screen.drawn.wait()
        answered.set()

    assert "\x1b[1A" not in screen.getvalue()[before:].partition("Who owes most?")[0]
