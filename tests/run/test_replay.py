"""A run shown again from its events: in their order, at their pace, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from swarm.nouns.events import Event, Notice
from swarm.run.replay import LONGEST_PAUSE_SECONDS, Replay

pytestmark = pytest.mark.anyio


def noted(*at: float) -> list[Event]:
    return [Notice(text=f"at {when}", seq=n, at=when) for n, when in enumerate(at, 1)]


async def test_events_come_in_their_order_and_without_a_wait_at_speed_0() -> None:
    events = noted(1_000.0, 5_000.0, 90_000.0)
    replay = Replay(events, 0.0)

    async with asyncio.timeout(5):
        assert [event async for event in replay.events()] == events
    assert replay.clock() == 90_000.0


async def test_the_clock_of_a_replay_runs_with_its_events_and_never_ahead_of_them() -> None:
    events = noted(1_000.0, 1_000.5, 1_001.0)
    replay = Replay(events, 50.0)
    assert replay.clock() == 1_000.0

    async for event in replay.events():
        assert event.at <= replay.clock() <= 1_001.0


async def test_a_clock_that_was_set_back_and_a_night_are_no_obstacle() -> None:
    events = noted(1_000.0, 400.0, 400.1, 80_000.0)
    replay = Replay(events, 1_000_000.0)

    async with asyncio.timeout(LONGEST_PAUSE_SECONDS):
        assert [event async for event in replay.events()] == events
