"""Requests of clients over HTTP: which are served, and which bodies may hold a call.

The server decides what it reads of a request, and servers differ. Whatever some server could read
as a message is read as one here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.requests import Request

FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})  # of OAuth
FORM_FIRST = re.compile(rb"[\w%.*~&=-]")  # JSON begins with none of it, in any encoding of Unicode
CHARSET = re.compile(r"""charset\s*=\s*["']?([^"';,\s]*)""", re.IGNORECASE)
READ_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Of one connection only (RFC 9110, 7.6.1), or set anew by whoever sends on.
OWN = frozenset(
    {
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "host",
        "content-length", "accept-encoding", "expect",
    }
)  # fmt: skip


class NotServed(Exception):  # noqa: N818  (it names the request)
    """A request that is refused; `status` is HTTP's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def check_caller(headers: Headers, hosts: frozenset[str] | None) -> None:
    """Refuse what a web page of somebody else made a browser send.

    Args:
        headers: of the request.
        hosts: names by which clients may ask for us; None: any.

    Raises:
        NotServed: by a name that is not ours (DNS rebinding), or from a page of another host.
    """
    host = hostname(f"//{headers.get('host', '')}")
    if hosts is not None and host not in hosts:
        raise NotServed(421, "the Host header names another host")
    origin = headers.get("origin")
    ours = {host} if hosts is None else hosts
    if origin is None:
        is_foreign = headers.get("sec-fetch-site") == "cross-site"
    else:
        is_foreign = hostname(origin) not in ours
    if is_foreign:
        raise NotServed(403, "the request comes from a web page of another host")


def hostname(url: str) -> str | None:
    """The host that a URL names; None where it names none, or cannot be read."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def is_message(headers: Headers, body: bytes) -> bool:
    """Whether some server could read a body as a message of MCP: all but forms of OAuth.

    Raises NotServed where the server could read other letters than we do.
    """
    kinds = headers.getlist("content-type")
    kind = kinds[0].lower() if kinds else ""
    if len(kinds) > 1 or not READ_CHARSETS.issuperset(CHARSET.findall(kind)):
        raise NotServed(415, "send one Content-Type, in UTF-8")
    if not body:
        return False
    is_form = (
        kind.partition(";")[0].strip() in FORMS
        and "json" not in kind  # servers look for it anywhere in the header
        and "content-encoding" not in headers
        and FORM_FIRST.match(body) is not None
    )
    return not is_form


def passed_on(request: Request, carried: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers for the server: the client's, byte for byte, and the trace of its call."""
    named = request.headers.get("connection", "").lower().split(",")
    left_out = OWN | carried.keys() | {name.strip() for name in named}
    kept = [
        (name, value)
        for name, value in request.headers.raw
        if name.decode("latin-1").lower() not in left_out
    ]
    ours = {"accept-encoding": "identity", **carried}
    return kept + [(name.encode(), value.encode()) for name, value in ours.items()]
