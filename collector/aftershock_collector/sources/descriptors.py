"""File descriptors: how many this process may open, and how many of them connections may use."""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from typing import Any

from aftershock_collector.telemetry import Telemetry

RESERVED = 192  # for the store, the receivers, scrapes and logs
CONNECTIONS_MAX = 4_096  # of each server: 40 kB each
CONNECTIONS_MIN = 32
_ACCEPT_FAILED = "socket.accept() out of system resource"


def raise_limit() -> None:
    """Raise the soft limit of open files to the hard one: many systems start with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # macOS refuses what its kernel cannot do
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_max() -> int:
    """How many connections one of the two servers may hold at a time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    return max(CONNECTIONS_MIN, min(CONNECTIONS_MAX, (soft - RESERVED) // 2))


def report_accept_failures(loop: asyncio.AbstractEventLoop, telemetry: Telemetry) -> None:
    """Count and log, at a bounded rate, that no descriptor is left; asyncio logs each attempt."""
    previous = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if context.get("message") == _ACCEPT_FAILED:
            telemetry.refuse("http", "descriptors")
        elif previous is not None:
            previous(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
