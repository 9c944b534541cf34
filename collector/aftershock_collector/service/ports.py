"""Whether the collector can listen on an address, before it tries."""

from __future__ import annotations

import errno
import socket

from aftershock_collector.config.model import Address


def obstacle(address: Address) -> str | None:
    """Why nothing can listen on an address; None where it is free."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.create_server((address.host, address.port), family=family):
            return None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return "is in use by another program"
        return f"cannot be used: {error.strerror or error}"
