"""Calling a tool, recorded: an effect is never silently repeated, whatever was killed when.

A call is recorded before it leaves and when its answer is there. What lies between the two and was cut
off is settled by the effect class: repeated, read back, or put to a person.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from swarm.clock.pulse import within
from swarm.errors import CallInDoubt, ProjectError, ServerError, StoreError
from swarm.nouns.events import AgentWaiting, Notice, QuestionAsked, ToolCalled, ToolReturned
from swarm.nouns.plan import Thread
from swarm.nouns.tool import REPEATABLE, SETTLED, EffectClass, Reading, Row, Tool, ToolCall, ToolResult
from swarm.store.rows.index import CallKey
from swarm.store.rows.records import LedgerEntry, Question
from swarm.work.context import At, CallDetails, Work, name_of, one_line, summarize

_GRAPH = re.compile(r"~g[0-9a-f]+")
"""What names a question or call of a graph in the thread of its sub-agent."""

CAREFUL: tuple[EffectClass, ...] = get_args(EffectClass)
"""The classes, each more careful than the one before."""
BEFORE = "An earlier attempt made this call; it is not made again. What it gave:"
FATES = {"done": "done", "reconciled": "done", "abandoned": "given up by a person"}
MOST_DEEDS = 8


@dataclass(frozen=True)
class Verdict:
    """What becomes of a call that was cut off."""

    what: Literal["repeat", "took", "ask"]
    """Make it again; it took effect; a person must say."""
    seen: str = ""
    """Why a person must say."""


def judge(entry: LedgerEntry, now: Tool, reading: Reading | None) -> Verdict:
    """What becomes of a call that left and whose answer is lost, by the more careful of the class it had
    and the class it has; ``reading`` is what is read back of a verifiable one."""
    match max(entry.effect, now.effect, key=CAREFUL.index):
        case "pure" | "idempotent":
            return Verdict("repeat")
        case "keyed" if entry.pin == now.pin:
            return Verdict("repeat")
        case "keyed":
            return Verdict("ask", f"it went to {entry.pin!r}; whether {now.pin!r} knows its key is unknown")
        case "verifiable":
            return _compared(entry.before, reading)
        case _:
            return Verdict("ask", "nothing can tell whether it took effect")


def _compared(before: Reading | None, now: Reading | None) -> Verdict:
    if before is None or now is None:
        return Verdict("ask", "what it would have changed could not be read back")
    if before.after and now.now == before.after:
        return Verdict("took")
    if now.now == before.now:
        return Verdict("repeat")
    if before.after:
        return Verdict("ask", "what it would have changed is neither as it was nor as the call would make it")
    return Verdict("ask", "what it would have changed is not as it was")


async def act(
    work: Work, at: At, tool: Tool, args: dict[str, object], rows: Mapping[str, Sequence[Row]]
) -> ToolResult:
    """The recorded result of a tool call, made once.

    Raises:
        CallInDoubt: the call was cut off, and a person must say what becomes of it.
    """
    ledger = work.journal.ledger
    known = await ledger.result(at.call)
    if known is not None:
        recorded = await ledger.called(at.call)
        if recorded is not None and recorded.tool != tool.full_name:
            raise StoreError(
                f"call {at.key!r} is recorded as one of {recorded.tool!r}, now it is {tool.full_name!r}: the "
                "project or its files changed; start the task again"
            )
        return known
    call = ToolCall.model_validate({"tool": tool.full_name, "args": args})
    entry = await ledger.entry(at.call, call)
    settled = await (_settled(work, at, entry, tool) if entry else _as_before(work, at, call, tool))
    if settled is not None:
        return settled
    waits = work.lease.leave if work.lease else None
    what = f"a call of {tool.full_name} by {name_of(at.thread)}"
    async with work.parked(), work.budget.calling(what, waits):
        return await _make(work, at, tool, call, rows)


async def look(
    work: Work, at: At, tool: Tool, args: dict[str, object], rows: Mapping[str, list[Row]]
) -> tuple[ToolResult, At]:
    """The result of a call that reads, and its place: the first from ``at`` on where it is recorded, else one
    where nothing is. What is looked at before the first turn may be something else after a card has changed."""
    call, ledger = ToolCall.model_validate({"tool": tool.full_name, "args": args}), work.journal.ledger
    while await ledger.called(at.call) not in (None, call):
        at = replace(at, index=at.index + 1)
    return await act(work, at, tool, args, rows), at


async def _left(work: Work, key: CallKey) -> list[tuple[CallKey, LedgerEntry]]:
    """The calls that left before one, of its own step and of the step that this was split from."""
    run, step, item, number = key[0].split("/")
    if step != (bare := _GRAPH.sub("", step)):
        return await work.journal.ledger.left_of_graphs(run, bare, item, int(number))
    left = await work.journal.ledger.left(key)
    plan = work.journal.run.plan
    split = next((one for one in plan.steps if step in one.joins), None) if plan else None
    if split is None:
        return left
    return [*await work.journal.ledger.left_of(run, split.id), *left]


def twin(
    key: CallKey, call: ToolCall, left: Sequence[tuple[CallKey, LedgerEntry]]
) -> tuple[CallKey, LedgerEntry] | None:
    """The identical call of an earlier attempt that stands for this one: as many came before it there as here.

    What a person gave up stands for all that follow.
    """
    same = [one for one in left if one[1].call == call]
    # The calls of a graph stand each in a thread of its own.
    own, threads = _GRAPH.sub("", key[0]), [_GRAPH.sub("", at[0]) for at, _ in same]
    here, nth = threads.count(own), [threads[:n].count(thread) for n, thread in enumerate(threads)]
    pairs = zip(same, threads, nth, strict=True)
    found = [one for one, thread, count in pairs if thread != own and count == here]
    found += [one for one in same if one[1].state == "abandoned"]
    return min(found, key=lambda one: one[1].state not in SETTLED, default=None)


async def _as_before(work: Work, at: At, call: ToolCall, tool: Tool) -> ToolResult | None:
    """What an earlier attempt's identical call gave; None where there is none, or it is to be made again."""
    ledger = work.journal.ledger
    found = None if tool.effect in REPEATABLE else twin(at.call, call, await _left(work, at.call))
    if found is None:
        return None
    earlier, entry = found
    result = await ledger.result(earlier)
    if result is None:
        # A server knows that attempt's key for it: under this one's it would take effect twice.
        effect: EffectClass = "irreversible" if entry.effect == "keyed" else entry.effect
        entry = entry.model_copy(update={"effect": effect})
        # As of every call that has a row: a fork keeps as many as were told of.
        work.note(ToolCalled(**at.thread.place, turn=at.turn, tool=call.tool, summary=summarize(call)))
        await ledger.leave(at.call, entry)
        return await _judged(work, at, entry, tool, "an attempt ended before its answer was recorded")
    now = await work.box.read_back(call) if entry.before and entry.state != "abandoned" else None
    if entry.before and now and now.after and now.after == entry.before.after != now.now:
        return None  # What it made is there no more, and it would make the very same of what is.
    if not result.is_error:
        result = result.model_copy(update={"text": f"{BEFORE}\n{result.text}"})
    ledger.intend(at.call, entry)
    work.note(ToolCalled(**at.thread.place, turn=at.turn, tool=call.tool, summary=summarize(call)))
    await ledger.settle(at.call, result, entry.state)
    _note_returned(work, at, call, result, 0.0)
    return result


