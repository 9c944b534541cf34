"""Requests that two readers of HTTP take apart differently, over real sockets."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.live_collector import live_collector

HIDDEN = b"POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def statuses(url: str, request: bytes) -> list[int]:
    """The statuses of all answers on one connection, until it is closed or quiet for a second."""
    place = urlsplit(url)
    answer = b""
    with socket.create_connection((place.hostname, place.port), timeout=1) as opened:
        opened.sendall(request)
        try:
            while data := opened.recv(65_536):
                answer += data
        except (TimeoutError, ConnectionError):
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answer)]


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    ],
)
def test_what_follows_a_body_with_two_ends_is_no_request(home: Path, framing: bytes) -> None:
    with live_collector(home) as collector:
        head = b"POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        found = statuses(collector.url, head + framing + HIDDEN)

    assert found == [400]


def test_an_origin_that_cannot_be_read_is_foreign(home: Path) -> None:
    request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://[\r\n\r\n"
    with live_collector(home) as collector:
        assert statuses(collector.url, request) == [403]
