"""The view where there is no terminal: one line for each event that is worth one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import TextIO

from swarm import events
from swarm.events import Event
from swarm.view.outlet import room
from swarm.view.state import Told, words_of
from swarm.view.timing import forecast_words, speedup_rows
from swarm.view.words import count, duration, one_line

WIDTH = 160
_CANDIDATE = re.compile(r"c\d+(?:p\d+)?")
"""What the conversation about a candidate is called: its number, and which further part of it is asked for."""


async def show(stream: AsyncIterator[Event], out: TextIO) -> None:
    """Writes the lines as the events come, each with the time since the first, and waits for whoever reads."""
    first: float | None = None
    async for event in stream:
        first = event.at if first is None else first
        if words := line_of(event):
            rows = speedup_rows(event.speedup) if isinstance(event, events.RunEnded) and event.speedup else []
            await room(out)
            for row in (words, *rows):
                out.write(f"{duration(event.at - first):>8}  {one_line(row, WIDTH)}\n")
            out.flush()


def line_of(event: Event) -> str | None:
    """What a line says of the event, or None for an event without one."""
    if isinstance(event, Told):
        return words_of(event)
    match event:
        case events.RunStarted():
            return f"{'resumed' if event.is_resumed else 'run'} {event.run} on {event.model}: {event.task}"
        case events.PlanMade():
            steps = ", ".join(step.id for step in event.plan.steps)
            when = forecast_words(event.forecast, "") if event.forecast else ""
            return "; ".join(part for part in (f"plan ({event.origin}): {steps}", event.note, when) if part)
        case events.Notice():
            return f"{f'{event.step}: ' if event.step else ''}{event.text}"
        case events.RunEnded():
            return _end_words(event)
        case _:
            return _step_words(event)


def whole_line_of(event: Event) -> str:
    """What a line says of any event: who, and what."""
    return line_of(event) or _small_words(event) or event.kind.replace("_", " ")


def _small_words(event: Event) -> str | None:
    """Of events that a view passes over, because others tell the same."""
    match event:
        case events.AgentWaiting():
            what = {"slot": "a slot", "question": "a person", "retry": "another try"}[event.what]
            return f"{_name(event)}: waits for {what}"
        case events.ModelAsked():
            return f"{_name(event)}: asks the model (turn {event.turn})"
        case events.ModelReplied():
            used = event.usage
            tokens = f"{count(used.prompt_tokens)}→{count(used.written_tokens)} tokens"
            took = f"{tokens} in {duration(used.model_seconds)}"
            return f"{_name(event)}: the model replied (turn {event.turn}, {took}): {event.action}"
        case events.ToolReturned():
            return f"{_name(event)}: {event.tool} gave in {duration(event.seconds)}: {event.summary}"
        case events.AgentEnded():
            return f"{_name(event)}: {event.status}: {event.text}"
        case _:
            return None


def _step_words(event: Event) -> str | None:
    match event:
        case events.StepExpanded():
            return f"{event.step}: {len(event.items)} items"
        case events.AgentStarted():
            return f"{_name(event)}: {event.agent} begins{f': {event.label}' if event.label else ''}"
        case events.ModelAsked() if event.step.startswith("_"):
            # Nothing else tells of the wait for a plan or the answer.
            return f"{_name(event)}: asks the model"
        case events.ModelAsked() if _CANDIDATE.fullmatch(event.part):
            # As little tells of the wait for programs, several of which are drawn from one question.
            return f"{_name(event)}: asks the model for programs"
        case events.ToolCalled():
            return f"{_name(event)}: {event.tool} {event.summary}"
        case events.ToolReturned(is_error=True):
            return f"{_name(event)}: {event.tool} failed: {event.summary}"
        case events.AgentDied():
            return (
                f"{_name(event)}: its worker died{', another goes on' if event.goes_on else ''}: {event.text}"
            )
        case events.AgentEnded(item=None, status="done"):
            return None  # The step's own line says the same.
        case events.AgentEnded():
            return f"{_name(event)}: {event.status}: {event.text}"
        case events.StepEnded():
            return f"{event.step}: {event.result.status}: {event.result.reason or event.result.text}"
        case _:
            return None


def _name(
    event: events.AgentWaiting
    | events.AgentStarted
    | events.ModelAsked
    | events.ModelReplied
    | events.ToolCalled
    | events.ToolReturned
    | events.AgentDied
    | events.AgentEnded,
) -> str:
    item = ("" if event.item is None else f"[{event.item}]") + (f"~{event.part[:4]}" if event.part else "")
    attempt = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    return f"{event.step.lstrip('_')}{item}{attempt}"


def _end_words(event: events.RunEnded) -> str:
    used = event.usage
    tokens = f"{count(used.prompt_tokens)} prompt tokens ({count(used.cached_tokens)} cached)"
    stand = Counter(event.steps.values())
    steps = ", ".join(f"{number} {status}" for status, number in stand.items())
    what = f"{event.status}{f' (steps: {steps})' if len(stand) > 1 else ''}"
    return f"{what} in {duration(event.seconds)}: {tokens}, {count(used.written_tokens)} written"
