"""Calls of the built-in servers, in this process."""

from __future__ import annotations

from pathlib import Path

from mcp import Client
from mcp_types import CallToolResult, TextContent

from mcp_servers import files


async def call(folder: Path, tool: str, **arguments: object) -> CallToolResult:
    """What the server ``files`` gives, with the folder as its only root."""
    async with Client(files.build(["--root", str(folder)])) as client:
        return await client.call_tool(tool, arguments)


def text_of(result: CallToolResult) -> str:
    """The first text of a result, of a refusal only the reason."""
    block = result.content[0]
    assert isinstance(block, TextContent)
    return block.text.removeprefix("Error executing tool ")
