"""What a run's events tell of its time: work, chains, waits. Nothing but the events is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from swarm.events import (
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
from swarm.limits import Usage
from swarm.plan import Step
from swarm.run.tally import Tally
from swarm.timing import Lost, Speedup

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
class _Reply:
    began: float
    ended: float
    usage: Usage
    is_alone: bool = True


@dataclass
class _Times:
    """What is gathered from the events."""

    agents: dict[tuple[str, int | None], dict[int, _Attempt]] = field(
        default_factory=lambda: defaultdict[tuple[str, int | None], dict[int, _Attempt]](dict)
    )
    """By step and item; the attempts by their number."""
    replies: list[_Reply] = field(default_factory=list[_Reply])
    tool_seconds: float = 0.0
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    ends: dict[str, float] = field(default_factory=dict[str, float])
    slots: int = 1
    tally: Tally = field(default_factory=Tally)


def speedup_of(events: Iterable[Event]) -> Speedup:
    """What working side by side gained, from the events of a run so far."""
    times = _gathered(events)
    worked, asked = times.tally.worked_seconds, times.tally.asked_seconds
    inner = sum(_work(attempts) for (step, _), attempts in times.agents.items() if step not in times.steps)
    works = {
        (step, item): _work(attempts)
        for (step, item), attempts in times.agents.items()
        if step in times.steps
    }
    chain = longest_chain(times.steps, works)
    return Speedup(
        work_seconds=_serial_seconds(times.replies) + times.tool_seconds,
        critical_seconds=inner + chain,
        ideal_seconds=inner + max(chain, sum(works.values()) / times.slots),
        actual_seconds=worked,
        slots=times.slots,
        lost=_lost(times, worked).model_copy(update={"approval": asked}),
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
                _cut_off(times, last_at)
            case PlanMade():
                times.steps |= {step.id: step for step in event.plan.steps}
            case RunEnded():
                _cut_off(times, event.at)
            case StepEnded():
                times.ends[event.step] = event.at
            case AgentEvent():
                _take(times, event)
            case _:
                pass
        last_at = event.at
    _mark_crowded(times.replies)
    times.slots = max(times.slots, _most_at_once(times.replies))
    return times


def _most_at_once(replies: Sequence[_Reply]) -> int:
    """The most replies that were written at once, but for the moment in which one follows another."""
    marks: list[tuple[float, int]] = []
    for reply in replies:
        seconds = 0.9 * _model_seconds(reply.usage)
        marks += [(reply.ended - seconds, 1), (reply.ended, -1)]
    return max(accumulate(change for _, change in sorted(marks)), default=0)


def _cut_off(times: _Times, at: float) -> None:
    """What was under way when a sitting ended is lost."""
    for attempts in times.agents.values():
        for attempt in attempts.values():
            if attempt.asked is not None:
                attempt.lose(retry=at - attempt.asked)
            attempt.asked = attempt.waits = None


def _take(times: _Times, event: AgentEvent) -> None:
    times.tool_seconds += event.seconds if isinstance(event, ToolReturned) else 0.0
    if not event.attempt:
        return  # The run's own calls, such as writing a file; they take no time to speak of.
    attempt = times.agents[event.step, event.item].setdefault(event.attempt, _Attempt(event.at, event.at))
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
            times.replies.append(_Reply(began, event.at, event.usage))
            attempt.work += _model_seconds(event.usage)
            attempt.lose(usage=event.usage)
        case ToolReturned():
            attempt.work += event.seconds
        case AgentDied():
            if attempt.asked is not None:
                attempt.lose(retry=event.at - attempt.asked)
            attempt.asked = None
        case _:
            pass


def _model_seconds(usage: Usage) -> float:
    return max(0.0, usage.model_seconds - usage.load_seconds - usage.queued_seconds)


def _mark_crowded(replies: list[_Reply]) -> None:
    """Marks the replies that were not alone on the server."""
    replies.sort(key=lambda reply: reply.began)
    latest: _Reply | None = None
    for reply in replies:
        # One may begin while the one before is being saved.
        if latest is not None and latest.ended - reply.began > 0.1 * (reply.ended - reply.began):
            reply.is_alone = latest.is_alone = False
        if latest is None or reply.ended > latest.ended:
            latest = reply


def _serial_seconds(replies: Sequence[_Reply]) -> float:
    """The time of all replies, each as long as one written alone would take."""
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
