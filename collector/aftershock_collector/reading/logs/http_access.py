"""HTTP access logs: nginx and Envoy as text with a field for `traceparent`, or as JSON.

Whoever reaches the server writes that header, so such a line alone proves nothing: it counts where
the action is known to have to do with the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aftershock.model import Tier
from aftershock_collector.reading.dialects import value_in
from aftershock_collector.reading.links import link_in
from aftershock_collector.reading.logs.line import (
    Logged,
    Record,
    document,
    link_anywhere,
    moment,
    number,
    text,
)

SEGMENTS_MAX = 4  # of a path: enough to say which route it was
_LINE = re.compile(
    r'\[(?P<time>[^\]]{10,40})\] "(?P<method>[A-Z]{3,10}) (?P<path>[^\s"]*)[^"]*" '
    r"(?P<status>\d{3})\b"
)
_REQUEST = re.compile(r"([A-Z]{3,10}) (\S*)")
_VALUE = re.compile(r"\d|%|@|[^/]{40}")  # in a segment: an id, or what somebody typed
_STATUS = (
    "status",
    "status_code",
    "response_code",
    "http.response.status_code",
    "http.status_code",
    "code",
)
_METHOD = ("method", "request_method", "http.request.method", "http.method", "verb")
_PATH = ("path", "uri", "request_uri", "url.path", "url", "x_envoy_original_path")
_TIME = ("time", "time_iso8601", "start_time", "timestamp", "@timestamp", "time_local", "ts")
_READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"})
SERVER_FAILED, FAILED = 500, 400


def read_http_access(record: Record) -> list[Logged]:
    """What one line says was asked for in a trace."""
    fields = document(record)
    if fields:
        return _of_fields(fields)
    found = _LINE.search(record) if isinstance(record, str) else None
    if found is None:
        return []
    return _logged(
        link_anywhere(record), found["method"], found["path"], int(found["status"]),
        moment(found["time"]),
    )  # fmt: skip


def is_http_access(line: str) -> bool:
    """True for a line that a web server wrote, whatever else its client put into it."""
    return _LINE.search(line) is not None


def _of_fields(fields: Mapping[str, Any]) -> list[Logged]:
    status = number(value_in(fields, *_STATUS))
    method, path = text(value_in(fields, *_METHOD)), text(value_in(fields, *_PATH))
    if not method and (found := _REQUEST.match(text(fields.get("request")))):
        method, path = found[1], found[2]
    if status is None or not method:
        return []
    return _logged(
        link_in(fields), method.upper(), path, status, moment(text(value_in(fields, *_TIME)))
    )


def _logged(link: Any, method: str, path: str, status: int, at_ns: int | None) -> list[Logged]:
    if link is None or (method in _READING and status < FAILED):
        return []
    tier = Tier.READ if method in _READING else Tier.WRITE
    return [
        Logged(
            link,
            f"{method} {route(path)}",
            Tier.DESTRUCTIVE if method == "DELETE" else tier,
            at_ns,
            error=f"HTTP status {status}" if status >= FAILED else None,
            trouble=status >= SERVER_FAILED,
            open_to_all=True,
        )
    ]


def route(path: str) -> str:
    """A path without its query, its ids and its end: `/orders/*`."""
    plain = re.sub(r"^https?://[^/]*", "", path).partition("?")[0].partition("#")[0]
    segments = ["*" if _VALUE.search(each) else each for each in plain.split("/")]
    return "/".join(segments[: SEGMENTS_MAX + 1]) or "/"
