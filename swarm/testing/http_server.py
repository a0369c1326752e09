"""A small HTTP/1.1 server on asyncio: cheap at hundreds of waiting requests, and it notices who left.

It is our own because a double must misbehave on the wire (cut a body, drop a connection), which a
web framework exists to prevent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
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
    query: str = ""


@dataclass(frozen=True)
class HttpResponse:
    """One response; without a body where that follows in pieces."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Act = Callable[["ClientConnection"], Awaitable[None]]
"""What a handler does on the line itself, where a response would not do."""

Handler = Callable[[HttpRequest], Awaitable[HttpResponse | Act]]


def json_response(content: JsonValue, status: int = 200) -> HttpResponse:
    """A response with the content as JSON."""
    return HttpResponse(status, json.dumps(content).encode())


@asynccontextmanager
async def serve(handler: Handler, *, port: int = 0) -> AsyncGenerator[str]:
    """The address of a server on loopback that lives as long as the block; port 0 takes a free one.

    A handler whose client goes away is cancelled.
    """
    async with asyncio.TaskGroup() as group:
        server = _Listener(handler, group)
        await server.open(port)
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.close()


class _Listener:
    """The listening socket and the connections taken from it."""

    def __init__(self, handler: Handler, group: asyncio.TaskGroup) -> None:
        self.handler = handler
        self.group = group
        self.connections: set[ClientConnection] = set()
        self.port = 0
        self._listening: asyncio.Server | None = None
        self._return: asyncio.Task[None] | None = None

    async def open(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(
            lambda: ClientConnection(self), "127.0.0.1", port, backlog=1_024
        )
        self.port = self._listening.sockets[0].getsockname()[1]

    def restart(self, seconds: float) -> None:
        if self._listening:
            self._drop()
            self._return = self.group.create_task(self._come_back(seconds))

    async def _come_back(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.open(self.port)

    def _drop(self) -> None:
        if self._listening:
            self._listening.close()
            self._listening = None
        for connection in tuple(self.connections):
            connection.close()

    def close(self) -> None:
        if self._return:
            self._return.cancel()
        self._drop()


class ClientConnection(asyncio.Protocol):
    """The connection to a client: its requests are answered one after the other, well or badly."""

    def __init__(self, server: _Listener) -> None:
        self._server = server
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._is_answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.connections.discard(self)
        if self._task:
            self._task.cancel()

    def close(self) -> None:
        """Ends the connection and what is being done for it."""
        if self._task:
            self._task.cancel()
        self.cut()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._begin()

    def _begin(self) -> None:
        try:
            request = _request_in(self._buffer)
        except ValueError as error:
            self.send(json_response({"error": f"not HTTP/1.1: {error}"}, 400))
            self.close()
            return
        if request:
            self._task = self._server.group.create_task(self._answer(request))

    async def _answer(self, request: HttpRequest) -> None:
        self._is_answering = False
        try:
            response = await self._server.handler(request)
            if isinstance(response, HttpResponse):
                self.send(response)
            else:
                await response(self)
        except Exception as error:  # noqa: BLE001 - a script is foreign code
            _log.exception("the handler of %s failed", request.path)
            if self._is_answering:
                self.cut()
            self.send(json_response({"error": {"message": f"{type(error).__name__}: {error}"}}, 500))
        self._task = None
        if self._transport and self._buffer:
            self._begin()

    def send(self, response: HttpResponse) -> None:
        """Sends a response with a body that is there whole."""
        self._write(_head(response, f"Content-Length: {len(response.body)}") + response.body)

    def start(self, response: HttpResponse) -> None:
        """Sends the head of a response whose body follows in pieces."""
        self._write(_head(response, "Transfer-Encoding: chunked"))

    def piece(self, piece: bytes) -> None:
        """Sends a piece of the body; nobody may be there any more to get it."""
        if piece:
            self._write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def end(self) -> None:
        """Ends a body of pieces."""
        self._write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Drops the connection."""
        if self._transport:
            self._transport.abort()
            self._transport = None

    def restart(self, seconds: float) -> None:
        """Drops every connection and takes none for so long."""
        self._server.restart(seconds)

    def _write(self, data: bytes) -> None:
        self._is_answering = True
        if self._transport:
            self._transport.write(data)


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
    place = urlsplit(target)
    return HttpRequest(method, place.path, headers, body, place.query)


def _head(response: HttpResponse, framing: str) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"Content-Type: {response.content_type}",
        framing,
        *(f"{name}: {value}" for name, value in response.headers),
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
