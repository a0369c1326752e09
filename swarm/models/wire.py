"""The one way to a model server: pooled connections, no proxy, no redirect, a record of what came back."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

import aiohttp
import httpx

from swarm.models.stream import Assembly, streamed

KEEP_ALIVE_SECONDS = 3.0
"""Idle connections are dropped before the servers do it: llama.cpp's and vLLM's close after 5 s."""


@dataclass
class Exchange:
    """What the last request of a call met on the wire; filled in by ``Wire``."""

    status: int | None = None
    """None when no response came."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    text: str = ""
    trouble: str = ""
    """Why no whole response came."""


EXCHANGE: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
"""Where ``Wire`` records for the call that runs in this context."""


class WireError(httpx.TransportError):
    """No whole response came.

    Not one of httpx's connection errors, because litellm's handler answers those by sending the
    request again on a client of its own.
    """


class Wire(httpx.AsyncBaseTransport):
    """Carries requests for httpx over aiohttp, whose pool does not slow down at 300 in flight.

    With ``streams`` it asks for each answer as a stream and puts it together here: llama.cpp's
    embedded server notices that its client has gone only when it sends something, and would
    otherwise write a cancelled reply to its end on a slot that others wait for.
    """

    def __init__(self, *, streams: bool = False) -> None:
        self._streams = streams
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response, read whole. It waits as long as its caller does; deadlines are the caller's."""
        exchange = EXCHANGE.get() or Exchange()
        exchange.status, exchange.text, exchange.trouble = None, "", ""
        try:
            return await self._send(request, exchange)
        except aiohttp.ServerDisconnectedError:
            # A kept connection that the server closed just as it was taken: nothing was read, ask anew.
            try:
                return await self._send(request, exchange)
            except aiohttp.ClientError as error:
                raise _told(exchange, error) from error
        except aiohttp.ClientError as error:
            raise _told(exchange, error) from error

    async def _send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        body = streamed(request.content) if self._streams else request.content
        async with self._open_session().request(
            request.method, str(request.url), data=body, headers=headers, allow_redirects=False
        ) as response:
            exchange.headers = response.headers
            status, content = await _whole(response)
        exchange.status, exchange.text = status, content.decode(errors="replace")
        json_type = {"Content-Type": "application/json"}
        return httpx.Response(status, headers=json_type, content=content, request=request)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
            no_limit = aiohttp.ClientTimeout(total=None, sock_connect=10.0)
            self._session = aiohttp.ClientSession(connector=connector, timeout=no_limit, trust_env=False)
        return self._session

    async def close(self) -> None:
        """Closes the connections. (Not ``aclose``, which litellm's handler calls between requests.)"""
        if self._session:
            await self._session.close()
            self._session = None


async def _whole(response: aiohttp.ClientResponse) -> tuple[int, bytes]:
    """Status and body of a response; of a stream, those it would have had, come whole."""
    if response.content_type != "text/event-stream":
        return response.status, await response.read()
    assembly = Assembly()
    async for line in response.content:
        try:
            assembly.feed(line.decode(errors="replace").rstrip("\r\n"))
        except ValueError as error:
            raise aiohttp.ClientPayloadError(f"a line of its stream can't be read: {error}") from error
    if not assembly.is_done and assembly.status() == 200:
        raise aiohttp.ClientPayloadError("its answer broke off")
    return assembly.status(), assembly.body()


_PASSED = ("content-type", "authorization")


def _told(exchange: Exchange, error: aiohttp.ClientError) -> WireError:
    exchange.trouble = str(error) or type(error).__name__
    return WireError(exchange.trouble)
