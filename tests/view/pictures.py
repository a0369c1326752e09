"""Runs of many sub-agents, some of them failed, as their events tell of them."""

from __future__ import annotations

from rich.text import Text

from swarm.nouns.events import (
    AgentEnded,
    AgentStarted,
    AgentWaiting,
    Event,
    ModelAsked,
    ModelReplied,
    PlanMade,
    RunStarted,
    StepEnded,
    StepExpanded,
    ToolCalled,
    ToolReturned,
)
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result, Status
from swarm.nouns.timing import Forecast
from swarm.view.rows import live_rows
from swarm.view.state import RunState

PLAN = Plan(
    steps=(
        Step(id="names", agent="researcher", brief="List the reports."),
        Step(id="totals", agent="researcher", each="names", brief="Add up {item}."),
        Step(id="count", agent="analyst", needs=("names",), brief="Count them."),
        Step(
            id="report", agent="writer", needs=("totals", "count"), brief="Write it.", writes="out/report.md"
        ),
    )
)
USED = Usage(prefilled_tokens=400, cached_tokens=300, written_tokens=40, model_calls=1)
NOW = 145.0


def live(state: RunState, *, width: int, height: int) -> list[Text]:
    return live_rows(state, now=NOW, width=width, height=height)


def told(*events: Event) -> RunState:
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def busy(items: int, *more: Event) -> RunState:
    """A run half-way: of the items half are done, one is degraded, one failed, one is tried again, 14 are at work."""
    events = [*_beginning(items), *_ended(items), *_again(items), *_at_work(items)]
    return told(*sorted(events, key=lambda event: event.at), *more)


def _beginning(items: int) -> list[Event]:
    labels = tuple(f"reports/r{number:03}.txt" for number in range(1, items + 1))
    return [
        RunStarted(
            run="k3f9a2bc",
            task="Audit the warehouse reports and write a short report about what is missing in them",
            model="qwen2.5-coder-1.5b",
            slots=16,
            at=100.0,
        ),
        PlanMade(
            plan=PLAN, forecast=Forecast(low_seconds=60, high_seconds=120, slots=16, agents=items), at=101.0
        ),
        AgentStarted(step="names", agent="researcher", at=101.0),
        AgentEnded(step="names", status="done", text="30 rows", at=103.0),
        StepEnded(step="names", result=Result(text="30 rows"), at=103.0),
        StepExpanded(step="totals", items=labels, at=103.0),
        StepEnded(step="count", result=Result(text="thirty reports"), at=104.0),
    ]


def _turn(item: int, turn: int, at: float) -> list[Event]:
    path = f"reports/r{item + 1:03}.txt"
    return [
        ModelAsked(step="totals", item=item, turn=turn, at=at),
        ModelReplied(step="totals", item=item, turn=turn, usage=USED, action="files.read", at=at + 1),
        ToolCalled(step="totals", item=item, turn=turn, tool="files.read", summary=path, at=at + 1),
        ToolReturned(
            step="totals",
            item=item,
            turn=turn,
            tool="files.read",
            is_error=False,
            summary="12 lines",
            seconds=0.1,
            at=at + 1,
        ),
    ]


def _ended(items: int) -> list[Event]:
    events: list[Event] = []
    for item in range(items // 2):
        status: Status = "degraded" if item == 3 else "failed" if item == 5 else "done"
        text = {"degraded": "not found in what was read: total", "failed": "gave up: an unknown language"}
        events += [
            AgentStarted(step="totals", item=item, agent="researcher", at=104.0),
            *_turn(item, 1, 105.0),
        ]
        events += [
            AgentEnded(
                step="totals", item=item, status=status, text=text.get(status, "the total is 12"), at=110.0
            )
        ]
    return events


def _again(items: int) -> list[Event]:
    item = items // 2
    return [
        AgentStarted(step="totals", item=item, agent="researcher", at=111.0),
        AgentEnded(step="totals", item=item, status="failed", text="no JSON twice", at=112.0),
        AgentWaiting(step="totals", item=item, attempt=2, at=112.0),
    ]


def _at_work(items: int) -> list[Event]:
    events: list[Event] = []
    first = items // 2 + 1
    for item in range(first, min(first + 14, items)):
        events += [
            AgentStarted(step="totals", item=item, agent="researcher", at=113.0 + item % 14),
            *_turn(item, 1, 128.0),
            ModelAsked(step="totals", item=item, turn=2, at=130.0),
        ]
    for item in range(first + 14, items):
        events += [AgentWaiting(step="totals", item=item, at=130.0)]
    return events
