"""Asking again: the budget of one call, and the breaker that spares a server which keeps failing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from swarm.errors import ModelUnavailable
from swarm.models.client.failures import Failure, FailureKind

FIRST_PAUSE_SECONDS = 0.5
"""Pause before the first retry; a server's Retry-After goes before it."""

GROWTH = 4.0
"""Factor of each further pause: 0.5, 2, 8 and 32 s outlast a server that needs 30 s to restart."""

OPENS_AFTER = 3
"""Failures of the server in a row that open the breaker."""

MOST_PROBE_SECONDS = 8.0
"""Longest pause between two probes of a server that fails; it is the most a call may lose to its return."""


@dataclass(frozen=True)
class Setback:
    """Something that held a call up without ending it."""

    kind: FailureKind | Literal["changed"]
    """Why the request will be made again; ``changed`` where the server came back as another."""
    text: str
    """What happened, for people."""
    pause_seconds: float
    """Until the next request, at least."""


def _nobody(_: Setback) -> None:
    pass


_LISTENER: ContextVar[Callable[[Setback], None]] = ContextVar("listener", default=_nobody)


def tell(setback: Setback) -> None:
    """Tells whoever listens to the calls of this context."""
    _LISTENER.get()(setback)


class _Hearing:
    """A class and no generator, as it stands open in each agent that waits for its model."""

    __slots__ = ("_before", "_listener", "_token")

    def __init__(self, listener: Callable[[Setback], None]) -> None:
        self._listener = listener

    def __enter__(self) -> None:
        self._before = _LISTENER.get()
        self._token = _LISTENER.set(self)

    def __call__(self, setback: Setback) -> None:
        self._before(setback)
        self._listener(setback)

    def __exit__(self, *_: object) -> None:
        _LISTENER.reset(self._token)


def hearing(listener: Callable[[Setback], None]) -> AbstractContextManager[None]:
    """Within the block the listener hears of the setbacks of calls, after those that listen already."""
    return _Hearing(listener)


class Retries:
    """The retry budget of one call: how many requests it may still send, until when, and how fast."""

    def __init__(self, requests: int, ends_at: float, first_pause_seconds: float) -> None:
        self._left = requests
        self._ends_at = ends_at
        self._pause_seconds = first_pause_seconds
        self._is_garbled = False
        self.last: Failure | None = None
        """The latest failure."""

    def pause(self, failure: Failure) -> float | None:
        """Seconds to wait before the next request, or None when this failure is the call's end.

        A request that nobody took counts as none: it costs the server nothing, and only the
        deadline ends the waiting for one that is away.
        """
        self.last = failure
        if failure.kind == "away":
            return self._in_time(self._pause_seconds)
        self._left -= 1
        if (
            self._left < 1
            or failure.kind in ("late", "final")
            or (failure.kind == "garbled" and self._is_garbled)
        ):
            return None
        self._is_garbled |= failure.kind == "garbled"
        if failure.retry_after is not None:
            return self._in_time(failure.retry_after)
        pause, self._pause_seconds = self._pause_seconds, self._pause_seconds * GROWTH
        return self._in_time(pause)

    def _in_time(self, seconds: float) -> float | None:
        """The pause, or None when the call would be over before its end."""
        seconds *= random.uniform(1.0, 1.25)
        return seconds if asyncio.get_running_loop().time() + seconds < self._ends_at else None


class Breaker:
    """Stands before a server. While that keeps failing, calls wait in order and one at a time tries it."""

    def __init__(self, first_pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        self._first_pause_seconds = first_pause_seconds
        self._failures = 0
        self.trouble = ""
        """The latest failure, for people."""
        self._opened_at = 0.0
        self._probe_at = 0.0
        self._pause_seconds = 0.0
        self._turn = asyncio.Lock()
        self._answers = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether calls must wait."""
        return self._failures >= OPENS_AFTER

    async def passage(self, patience_seconds: float) -> None:
        """Waits until a request may go; at once where the server works.

        Raises:
            ModelUnavailable: it has been failing for longer than the caller is patient, and the
                next probe is not yet due.
        """
        if not self.is_open:
            return
        now = asyncio.get_running_loop().time()
        if self._opened_at + patience_seconds < now < self._probe_at:
            raise ModelUnavailable(
                f"it was not asked, because it has failed for {now - self._opened_at:.0f} s: {self.trouble}"
            )
        async with self._turn:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._probe_at):
                    await self._answers.wait()
            if self.is_open:
                # This one is the probe. Should nothing be heard of it, the next goes a pause later.
                self._pause_seconds = min(MOST_PROBE_SECONDS, 2 * self._pause_seconds)
                self._probe_at = asyncio.get_running_loop().time() + self._pause_seconds

    def failed(self, why: str) -> None:
        """The server failed, whatever it was asked."""
        self._failures += 1
        self.trouble = why
        if self._failures == OPENS_AFTER:
            self._answers.clear()
            self._opened_at = asyncio.get_running_loop().time()
            self._pause_seconds = self._first_pause_seconds
            self._probe_at = self._opened_at + self._pause_seconds

    def answered(self) -> None:
        """The server answers."""
        self._failures = 0
        self._answers.set()
