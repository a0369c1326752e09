"""Signs of life: when whoever works last gave one, and for how long its silence is in order."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, replace

GRACE_SHARE, LEAST_GRACE_SECONDS = 0.1, 1.0
"""What a wait may last beyond its own deadline, as a share of it and at least: whoever set the deadline
acts on it first, and the watch only where that fails."""


@dataclass(frozen=True)
class Wait:
    """A wait that has a deadline of its own."""

    what: str
    until: float
    """On the monotonic clock, grace included."""


class Pulse:
    """The signs of life of one worker, or of all that work below it. Costs some assignments a sign."""

    def __init__(self, above: Pulse | None = None) -> None:
        self.at = time.monotonic()
        """The last sign."""
        self.waits: dict[object, Wait] = {}
        self._above = above

    def beat(self) -> None:
        """Give a sign of life."""
        self.at = time.monotonic()
        if self._above is not None:
            self._above.beat()

    @property
    def due(self) -> float:
        """Until when silence is in order: the end of the last wait, else the last sign."""
        return max([self.at, *(wait.until for wait in self.waits.values())])

    def within(self, what: str, seconds: float) -> AbstractContextManager[None]:
        """A wait of at most so many seconds, here and above."""
        until = time.monotonic() + seconds + max(LEAST_GRACE_SECONDS, GRACE_SHARE * seconds)
        return _Within(self, Wait(what, until))

    def forgive(self, seconds: float) -> None:
        """So much of its silence, and of its waits, is not to be counted: the whole process stood still."""
        self.at += seconds
        for key, wait in self.waits.items():
            self.waits[key] = replace(wait, until=wait.until + seconds)

    def chain(self) -> list[Pulse]:
        """This one and those above it."""
        return [self] if self._above is None else [self, *self._above.chain()]


class _Within:
    """A class and no generator, as it stands open in each agent that waits for its model."""

    __slots__ = ("_pulse", "_wait")

    def __init__(self, pulse: Pulse, wait: Wait) -> None:
        self._pulse, self._wait = pulse, wait

    def __enter__(self) -> None:
        for pulse in self._pulse.chain():
            pulse.waits[self] = self._wait
        self._pulse.beat()

    def __exit__(self, *_: object) -> None:
        for pulse in self._pulse.chain():
            del pulse.waits[self]
        self._pulse.beat()


_PROCESS = Pulse()
PULSE: ContextVar[Pulse] = ContextVar("pulse", default=_PROCESS)
"""Of the worker in whose context this is; that of the process where there is none."""


def within(what: str, seconds: float) -> AbstractContextManager[None]:
    """A wait of this context's worker that ends by itself after so many seconds; ``what`` names it for people."""
    return PULSE.get().within(what, seconds)
