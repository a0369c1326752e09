"""An MCP server under supervision: started when it is first needed, and again after it died."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Literal, cast

import anyio

from swarm.errors import ServerError
from swarm.hub.servers.connection import LATEST, OLDER, Connection, connected
from swarm.hub.servers.turns import StartTurn, Turns
from swarm.hub.tools.offer import Offer
from swarm.hub.tools.readback import fitting, from_answer, read_files, roots_of
from swarm.nouns.events import ServerChanged
from swarm.nouns.tool import CallContext, Reading, ToolCall, ToolResult
from swarm.project.server_entry import ServerEntry

logger = logging.getLogger("swarm.hub")

CALLS = 64
"""Calls one server works on at once; more would wait in its own queue, where no one sees them."""
PAUSE_SECONDS = 0.2
"""Wait before the second start in a row; doubled for each further one."""
LONGEST_PAUSE_SECONDS = 5.0
RESTARTS = 5
"""Starts after the first with no call between them that was answered; then the server rests."""
REST_SECONDS = 300.0
"""How long its tools fail at once, with the reason, before it gets another chance."""
READ_BACK_SECONDS = 30.0
"""Deadline of reading back, where the server's entry sets none."""
CLOSE_SECONDS = 10.0
"""Longer than a server's own end can take: every wait in it is bounded."""


class _Life:
    """One start of the server and all that comes of it."""

    def __init__(self) -> None:
        self.settled = asyncio.Event()
        """Set when it is known whether the start succeeded."""
        self.ended = asyncio.Event()
        self.connection: Connection | None = None
        self.failure = "it was stopped"
        self.turn: StartTurn | None = None

    def settle(self) -> None:
        """Lets those who wait for the start go on, and the next server start."""
        self.settled.set()
        if self.turn is not None:
            self.turn.give_back()


