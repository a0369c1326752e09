"""MCP servers: connections, processes, restarts, quarantine."""
