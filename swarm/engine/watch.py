"""Watching the work of a run: workers that die, waits that outlast their deadlines, and runs in which nothing moves."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import cast

from swarm.clock.pulse import PULSE, Pulse
from swarm.clock.steady import boot_seconds
from swarm.errors import LimitExceeded, SwarmError, WorkerDied
from swarm.nouns.events import Event, LimitReached, LoopBlocked, Notice
from swarm.nouns.plan import Thread
from swarm.work.budget import Budget
from swarm.work.context import name_of

logger = logging.getLogger("swarm.engine")

TICK_SECONDS = 0.5
BLOCKED_SECONDS = 5.0
"""A tick that comes later than this was held up; a loaded machine holds one up for a second or two."""
SLEPT_SECONDS = 5.0
"""Time the machine slept from which on it is told."""


@contextmanager
def deaths() -> Generator[None]:
    """What nobody expects in the block, be it a bug or a cancellation that nobody asked for, as one error.

    Errors that are raised on purpose pass.

    Raises:
        WorkerDied: says what happened.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise WorkerDied("it was cancelled by something that it called") from error
    except Exception as error:  # a bug, here or in foreign code, must not reach the siblings
        first = (
            first_of(cast(ExceptionGroup[Exception], error)) if isinstance(error, ExceptionGroup) else error
        )
        if isinstance(first, SwarmError):
            raise
        logger.warning("a worker died", exc_info=True)
        raise WorkerDied(f"{type(first).__name__}: {first}") from error


def first_of(errors: ExceptionGroup[Exception]) -> Exception:
    """The first error of nested groups."""
    error = errors.exceptions[0]
    return first_of(cast(ExceptionGroup[Exception], error)) if isinstance(error, ExceptionGroup) else error


@dataclass(eq=False)
class _Worker:
    thread: Thread
    pulse: Pulse
    scope: asyncio.Timeout
    overdue: str = ""
    """What it waited for too long, once that ended it."""


class Watch:
    """Watches the sub-agents of one run.

    Its clock stands still while the machine sleeps, as that of all deadlines does. ``boot`` does
    not, and tells how long it slept.
    """

    def __init__(
        self,
        note: Callable[[Event], None],
        budget: Budget,
        *,
        clock: Callable[[], float] = time.monotonic,
        boot: Callable[[], float] = boot_seconds,
    ) -> None:
        self._note = note
        self._budget = budget
        self._clock = clock
        self._boot = boot
        self._workers: list[_Worker] = []

    @asynccontextmanager
    async def over(self, thread: Thread) -> AsyncGenerator[None]:
        """A worker at work in the block, which is ended when a wait in it outlasts its deadline.

        Raises:
            WorkerDied: it was ended.
        """
        worker = _Worker(thread, Pulse(PULSE.get()), asyncio.timeout(None))
        token = PULSE.set(worker.pulse)
        self._workers.append(worker)
        try:
            async with worker.scope:
                yield
        except TimeoutError as error:
            if not worker.overdue:
                raise
            raise WorkerDied(f"{worker.overdue} did not come, long after its deadline") from error
        finally:
            self._workers.remove(worker)
            PULSE.reset(token)

    async def run(self) -> None:
        """Looks after all workers until it is cancelled.

        Raises:
            LimitExceeded: nothing has moved for ``limits.stall_seconds``.
        """
        now, boot = self._clock(), self._boot()
        PULSE.get().beat()  # The silence before this run is none of it.
        while True:
            await asyncio.sleep(TICK_SECONDS)
            before, now = now, self._clock()
            boot_before, boot = boot, self._boot()
            if (slept := (boot - boot_before) - (now - before)) > SLEPT_SECONDS:
                self._note(Notice(text=f"the machine slept for {slept:,.0f} s; the run goes on"))
            if (late := now - before - TICK_SECONDS) > BLOCKED_SECONDS:
                # Whoever waits is judged at the next tick: its own deadline comes first, and none of them
                # counts time in which this process stood still.
                self._note(LoopBlocked(seconds=round(late, 1)))
                for pulse in self._pulses():
                    pulse.forgive(late)
                continue
            self._end_overdue(now)
            self._check_run(now)

    def _pulses(self) -> set[Pulse]:
        """Those of all workers, and of what they are part of."""
        return {
            pulse
            for one in (PULSE.get(), *(worker.pulse for worker in self._workers))
            for pulse in one.chain()
        }

    def _end_overdue(self, now: float) -> None:
        for worker in self._workers:
            last = max(worker.pulse.waits.values(), key=lambda wait: wait.until, default=None)
            if last is not None and now > last.until and not worker.overdue:
                worker.overdue = last.what
                worker.scope.reschedule(0.0)

    def _check_run(self, now: float) -> None:
        pulse, budget = PULSE.get(), self._budget
        if budget.is_at_rest:
            pulse.beat()
            return
        silent, allowed = now - pulse.due, budget.limits.stall_seconds
        if silent <= allowed:
            return
        at_work = [name_of(worker.thread) for worker in self._workers]
        who = f", with {len(at_work)} sub-agents at work ({', '.join(at_work[:5])})" if at_work else ""
        text = f"nothing has moved for {silent:,.0f} s{who}; what is recorded is kept"
        self._note(
            LimitReached(limit="stall_seconds", used=silent, allowed=allowed, enough=2 * allowed, text=text)
        )
        raise LimitExceeded(text, "stall_seconds")
