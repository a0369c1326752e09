"""The one way to a model server: pooled connections, no proxy, no redirect, a record of what came back."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
import httpx

from swarm.clock.awake import Deadline
from swarm.clock.pulse import PULSE
from swarm.models.client.streamed import Answer, answer_of_type

KEEP_ALIVE_SECONDS = 3.0
"""Idle connections are dropped before the servers do it: llama.cpp's and vLLM's close after 5 s."""

CONNECT_SECONDS = 10.0

_CLOSING_SECONDS = 0.5
"""For the end of the connection's stream after the answer has said that it is at its end."""

End = Literal["away", "cut", "garbled", "late"]
"""Why no whole answer came: nobody took the connection, it broke off, it can't be read, or a
token was waited for too long."""


@dataclass
class Exchange:
    """One call: how long it waits for tokens, and what its last request met on the wire.

    ``Wire`` fills it in.
    """

    first_seconds: float | None = None
    """What is left of the wait for a first token, over all requests of the call."""
    between_seconds: float | None = None
    """How long the next token is waited for."""
    heard: Callable[[], None] = lambda: None
    """Called at the first token of a request."""
    status: int | None = None
    """None when no whole answer came."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    text: str = ""
    sent: float = 0.0
    """When the request left, on the loop's clock."""
    token_after: float | None = None
    """Seconds from then to its first token; None when none came in a stream."""
    end: End | None = None
    trouble: str = ""

    def begin(self) -> None:
        """Forgets the request before."""
        self.status, self.text, self.token_after, self.end, self.trouble = None, "", None, None, ""

    def note_token(self, now: float) -> None:
        """A token has come."""
        PULSE.get().beat()
        if self.token_after is None:
            self.token_after = now - self.sent
            self.heard()

    def note_wait(self, now: float) -> None:
        """The request has ended: what it waited for its first token is spent."""
        if self.first_seconds is not None:
            self.first_seconds -= now - self.sent if self.token_after is None else self.token_after

    def failed(self, end: End, why: object) -> WireError:
        """What to raise for a request that got no whole answer."""
        self.end, self.trouble = end, str(why) or type(why).__name__
        return WireError(self.trouble)


EXCHANGE: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
"""Where ``Wire`` records for the call that runs in this context."""


OTHER_DESCRIPTORS, FEWEST_CONNECTIONS = 96, 4
"""Descriptors that a run needs beside those: its file, log and lock, the pipes of its servers, modules."""


class WireError(httpx.TransportError):
    """No whole response came.

    Not one of httpx's connection errors, because litellm's handler answers those by sending the
    request again on a client of its own.
    """


def most_connections() -> int:
    """Connections to a server at once, so that descriptors are left for all else; 0 for any number."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else max(FEWEST_CONNECTIONS, soft - OTHER_DESCRIPTORS)


class Transport(httpx.AsyncBaseTransport):
    """Carries requests for httpx over aiohttp, whose pool does not slow down at 300 in flight.

    A streamed answer is put together here and handed on whole, so that litellm's cost is one of
    the call and not of each token.
    """

    def __init__(self, key: str = "") -> None:
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response, read whole. It is sent once; how long it may take in all is its caller's to say."""
        exchange = EXCHANGE.get() or Exchange()
        exchange.begin()
        try:
            return await self._send(request, exchange)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise exchange.failed("away", error) from error
        except (aiohttp.ClientResponseError, ValueError) as error:
            raise exchange.failed("garbled", error) from error
        except aiohttp.ClientError as error:
            raise exchange.failed("cut", error) from error
        except TimeoutError as error:
            which = "no token" if exchange.token_after is None else "no further token"
            raise exchange.failed("late", f"{which} came in time") from error

    async def _send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        clock = asyncio.get_running_loop().time
        answer: Answer | None = None
        exchange.sent = clock()
        try:
            async with Deadline(exchange.first_seconds) as deadline, self._open(request) as response:
                exchange.headers = response.headers
                answer = answer_of_type(response.content_type)
                async for piece in response.content.iter_any():
                    if answer.feed(piece):
                        exchange.note_token(clock())
                        if exchange.between_seconds is not None:
                            deadline.allow(exchange.between_seconds)
                    if answer.is_done:
                        deadline.allow(_CLOSING_SECONDS)
                status = answer.status(response.status)
        except TimeoutError:
            if answer is None or not answer.is_done:
                raise
            status = 200
        finally:
            exchange.note_wait(clock())
        if not answer.is_whole:
            raise aiohttp.ClientPayloadError("it broke off")
        content = answer.body()
        exchange.status, exchange.text = status, content.decode(errors="replace")
        return httpx.Response(status, headers=_HEADERS, content=content, request=request)

    def _open(self, request: httpx.Request) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=most_connections(), keepalive_timeout=KEEP_ALIVE_SECONDS)
            no_limit = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=no_limit, trust_env=False)
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        return self._session.request(
            request.method, str(request.url), data=request.content, headers=headers, allow_redirects=False
        )

    async def close(self) -> None:
        """Closes the connections. (Not ``aclose``, which litellm's handler calls between requests.)"""
        if self._session:
            await self._session.close()
            self._session = None


_PASSED = ("content-type",)
"""Headers that go on. Not litellm's own authorization, for which it takes keys of the environment."""
_HEADERS = {
    "Content-Type": "application/json",
    # Spares litellm the search for a price, a sixth of what a call through it costs.
    "x-litellm-response-cost": "0",
}
