"""What a run's events tell of its time: work, chains, waits. Nothing but the events is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeVar

from swarm.nouns.events import (
    AgentDied,
    AgentEvent,
    AgentWaiting,
    Event,
    ModelAsked,
    ModelReplied,
    PlanMade,
    RunEnded,
    RunStarted,
    StepEnded,
    ToolReturned,
)
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Step
from swarm.nouns.timing import Lost, Speedup
from swarm.run.tally import Tally

LEAST_WRITTEN = 32
"""Tokens written alone that tell how fast a server is with nothing else to do; fewer are noise."""


@dataclass
class _Attempt:
    """One sub-agent's time, in seconds."""

    began: float
    ended: float
    work: float = 0.0
    """Model and tool time without loads and queues."""
    lost: Lost = field(default_factory=Lost)
    tools_until: float = 0.0
    """When its last tool call ended."""
    waits: AgentWaiting | None = None
    asked: float | None = None

    def lose(self, *, retry: float = 0.0, queue: float = 0.0, usage: Usage | None = None) -> None:
        """Count time in which nothing was written."""
        used, lost = usage or Usage(), self.lost
        self.lost = Lost(
            queue=lost.queue + queue + used.queued_seconds,
            swap=lost.swap + used.load_seconds,
            prefill=lost.prefill + used.prefill_seconds,
            retry=lost.retry + retry + used.retry_seconds,
        )


@dataclass
class _Span:
    """A time in which something was at work."""

    began: float
    ended: float
    is_alone: bool = True


@dataclass
class _ReplySpan(_Span):
    usage: Usage = field(default_factory=Usage)
    of_plan: bool = True

    @property
    def written(self) -> _Span:
        """When it was written, but for the moment in which one follows another."""
        return _Span(self.ended - 0.9 * _model_seconds(self.usage), self.ended)


@dataclass
class _ToolSpan(_Span):
    tool: str = ""

    @property
    def made(self) -> _Span:
        """When it was made, but for the moment in which one follows another."""
        return _Span(self.ended - 0.9 * (self.ended - self.began), self.ended)


@dataclass
class _Times:
    """What is gathered from the events."""

    agents: dict[tuple[str, int | None], dict[int, _Attempt]] = field(
        default_factory=lambda: defaultdict[tuple[str, int | None], dict[int, _Attempt]](dict)
    )
    """By step and item; the attempts by their number."""
    readers: dict[tuple[str, int | None], dict[tuple[int, str], _Attempt]] = field(
        default_factory=lambda: defaultdict[tuple[str, int | None], dict[tuple[int, str], _Attempt]](dict)
    )
    """What the programs of these sub-agents asked, by attempt and part: side by side."""
    replies: list[_ReplySpan] = field(default_factory=list[_ReplySpan])
    calls: list[_ToolSpan] = field(default_factory=list[_ToolSpan])
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    ends: dict[str, float] = field(default_factory=dict[str, float])
    slots: int = 1
    tally: Tally = field(default_factory=Tally)
    start_seconds: float = 0.0
    """From the start of each sitting until something worked."""
    starts_at: float | None = None


def speedup_of(events: Iterable[Event]) -> Speedup:
    """What working side by side gained, from the events of a run so far."""
    times = _gathered(events)
    worked = max(0.0, times.tally.worked_seconds - times.start_seconds)
    inner = sum(_work(attempts) for (step, _), attempts in times.agents.items() if step not in times.steps)
    works = {
        (step, item): _work(attempts)
        for (step, item), attempts in times.agents.items()
        if step in times.steps
    }
    read = {place: [reader.work for reader in readers.values()] for place, readers in times.readers.items()}
    total = sum(works.values()) + sum(map(sum, read.values()))
    works = {place: work + max(read.get(place, [0.0])) for place, work in works.items()}
    chain = longest_chain(times.steps, works)
    work = _serial_seconds(times) + _tool_seconds(times.calls)
    return Speedup(
        work_seconds=work,
        critical_seconds=inner + chain,
        ideal_seconds=inner + max(chain, min(total, work) / times.slots),
        actual_seconds=worked,
        slots=times.slots,
        width=_width(times),
        lost=_lost(times, worked).model_copy(
            update={"approval": times.tally.asked_seconds, "start": round(times.start_seconds, 3)}
        ),
        tells_prefill=any(reply.usage.prefill_seconds for reply in times.replies) or not times.replies,
    )