async def deeds(work: Work, thread: Thread) -> str:
    """What earlier attempts did that may have had an effect, as the next one is told; no later one changes it."""
    left = await _left(work, (str(thread), 0, 0))
    told = _told([(at, entry) for at, entry in left if at[0] != str(thread)])
    head = "Earlier attempts did this; do not do it again:"
    return "\n".join([head, *told]) if told else ""


async def lost_deeds(work: Work, thread: Thread) -> str:
    """What this attempt's graph did that may have had an effect, where its checkpoints are not there."""
    _, step, item, number = str(thread).split("/")
    left = await work.journal.ledger.left_of_graphs(thread.run, step, item, int(number))
    return "\n".join(_told([(at, entry) for at, entry in left if at[0].endswith(f"/{number}")]))


async def deeds_of(work: Work, step: str) -> str:
    """What all attempts at a step did that may have had an effect, for whoever decides what becomes of it."""
    return "\n".join(_told(await work.journal.ledger.left_of(work.journal.run.id, step)))


def _told(left: Sequence[tuple[CallKey, LedgerEntry]]) -> list[str]:
    told = [
        f"- {entry.call.tool} {summarize(entry.call)}: {FATES.get(entry.state, 'maybe done')}"
        for _, entry in left
        if entry.effect not in REPEATABLE
    ]
    told = list(dict.fromkeys(told))
    more = [f"- {len(told) - MOST_DEEDS} more"] if len(told) > MOST_DEEDS else []
    return [*told[:MOST_DEEDS], *more]


