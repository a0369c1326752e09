"""Turns at starting servers: programs that load all at once make each other late."""

from __future__ import annotations

import asyncio
import os

STARTS = max(4, os.cpu_count() or 1)
"""Servers that start at once. 28 that did on two busy cores were not there within a minute, half of them."""
TURN_SECONDS = 10.0
"""How long a start keeps its turn: one that hangs computes nothing, and keeps nobody waiting for longer."""


class Turns:
    """So many turns for all servers of a hub."""

    def __init__(self, most: int = STARTS, *, seconds: float = TURN_SECONDS) -> None:
        self._free = asyncio.Semaphore(most)
        self._seconds = seconds

    async def take(self) -> StartTurn:
        """A turn, when there is one."""
        await self._free.acquire()
        return StartTurn(self._free, self._seconds)


class StartTurn:
    """One turn, which is given back when its time is over, or before."""

    def __init__(self, free: asyncio.Semaphore, seconds: float) -> None:
        self._free = free
        self._is_held = True
        self._timer = asyncio.get_running_loop().call_later(seconds, self.give_back)

    def give_back(self) -> None:
        """Lets the next one start; nothing where it does already."""
        if self._is_held:
            self._is_held = False
            self._timer.cancel()
            self._free.release()
