"""A small HTTP/1.1 server on asyncio: cheap at hundreds of waiting requests, and it notices who left.

It is our own because a double must one day misbehave on the wire (cut a body, drop a connection),
which a web framework exists to prevent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from pydantic import JsonValue

_log = logging.getLogger("swarm.testing")

_HEAD_LIMIT_BYTES = 65_536


@dataclass(frozen=True)
class HttpRequest:
    """One request, read whole."""

    method: str
    path: str
    """Without the query."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""


@dataclass(frozen=True)
class HttpResponse:
    """One response: a body, or pieces that are sent as they come."""

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


def json_response(content: JsonValue, status: int = 200) -> HttpResponse:
    """A response with the content as JSON."""
    return HttpResponse(status, json.dumps(content).encode())


@asynccontextmanager
async def serve(handler: Handler, *, port: int = 0) -> AsyncGenerator[str]:
    """The address of a server on loopback that lives as long as the block; port 0 takes a free one.

    A handler whose client goes away is cancelled.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        connections: set[_Connection] = set()
        server = await loop.create_server(
            lambda: _Connection(handler, group, connections), "127.0.0.1", port, backlog=1_024
        )
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for connection in tuple(connections):
                connection.close()


class _Connection(asyncio.Protocol):
    """One client: its requests are answered one after the other."""

    def __init__(self, handler: Handler, group: asyncio.TaskGroup, connections: set[_Connection]) -> None:
        self._handler = handler
        self._group = group
        self._connections = connections
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._connections.discard(self)
        if self._task:
            self._task.cancel()

    def close(self) -> None:
        """Ends the connection and what is being done for it."""
        if self._task:
            self._task.cancel()
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._begin()

    def _begin(self) -> None:
        try:
            request = _request_in(self._buffer)
        except ValueError as error:
            self._send(json_response({"error": f"not HTTP/1.1: {error}"}, 400))
            self.close()
            return
        if request:
            self._task = self._group.create_task(self._answer(request))

    async def _answer(self, request: HttpRequest) -> None:
        try:
            response = await self._handler(request)
        except Exception as error:  # noqa: BLE001 - a script is foreign code
            _log.exception("the handler of %s failed", request.path)
            response = json_response({"error": {"message": f"{type(error).__name__}: {error}"}}, 500)
        if isinstance(response.body, bytes):
            self._send(response)
        else:
            await self._send_pieces(response, response.body)
        self._task = None
        if self._transport and self._buffer:
            self._begin()

    def _send(self, response: HttpResponse) -> None:
        if self._transport:
            assert isinstance(response.body, bytes)
            self._transport.write(_head(response, f"Content-Length: {len(response.body)}") + response.body)

    async def _send_pieces(self, response: HttpResponse, pieces: AsyncIterator[bytes]) -> None:
        if self._transport:
            self._transport.write(_head(response, "Transfer-Encoding: chunked"))
        async for piece in pieces:
            if self._transport:
                self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if self._transport:
            self._transport.write(b"0\r\n\r\n")


def _request_in(buffer: bytearray) -> HttpRequest | None:
    """The first whole request, taken out of the buffer; None when more must come."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > _HEAD_LIMIT_BYTES:
            raise ValueError("the head is too long")
        return None
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    size = int(headers.get("content-length", "0"))
    if len(buffer) < end + 4 + size:
        return None
    body = bytes(buffer[end + 4 : end + 4 + size])
    del buffer[: end + 4 + size]
    method, target, _ = first.split(" ", 2)
    return HttpRequest(method, urlsplit(target).path, headers, body)


def _head(response: HttpResponse, framing: str) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"Content-Type: {response.content_type}",
        framing,
        *(f"{name}: {value}" for name, value in response.headers),
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
