"""One live session with an MCP server: opening it, its tools, and calls over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

import httpx2
import mcp_types
from mcp import Client, MCPError
from mcp.client import IncomingMessage, Transport
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CONNECTION_CLOSED, INVALID_REQUEST, RequestParamsMeta
from pydantic import ValidationError

from swarm.awake import Deadline
from swarm.errors import ServerError
from swarm.guard.rules import clean
from swarm.hub.offer import Offer, offers_of
from swarm.hub.results import failure, from_answer
from swarm.hub.screen import screened
from swarm.hub.stdio import EXIT_SECONDS, StdioServer
from swarm.project.server_entry import ServerEntry
from swarm.project.wording import first_problem
from swarm.pulse import PULSE, within
from swarm.tool import ToolCall, ToolResult

PROBE_SECONDS = 5.0
"""A server that lets a call's deadline pass and then this, for a list of its tools, is stuck."""
PAGES = 100
"""Pages of one list of tools; a list without end is cut here."""
UNTOLD = frozenset({0, mcp_types.INTERNAL_ERROR, mcp_types.PARSE_ERROR, mcp_types.REQUEST_TIMEOUT})
"""Errors that leave open whether a call was carried out. The SDK (2.x) makes the second of a proxy's page
and the third of an answer it cannot read; its servers give 0 where a tool broke off. With the others, such
as those of JSON-RPC 2.0, section 5.1, for wrong arguments or no such tool, a server refuses a call."""
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
                f"({_said(error) or f'nothing within {seconds:g} s'}); it is started again for the next call"
            ) from error

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
            return await self._refusal(call, error)
        except (RuntimeError, ValueError) as error:
            # The SDK's words for a closed session, or for an answer that breaks the protocol or a schema.
            if self.ended.is_set():
                raise await self._death(call) from error
            raise _unreadable(call, _said(error)) from error
        result = from_answer(offer.tool.name, answer)
        if result.is_error and not answer.is_error:
            # It was carried out: only what it gave can't be taken.
            return ToolResult(text=f"{call.tool} was carried out, but {result.text}")
        return result

    async def _refusal(self, call: ToolCall, error: MCPError) -> ToolResult:
        if error.code == CONNECTION_CLOSED or self.ended.is_set():
            raise await self._death(call) from error
        if self._entry.url and error.code == INVALID_REQUEST:
            # A restarted 2025-era server no longer knows our session; only a new one helps.
            self.ended.set()
            raise ServerError(
                f"the server {self._entry.name!r} has lost its session ({error.message})"
            ) from error
        if error.code in UNTOLD:
            raise _unreadable(call, error.message) from error
        return failure(f"{call.tool} was refused by its server: {error.message}")

    async def _death(self, call: ToolCall) -> ServerError:
        self.ended.set()
        return ServerError(
            f"the server {self._entry.name!r} died while it worked on {call.tool}"
            f"{await _why(self._process)}; it is started again for the next call",
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
    entry: ServerEntry, ended: asyncio.Event, note: Callable[[int], None]
) -> AsyncGenerator[Connection]:
    """An open session with the server of an entry. Opened and closed in the same task.

    ``ended`` is set when the server's output ends; ``note`` is told the id of its process.

    Raises:
        ServerError: it could not be started or reached within its deadline; says why.
    """
    async with AsyncExitStack() as stack:
        process = StdioServer(entry, ended, note) if entry.transport == "stdio" else None
        transport = process or await _over_http(entry, stack)
        try:
            async with Deadline(entry.start_seconds):
                connection = await _opened(entry, transport, process, stack)
        except TimeoutError as error:
            words = f" ({process.last_words()})" if process and process.last_words() else ""
            raise ServerError(
                f"{_about(entry)} did not start within {entry.start_seconds:g} s{words}"
            ) from error
        except Exception as error:  # foreign code: the SDK, its HTTP client, and what a server says
            raise ServerError(
                f"{_about(entry)} did not start: {_cause(entry, error)}{await _why(process)}"
            ) from error
        connection.ended = ended
        if process is not None:
            process.exit_seconds = EXIT_SECONDS
        yield connection


async def _opened(
    entry: ServerEntry, transport: Transport, process: StdioServer | None, stack: AsyncExitStack
) -> Connection:
    misread: dict[str, str] = {}
    opened: list[Connection] = []

    async def heard(message: IncomingMessage) -> None:
        if opened and isinstance(message, mcp_types.ToolListChangedNotification):
            opened[0].is_stale = True

    client = Client(screened(transport, misread), client_info=CLIENT, message_handler=heard, cache=None)
    connection = Connection(entry, await stack.enter_async_context(client), misread, process)
    await connection.list_tools()
    opened.append(connection)
    return connection


async def _over_http(entry: ServerEntry, stack: AsyncExitStack) -> Transport:
    if entry.transport == "sse":
        return sse_client(entry.url, headers=dict(entry.headers))
    # The deadline is the caller's; a proxy of the environment stands between us and no local server.
    http = httpx2.AsyncClient(
        headers=entry.headers, timeout=httpx2.Timeout(30.0, read=None), trust_env=not _is_local(entry.url)
    )
    await stack.enter_async_context(http)
    return streamable_http_client(entry.url, http_client=http)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unreadable(call: ToolCall, why: str) -> ServerError:
    return ServerError(clean(f"{call.tool} gave no answer that can be used: {why}"))


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
            return f"there is no folder {str(entry.cwd)!r} to start it in; correct 'cwd'"
        return f"there is no program {entry.command!r}; install it or correct 'command'"
    if isinstance(error, MCPError) and error.code == CONNECTION_CLOSED:
        return "it closed the connection"
    return _said(error) or type(error).__name__


def _said(error: BaseException) -> str:
    return first_problem(error) if isinstance(error, ValidationError) else str(error)
