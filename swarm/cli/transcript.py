"""``swarm show RUN STEP[ITEM]``: what one sub-agent was told, said and did, for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swarm.cli.output import json_words, print_line, time_words, width
from swarm.errors import ProjectError

if TYPE_CHECKING:
    from rich.text import Text

    from swarm.nouns.events import Event
    from swarm.nouns.messages import Message
    from swarm.nouns.plan import Thread
    from swarm.store.rows.records import CallRecord, RunRecord, ThreadRecord, TurnRecord
    from swarm.view.state import RunState, StepState

SHOWN = 1_500
"""Characters of one text that are shown where not all of it is asked for."""
MOST_NAMED = 8
_PLACE = re.compile(r"(?P<step>\w+)(?:\[(?P<item>.*)\])?(?:/(?P<attempt>\d+))?", re.DOTALL)
_INDENT = "       "


@dataclass(frozen=True)
class Subject:
    """Which sub-agents of a run are meant."""

    step: str
    item: int | None = None
    attempt: int | None = None
    """None for all of its attempts."""


def show_place(path: Path, record: RunRecord, events: Sequence[Event], words: str, *, full: bool) -> None:
    """Prints the transcript of the sub-agent that is meant; for a step of many, what there is to look at.

    Raises:
        ProjectError: the run has none of that name.
    """
    from swarm.store.shelf.reader import read_threads

    state = _state(events)
    place = place_of(words, record, state)
    step = state.steps.get(place.step)
    if step is not None and step.items and place.item is None:
        _print_items(record, state, step)
        return
    threads = [one for one in read_threads(path, place.step) if _is_meant(one, place)]
    if not threads:
        raise ProjectError(f"run {record.id}: {words!r} has asked and done nothing yet")
    for thread in threads:
        for line in _transcript(thread, step, full=full):
            print_line(line)


def json_of(path: Path, record: RunRecord, events: Sequence[Event], words: str) -> str:
    """The records of the sub-agents that are meant, as one line of JSON.

    Raises:
        ProjectError: the run has none of that name.
    """
    from swarm.store.shelf.reader import read_threads

    place = place_of(words, record, _state(events))
    threads = read_threads(path, place.step)
    is_whole_step = place.item is None and place.attempt is None
    meant = [one for one in threads if is_whole_step or _is_meant(one, place)]
    return json_words({"threads": [one.model_dump(mode="json") for one in meant]})


def place_of(words: str, record: RunRecord, state: RunState) -> Subject:
    """The place that ``STEP``, ``STEP[ITEM]`` or ``STEP[ITEM]/ATTEMPT`` names; an item by number or by text.

    The run's own work is named like a step: plan, answer, survey, replan.

    Raises:
        ProjectError: there is no such step or item, or the text fits several.
    """
    found = _PLACE.fullmatch(words.strip())
    names = list(state.steps) if record.plan is None else [step.id for step in record.plan.steps]
    own = [name for name in _OWN if name not in names]
    step = found["step"] if found else ""
    if found is None or (step.removeprefix("_") not in (*names, *own) and step not in names):
        raise ProjectError(
            f"run {record.id} has no step {_cut(words)!r}; there are: {_some([*names, *own])}. "
            "Write STEP, STEP[ITEM] or STEP[ITEM]/ATTEMPT"
        )
    is_own = step not in names
    id = f"_{step.removeprefix('_')}" if is_own else step
    attempt = int(found["attempt"]) if found["attempt"] else None
    known = state.steps.get(id)
    if found["item"] is None:
        return Subject(id, None, attempt)
    if is_own:
        return Subject(id, int(found["item"]) if found["item"].isdecimal() else None, attempt)
    return Subject(id, _item(found["item"], known.items if known else (), words), attempt)


_OWN = ("plan", "answer", "survey", "replan")
"""The run's own work, as its threads name it behind an underscore."""


