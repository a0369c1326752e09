"""An MCP server as a child process: messages over its pipes, and its end with all its children.

The SDK's own transport joins a long line quadratically (a line of 20 MB blocks the loop for over
20 s), leaves the children of a server that ends by itself, and costs two tasks for each message.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
from abc import ABC, abstractmethod
from asyncio.subprocess import PIPE, SubprocessStreamProtocol
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

import anyio
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import INTERNAL_ERROR, ErrorData, JSONRPCError, jsonrpc_message_adapter

from swarm.guard.rules import clean
from swarm.project.server_entry import ServerEntry

logger = logging.getLogger("swarm.hub")

MESSAGE_BYTES = 8_000_000
"""Longest message that is read; a longer one is dropped, and its call ends with an error."""
CHUNK_BYTES = 1 << 18
WORDS_BYTES = 4_000
"""What is kept of the end of stderr, to say why a server died."""
EXIT_SECONDS = 2.0
"""A server may take this long to end after its input is closed (MCP 2025-11-25, lifecycle)."""
TERM_SECONDS = 1.0
LOCALE = ("LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")
"""Passed on beside what the SDK passes on (HOME, LOGNAME, PATH, SHELL, TERM, USER)."""

ID_FIRST = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(?:(\d+)|"([^"\\]*)")')
ID_LAST = re.compile(rb'"id"\s*:\s*(?:(\d+)|"([^"\\]*)")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$')


class _Pipes(SubprocessStreamProtocol):
    """The pipes of a child: keeps the end of stderr and tells when the child has ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=CHUNK_BYTES, loop=loop)
        self.words = b""
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        if fd == 2 and isinstance(data, bytes):
            self.words = (self.words + data)[-WORDS_BYTES:]
        else:
            super().pipe_data_received(fd, data)

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.closed.set()


class Lines:
    """Cuts bytes into lines in linear time. A line over the limit gives its two ends only."""

    def __init__(self, limit: int = MESSAGE_BYTES) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[tuple[bytes, bool]]:
        """The lines that end in this chunk, each with whether it is whole."""
        *ends, rest = chunk.split(b"\n")
        lines: list[tuple[bytes, bool]] = []
        for end in ends:
            self._add(end)
            lines.append((b"".join(self._parts), self._size <= self._limit))
            self._parts, self._size = [], 0
        self._add(rest)
        return lines

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._limit:
            # The id of a message stands in its first or its last bytes.
            whole = b"".join(self._parts)
            self._parts = [whole[:200], whole[-200:]]


class Messages(ABC):
    """A stream of messages as the SDK reads one, made of ``receive`` alone."""

    @abstractmethod
    async def receive(self) -> SessionMessage | Exception:
        """The next message.

        Raises:
            anyio.EndOfStream: there will be none.
        """

    async def aclose(self) -> None:
        """Ends the stream, where it is not ended otherwise."""
        return

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()


class _Dialogue(Messages):
    """Both directions: messages of a server, between which noise is passed over, and those it is sent.

    The process is closed as a whole, so ``aclose`` does nothing.
    """

    def __init__(self, name: str, pipes: _Pipes, ended: asyncio.Event) -> None:
        if pipes.stdout is None or pipes.stdin is None:
            raise RuntimeError("a child with pipes has none")
        self._name = name
        self._reader = pipes.stdout
        self._writer = pipes.stdin
        self._ended = ended
        self._lines = Lines()
        self._waiting: deque[tuple[bytes, bool]] = deque()

    async def receive(self) -> SessionMessage:
        while True:
            while self._waiting:
                message = self._message(*self._waiting.popleft())
                if message is not None:
                    return message
            chunk = await self._reader.read(CHUNK_BYTES)
            if not chunk:
                self._ended.set()
                raise anyio.EndOfStream
            self._waiting.extend(self._lines.feed(chunk))

    def _message(self, line: bytes, is_whole: bool) -> SessionMessage | None:
        if not is_whole:
            return self._too_long(line)
        try:
            return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
        except ValueError:
            if line.strip():
                logger.debug("server %s: no message: %r", self._name, line[:200])
            return None

    def _too_long(self, line: bytes) -> SessionMessage | None:
        logger.warning("server %s: a message over %d bytes was dropped", self._name, MESSAGE_BYTES)
        found = ID_FIRST.match(line) or ID_LAST.search(line)
        if found is None:
            return None
        number, text = found.groups()
        return SessionMessage(
            JSONRPCError(
                jsonrpc="2.0",
                id=int(number) if number else text.decode(errors="replace"),
                error=ErrorData(
                    code=INTERNAL_ERROR,
                    message=f"the answer is larger than {MESSAGE_BYTES // 1_000_000} MB; "
                    "ask for less (a range, a filter, a limit)",
                ),
            )
        )

    async def send(self, item: SessionMessage, /) -> None:
        """Writes a message and waits while the server is slow to read.

        Raises:
            anyio.BrokenResourceError: the server has closed its input.
        """
        if self._writer.is_closing():
            raise anyio.BrokenResourceError
        line = item.message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
        try:
            self._writer.write(line.encode())
            await self._writer.drain()
        except ConnectionError as error:
            raise anyio.BrokenResourceError from error


