"""What the run and one program say to each other, until the program's end: its calls are answered, its time is
counted, and whatever it does to its end of the wire ends in an outcome."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from swarm.clock.pulse import PULSE
from swarm.program.program_wire import MOST_BYTES, Order
from swarm.sandbox.confined import Confined

SECONDS = 120.0
"""Time a program may take by itself; what it waits for has deadlines of its own."""
TICK_SECONDS = 0.2
SILENT_SECONDS = 5.0
"""A program whose end of the wire is closed has ended by then, or is ended."""
MOST_AT_ONCE = 128
"""Calls of one program that are answered at once; further ones wait."""
MOST_CALLS = 20_000
"""Of one program."""
MOST_STDERR = 4_000

Serve = Callable[[dict[str, JsonValue]], Awaitable[JsonValue]]
"""Answers one call of a program; a ``CallRefused`` is told to it as an error."""


class CallRefused(Exception):
    """A call of a program that can't be answered; its text is for the program."""


class Ended(BaseModel):
    """What a program tells at its end. It is read as what anybody could have written."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    error: str = ""
    printed: str = ""
    answer: JsonValue = None
    has_answer: bool = False
    read: dict[str, list[int]] = {}
    """What it read, and what each file was like then."""
    removed: list[str] = []
    passed: str = ""
    """Lines that it passed over, in words."""
    listed: list[str] = []
    """Patterns that it looked for files by."""


class Dialogue:
    """One program at work."""

    def __init__(
        self,
        process: Confined,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        serve: Serve,
        seconds: float,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._serve = serve
        self._seconds = seconds
        self._sending = asyncio.Lock()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._pending = 0
        self._calls = 0
        self._stderr = b""
        self._overtime = ""

    async def run(self, order: Order) -> Ended:
        """What the program tells at its end, or why it told nothing."""
        first = _line(asdict(order))
        if len(first) > MOST_BYTES:
            return Ended(error=f"what earlier steps gave is too large for a program: {len(first):,} bytes")
        self._writer.write(first)
        async with asyncio.TaskGroup() as group:
            stderr = group.create_task(self._collect_stderr())
            clock = group.create_task(self._watch())
            ended = await self._heard(group)
            clock.cancel()
            if ended is None:
                ended = Ended(error=await self._why_silent(stderr))
            stderr.cancel()
        return ended

    async def _heard(self, group: asyncio.TaskGroup) -> Ended | None:
        """What it tells at its end, its calls answered meanwhile; None where it closes the wire without a word."""
        while line := await self._line():
            got = _object(line)
            if got is None:
                return Ended(error="it wrote something else than calls to the wire that leads to the run")
            if got.get("end"):
                return _ended(got)
            await self._room.acquire()
            group.create_task(self._answer(got))
        return None

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except ConnectionError:
            return b""
        except ValueError:
            return b"too long\n"

    async def _watch(self) -> None:
        """Ends a program that takes too long by itself."""
        taken, last = 0.0, time.monotonic()
        while taken < self._seconds:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            if not self._pending:
                # A tick that comes late is the machine's fault and no work of the program.
                taken += min(now - last, 2 * TICK_SECONDS)
                PULSE.get().beat()
            last = now
        self._overtime = f"it took over {self._seconds:g} s by itself; do less, or loop over less"
        self._process.kill()

    async def _answer(self, call: dict[str, JsonValue]) -> None:
        number = call.get("number")
        try:
            answer = _line({"number": number, **await self._served(call)})
            if len(answer) > MOST_BYTES:
                answer = _line({"number": number, "error": "the answer is too large; ask for less at once"})
            # A program that takes no answers is waited for on its own time.
            with suppress(ConnectionError):
                async with self._sending:
                    self._writer.write(answer)
                    await self._writer.drain()
        finally:
            self._room.release()

    async def _served(self, call: dict[str, JsonValue]) -> dict[str, JsonValue]:
        self._calls += 1
        if self._calls > MOST_CALLS:
            return {"error": f"it made more than {MOST_CALLS:,} calls; a program may make no more"}
        self._pending += 1
        try:
            return {"value": await self._serve(call)}
        except CallRefused as refused:
            return {"error": str(refused)}
        finally:
            self._pending -= 1

    async def _collect_stderr(self) -> None:
        """Reads on to the end, as a full pipe would hold the program up; keeps the last of it."""
        stream = self._process.stderr
        while stream is not None and (piece := await stream.read(MOST_STDERR)):
            self._stderr = (self._stderr + piece)[-MOST_STDERR:]

    async def _why_silent(self, stderr: asyncio.Task[None]) -> str:
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                ending = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            return "it closed the wire that leads to the run and went on; leave file descriptors alone"
        if self._overtime:
            return self._overtime
        if ending.reason:
            return ending.reason
        await asyncio.wait([stderr], timeout=SILENT_SECONDS)
        said = self._stderr.decode("utf-8", "replace").strip().splitlines()
        return f"it left with code {ending.code} before its end{f': {said[-1][:300]}' if said else ''}"


def _line(what: dict[str, JsonValue]) -> bytes:
    return json.dumps(what).encode() + b"\n"


def _object(line: bytes) -> dict[str, JsonValue] | None:
    try:
        found: JsonValue = json.loads(line)
        # Neither half characters nor infinite numbers can be recorded or shown to a model.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _ended(got: dict[str, JsonValue]) -> Ended:
    try:
        return Ended.model_validate(got)
    except (ValidationError, RecursionError):
        return Ended(
            error="what it answered can't be kept: give texts, numbers, lists and dicts that nest less"
        )
