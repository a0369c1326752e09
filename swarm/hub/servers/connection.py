"""One live session with an MCP server: opening it, its tools, and calls over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import cast

import httpx2
import mcp_types
from mcp import Client, MCPError
from mcp.client import IncomingMessage, Transport
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CONNECTION_CLOSED, INVALID_REQUEST, RequestParamsMeta
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError

from swarm.clock.awake import Deadline
from swarm.clock.pulse import PULSE, within
from swarm.errors import ServerError
from swarm.hub.protocol.mending import UNREADABLE, mended
from swarm.hub.servers.http import LOST, NO_SESSION, REFUSED, client_for, client_of, spoken_url, status_of
from swarm.hub.servers.quarantine import screened
from swarm.hub.servers.stdio import EXIT_SECONDS, StdioServer
from swarm.hub.tools.offer import Offer, offers_of
from swarm.hub.tools.results import failure, from_answer, useless
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.project.folders import is_built_in
from swarm.project.secrecy import hidden, hidden_in
from swarm.project.server_entry import ServerEntry
from swarm.project.wording import first_problem
from swarm.safety.text import clean

PROBE_SECONDS = 5.0
"""A server that lets a call's deadline pass and then this, for a list of its tools, is stuck."""
PAGES = 100
"""Pages of one list of tools; a list without end is cut here."""
REFUSALS = frozenset({
    mcp_types.INVALID_PARAMS,
    mcp_types.METHOD_NOT_FOUND,
    mcp_types.INVALID_REQUEST,
    REFUSED,
})
"""Errors with which a server does not begin with a call (JSON-RPC 2.0, section 5.1, and HTTP's 4xx)."""
LATEST = "auto"
OLDER = "legacy"
"""How a session begins: with the newest revision's question, or with ``initialize``, as until 2025."""
BROKEN = ("SSE stream", "Connection closed")
GARBLED = ("Failed to parse",)
"""How the SDK's own errors begin that it gives the codes which servers use, too."""
CLIENT = mcp_types.Implementation(name="sovereign-swarm", version="1")


