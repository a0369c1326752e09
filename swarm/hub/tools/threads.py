"""Runs blocking functions beside the event loop, in threads that can be left behind."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from functools import partial

THREADS = 32
"""Functions that run at once. The loop's own pool has 6 on 2 cores."""


class Threads:
    """A bounded number of daemon threads, one for each function.

    No pool: a function that never returns would hold its thread, and the interpreter's exit, for ever.
    """

    def __init__(self, most: int = THREADS) -> None:
        self._gate = asyncio.Semaphore(most)

    async def run(self, function: Callable[[], object]) -> object:
        """What the function returns, or its exception. Cancelled, it leaves the function behind."""
        await self._gate.acquire()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[object] = loop.create_future()
        context = contextvars.copy_context()
        work = partial(self._work, loop, done, partial(context.run, function))
        threading.Thread(target=work, name="swarm tool", daemon=True).start()
        return await done

    def _work(
        self, loop: asyncio.AbstractEventLoop, done: asyncio.Future[object], function: Callable[[], object]
    ) -> None:
        value: object = None
        failure: BaseException | None = None
        try:
            value = function()
        except BaseException as error:  # noqa: BLE001  foreign code, and its exception belongs to the caller
            failure = error
        try:
            loop.call_soon_threadsafe(self._settle, done, value, failure)
        except RuntimeError:
            # The loop has been closed: nobody waits for this function any more.
            return

    def _settle(self, done: asyncio.Future[object], value: object, failure: BaseException | None) -> None:
        self._gate.release()
        if done.done():
            return
        if failure is None:
            done.set_result(value)
        elif isinstance(failure, Exception) and not isinstance(failure, StopIteration):
            done.set_exception(failure)
        else:
            done.set_exception(RuntimeError(f"{type(failure).__name__}: {failure}"))
