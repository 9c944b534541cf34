"""`aftershock token create|list|revoke`: who may send, read, answer and control."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime

from aftershock.policy.policy import parse_seconds
from aftershock_collector.access.tokens import Scope, Token, TokenError, Tokens
from aftershock_collector.commands import CommandError
from aftershock_collector.config.load import ConfigurationError, load

SCOPES = ", ".join(Scope)


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="create a token and print it, once")
    create.add_argument("name", help="who uses it; shown on pages as the sender")
    create.add_argument(
        "--scope", action="append", required=True, choices=list(Scope), metavar="SCOPE",
        help=f"what it permits; may be given several times: {SCOPES}",
    )  # fmt: skip
    create.add_argument("--expires", metavar="TIME", help="for example 90d; default: never")
    actions.add_parser("list", help="list tokens, without their secrets")
    revoke = actions.add_parser("revoke", help="make a token invalid, within a second")
    revoke.add_argument("id", help="as `aftershock token list` shows it")


def main(arguments: argparse.Namespace) -> int:
    """Change or list the tokens in the home folder."""
    try:
        tokens = Tokens(load(None, os.environ).tokens)
        if arguments.action == "create":
            return _create(tokens, arguments)
        if arguments.action == "revoke":
            token = tokens.revoke(arguments.id)
            sys.stdout.write(f"revoked {token.id} ({token.name})\n")
            return 0
        return _list(tokens)
    except (ConfigurationError, TokenError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"tokens cannot be changed: {error}") from error


def _create(tokens: Tokens, arguments: argparse.Namespace) -> int:
    expires_ns = None
    if arguments.expires is not None:
        try:
            expires_ns = time.time_ns() + int(parse_seconds(arguments.expires) * 1e9)
        except ValueError as error:
            raise CommandError(f"--expires {arguments.expires}: write 12h or 90d") from error
    token, secret = tokens.create(arguments.name, arguments.scope, expires_ns)
    sys.stdout.write(f"{secret}\n")
    sys.stderr.write(
        f"Token {token.id} for {token.name}: {_scopes(token)}. It is not shown again.\n"
        f"Senders use it as OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer {secret[:4]}…'\n"
    )
    return 0


def _list(tokens: Tokens) -> int:
    now_ns = time.time_ns()
    rows = [("ID", "NAME", "SCOPES", "CREATED", "EXPIRES")]
    for token in tokens.all():
        expires = "never" if token.expires_ns is None else _day(token.expires_ns)
        if not token.is_valid(now_ns):
            expires = f"{expires} (expired)"
        rows.append((token.id, token.name, _scopes(token), _day(token.created_ns), expires))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    return 0


def _scopes(token: Token) -> str:
    return ",".join(sorted(token.scopes))


def _day(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
