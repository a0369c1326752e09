"""Running one program in a process of its own, and answering what it asks the run for."""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL
from typing import TypedDict

import swarm
from swarm.nouns.tool import ToolCall
from swarm.program.dialogue import SECONDS, Dialogue, Ended, Serve
from swarm.program.outcome import Left, Outcome, files_left
from swarm.program.program_wire import MOST_BYTES, MOST_PRINTED, Order
from swarm.sandbox.confined import Confined
from swarm.sandbox.confinement import MIB, Confinement
from swarm.sandbox.confiner import Way
from swarm.sandbox.launch import Program
from swarm.sandbox.start import start

MOST_PASSED = 400
"""Characters of what a program tells of lines that it passed over."""


class Bounds(TypedDict):
    """Those of ``Confinement`` that programs have."""

    memory_bytes: int
    threads: int
    cpu_seconds: int
    disk_bytes: int
    files: int


PACKAGE = Path(swarm.__file__).parent
BOOT = PACKAGE / "program" / "boot.py"
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
            end = await Dialogue(process, reader, writer, serve, seconds).run(order)
        return await asyncio.to_thread(_outcome, order, end, wishes.calls if wishes else [])


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
            argv=(sys.executable, "-P", str(BOOT), str(theirs.fileno())),
            cwd=workspace,
            env={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
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


def _outcome(order: Order, end: Ended, wishes: list[ToolCall]) -> Outcome:
    error, files = end.error, dict[str, Left]()
    if not error:
        try:
            files = files_left(Path(order.workspace), Path(order.written), end.read, end.removed)
        except (ValueError, OSError) as refused:
            error = str(refused)
    return Outcome(
        error=error,
        printed=end.printed[:MOST_PRINTED],
        answer=end.answer,
        has_answer=end.has_answer,
        files=files,
        read=tuple(end.read),
        listed=tuple(end.listed),
        passed=end.passed[:MOST_PASSED],
        wishes=tuple(wishes),
    )