def _gathered(events: Iterable[Event]) -> _Times:
    times = _Times()
    last_at = 0.0
    for event in events:
        times.tally.add(event)
        match event:
            case RunStarted():
                times.slots = max(event.slots, 1)
                _begin(times, last_at)
                _cut_off(times, last_at)
                times.starts_at = event.at
            case PlanMade():
                times.steps |= {step.id: step for step in event.plan.steps}
            case RunEnded():
                _begin(times, event.at)
                _cut_off(times, event.at)
            case StepEnded():
                times.ends[event.step] = event.at
            case AgentEvent():
                _begin(times, event.at)
                _take(times, event)
            case _:
                pass
        last_at = event.at
    _mark_crowded(times.replies)
    times.slots = max(times.slots, _most_at_once([reply.written for reply in times.replies]))
    return times


def _begin(times: _Times, at: float) -> None:
    """The start of a sitting ends with the first that works in it."""
    if times.starts_at is not None:
        times.start_seconds += at - times.starts_at
        times.starts_at = None


def _width(times: _Times) -> int:
    """The most sub-agents of the plan that were at work at once."""
    replies = [reply.written for reply in times.replies if reply.of_plan]
    return _most_at_once([*replies, *(call.made for call in times.calls)])


def _most_at_once(spans: Sequence[_Span]) -> int:
    marks = [mark for span in spans for mark in ((span.began, 1), (span.ended, -1))]
    return max(accumulate(change for _, change in sorted(marks)), default=0)


def _covered(spans: Iterable[_Span]) -> float:
    """The seconds in which at least one of them was at work."""
    seconds, until = 0.0, float("-inf")
    for span in sorted(spans, key=lambda span: span.began):
        seconds += max(0.0, span.ended - max(span.began, until))
        until = max(until, span.ended)
    return seconds


def _cut_off(times: _Times, at: float) -> None:
    """What was under way when a sitting ended is lost."""
    agents = [attempt for attempts in times.agents.values() for attempt in attempts.values()]
    for attempt in (*agents, *(reader for readers in times.readers.values() for reader in readers.values())):
        if attempt.asked is not None:
            attempt.lose(retry=at - attempt.asked)
        attempt.asked = attempt.waits = None


def _take(times: _Times, event: AgentEvent) -> None:
    if isinstance(event, ToolReturned):
        times.calls.append(_ToolSpan(event.at - event.seconds, event.at, tool=event.tool))
    if not event.attempt:
        return  # The run's own calls, such as writing a file; they take no time to speak of.
    attempt = _attempt_of(times, event)
    if attempt.waits is not None:
        # A slot that was lent out during a long wait is waited for within the next call.
        used = event.usage if isinstance(event, ModelReplied) else Usage()
        seconds = max(0.0, event.at - attempt.waits.at - used.model_seconds - used.retry_seconds)
        is_retry = attempt.waits.what == "retry"
        attempt.lose(retry=seconds if is_retry else 0.0, queue=0.0 if is_retry else seconds)
        attempt.waits = None
    attempt.ended = event.at
    match event:
        case AgentWaiting() if event.what != "question":
            attempt.waits = event
        case ModelAsked():
            attempt.asked = event.at
        case ModelReplied():
            began = event.at if attempt.asked is None else attempt.asked
            attempt.asked = None
            of_plan = event.step in times.steps
            times.replies.append(_ReplySpan(began, event.at, usage=event.usage, of_plan=of_plan))
            attempt.work += _model_seconds(event.usage)
            attempt.lose(usage=event.usage)
        case ToolReturned():
            # Candidates run side by side.
            attempt.work += max(0.0, event.at - max(event.at - event.seconds, attempt.tools_until))
            attempt.tools_until = event.at
        case AgentDied():
            if attempt.asked is not None:
                attempt.lose(retry=event.at - attempt.asked)
            attempt.asked = None
        case _:
            pass


def _attempt_of(times: _Times, event: AgentEvent) -> _Attempt:
    fresh = _Attempt(event.at, event.at)
    if event.part:
        return times.readers[event.step, event.item].setdefault((event.attempt, event.part), fresh)
    return times.agents[event.step, event.item].setdefault(event.attempt, fresh)


def _model_seconds(usage: Usage) -> float:
    return max(0.0, usage.model_seconds - usage.load_seconds - usage.queued_seconds)


_Spans = TypeVar("_Spans", bound=_Span)


