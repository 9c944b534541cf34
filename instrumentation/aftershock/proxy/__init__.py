"""`aftershock mcp-proxy`: between an MCP client and its server, for agents without our recorder."""