async def _settled(work: Work, at: At, entry: LedgerEntry, tool: Tool) -> ToolResult | None:
    """What became of a call that an earlier sitting recorded; None where it is to be made."""
    # A call of a class that is repeatable leaves without being marked: it may have had another class then.
    if entry.state == "intent" and (entry.effect not in REPEATABLE or tool.effect in REPEATABLE):
        return None
    if entry.state == "in-doubt":
        question = await work.journal.ledger.question_of(at.call)
        if question is not None:
            return await _decided(work, at, question)
    return await _judged(work, at, entry, tool, "the run was cut off before its answer was recorded")


async def _judged(
    work: Work, at: At, entry: LedgerEntry, tool: Tool, why: str, *, waits: bool = True
) -> ToolResult | None:
    """The result of a call that left and whose answer is lost; None where it is to be made again."""
    reading = await work.box.read_back(entry.call) if entry.effect == "verifiable" else None
    if waits and reading and reading.may_act and judge(entry, tool, reading).what == "repeat":
        reading = await _read_later(work, at, entry.call)
    verdict = judge(entry, tool, reading)
    if verdict.what == "repeat":
        return None
    if verdict.what == "ask":
        raise await _asked(work, at, f"{why}, and {verdict.seen}")
    text = f"{entry.call.tool} took effect, as reading back showed: {why}."
    result = ToolResult(text=text, files=reading.files if reading else ())
    await work.journal.ledger.settle(at.call, result, "reconciled")
    work.note(Notice(text=f"{summarize(entry.call)}: {text}", step=at.thread.step))
    return result


async def _read_later(work: Work, at: At, call: ToolCall) -> Reading | None:
    """What is read back of a call that is not done, once its time is over."""
    seconds, what = work.limits.tool_seconds, f"{call.tool} ({summarize(call)}) may be at work yet"
    work.note(Notice(text=f"{what}; it is read back again in {seconds:g} s", step=at.thread.step))
    async with work.parked():
        with within(what, seconds):
            await asyncio.sleep(seconds)
    return await work.box.read_back(call)


async def _asked(work: Work, at: At, evidence: str) -> CallInDoubt:
    question = await work.journal.ledger.ask(at.call, evidence)
    error = _undecided(work, at, question)
    work.note(QuestionAsked(**at.thread.place, number=question.number, text=str(error)))
    return error


def _undecided(work: Work, at: At, question: Question) -> CallInDoubt:
    work.note(AgentWaiting(**at.thread.place, what="question"))
    call = f"{question.call.tool} ({summarize(question.call)})"
    return CallInDoubt(f"question {question.number} about {call}: {question.evidence}", question.number)


