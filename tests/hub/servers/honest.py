"""An MCP server made with the SDK: structured answers, hints, files, keys and cancelled calls.

    python -P honest.py [--http]

With ``--http PORT`` it serves streamable HTTP on loopback (any free port for 0) and prints the port.
"""

from __future__ import annotations

import socket
import sys
from typing import Annotated, Literal

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ImageContent, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

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

    A second paragraph that no model is shown.
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
    app = server.streamable_http_app()
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1:])
