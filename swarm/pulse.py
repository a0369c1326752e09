"""Signs of life: when whoever works last gave one, and for how long its silence is in order."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

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

    @contextmanager
    def within(self, what: str, seconds: float) -> Generator[None]:
        """A wait of at most so many seconds, here and above."""
        key, until = object(), time.monotonic() + seconds + max(LEAST_GRACE_SECONDS, GRACE_SHARE * seconds)
        chain = self._chain()
        for pulse in chain:
            pulse.waits[key] = Wait(what, until)
        self.beat()
        try:
            yield
        finally:
            for pulse in chain:
                del pulse.waits[key]
            self.beat()

    def _chain(self) -> list[Pulse]:
        return [self] if self._above is None else [self, *self._above._chain()]


_PROCESS = Pulse()
PULSE: ContextVar[Pulse] = ContextVar("pulse", default=_PROCESS)
"""Of the worker in whose context this is; that of the process where there is none."""


def within(what: str, seconds: float) -> AbstractContextManager[None]:
    """A wait of this context's worker that ends by itself after so many seconds; ``what`` names it for people."""
    return PULSE.get().within(what, seconds)
