"""The command `aftershock mcp-proxy`: an MCP server with a recorder and a gate before it."""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import TYPE_CHECKING

from aftershock.proxy.sessions import Client, Session, Settings
from aftershock.recorder import providers
from aftershock.recorder.guarding import gate_for_others

if TYPE_CHECKING:
    from collections.abc import Mapping

DESCRIPTION = """\
Stand between an MCP client and an MCP server: record each call of a tool, hold it back where the
policy wants that, and carry its trace to the server. Everything else passes unchanged.
"""
EXAMPLES = """\
examples:
  aftershock mcp-proxy -- npx -y @modelcontextprotocol/server-kubernetes
  aftershock mcp-proxy --url https://mcp.example.com/mcp --listen 127.0.0.1:8900
"""


def main(argv: list[str]) -> int:
    """Stand between until one of both ends. Returns the server's exit code."""
    options, command = read_options(argv)
    environment = dict(os.environ)  # the server's own: ours must not reach it
    providers.start()
    try:
        return asyncio.run(relay(options, command, environment))
    except KeyboardInterrupt:
        return 130
    finally:
        providers.finish()


async def relay(
    options: argparse.Namespace, command: list[str], environment: Mapping[str, str]
) -> int:
    """Over the transport that was asked for."""
    chosen = Settings(options.agent, options.sole_recorder, "tcp" if options.url else "pipe")
    gate = gate_for_others()
    if options.url is None:
        # Only one of both transports is ever needed.
        from aftershock.proxy.stdio import relay_stdio  # noqa: PLC0415

        return await relay_stdio(command, environment, Session(gate, Client(chosen)))
    from aftershock.proxy.http import relay_http  # noqa: PLC0415

    return await relay_http(options.url, options.listen, gate, chosen)


def read_options(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options, and the server's command behind `--`."""
    ours, command = argv, list[str]()
    if "--" in argv:
        place = argv.index("--")
        ours, command = argv[:place], argv[place + 1 :]
    parser = argparse.ArgumentParser(
        prog="aftershock mcp-proxy",
        usage="aftershock mcp-proxy [OPTIONS] (-- COMMAND [ARGUMENT…] | --url URL)",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", help="of a server over streamable HTTP, instead of a command")
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:0",
        help="where clients of --url connect to (default: a free port of this machine)",
    )
    parser.add_argument(
        "--agent", metavar="NAME", help="whose calls they are (default: the client's own name)"
    )
    parser.add_argument(
        "--sole-recorder",
        action="store_true",
        help="count calls that carry a trace as well: their client reports nothing itself",
    )
    options = parser.parse_args(ours)
    if (options.url is None) is not bool(command):
        parser.error("give either a command behind -- or --url")
    return options, command
