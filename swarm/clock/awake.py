"""Deadlines in time that this process was awake.

One that is stopped for a while (Ctrl-Z, SIGSTOP, a container that is paused) would find all its deadlines
over when it goes on, though whoever it waits for has answered long ago. Time that the machine slept counts
on no monotonic clock anyway.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

STEP_SECONDS = 1.0
"""A longer deadline comes in steps of this length."""
MOST_SECONDS = 2.0
"""What a step counts at most: one that took longer was held up, and so was whatever would have been heard."""


class Deadline:
    """As ``asyncio.timeout``: ends the block with ``TimeoutError`` after so many seconds; None for never."""

    __slots__ = ("_began", "_left", "_loop", "_scope", "_timer")

    def __init__(self, seconds: float | None) -> None:
        self._left = seconds
        self._scope = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Deadline:
        self._loop = asyncio.get_running_loop()
        await self._scope.__aenter__()
        self._step()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._scope.__aexit__(kind, error, trace)

    def allow(self, seconds: float) -> None:
        """So many seconds from now on, whatever was left."""
        if self._timer is not None:
            self._timer.cancel()
        self._left = seconds
        self._step()

    @property
    def is_over(self) -> bool:
        """Whether it ended the block."""
        return self._scope.expired()

    def _step(self) -> None:
        if self._left is None:
            return
        if self._left > 0:
            self._began = self._loop.time()
            self._timer = self._loop.call_later(min(self._left, STEP_SECONDS), self._tick)
        else:
            self._scope.reschedule(self._loop.time())

    def _tick(self) -> None:
        if self._left is not None:
            self._left -= min(self._loop.time() - self._began, MOST_SECONDS)
            self._step()
