# pyright: basic, reportMissingTypeStubs=false
"""An MCP server over standard input and output, by the official SDK; nothing of ours in it."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")


@server.tool()
def get_status(name: str) -> str:
    """Say how a shop is doing."""
    return f"{name} is up"


@server.tool()
def delete_shop(name: str) -> str:
    """Delete a shop."""
    raise SystemExit(f"{name} is gone")


@server.tool()
def fail(name: str) -> str:
    """Fail."""
    raise ValueError(f"{name} does not answer")


server.run()
