"""The one way to a model server: pooled connections, no proxy, no redirect, and a record of what came back."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

import aiohttp
import httpx

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
    """Carries requests for httpx over aiohttp, which costs a third of httpx's own pool at 300 in flight."""

    def __init__(self) -> None:
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
        async with self._open_session().request(
            request.method, str(request.url), data=request.content, headers=headers, allow_redirects=False
        ) as response:
            body = await response.read()
        exchange.status, exchange.headers = response.status, response.headers
        exchange.text = body.decode(errors="replace")
        kind = response.headers.get("Content-Type", "application/json")
        return httpx.Response(response.status, headers={"Content-Type": kind}, content=body, request=request)

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


_PASSED = ("content-type", "authorization")


def _told(exchange: Exchange, error: aiohttp.ClientError) -> WireError:
    exchange.trouble = str(error) or type(error).__name__
    return WireError(exchange.trouble)
