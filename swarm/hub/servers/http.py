"""The way to an MCP server at a URL: its secrets stay below the SDK, and a status is told as what it is."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2
from mcp_types import JSONRPCError, jsonrpc_message_adapter

from swarm.hub.protocol.mending import UNREADABLE, read_line
from swarm.project.secrecy import bare
from swarm.project.server_entry import ServerEntry

REFUSED = -32097
"""Our own code for a request that was turned away: it was not carried out."""
LOST = -32096
"""Our own code for a request of which a server or a proxy says only that it failed."""
NO_SESSION = -32095
"""Our own code for a session that the server does not know any more."""
MAY_HAVE_ACTED = frozenset({408, 409, 425})
"""Statuses below 500 that leave open whether a request was carried out."""
REMEDIES = {
    401: "it wants a key: give one in 'headers'",
    403: "it refuses the key, or gave none the right: correct 'headers'",
    404: 'check the path of the address; the older HTTP transport needs "type": "sse"',
    405: 'check the path of the address; the older HTTP transport needs "type": "sse"',
    407: "a proxy stands between and wants a key",
    429: "it takes no more requests for now",
}
MOST_READ = 100_000
"""Bytes of an error page that are looked at."""


def client_of(entry: ServerEntry) -> httpx2.AsyncClient:
    """A client for the server of an entry. The deadline is the caller's."""
    timeout = httpx2.Timeout(30.0, read=None)
    return httpx2.AsyncClient(timeout=timeout, transport=_Telling(entry), trust_env=False)


def spoken_url(entry: ServerEntry) -> str:
    """The address as the SDK and the logs know it: the real one without what is secret in it."""
    real, shown = bare(entry.url), entry.shown_address
    # Another host, which comes from a variable, would be another origin to the SDK.
    return shown if urlsplit(shown).netloc == urlsplit(real).netloc else real


def client_for(
    entry: ServerEntry,
    headers: dict[str, str] | None = None,
    timeout: httpx2.Timeout | None = None,
    auth: httpx2.Auth | None = None,
) -> httpx2.AsyncClient:
    """The same as the SDK's older transport asks for it."""
    return client_of(entry)


def _proxy(url: str) -> str | None:
    """The proxy of the environment for an address; none stands between us and a server of this machine."""
    parts = urlsplit(url)
    if is_local(url) or proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


class _Telling(httpx2.AsyncBaseTransport):
    """Adds what is secret to a request, below where requests are logged, and reads error pages."""

    def __init__(self, entry: ServerEntry) -> None:
        self._entry = entry
        self._shown = httpx2.URL(spoken_url(entry))
        self._real = httpx2.URL(entry.url)
        self._inner = httpx2.AsyncHTTPTransport(proxy=_proxy(entry.url))

    async def __aenter__(self) -> _Telling:
        await self._inner.__aenter__()
        return self

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response, with a JSON-RPC error in place of a page that says that something failed."""
        is_own = (request.url.scheme, request.url.host, request.url.port) == (
            self._real.scheme,
            self._real.host,
            self._real.port,
        )
        # Another request than the one that is logged.
        headers = request.headers.copy()
        headers.update(self._entry.headers if is_own else {})
        url = self._real if request.url == self._shown else request.url
        sent = httpx2.Request(
            request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        response = await self._inner.handle_async_request(sent)
        if request.method != "POST":
            return response
        if response.status_code >= 400:
            return await self._told(request, response)
        kind = response.headers.get("content-type", "").lower()
        return await self._readable(response) if kind.startswith("application/json") else response

    async def _readable(self, response: httpx2.Response) -> httpx2.Response:
        """The response with its message mended, or that it is none: the SDK would log what it cannot read."""
        content = await response.aread()
        await response.aclose()
        messages = read_line(content)
        if not messages:
            why = f"what answers at {self._entry.shown_address} is no MCP server"
            body = _error(UNREADABLE, f"{why}; check the path of the address")
        else:
            body = messages[0].model_dump_json(by_alias=True, exclude_unset=True).encode()
        headers = {
            name: value
            for name, value in response.headers.items()
            if name.lower() not in ("content-length", "content-encoding", "transfer-encoding")
        }
        return httpx2.Response(response.status_code, headers=headers, content=body)

    async def _told(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        content = await response.aread()
        await response.aclose()
        status = response.status_code
        words = self._entry.hidden(_said(content[:MOST_READ]))
        words = "" if response.reason_phrase.lower() in words.lower() else words
        if "mcp-session-id" in request.headers and (
            status == 404 or (status == 400 and "session" in words.lower())
        ):
            code = NO_SESSION
        elif _is_answer(content):
            return _json(content, status)
        else:
            code = LOST if status >= 500 or status in MAY_HAVE_ACTED else REFUSED
        message = status_of(self._entry, status, response.reason_phrase, words)
        return _json(_error(code, message), status)


def status_of(entry: ServerEntry, status: int, phrase: str, words: str = "") -> str:
    """What a status means, in words, with the address and what to do."""
    said = f"HTTP {status} {phrase} from {entry.shown_address}" + (f": {words}" if words else "")
    remedy = REMEDIES.get(status)
    return f"{said}; {remedy}" if remedy else said


def is_local(url: str) -> bool:
    """Whether an address is one of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_answer(content: bytes) -> bool:
    """Whether a page is the server's own JSON-RPC error, which says what happened."""
    try:
        return isinstance(jsonrpc_message_adapter.validate_json(content, by_name=False), JSONRPCError)
    except ValueError:
        return False


def _said(content: bytes) -> str:
    """What an error page says, in a few words; nothing of one that is made to be looked at."""
    text = content.decode(errors="replace")
    with suppress(ValueError):
        body: object = json.loads(text)
        for key in ("error", "message", "error_description", "detail", "title"):
            if isinstance(body, dict):
                body = cast("dict[str, object]", body).get(key, cast("object", body))
        text = body if isinstance(body, str) else json.dumps(body)
    title = re.search(r"<(?:title|h1)[^>]*>([^<]*)<", text, re.IGNORECASE)
    text = title[1] if title else "" if "<" in text else text
    return " ".join(text.split())[:200]


def _error(code: int, message: str) -> bytes:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return json.dumps(error).encode()


def _json(body: bytes, status: int) -> httpx2.Response:
    return httpx2.Response(status, headers={"content-type": "application/json"}, content=body)