class Connection:
    """An open session. ``ended`` is set when it is of no more use, and whoever opened it closes it."""

    def __init__(
        self, entry: ServerEntry, client: Client, misread: dict[str, str], process: StdioServer | None
    ) -> None:
        self._entry = entry
        self._client = client
        self._misread = misread
        self._process = process
        self._is_ours = is_built_in(entry.origin, "mcp_servers")
        self._relist = asyncio.Lock()
        self.is_stale = False
        """Whether the server has said that its tools have changed."""
        self.ended = asyncio.Event()
        self.is_silent = False
        """Whether it was ended because its server answers nothing any more."""
        self.unanswered: dict[str, ToolCall] = {}
        self.offers: Mapping[str, Offer] = {}
        self.refused: Mapping[str, str] = {}

    async def list_tools(self) -> None:
        """Reads the server's tools anew."""
        async with self._relist:
            self.is_stale = False
            self._misread.clear()
            tools: list[mcp_types.Tool] = []
            cursor: str | None = None
            for _ in range(PAGES):
                page = await self._client.list_tools(cursor=cursor)
                tools += page.tools
                cursor = page.next_cursor
                if cursor is None:
                    break
            self.offers = offers_of(
                self._entry, tools, self._version, self._misread, self._client.instructions or ""
            )
            self.refused = dict(self._misread)

    async def list_anew(self) -> None:
        """Reads them where the server has said that they changed; ends a session that does not tell them.

        Raises:
            ServerError: it gave no list in time, or none that can be used.
        """
        seconds = self._entry.start_seconds
        try:
            with within(f"the tools of {self._entry.name}", seconds):
                async with Deadline(seconds):
                    await self.list_tools()
        except (TimeoutError, MCPError, RuntimeError, ValueError) as error:
            self._give_up()
            raise ServerError(
                f"the server {self._entry.name!r} says that its tools have changed and does not list them "
                f"({self._told(error) or f'nothing within {seconds:g} s'}); it is {self._back} for the next call"
            ) from error

    def _told(self, error: BaseException) -> str:
        return self._entry.hidden(_said(error))

    @property
    def _back(self) -> str:
        return "reached again" if self._entry.url else "started again"

    @property
    def is_older(self) -> bool:
        """Whether its server speaks a revision before that of 2026-07-28."""
        return self._client.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS

    @property
    def _version(self) -> str:
        about = self._client.server_info
        return f"{about.name} {about.version}" if about else self._entry.name

    async def call(self, call: ToolCall, offer: Offer, key: str, seconds: float) -> ToolResult:
        """What the tool answers.

        Raises:
            ServerError: the server died, or gave no answer in time or none that can be used.
        """
        meta = cast("RequestParamsMeta", {"swarm/key": key})
        with within(call.tool, seconds + PROBE_SECONDS):
            return await self._call(call, offer, meta, seconds)

    async def _call(
        self, call: ToolCall, offer: Offer, meta: RequestParamsMeta, seconds: float
    ) -> ToolResult:
        pulse = PULSE.get()

        async def beat(progress: float, total: float | None, message: str | None) -> None:
            pulse.beat()

        try:
            async with Deadline(seconds):
                answer = await self._client.call_tool(
                    offer.tool.name, call.args, progress_callback=beat, meta=meta
                )
        except TimeoutError as error:
            await self._probe()
            raise ServerError(
                f"{call.tool} did not answer within {seconds:g} s; the call may or may not have had its effect"
            ) from error
        except MCPError as error:
            return await self._refusal(call, offer, error)
        except (RuntimeError, ValueError) as error:
            # The SDK's words for a closed session, or for an answer that breaks the protocol.
            if self.ended.is_set():
                raise await self._death(call) from error
            return useless(offer.tool, "was answered", f"the answer can't be read: {self._told(error)}")
        result = from_answer(
            offer.tool.name, answer, wraps=offer.wraps or self._is_ours, is_ours=self._is_ours
        )
        if result.is_error and not answer.is_error:
            return useless(offer.tool, "was carried out", result.text)
        return self._shown(result)

    def _shown(self, result: ToolResult) -> ToolResult:
        """A result in which no secret of the entry stands: of a failure none, of others no key or password."""
        secrets = self._entry.secrets if result.is_error else self._entry.keys
        if not secrets:
            return result
        text, data = hidden(result.text, secrets), hidden_in(result.data, secrets)
        return result.model_copy(update={"text": text, "data": data})

    async def _refusal(self, call: ToolCall, offer: Offer, error: MCPError) -> ToolResult:
        """What an error means: a server's own says that the call failed, one of the way to it need not."""
        code, message, is_far = error.code, self._entry.hidden(error.message), bool(self._entry.url)
        if self.ended.is_set() or (is_far and code == CONNECTION_CLOSED and message.startswith(BROKEN)):
            raise await self._death(call) from error
        if is_far and (code == NO_SESSION or (code == INVALID_REQUEST and "session" in message.lower())):
            # A restarted 2025-era server no longer knows our session; only a new one helps.
            self.ended.set()
            raise ServerError(f"the server {self._entry.name!r} has lost its session ({message})") from error
        if is_far and code == LOST:
            raise ServerError(clean(f"{call.tool} gave no answer that can be used: {message}")) from error
        if code == UNREADABLE or (is_far and code == mcp_types.PARSE_ERROR and message.startswith(GARBLED)):
            return useless(offer.tool, "was answered", f"the answer can't be read: {_first_line(message)}")
        verb = "was refused by its server" if code in REFUSALS else "failed"
        return failure(f"{call.tool} {verb}: {message or 'its server gives no reason'}")

    async def _death(self, call: ToolCall) -> ServerError:
        self.ended.set()
        return ServerError(
            f"the server {self._entry.name!r} died while it worked on {call.tool}"
            f"{await _why(self._process)}; it is {self._back} for the next call",
            is_gone=self._process is not None,
        )

    async def _probe(self) -> None:
        """Ends a session whose server answers nothing at all, so that it is started anew."""
        try:
            async with Deadline(PROBE_SECONDS):
                await self._client.list_tools()
        except (TimeoutError, MCPError):
            self._give_up()

    def _give_up(self) -> None:
        if self._process is not None:
            self._process.exit_seconds = 0.0
        self.is_silent = True
        self.ended.set()

    async def obituary(self) -> str:
        """Why it ended, as far as can be told."""
        return await self._process.obituary() if self._process else ""


