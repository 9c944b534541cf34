"""Plain HTTP, RPC, messaging and database client spans: what a tool reached outside.

So are commands that `aftershock exec` ran for a call that a coding agent records itself.

Old names of the conventions are read too, because most instrumentations still write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aftershock.attributes import (
    ACTION_TARGETS,
    ACTION_TIER,
    DB_NAMESPACE,
    DB_SYSTEM,
    SERVER_ADDRESS,
    SERVER_PORT,
    SERVICE_NAME,
)
from aftershock.entity import entity_key
from aftershock.model import StepKind
from aftershock_collector.otlp.wire import CLIENT, PRODUCER, Span
from aftershock_collector.reading.dialects import Reading, count_in, name_in, names_in, text_in

MARKS = (
    "http.request.method", "http.method", "db.system.name", "db.system", "rpc.system",
    "messaging.system", "url.full", "http.url",
)  # fmt: skip
ADDRESS = (SERVER_ADDRESS, "net.peer.name", "http.host", "net.sock.peer.name")
PORT = (SERVER_PORT, "net.peer.port")
URL = ("url.full", "http.url")
PEER = ("service.peer.name", "peer.service")


def read_outgoing(span: Span) -> Reading | None:
    """Read a client span that names what it reached."""
    if span.kind not in (CLIENT, PRODUCER):
        return None
    attributes = span.attributes
    if ACTION_TIER in attributes:
        return Reading(StepKind.OUTGOING, span.name, targets=names_in(attributes, ACTION_TARGETS))
    if not any(mark in attributes for mark in MARKS):
        return None
    targets = _targets(attributes)
    return Reading(StepKind.OUTGOING, span.name, targets=targets) if targets else None


def _targets(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """What is known of the other side: the service by its name, and where it listens."""
    address, port = name_in(attributes, *ADDRESS), count_in(attributes, *PORT)
    if address is None:
        address, port = _host_of(text_in(attributes, *URL) or "")
    place = {
        DB_NAMESPACE: name_in(attributes, DB_NAMESPACE, "db.name"),
        DB_SYSTEM: name_in(attributes, DB_SYSTEM, "db.system"),
        SERVER_ADDRESS: address,
        SERVER_PORT: str(port) if port else None,
    }
    found = {
        entity_key({SERVICE_NAME: name_in(attributes, *PEER) or ""}): None,
        entity_key({name: value for name, value in place.items() if value}): None,
    }
    return tuple(key for key in found if key)


def _host_of(url: str) -> tuple[str | None, int | None]:
    """Host and port of a URL, without user and password."""
    authority = url.partition("://")[2]
    for end in "/?#":
        authority = authority.partition(end)[0]
    authority = authority.rpartition("@")[2]
    if authority.startswith("["):
        host, _, rest = authority[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = authority.partition(":")
    return host or None, int(port) if port.isascii() and port.isdigit() and len(port) < 6 else None
