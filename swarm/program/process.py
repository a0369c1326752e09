"""Running one program in a process of its own, and answering what it asks the run for."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from subprocess import DEVNULL
from typing import TypedDict

from pydantic import JsonValue

import swarm
from swarm.program.outcome import Outcome, files_left
from swarm.program.wire import MOST_BYTES, Order
from swarm.sandbox.confined import Confined
from swarm.sandbox.confinement import MIB, Confinement
from swarm.sandbox.launch import Program
from swarm.sandbox.start import start
from swarm.sandbox.way import Way
from swarm.tool import ToolCall

SECONDS = 120.0
"""Time a program may take by itself; what it waits for has deadlines of its own."""
TICK_SECONDS = 0.2

Serve = Callable[[dict[str, JsonValue]], Awaitable[JsonValue]]
"""Answers one call of a program; a ``ToolError`` or ``ModelError`` is told to it as an error."""


class Bounds(TypedDict):
    """Those of ``Confinement`` that programs have."""

    memory_bytes: int
    threads: int
    cpu_seconds: int
    disk_bytes: int
    files: int


PACKAGE = Path(swarm.__file__).parent
BOUNDS: Bounds = {
    "memory_bytes": 4 * 1024 * MIB,
    "threads": 96,
    "cpu_seconds": 600,
    "disk_bytes": 512 * MIB,
    "files": 12_000,
}
"""Of one program; address space is more than what it uses, since DuckDB and threads reserve it."""


class Wishes:
    """Calls that are made only once the program is chosen."""

    def __init__(self) -> None:
        self.calls: list[ToolCall] = []


async def run_program(
    order: Order, serve: Serve, way: Way, *, wishes: Wishes | None = None, seconds: float = SECONDS
) -> Outcome:
    """What comes of a program; its own failures are outcomes too.

    Raises:
        ProjectError: it could not be confined.
    """
    with _folders() as (written, scratch):
        order = replace(order, written=str(written), scratch=str(scratch))
        async with _started(order, way) as (process, reader, writer):
            session = _Session(process, reader, writer, serve, seconds)
            end = await session.run(order)
        return _outcome(order, end, wishes.calls if wishes else [])


@contextmanager
def _folders() -> Generator[tuple[Path, Path]]:
    """A folder for what a program writes, and one for what it has no memory for."""
    with tempfile.TemporaryDirectory(prefix="swarm-program-", ignore_cleanup_errors=True) as folder:
        written, scratch = Path(folder, "written"), Path(folder, "scratch")
        written.mkdir()
        scratch.mkdir()
        yield written, scratch


@asynccontextmanager
async def _started(
    order: Order, way: Way
) -> AsyncGenerator[tuple[Confined, asyncio.StreamReader, asyncio.StreamWriter]]:
    """The process of a program, which sees the workspace and writes into its own folders alone."""
    workspace, own = Path(order.workspace), Path(order.written).parent
    confinement = Confinement(readable=(workspace, PACKAGE), writable=(own,), **BOUNDS)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        program = Program(
            argv=(sys.executable, "-P", "-m", "swarm.program.child", str(theirs.fileno())),
            cwd=workspace,
            env={"PYTHONHASHSEED": "0", "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"},
            pass_fds=(theirs.fileno(),),
            stdin=DEVNULL,
            stdout=DEVNULL,
        )
        async with start(way, confinement, program) as confined:
            theirs.close()
            reader, writer = await asyncio.open_connection(sock=ours, limit=MOST_BYTES)
            try:
                yield confined, reader, writer
            finally:
                writer.close()


class _Session:
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
        self._pending = 0
        self._end: dict[str, JsonValue] = {}

    async def run(self, order: Order) -> dict[str, JsonValue]:
        """What the program tells at its end, or why it told nothing."""
        self._say(asdict(order))
        try:
            async with asyncio.TaskGroup() as group:
                clock = group.create_task(self._watch())
                async for line in self._lines():
                    got: dict[str, JsonValue] = json.loads(line)
                    if got.get("end"):
                        self._end = got
                        break
                    group.create_task(self._answer(got))
                clock.cancel()
        except* (ConnectionError, ValueError) as errors:
            self._end = self._end or {"error": f"it broke off: {errors.exceptions[0]}"}
        return self._end or {"error": await self._why_silent()}

    async def _lines(self) -> AsyncGenerator[bytes]:
        while line := await self._reader.readline():
            yield line

    async def _watch(self) -> None:
        """Ends a program that takes too long by itself."""
        taken, last = 0.0, time.monotonic()
        while taken < self._seconds:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            # A tick that comes late is the machine's fault and no work of the program.
            taken += min(now - last, 2 * TICK_SECONDS) if not self._pending else 0.0
            last = now
        self._end = {"error": f"it took over {self._seconds:g} s by itself; do less, or loop over less"}
        self._process.kill()

    async def _answer(self, call: dict[str, JsonValue]) -> None:
        self._pending += 1
        try:
            value = await self._serve(call)
            self._say({"number": call.get("number"), "value": value})
        except CallRefused as refused:
            self._say({"number": call.get("number"), "error": str(refused)})
        finally:
            self._pending -= 1

    def _say(self, what: dict[str, JsonValue]) -> None:
        self._writer.write(json.dumps(what, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    async def _why_silent(self) -> str:
        ending = await self._process.wait()
        stderr = self._process.stderr
        said = (await stderr.read(4_000)).decode("utf-8", "replace").strip() if stderr else ""
        if ending.reason:
            return ending.reason
        return f"it ended with code {ending.code}{': ' if said else ''}{said.splitlines()[-1][:300] if said else ''}"


class CallRefused(Exception):
    """A call of a program that can't be answered; its text is for the program."""


def _outcome(order: Order, end: dict[str, JsonValue], wishes: list[ToolCall]) -> Outcome:
    seen, removed, listed = end.get("read"), end.get("removed"), end.get("listed")
    read = (
        {name: stat for name, stat in seen.items() if isinstance(stat, list)}
        if isinstance(seen, dict)
        else {}
    )
    error, files = str(end.get("error") or ""), {}
    if not error:
        signatures = {name: [n for n in stat if isinstance(n, int)] for name, stat in read.items() if stat}
        gone = [str(name) for name in removed] if isinstance(removed, list) else []
        try:
            files = files_left(Path(order.workspace), Path(order.written), signatures, gone)
        except (ValueError, OSError) as refused:
            error = str(refused)
    return Outcome(
        error=error,
        printed=str(end.get("printed") or ""),
        answer=end.get("answer"),
        has_answer=bool(end.get("has_answer")),
        files=files,
        read=tuple(read),
        listed=tuple(str(pattern) for pattern in listed) if isinstance(listed, list) else (),
        wishes=tuple(wishes),
    )