def _mark_crowded(replies: list[_Spans]) -> None:
    """Marks the replies, or calls, that were not alone on their server."""
    replies.sort(key=lambda reply: reply.began)
    latest: _Spans | None = None
    for reply in replies:
        # One may begin while the one before is being saved.
        if latest is not None and latest.ended - reply.began > 0.1 * (reply.ended - reply.began):
            reply.is_alone = latest.is_alone = False
        if latest is None or reply.ended > latest.ended:
            latest = reply


def _serial_seconds(times: _Times) -> float:
    """The time of all replies, each as long as one written alone would take.

    A server that does not tell of its queue has the time in it look like work; its slots bound that.
    """
    bound = times.slots * _covered(times.replies)
    return min(_alone_seconds(times.replies), bound)


def _tool_seconds(calls: Sequence[_ToolSpan]) -> float:
    """The time of all calls, each as long as one made alone.

    What waits in a server for its turn does not work. Where none was alone, nothing tells how many a
    server works on at once: it counts for as long as it had any.
    """
    servers: dict[str, list[_ToolSpan]] = defaultdict(list)
    for call in calls:
        server = call.tool.partition(".")[0]
        # Programs run in processes of their own, and are put in place by no server.
        servers[call.tool if server == "program" else server].append(call)
    return sum(_server_seconds(made) for made in servers.values())


def _server_seconds(calls: list[_ToolSpan]) -> float:
    _mark_crowded(calls)
    alone = [call.ended - call.began for call in calls if call.is_alone]
    if not alone:
        return _covered(calls)
    usual = sum(alone) / len(alone)
    return sum(
        call.ended - call.began if call.is_alone else min(call.ended - call.began, usual) for call in calls
    )


def _alone_seconds(replies: Sequence[_ReplySpan]) -> float:
    alone = sum((reply.usage for reply in replies if reply.is_alone), Usage())
    if not alone.prefill_seconds or alone.written_tokens < LEAST_WRITTEN:
        return sum(_model_seconds(reply.usage) for reply in replies)
    prefill = alone.prefill_seconds / max(alone.prefilled_tokens, 1)
    writing = (_model_seconds(alone) - alone.prefill_seconds) / alone.written_tokens
    return sum(
        min(used.prefill_seconds, prefill * used.prefilled_tokens)
        + min(_model_seconds(used) - used.prefill_seconds, writing * used.written_tokens)
        for used in (reply.usage for reply in replies)
    )


def _work(attempts: Mapping[int, _Attempt]) -> float:
    return sum(attempt.work for attempt in attempts.values())


def longest_chain(steps: Mapping[str, Step], works: Mapping[tuple[str, int | None], float]) -> float:
    """The work on the chain of steps that has the most; ``works`` tells it by step and item."""
    own: dict[str, float] = defaultdict(float)
    for (step, _), work in works.items():
        own[step] = max(own[step], work)
    found: dict[str, float] = {}

    def until(id: str) -> float:
        if id not in found:
            needs = [need for need in steps[id].waits_for if need in steps]
            found[id] = own[id] + max((until(need) for need in needs), default=0.0)
        return found[id]

    return max((until(id) for id in steps), default=0.0)


def _lost(times: _Times, worked: float) -> Lost:
    """What was lost by those that the end waited for."""
    total = _Attempt(0.0, 0.0)
    on_chain = {id: _last_item(times, id) for id in _chain(times)}
    for (step, item), attempts in times.agents.items():
        if step in times.steps and on_chain.get(step, ()) != (item,):
            continue
        last = max(attempts) if step in times.steps else None
        for number, attempt in attempts.items():
            if last is not None and number != last:
                total.lose(retry=attempt.ended - attempt.began)
                continue
            lost = attempt.lost
            used = Usage(load_seconds=lost.swap, prefill_seconds=lost.prefill)
            total.lose(retry=lost.retry, queue=lost.queue, usage=used)
            total.work += attempt.work
    lost = total.lost
    other = max(0.0, worked - total.work - lost.queue - lost.swap - lost.retry)
    return lost.model_copy(update={"other": round(other, 3)})


def _chain(times: _Times) -> list[str]:
    """The steps that the end waited for, the last one first."""
    chain: list[str] = []
    waited = tuple(times.steps)
    while waited := tuple(id for id in waited if id in times.ends):
        chain.append(max(waited, key=lambda id: times.ends[id]))
        waited = times.steps[chain[-1]].waits_for
    return chain


def _last_item(times: _Times, id: str) -> tuple[int | None, ...]:
    ends = {
        item: max(attempt.ended for attempt in attempts.values())
        for (step, item), attempts in times.agents.items()
        if step == id
    }
    return (max(ends, key=lambda item: ends[item]),) if ends else ()