@asynccontextmanager
async def connected(
    entry: ServerEntry, ended: asyncio.Event, note: Callable[[int], None], *, begins: str = LATEST
) -> AsyncGenerator[Connection]:
    """An open session with the server of an entry. Opened and closed in the same task.

    ``ended`` is set when the server's output ends; ``note`` is told the id of its process; ``begins`` says
    with which question it is met first.

    Raises:
        ServerError: it could not be started or reached within its deadline; says why. ``is_gone`` where it
            ended at its first question.
    """
    async with AsyncExitStack() as stack:
        process = StdioServer(entry, ended, note) if entry.transport == "stdio" else None
        transport = process or await _over_http(entry, stack)
        try:
            async with Deadline(entry.start_seconds):
                connection = await _opened(entry, transport, process, stack, begins)
        except TimeoutError as error:
            words = f" ({process.last_words()})" if process and process.last_words() else ""
            raise ServerError(
                f"{_about(entry)} did not start within {entry.start_seconds:g} s{words}"
            ) from error
        except Exception as error:  # foreign code: the SDK, its HTTP client, and what a server says
            raise ServerError(
                f"{_about(entry)} did not start: {entry.hidden(_cause(entry, error))}{await _why(process)}",
                is_gone=process is not None and ended.is_set(),
            ) from error
        connection.ended = ended
        if process is not None:
            process.exit_seconds = EXIT_SECONDS
        yield connection


async def _opened(
    entry: ServerEntry, transport: Transport, process: StdioServer | None, stack: AsyncExitStack, begins: str
) -> Connection:
    misread: dict[str, str] = {}
    opened: list[Connection] = []

    async def heard(message: IncomingMessage) -> None:
        if opened and isinstance(message, mcp_types.ToolListChangedNotification):
            opened[0].is_stale = True

    readable = screened(mended(transport), misread)
    client = Client(readable, client_info=CLIENT, message_handler=heard, cache=None, mode=begins)
    connection = Connection(entry, await stack.enter_async_context(client), misread, process)
    await connection.list_tools()
    opened.append(connection)
    return connection


async def _over_http(entry: ServerEntry, stack: AsyncExitStack) -> Transport:
    url = spoken_url(entry)
    if entry.transport == "sse":
        return sse_client(url, httpx_client_factory=partial(client_for, entry))
    http = await stack.enter_async_context(client_of(entry))
    return streamable_http_client(url, http_client=http)


def _about(entry: ServerEntry) -> str:
    return f"the server {entry.name!r} of {entry.origin}"


async def _why(process: StdioServer | None) -> str:
    said = await process.obituary() if process else ""
    return f" ({said})" if said else ""


def _cause(entry: ServerEntry, error: BaseException) -> str:
    """The first cause in words; task groups wrap it."""
    if isinstance(error, BaseExceptionGroup):
        return _cause(entry, cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    if isinstance(error, FileNotFoundError) and entry.transport == "stdio":
        if not entry.cwd.is_dir():
            return f"there is no folder {entry.hidden(str(entry.cwd))!r} to start it in; correct 'cwd'"
        return f"there is no program {entry.hidden(entry.command)!r}; install it or correct 'command'"
    if isinstance(error, MCPError) and error.code == CONNECTION_CLOSED:
        return "it closed the connection"
    if isinstance(error, MCPError) and entry.url and error.message.startswith(GARBLED):
        return f"what answers at {entry.shown_address} is no MCP server; check the path of the address"
    if isinstance(error, httpx2.HTTPStatusError):
        return status_of(entry, error.response.status_code, error.response.reason_phrase)
    if isinstance(error, httpx2.TransportError):
        return f"nothing answers at {entry.shown_address} ({_said(error) or type(error).__name__}); is it running?"
    return _said(error) or type(error).__name__


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:300]


def _said(error: BaseException) -> str:
    return first_problem(error) if isinstance(error, ValidationError) else str(error)
