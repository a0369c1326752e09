"""The tool server of the overhead proof: one tool that reads a line."""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("lines")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def read(number: int) -> str:
    """Read a line."""
    return f"line {number}: the quick brown fox jumps over the lazy dog"


if __name__ == "__main__":
    server.run()
