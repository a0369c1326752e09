"""The live view on a terminal: the tree of agents, redrawn as the run goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from swarm.nouns.events import Event
from swarm.view.outlet import is_free
from swarm.view.rows import live_rows, step_rows, usage_words
from swarm.view.state import RunState
from swarm.view.timing_words import speedup_rows
from swarm.view.words import duration, one_line, printable

REDRAW_SECONDS = 0.2


class TerminalView:
    """Shows one run on a terminal. ``clock`` gives seconds since 1970, as the events have them."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.time) -> None:
        self.console = console
        self.state = RunState()
        self._clock = clock
        self._live: Live | None = None

    async def show(self, events: AsyncIterator[Event]) -> None:
        """Redraws until the events end, then leaves one row for each step."""
        self._live = self._opened()
        try:
            await self._follow(events)
        finally:
            self._close()
        self._leave()

    def _close(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _opened(self) -> Live:
        """A picture that begins where the cursor is, below all that was printed before."""
        live = Live(console=self.console, auto_refresh=False, transient=True)
        live.start()
        return live

    @contextmanager
    def paused(self) -> Generator[None]:
        """Leaves the terminal to others for a while: a question, an editor."""
        live, self._live = self._live, None
        if live is None:
            yield
            return
        live.stop()
        try:
            yield
        finally:
            self._live = self._opened()

    async def _follow(self, events: AsyncIterator[Event]) -> None:
        async with asyncio.TaskGroup() as group:
            redraw = group.create_task(self._redraw())
            async for event in events:
                self.state.apply(event)
            redraw.cancel()

    async def _redraw(self) -> None:
        while True:
            # A terminal that is held takes no picture: the next one is as good.
            if self._live is not None and is_free(self.console.file):
                self._live.update(self._picture(), refresh=True)
            await asyncio.sleep(REDRAW_SECONDS)

    def _picture(self) -> Group:
        size = self.console.size
        # The cursor stands on a line of its own below the picture.
        return Group(
            *live_rows(self.state, now=self._clock(), width=size.width, height=max(size.height - 1, 3))
        )

    def _leave(self) -> None:
        width = self.console.size.width
        for row in step_rows(self.state, width=width):
            self.console.print(row)
        if ended := self.state.ended:
            words = f"{ended.status} in {duration(ended.seconds)} · {usage_words(ended.usage)}"
            self.console.print(Text(one_line(words, width), style="bold"))
            if ended.files:
                wrote = printable(f"wrote: {', '.join(ended.files)}")
                self.console.print(Text(wrote), soft_wrap=True)
            for words in speedup_rows(ended.speedup) if ended.speedup else []:
                self.console.print(Text(words))
