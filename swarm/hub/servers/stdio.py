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
from asyncio.subprocess import PIPE, SubprocessStreamProtocol
from collections import deque
from collections.abc import Callable

import anyio
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage

from swarm.hub.protocol.lines import MESSAGE_BYTES, Lines, Messages
from swarm.hub.protocol.mending import read_line, unreadable
from swarm.hub.servers.dying import telling
from swarm.project.server_entry import ServerEntry
from swarm.safety.text import clean

logger = logging.getLogger("swarm.hub")

CHUNK_BYTES = 1 << 18
WORDS_BYTES = 4_000
"""What is kept of the end of stderr, to say why a server died."""
EXIT_SECONDS = 2.0
"""A server may take this long to end after its input is closed (MCP 2025-11-25, lifecycle)."""
TERM_SECONDS = 1.0
LOCALE = ("LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")
"""Passed on beside what the SDK passes on (HOME, LOGNAME, PATH, SHELL, TERM, USER)."""

ID_FIRST = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(?:(\d+)|"([^"\\]*)")')
ANSWERS = re.compile(rb'"(?:result|error)"\s*:')
"""What stands in an answer, and in no request of the server's own."""
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


class _StdioMessages(Messages):
    """Both directions: messages of a server, between which noise is passed over, and those it is sent.

    The process is closed as a whole, so ``aclose`` does nothing.
    """

    def __init__(self, entry: ServerEntry, pipes: _Pipes, ended: asyncio.Event) -> None:
        if pipes.stdout is None or pipes.stdin is None:
            raise RuntimeError("a child with pipes has none")
        self._entry = entry
        self._reader = pipes.stdout
        self._writer = pipes.stdin
        self._ended = ended
        self._lines = Lines()
        self._waiting: deque[SessionMessage] = deque()

    async def receive(self) -> SessionMessage:
        while not self._waiting:
            chunk = await self._reader.read(CHUNK_BYTES)
            # A last line may have no end: a server that answers and leaves has answered.
            for line, is_whole in self._lines.feed(chunk or b"\n"):
                self._waiting.extend(self._read(line, is_whole))
            if not chunk and not self._waiting:
                self._ended.set()
                raise anyio.EndOfStream
        return self._waiting.popleft()

    def _read(self, line: bytes, is_whole: bool) -> list[SessionMessage]:
        """The messages of a line; of one that can't be read, the end of the call that it answers."""
        found = read_line(line) if is_whole else []
        if found or not line.strip():
            return [SessionMessage(message) for message in found]
        at = ID_FIRST.match(line) or ID_LAST.search(line)
        if at is None or (is_whole and not ANSWERS.search(line)):
            logger.debug("server %s: no message: %s", self._entry.name, self._entry.hidden(repr(line))[:200])
            return []
        number, text = at.groups()
        why = "it is no valid JSON"
        if not is_whole:
            logger.warning("server %s: a message over %d bytes was dropped", self._entry.name, MESSAGE_BYTES)
            size = MESSAGE_BYTES // 1_000_000
            why = f"it is larger than {size} MB; ask for less (a range, a filter, a limit)"
        return [SessionMessage(unreadable(int(number) if number else text.decode(errors="replace"), why))]

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

    async def __aenter__(self) -> tuple[_StdioMessages, _StdioMessages]:
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
        dialogue = _StdioMessages(self._entry, pipes, self._ended)
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
        """The line of what it wrote to stderr that tells most."""
        if not self._pipes:
            return ""
        words = self._pipes.words
        # A cut text begins within a line, which may be the half of what must be hidden.
        whole = words.partition(b"\n")[2] if len(words) == WORDS_BYTES else words
        return telling(clean(self._entry.hidden(whole.decode(errors="replace"))))[:200]


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
