"""A new run that begins as another one did, up to a turn, and goes on from there."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from swarm.errors import ProjectError
from swarm.nouns.events import Event, ModelAsked, ModelReplied, PlanMade, StepChanged
from swarm.nouns.plan import Plan
from swarm.run.conductor import GIVEN, REPLANS, ROUNDS
from swarm.store.rows.records import CallRecord, RunRecord
from swarm.store.shelf.beginning import Prefix, copy_prefix, prefix_of
from swarm.store.shelf.reader import read_events, read_run, read_threads
from swarm.store.shelf.runs import new_run_id
from swarm.work.context import one_line, summarize

_TURN = re.compile(r"(?P<step>\w+)(?:\[(?P<item>\d+)\])?(?:/(?P<attempt>\d+))?:(?P<turn>\d+)")
FORK = "fork"
"""Setting in a run's record: the run and the event that it goes on from."""


@dataclass(frozen=True)
class Fork:
    """A fork that was made and has not begun to work."""

    path: Path
    """Of its file; the id of the run is its stem."""
    event: int
    """The last one that it has of the other run's."""
    replies: int
    calls: int
    later: tuple[str, ...]
    """What the other run did after that and may have changed something, one line each."""


async def fork(path: Path, at: str) -> Fork:
    """A new run beside the run in ``path``, with what that one had recorded at a point.

    ``at`` is the turn that is asked anew (``actions:2``, ``actions[3]:2``, ``actions[3]/2:1`` for the
    second attempt) or the number of the last event that is kept.

    Raises:
        ProjectError: there is no such turn or event.
        StoreError: a file cannot be read or written.
    """
    record, events = read_run(path), read_events(path)
    prefix = prefix_of(events, cut_at(events, at))
    id = new_run_id()
    made = path.with_name(f"{id}.db")
    note = f"a fork of run {record.id} after its event {prefix.event}"
    await copy_prefix(path, made, prefix, _begun(record, id, events, prefix.event), note)
    kept, later = _split(path, prefix)
    return Fork(made, prefix.event, len(prefix.replies), kept, later)


def cut_at(events: Sequence[Event], words: str) -> int:
    """The last event before a turn was asked for, or the event of that number.

    Raises:
        ProjectError: there is no such turn or event.
    """
    last = events[-1].seq if events else 0
    if words.isdecimal():
        if not 1 <= int(words) <= last:
            raise ProjectError(f"--at {words}: the run has the events 1 to {last}")
        return int(words)
    named = _TURN.fullmatch(words.strip())
    if named is None:
        raise ProjectError(
            f"--at {words!r}: write a turn as STEP:TURN or STEP[ITEM]:TURN, or an event's number"
        )
    asked = [event for event in events if isinstance(event, ModelAsked) and not event.part]
    steps = (named["step"], f"_{named['step']}")
    found = [event for event in asked if event.step in steps and event.turn == int(named["turn"])]
    found = [event for event in found if event.item == (int(named["item"]) if named["item"] else None)]
    attempt = (
        int(named["attempt"]) if named["attempt"] else max((event.attempt for event in found), default=0)
    )
    found = [event for event in found if event.attempt == attempt]
    if not found:
        raise ProjectError(f"--at {words!r}: no such turn was asked; there are {_turns(asked)}")
    # The last one: what came before an interruption of the same turn is kept.
    return found[-1].seq - 1


def _turns(asked: Sequence[ModelAsked]) -> str:
    """Every sub-agent with its last turn."""
    most: dict[str, int] = {}
    for event in asked:
        item = "" if event.item is None else f"[{event.item}]"
        name = f"{event.step.lstrip('_')}{item}"
        most[name] = max(most.get(name, 0), event.turn)
    named = [f"{name}:1" + (f" to :{turn}" if turn > 1 else "") for name, turn in most.items()]
    return ", ".join(named[:20]) + (f" and {len(named) - 20} more" if len(named) > 20 else "")


def _begun(record: RunRecord, id: str, events: Sequence[Event], last: int) -> RunRecord:
    """The record of the fork, as the other run's was at that event."""
    plans = [event.plan for event in events if isinstance(event, PlanMade) and event.seq <= last]
    plan: Plan | None = plans[-1] if plans else None
    if plan is None and record.settings.get(GIVEN) is True:
        plan = next((event.plan for event in events if isinstance(event, PlanMade)), record.plan)
    replans, rounds = _changes(events, last)
    settings: dict[str, JsonValue] = {
        **record.settings,
        REPLANS: replans,
        ROUNDS: dict[str, JsonValue](rounds),
        FORK: {"run": record.id, "event": last},
    }
    changes = {"id": id, "created_at": time.time(), "status": "stopped", "plan": plan, "settings": settings}
    return record.model_copy(update=changes)


def _changes(events: Sequence[Event], last: int) -> tuple[int, dict[str, int]]:
    """How often what failed was changed up to that event, and how often each step was given another try."""
    replans = asked = 0
    rounds: dict[str, int] = {}
    for event in events:
        if event.seq > last:
            break
        if isinstance(event, ModelReplied) and event.step == "_replan":
            asked = event.attempt
        elif isinstance(event, StepChanged):
            replans = asked
            if event.change not in ("split", "drop"):
                rounds[event.step] = rounds.get(event.step, 0) + 1
    return replans, rounds


def _split(path: Path, prefix: Prefix) -> tuple[int, tuple[str, ...]]:
    """How many calls the fork has, and the others that may have had an effect."""
    kept, later = 0, list[str]()
    for thread in read_threads(path):
        place = str(thread.thread).removeprefix(f"{thread.thread.run}/")
        counted = Counter[int]()
        for call in thread.calls:
            counted[call.turn] += 1
            if counted[call.turn] <= prefix.calls.get((place, call.turn), 0):
                kept += 1
            elif call.call is not None and call.effect != "pure":
                later.append(_told(call))
    return kept, tuple(later)


def _told(record: CallRecord) -> str:
    assert record.call is not None
    outcome = "in doubt" if record.result is None else "failed" if record.result.is_error else "done"
    return one_line(f"{record.call.tool} {summarize(record.call)} ({outcome})", 160)