class Server:
    """A server that is there when it is called. Each session lives in a task of its own.

    The SDK cancels the task that opened a session when an HTTP server dies, and a dead session
    never recovers; so callers wait for a session here and never hold the task that owns it.
    """

    def __init__(
        self,
        entry: ServerEntry,
        tell: Callable[[ServerChanged], None] = lambda _: None,
        *,
        note: Callable[[int], None] = lambda _: None,
        first_pause_seconds: float = PAUSE_SECONDS,
        turns: Turns | None = None,
    ) -> None:
        self.entry = entry
        self._tell = tell
        self._note = note
        self._first_pause_seconds = first_pause_seconds
        self._turns = turns or Turns()
        self._gate = asyncio.Semaphore(CALLS)
        self._changes = asyncio.Semaphore(min(entry.parallel, CALLS))
        self._begins = LATEST
        self._life: _Life | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._deaths = 0
        self._rests, self._rests_until = "", 0.0
        self._is_closed = False

    @property
    def name(self) -> str:
        """What stands before the dot in the full name of its tools."""
        return self.entry.name

    def start(self) -> None:
        """Begins to start the server, unless it runs or is being started."""
        if self._is_closed:
            raise ServerError(
                f"the server {self.name!r} is closed; nothing can be called after the end of a run"
            )
        if not self.entry.problem and (self._life is None or self._life.ended.is_set()):
            self._life = _Life()
            task = asyncio.create_task(
                self._live(self._life, frozenset(self._tasks)), name=f"server {self.name}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def connection(self) -> Connection:
        """An open session; the same one for all callers.

        Raises:
            ServerError: the server did not start, or cannot be used.
        """
        self._check()
        self.start()
        life = self._life
        if life is None:
            raise ServerError(f"the server {self.name!r} is closed")
        # Bounded by the deadlines of the start and of the end before it, and by the turns before it.
        await life.settled.wait()
        if life.connection is None:
            raise ServerError(life.failure)
        return life.connection

    async def offers(self) -> Mapping[str, Offer]:
        """The server's tools by name. Starts it."""
        connection = await self.connection()
        if connection.is_stale:
            await connection.list_anew()
        return connection.offers

    async def refused(self) -> Mapping[str, str]:
        """Why a tool it has is not offered, by name."""
        return (await self.connection()).refused

    async def call(self, call: ToolCall, offer: Offer, context: CallContext) -> ToolResult:
        """What the tool answers. The deadline runs from when the call is sent."""
        seconds = min(context.deadline_seconds, self.entry.call_seconds or context.deadline_seconds)
        # A server may lose one of two changes that it works on at once.
        async with nullcontext() if offer.is_reader else self._changes, self._gate:
            connection = await self.connection()
            await context.leave()
            connection.unanswered[context.key] = call
            result = await connection.call(call, offer, context.key, seconds)
            connection.unanswered.pop(context.key, None)
        self._deaths = 0
        return result

    async def read_back(self, call: ToolCall, offer: Offer) -> Reading | None:
        """What the call would change, by the server's own tool for that; None where that can't be read."""
        roots = roots_of(self.entry)
        if roots:
            return await asyncio.to_thread(read_files, roots, call)
        reader = (await self.offers()).get(offer.read_back)
        if reader is None:
            return None
        args = fitting(call.args, reader.tool.input_schema)
        connection = await self.connection()
        seconds = self.entry.call_seconds or READ_BACK_SECONDS
        asked = ToolCall(tool=reader.tool.full_name, args=args)
        return from_answer(await connection.call(asked, reader, "", seconds))

    def may_act(self, call: ToolCall) -> bool:
        """Whether such a call was cut off and may be at work yet; of a server at a URL nobody knows."""
        connection = self._life.connection if self._life else None
        return bool(self.entry.url) or (connection is not None and call in connection.unanswered.values())

    def stop(self) -> None:
        """Begins to end the server; ``close`` waits for it."""
        self._is_closed = True
        if self._life is None:
            return
        self._life.ended.set()
        if not self._life.settled.is_set():
            for task in self._tasks:
                task.cancel()
            # A task that is cancelled before its first step runs nothing, not even what it does at its end.
            self._life.settle()

    async def close(self) -> None:
        """Ends the server and everything it started."""
        self.stop()
        if not self._tasks:
            return
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            await asyncio.wait(self._tasks)
            return
        logger.error("server %s did not close within %s s", self.name, CLOSE_SECONDS)

    async def _live(self, life: _Life, before: frozenset[asyncio.Task[None]]) -> None:
        is_begun = False
        try:
            await self._wait_for(before)
            if not self.entry.url:
                life.turn = await self._turns.take()
            is_begun = True
            try:
                await self._serve(life)
            except ServerError as error:
                if not error.is_gone or self._begins == OLDER or self._is_closed:
                    raise
                # Servers on older SDKs end at any first question but ``initialize``.
                self._begins = OLDER
                await self._serve(life)
        except ServerError as error:
            self._begins = LATEST
            life.failure = str(error)
        except asyncio.CancelledError:
            # Our own close, or the SDK, which cancels this task when an HTTP server dies. The task
            # ends in either case, and its owner only waits for that.
            logger.debug("server %s: its session was cancelled", self.name)
        except (Exception, BaseExceptionGroup):  # noqa: BLE001 - foreign code: the SDK closes a broken session
            logger.debug("server %s: its session broke", self.name)
        finally:
            life.ended.set()
            life.settle()
            if is_begun and not self._is_closed:
                self._report(life)

    async def _serve(self, life: _Life) -> None:
        """One session, from its first question to its end.

        Raises:
            ServerError: it did not begin.
        """
        ended = asyncio.Event()
        try:
            async with connected(self.entry, ended, self._note, begins=self._begins) as connection:
                if connection.is_older:
                    self._begins = OLDER  # Some take ten seconds to say that they know no other way.
                life.ended, life.connection = ended, connection
                life.settle()
                if self._deaths:
                    self._say("restarted")
                await life.ended.wait()
                if not self._is_closed:
                    life.failure = await connection.obituary() or "its connection ended"
        except BaseExceptionGroup as group:
            # What the SDK holds open wraps the reason when it is closed for it.
            if life.connection is None and (reason := _reason(group)):
                raise reason from None
            raise

    def _report(self, life: _Life) -> None:
        """Tells of the end of a life, and lets the server rest after too many."""
        self._deaths += 1
        is_silent = life.connection is not None and life.connection.is_silent
        self._say("silent" if is_silent else "died", life.failure)
        if self._deaths > RESTARTS:
            self._rests_until = time.monotonic() + REST_SECONDS
            self._rests = (
                f"the server {self.name!r} failed {self._deaths} times in a row and is left alone for "
                f"{REST_SECONDS:.0f} s: {life.failure}"
            )
            self._say("resting", life.failure)

    def _say(self, state: Literal["died", "silent", "restarted", "resting"], text: str = "") -> None:
        logger.info("server %s: %s %s", self.name, state, text)
        self._tell(ServerChanged(server=self.name, state=state, text=text))

    def _check(self) -> None:
        if self.entry.problem:
            raise ServerError(f"the server {self.name!r} of {self.entry.origin} is off: {self.entry.problem}")

    async def _wait_for(self, before: frozenset[asyncio.Task[None]]) -> None:
        """Waits until the life before has ended, and the longer the more often it did.

        Raises:
            ServerError: it did so too often.
        """
        if before:
            await asyncio.wait(before, timeout=CLOSE_SECONDS)
        if time.monotonic() < self._rests_until:
            raise ServerError(self._rests)
        if self._deaths > 1:
            await asyncio.sleep(
                min(self._first_pause_seconds * 2 ** (self._deaths - 2), LONGEST_PAUSE_SECONDS)
            )


def _reason(error: BaseException) -> ServerError | None:
    """The reason within what wraps it."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return next((found for part in group.exceptions if (found := _reason(part))), None)
    return error if isinstance(error, ServerError) else None
