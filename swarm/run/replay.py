"""Showing a run again from its recorded events, at another speed; no model and no tool is asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from swarm.nouns.events import Event

LONGEST_PAUSE_SECONDS = 3.0
"""Longest wait of a replay: nights between two sittings and slow models are cut short."""


class Replay:
    """The events of a run, each as long after the one before as it was, divided by ``speed``.

    At speed 0 nothing waits.
    """

    def __init__(self, events: Sequence[Event], speed: float) -> None:
        self._events = events
        self._speed = speed
        self._shown = events[0].at if events else 0.0
        self._next = self._shown
        self._since = time.monotonic()

    def clock(self) -> float:
        """What time it is in the replay, seconds since 1970."""
        passed = (time.monotonic() - self._since) * self._speed
        return min(self._shown + passed, max(self._next, self._shown))

    async def events(self) -> AsyncIterator[Event]:
        """The events, once."""
        for event in self._events:
            self._next = event.at
            if self._speed:
                # A clock that was set back makes no wait.
                gap = max(0.0, event.at - self._shown) / self._speed
                await asyncio.sleep(min(gap, LONGEST_PAUSE_SECONDS))
            self._shown, self._since = event.at, time.monotonic()
            yield event