async def _decided(work: Work, at: At, question: Question) -> ToolResult | None:
    """What a person made of a call in doubt; None where it is to be made again."""
    call, note = question.call.tool, f" ({question.note})" if question.note else ""
    match question.decision:
        case None:
            raise _undecided(work, at, question)
        case "repeat":
            return None
        case "done":
            text = f"{call} took effect, as a person saw{note}; its own answer is lost."
            result = ToolResult(text=text)
            await work.journal.ledger.settle(at.call, result, "reconciled")
        case "failed":
            text = f"{call} failed and had no effect, as a person saw{note}. {_seen(question)}"
            result = ToolResult(text=text, is_error=True)
            await work.journal.ledger.settle(at.call, result, "failed")
        case "abandon":
            text = f"A person gave {call} up{note}. Do not make this call again; go on without it. "
            text += _seen(question)
            result = ToolResult(text=text, is_error=True)
            await work.journal.ledger.settle(at.call, result, "abandoned")
    return result


def _seen(question: Question) -> str:
    """What was recorded of a call whose answer is lost, as its agent is told: its server's last words stand there."""
    return f"What was seen of it: {question.evidence}"


async def _make(
    work: Work, at: At, tool: Tool, call: ToolCall, rows: Mapping[str, Sequence[Row]], is_again: bool = False
) -> ToolResult:
    ledger = work.journal.ledger
    before = await work.box.read_back(call) if tool.effect == "verifiable" else None
    entry = LedgerEntry(call=call, effect=tool.effect, pin=tool.pin, before=before)
    ledger.intend(at.call, entry)
    work.note(ToolCalled(**at.thread.place, turn=at.turn, tool=call.tool, summary=summarize(call)))
    started = time.perf_counter()

    async def leave() -> None:
        if entry.effect not in REPEATABLE:
            await ledger.leave(at.call, entry)
        elif entry.effect != "pure":
            # A reply that was lost might ask for something else the next time, and this call's effect stay.
            await work.journal.flush()
        # Last of all: nothing is awaited between it and the call.
        work.journal.check_owner()

    context = CallDetails(work.workspace, at.key, work.limits.tool_seconds, rows, work.texts, leave)
    try:
        result = await work.box.call(call, context)
    except ServerError as error:
        if ledger.state(at.call) == "sent":
            return await _cut_off(work, at, entry, rows, error, is_again)
        result = ToolResult(text=str(error), is_error=True)
    await ledger.settle(at.call, result)
    _note_returned(work, at, call, result, time.perf_counter() - started)
    return result


async def _cut_off(
    work: Work,
    at: At,
    entry: LedgerEntry,
    rows: Mapping[str, Sequence[Row]],
    error: ServerError,
    is_again: bool,
) -> ToolResult:
    """What becomes of a call whose server died or fell silent: it is made again once, where that is safe."""
    work.note(Notice(text=str(error), step=at.thread.step))
    why = str(error)
    try:
        (tool,) = await work.box.tools((entry.call.tool,))
    except (ProjectError, ServerError) as gone:
        raise await _asked(work, at, f"{why}, and it does not come back: {gone}") from gone
    settled = await _judged(work, at, entry, tool, why, waits=error.is_gone)
    if settled is not None:
        return settled
    # A server that only fell silent may act yet, whatever is read back of it now.
    if is_again or not (error.is_gone or entry.effect == "keyed"):
        raise await _asked(work, at, f"{why}, and it may take effect yet or have done so")
    return await _make(work, at, tool, entry.call, rows, is_again=True)


def _note_returned(work: Work, at: At, call: ToolCall, result: ToolResult, seconds: float) -> None:
    work.note(
        ToolReturned(
            **at.thread.place,
            turn=at.turn,
            tool=call.tool,
            is_error=result.is_error,
            summary=one_line(result.text, 100),
            seconds=round(seconds, 3),
        )
    )
