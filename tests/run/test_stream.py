"""The events of a run in memory: however many there are, they read as a list of them does."""

from __future__ import annotations

import pytest

from swarm.events import Event, Notice
from swarm.run.stream import PACK, Stream

EVENTS: list[Event] = [Notice(text=f"notice {number}", seq=number) for number in range(1, 3 * PACK + 8)]


@pytest.mark.parametrize("count", [0, 1, PACK, 2 * PACK - 1, 2 * PACK, 3 * PACK + 7])
def test_a_stream_reads_as_the_list_of_its_events(count: int) -> None:
    stream = Stream(EVENTS[:count])

    assert list(stream) == EVENTS[:count]
    assert list(reversed(stream)) == EVENTS[:count][::-1]
    assert (len(stream), stream[-3:]) == (count, EVENTS[:count][-3:])


def test_joining_an_event_leaves_the_stream_as_it_was() -> None:
    stream = Stream(EVENTS[:-1])

    assert list(stream.joined(EVENTS[-1])) == EVENTS
    assert list(stream) == EVENTS[:-1]


def test_there_is_nothing_past_the_end() -> None:
    with pytest.raises(IndexError):
        Stream(EVENTS)[len(EVENTS)]
