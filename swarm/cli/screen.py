"""What a command that runs something shows: the live view, plain lines, or events as JSON."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING

from rich.console import Console

from swarm.cli.approval import approve, ask_more
from swarm.cli.output import print_line
from swarm.cli.streams import NOTE_SECONDS, PATIENCE_SECONDS, STOP_SECONDS
from swarm.nouns.events import Event, LimitReached
from swarm.view.outlet import Outlet, room
from swarm.view.plain import show as show_plain
from swarm.view.terminal import TerminalView
from swarm.view.words import printable

if TYPE_CHECKING:
    from swarm.nouns.plan import Plan


class Screen:
    """Progress on stderr; on stdout only the answer, or with ``as_json`` the events and nothing else.

    ``clock`` gives seconds since 1970, as the events have them.
    """

    def __init__(self, *, as_json: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._as_json = as_json
        self._console = Console(stderr=True, highlight=False)
        is_live = self._console.is_terminal and not self._console.is_dumb_terminal and not as_json
        self._view = TerminalView(self._console, clock=clock) if is_live else None

    @property
    def can_ask(self) -> bool:
        """Whether a person is there to answer a question."""
        return self._view is not None and sys.stdin.isatty()

    def opening(self) -> AbstractContextManager[object]:
        """Shows that the model and the tools are being opened; a large model takes its time."""
        if self._view is None:
            return nullcontext()
        return self._console.status("opening the model and the tools …")

    async def show(self, events: AsyncIterator[Event]) -> None:
        """Shows the events until they end."""
        if self._as_json:
            async for event in events:
                await room(sys.stdout)
                print_line(event.model_dump_json())
        elif self._view is not None:
            await self._view.show(events)
        else:
            await show_plain(events, sys.stderr)

    async def shown(self, showing: asyncio.Task[None], is_stopping: Callable[[], bool]) -> bool:
        """Waits until ``showing`` a run that has ended is done; False where nobody reads it."""
        stream = sys.stdout if self._as_json else sys.stderr
        if not isinstance(stream, Outlet):
            await showing
            return True
        patience = PATIENCE_SECONDS if self._as_json else NOTE_SECONDS
        return await stream.settled(showing.done, lambda: STOP_SECONDS if is_stopping() else patience)

    async def approve(self, forecast: Callable[[Plan], str], plan: Plan) -> Plan | None:
        """The plan as the person wants it run, or None to leave it; ``forecast`` words how long it takes."""
        with self._paused():
            return await approve(plan, self._console, forecast)

    async def ask_more(self, reached: LimitReached) -> float | None:
        """The limit as the person raised it, or None to pause the run."""
        with self._paused():
            return await ask_more(reached, self._console)

    def _paused(self) -> AbstractContextManager[None]:
        return self._view.paused() if self._view else nullcontext()

    def say(self, words: str) -> None:
        """A line beside the answer; nobody may read it."""
        with suppress(BrokenPipeError):
            sys.stderr.write(f"{printable(words)}\n")

    def answer(self, text: str) -> None:
        """The answer itself; a run that has ended has done so also where nobody reads it."""
        if self._as_json:
            return
        with suppress(BrokenPipeError):
            print_line(printable(text) if sys.stdout.isatty() else text)
