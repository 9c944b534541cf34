"""The operations as an MCP server: over stdio, or over HTTP at a port."""

import sys

import operations
from mcp.server.mcpserver import MCPServer

server = MCPServer("operations")
server.tool()(operations.get_status)
server.tool()(operations.scale_workers)
if sys.argv[1:]:
    server.run(transport="streamable-http", port=int(sys.argv[1]))
else:
    server.run()
