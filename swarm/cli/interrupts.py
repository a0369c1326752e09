"""Ctrl-C, SIGTERM and a closed terminal: the first ends a run cleanly, the second at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 4.5
"""Deadline of a clean stop: whoever sends SIGTERM commonly kills five to ten seconds later."""
SAYING_SECONDS = 0.3
"""How long the last word may take."""
INTERRUPTED = 130
"""Exit code after a signal: 128 and the number of SIGINT, as shells have it."""


class Interrupts:
    """Signals of this process as something that can be awaited. Until ``wait`` is called, a signal
    cancels the task that opened this."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        """The first that came, if one did."""
        self.advice = ""
        """What to add to the word that the process left at once: how to go on."""
        self._came = asyncio.Event()
        self._is_awaited = False
        self._task = asyncio.current_task()

    @contextmanager
    def caught(self) -> Generator[Interrupts]:
        """Catches the signals meanwhile."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._take, number)
        try:
            yield self
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    async def wait(self) -> signal.Signals:
        """The first signal, once it has come."""
        self._is_awaited = True
        await self._came.wait()
        return self.signal or signal.SIGINT

    def _take(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            _let_go_of_the_terminal()
        if self.signal is not None:
            force_exit(f"stopped at once; what was recorded is kept{self.advice}")
        self.signal = number
        self._came.set()
        words = f"the clean stop took too long; left at once, and what was recorded is kept{self.advice}"
        asyncio.get_running_loop().call_later(STOP_SECONDS, force_exit, words)
        if not self._is_awaited and self._task is not None:
            self._task.cancel()


def force_exit(words: str) -> None:
    """Ends the process here and now and its servers with it, with the terminal's cursor back in sight.

    Everything that must survive was committed before.
    """
    cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
    last = f"{cursor}\nswarm: {words}\n".encode()
    # Nobody may read it, and then it would be waited for.
    saying = threading.Thread(target=_say, args=(last,), daemon=True)
    saying.start()
    saying.join(SAYING_SECONDS)
    _kill_servers()
    os._exit(INTERRUPTED)


def _say(words: bytes) -> None:
    with suppress(OSError):
        os.write(2, words)


def _kill_servers() -> None:
    """Kills the groups that children of this process lead. Elsewhere than on Linux they see their input end."""
    for listing in Path("/proc/self/task").glob("*/children"):
        for child in listing.read_text("ascii").split():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(int(child), signal.SIGKILL)


def _let_go_of_the_terminal() -> None:
    """After a hang-up every write to the terminal fails, and would break the clean stop."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream.isatty():
            os.dup2(nowhere, stream.fileno())
