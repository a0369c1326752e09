"""MCP servers and native tools, found and called in one way."""
