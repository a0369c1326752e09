"""An MCP server made with the SDK: structured answers, hints, files, keys and cancelled calls.

    python -P honest.py [--http PORT [--gateway]]

With ``--http`` it serves streamable HTTP on loopback (any free port for 0) and prints the port; with
``--gateway`` a proxy before it gives up each call right after the server has worked on it.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Annotated, Literal

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ImageContent, TextContent, ToolAnnotations
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

server = MCPServer("honest", log_level="WARNING")
READS = ToolAnnotations(read_only_hint=True)


class Part(BaseModel):
    """A part of a whole."""

    name: str
    parts: list[Part] = []


@server.tool(annotations=READS)
def rows(
    count: Annotated[int, Field(ge=0, description="How many.\n\nNo more than you need.")],
) -> list[dict[str, int]]:
    """Gives rows.

    A second paragraph that a large window has room for.
    """
    return [{"row": number} for number in range(count)]


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
def store(path: str, mode: Literal["new", "old"] = "new", part: Part | None = None) -> CallToolResult:
    """Says that it has written a file."""
    return CallToolResult(content=[TextContent(text=f"stored {mode}")], _meta={"swarm/files": [path]})


@server.tool()
def key(ctx: Context) -> str:
    """Gives the key of the call."""
    return str((ctx.request_context.meta or {}).get("swarm/key"))


@server.tool()
def hidden() -> str:
    """Gives a text with hidden characters.\u200b"""
    return "plain\u200b\u202e \x1b[31mred\x1b[0m"


@server.tool()
def picture() -> CallToolResult:
    """Gives a picture."""
    return CallToolResult(content=[ImageContent(data="AAAA", mime_type="image/png")])


@server.tool()
def fail() -> str:
    """Fails with a reason."""
    raise ToolError("no file 'a'; use list to see the files")


@server.tool()
async def wait(mark: str) -> str:
    """Waits until it is cancelled, and marks that in a file."""
    try:
        await anyio.sleep(60)
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await anyio.Path(mark).touch()
        raise
    return "nobody cancelled this"


@server.tool()
def append(path: str) -> str:
    """Appends a line to a file."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write("done\n")
    return "appended"


class Gateway:
    """A proxy before an application: a call is carried out, and its answer is lost."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes all on but the answer to a call, in whose place stands a page."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self._app(scope, receive, send)
        asked = await receive()
        if b'"tools/call"' not in asked["body"]:
            return await self._app(scope, _first(asked, receive), send)
        await self._app(scope, _first(asked, receive), _nobody)
        return await HTMLResponse("<h1>502 Bad Gateway</h1>", 502)(scope, receive, send)


def _first(message: Message, rest: Receive) -> Receive:
    left = [message]

    async def receive() -> Message:
        return left.pop() if left else await rest()

    return receive


async def _nobody(message: Message) -> None:
    return


def main(args: list[str]) -> None:
    """Serves over stdio, or over HTTP."""
    if args[:1] != ["--http"]:
        server.run()
        return
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(args[1])))
    listener.listen()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    app: ASGIApp = server.streamable_http_app()
    if "--gateway" in args:
        app = Gateway(app)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1:])
