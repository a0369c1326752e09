"""The events of a run in memory: however many there are, they read as a list of them does."""

from __future__ import annotations

import pytest

from swarm.nouns.events import (
    AgentEnded,
    AgentWaiting,
    Event,
    LimitReached,
    ModelAsked,
    ModelReplied,
    Notice,
    PlanMade,
    RunStarted,
    ToolCalled,
)
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Plan, Step
from swarm.run.event_stream import PACK, EventStream
from swarm.run.tally import tally_of

EVENTS: list[Event] = [Notice(text=f"notice {number}", seq=number) for number in range(1, 3 * PACK + 8)]


@pytest.mark.parametrize("count", [0, 1, PACK, 2 * PACK - 1, 2 * PACK, 3 * PACK + 7])
def test_a_stream_reads_as_the_list_of_its_events(count: int) -> None:
    stream = EventStream(EVENTS[:count])

    assert list(stream) == EVENTS[:count]
    assert list(reversed(stream)) == EVENTS[:count][::-1]
    assert (len(stream), stream[-3:]) == (count, EVENTS[:count][-3:])


def test_recalled_events_read_and_count_as_those_that_were_added() -> None:
    kinds: list[Event] = [
        RunStarted(run="r", task="t", model="m"),
        AgentWaiting(step="_plan", what="question"),
        PlanMade(plan=Plan(steps=(Step(id="a", agent="worker", brief="Work."),))),
        ModelAsked(step="a", turn=1),
        ModelReplied(step="a", turn=1, usage=Usage(written_tokens=3, model_calls=1)),
        LimitReached(limit="tokens", used=2.0, allowed=1.0, enough=3.0, text="enough"),
        ToolCalled(step="a", turn=1, tool="t", summary="s"),
        AgentEnded(step="a", status="done", text="x"),
    ]
    count = 2 * PACK + 9
    events = [
        kinds[number % 8].model_copy(update={"seq": number + 1, "at": 1.5 * number})
        for number in range(count)
    ]
    texts = [event.model_dump_json() for event in events]

    stream = EventStream()
    places = [stream.recall(texts[start : start + PACK]) for start in range(0, count, PACK)]

    assert places == [PACK, 2 * PACK, count]
    assert list(stream) == events
    assert stream.tally == tally_of(events) == EventStream(events).tally
    rounds = count // 8
    assert (stream.tally.agents, stream.tally.spent.written_tokens) == (rounds, 3 * rounds)
    assert stream.tally.has_plan


def test_there_is_nothing_past_the_end() -> None:
    with pytest.raises(IndexError):
        EventStream(EVENTS)[len(EVENTS)]