class StdioServer:
    """Starts the server of an entry when it is entered, and ends it with its children when it is left.

    ``ended`` is set when the server's output ends, whoever ended it; ``note`` is told its process id.
    """

    def __init__(self, entry: ServerEntry, ended: asyncio.Event, note: Callable[[int], None]) -> None:
        self._entry = entry
        self._ended = ended
        self._note = note
        self._transport: asyncio.SubprocessTransport | None = None
        self._pipes: _Pipes | None = None
        self.exit_seconds = 0.0
        """How long it may take to end by itself: none until it has shown that it speaks MCP."""

    async def __aenter__(self) -> tuple[_Dialogue, _Dialogue]:
        loop = asyncio.get_running_loop()
        extra = {name: os.environ[name] for name in LOCALE if name in os.environ}
        transport, pipes = await loop.subprocess_exec(
            lambda: _Pipes(loop),
            self._entry.command,
            *self._entry.args,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=get_default_environment() | extra | self._entry.env,
            cwd=self._entry.cwd,
            start_new_session=True,
        )
        self._transport, self._pipes = transport, pipes
        self._note(transport.get_pid())
        dialogue = _Dialogue(self._entry.name, pipes, self._ended)
        return dialogue, dialogue

    async def __aexit__(self, *_: object) -> None:
        if self._transport is None or self._pipes is None:
            return
        # Shielded, and every wait inside is bounded: a cancelled run must not leave processes.
        with anyio.CancelScope(shield=True):
            await _stop(self._transport, self._pipes, self.exit_seconds)

    async def obituary(self) -> str:
        """Why the server ended, as far as can be told: its exit code and its last words."""
        if self._transport is None or self._pipes is None:
            return ""
        await _happens(self._pipes.exited, 0.5)
        code = self._transport.get_returncode()
        said = "" if code is None else f"exit code {code}" if code >= 0 else f"signal {-code}"
        return ": ".join(part for part in (said, self.last_words()) if part)

    def last_words(self) -> str:
        """The last line it wrote to stderr."""
        lines = self._pipes.words.decode(errors="replace").split("\n") if self._pipes else []
        said = [line.strip() for line in lines if line.strip()]
        return clean(said[-1])[:200] if said else ""


async def _stop(transport: asyncio.SubprocessTransport, pipes: _Pipes, exit_seconds: float) -> None:
    """Closes its input, waits, asks its group to end, waits, and kills what is left of the group."""
    group = transport.get_pid()
    if pipes.stdin is not None:
        pipes.stdin.close()
    if not await _happens(pipes.exited, exit_seconds):
        _signal(group, signal.SIGTERM)
        await _happens(pipes.exited, TERM_SECONDS)
    _signal(group, signal.SIGKILL)
    await _happens(pipes.exited, TERM_SECONDS)
    # A child that left the group may still hold the pipes; closing the transport lets go of them.
    transport.close()
    await _happens(pipes.closed, TERM_SECONDS)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    with anyio.move_on_after(seconds):
        await event.wait()
    return event.is_set()


def _signal(group: int, what: signal.Signals) -> None:
    try:
        os.killpg(group, what)
    except (ProcessLookupError, PermissionError):
        # Nothing is left of the group, or what is left runs as somebody else.
        return