def _item(named: str, items: Sequence[str], words: str) -> int:
    """The number of the item with this number, this text, or this in its text."""
    if named in items:
        return items.index(named)
    if named.isdecimal() and int(named) < len(items):
        return int(named)
    fitting = [number for number, item in enumerate(items) if named and named in item]
    if len(fitting) == 1:
        return fitting[0]
    if not items:
        raise ProjectError(f"{_cut(words)!r}: this step has no items; leave the brackets out")
    if fitting:
        which = _some([f"{number} {items[number]}" for number in fitting])
        raise ProjectError(f"{_cut(words)!r} fits {len(fitting)} items: {which}; name one by its number")
    raise ProjectError(
        f"{_cut(words)!r}: there is no such item; there are {len(items)}, from 0 {items[0]} to "
        f"{len(items) - 1} {items[-1]}"
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def _cut(words: str) -> str:
    return words if len(words) <= 80 else f"{words[:79]}…"


def _state(events: Sequence[Event]) -> RunState:
    from swarm.view.state import RunState

    state = RunState()
    for event in events:
        state.apply(event)
    return state


def _is_meant(record: ThreadRecord, place: Subject) -> bool:
    thread = record.thread
    is_there = thread.step == place.step and place.attempt in (None, thread.attempt)
    # The run's own work counts its rounds as items.
    return is_there and (thread.item == place.item or (place.item is None and place.step.startswith("_")))


def _print_items(record: RunRecord, state: RunState, step: StepState) -> None:
    """A row for each item of a step, and how to look into one."""
    from rich.console import Console

    from swarm.view.items import every_row
    from swarm.view.rows import row_of_step

    console = Console(highlight=False)
    columns = min(width(), 200)
    rows: list[Text] = [row_of_step(step, state, columns), *every_row(step, state.last, columns)]
    for row in rows:
        console.print(row, soft_wrap=True)
    print_line(f"look into one with: swarm show {record.id} '{step.id}[NUMBER]'")


def _transcript(record: ThreadRecord, step: StepState | None, *, full: bool) -> Iterator[str]:
    from swarm.view.words import printable

    for line in _lines(record, step, full=full):
        yield printable(line)


def _lines(record: ThreadRecord, step: StepState | None, *, full: bool) -> Iterator[str]:
    thread = record.thread
    item = "" if thread.item is None else f"[{thread.item}]"
    label = step.items[thread.item] if step and thread.item is not None and step.items else ""
    # The run's own work has its outcome elsewhere: in the plan, in the answer.
    is_own = thread.step.startswith("_")
    # A question of a graph has no result of its own.
    stand = (
        record.result.status if record.result else "" if is_own or _is_of_graph(thread) else "no result yet"
    )
    title = (f"{thread.step.lstrip('_')}{item}", label, _which(thread))
    yield " · ".join(part for part in (*title, stand) if part)
    calls = list(record.calls)
    for turn in record.turns:
        yield from _turn(turn, full=full)
        for call in [one for one in calls if one.turn == turn.turn]:
            yield from _call(call, full=full)
            calls.remove(call)
    for call in calls:
        yield from _call(call, full=full)
    if record.result is not None:
        yield "── result"
        told = record.result.reason or record.result.text
        yield from _block(record.result.status, told, full=full)
        if record.result.data is not None and record.result.data != told:
            yield from _block("data", _json(record.result.data), full=full)
    yield ""


def _which(thread: Thread) -> str:
    """Which attempt it is, or which program or question of one."""
    if not thread.part:
        return f"attempt {thread.attempt}" if thread.attempt else ""
    if _is_of_graph(thread):
        return "its graph"
    return f"program {thread.part[1:]}" if thread.part[1:].isdigit() else "reader"


def _is_of_graph(thread: Thread) -> bool:
    """Other parts are hexadecimal digits, or ``c`` and a number."""
    return thread.part.startswith("g")


def _turn(turn: TurnRecord, *, full: bool) -> Iterator[str]:
    from swarm.view.words import count, duration

    used = turn.reply.usage
    tokens = f"{count(used.prompt_tokens)}→{count(used.written_tokens)} tokens"
    yield f"── turn {turn.turn} · {time_words(turn.at)} · {tokens} · {duration(used.model_seconds)}"
    for message in turn.asked:
        # What it said itself stands above, in the turn in which it did.
        if message.role != "assistant":
            yield from _block(_role(message), message.content, full=full)
    cut = " (cut off at its limit)" if turn.reply.finish == "length" else ""
    yield from _block("said", f"{turn.reply.text}{cut}", full=full)


def _role(message: Message) -> str:
    return "rules" if message.role == "system" else "told"


def _call(record: CallRecord, *, full: bool) -> Iterator[str]:
    from swarm.view.words import duration

    what = f"{record.call.tool} {_json(record.call.args)}" if record.call else "a call that was not recorded"
    began = record.sent_at or record.intended_at
    took = f" in {duration(record.ended_at - began)}" if record.ended_at and began else ""
    effect = f", {record.effect}" if record.effect else ""
    yield from _block("tool", f"{what}\n({record.state}{took}{effect})", full=full)
    if record.result is not None:
        text = record.result.text or ("" if record.result.data is None else _json(record.result.data))
        yield from _block("failed" if record.result.is_error else "gave", text or "(nothing)", full=full)


def _block(name: str, text: str, *, full: bool) -> Iterator[str]:
    """The text below its name; a long one is cut, with how much is missing."""
    shown = text if full or len(text) <= SHOWN else text[:SHOWN]
    lines = shown.rstrip("\n").splitlines() or [""]
    yield f"{name:<6} {lines[0]}"
    yield from (f"{_INDENT}{line}" for line in lines[1:])
    if len(shown) < len(text):
        yield f"{_INDENT}… {len(text) - len(shown):,} more characters; --full shows them"


def _json(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
