"""Which process this is, as whoever must stop it needs to know; a fork says its own."""

from __future__ import annotations

import os
import socket
from functools import lru_cache

from opentelemetry.sdk.resources import Resource

from aftershock.attributes import HOST_NAME, PROCESS_PID


def identified(resource: Resource) -> Resource:
    """The resource with this host and this process in it, unless it names others."""
    return _identified(resource, os.getpid())


@lru_cache(maxsize=16)  # one resource a process, and one more for each of its forks
def _identified(resource: Resource, pid: int) -> Resource:
    return Resource({HOST_NAME: socket.gethostname(), PROCESS_PID: pid}).merge(resource)
