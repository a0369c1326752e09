"""What MCP's wire carries, read and mended."""
