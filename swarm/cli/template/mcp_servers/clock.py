"""An MCP server of this project: started on its own, found by its file's name."""

from __future__ import annotations

from datetime import UTC, datetime

from mcp.server.mcpserver import MCPServer

server = MCPServer("clock")


@server.tool()
def today() -> str:
    """Today's date (UTC), as 2026-12-31."""
    return datetime.now(UTC).date().isoformat()


if __name__ == "__main__":
    server.run()
