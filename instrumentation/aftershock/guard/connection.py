"""One kept connection to the collector: JSON posted over HTTP/1.1, within a deadline.

Written on a socket, because the hook of coding agents is a new process for each call and cannot
afford to import an HTTP library.
"""

from __future__ import annotations

import json
import socket
import time

TYPE_CHECKING = False  # importing it from typing would cost the hook more than all else here
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

RESPONSE_BYTES_MAX = 4_000_000  # orders, tickets and a policy: far less
HEAD_BYTES_MAX = 32_768
READ_BYTES = 65_536
PORTS = {"http": 80, "https": 443}


class Unreachable(Exception):  # noqa: N818  (it names the collector's state)
    """The collector did not answer, or not in a way that can be understood."""


class Refused(Exception):  # noqa: N818  (it names what the collector did)
    """The collector answered, and does not do what was asked; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Place:
    """Where the collector is: the parts of its URL."""

    __slots__ = ("host", "path", "port", "secure")

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        if scheme not in PORTS or not rest:
            raise ValueError(f"{url!r} is not a URL of http or https")
        authority, _, path = rest.partition("/")
        host, _, port = authority.rpartition("@")[2].rpartition(":")
        if not host or not port.isdigit() or port.endswith("]"):
            host, port = authority, str(PORTS[scheme])
        self.secure = scheme == "https"
        self.host, self.port = host.strip("[]"), int(port)
        self.path = f"/{path}".rstrip("/")


class Connection:
    """A connection that is opened when needed. Of one thread at a time."""

    def __init__(
        self, url: str, headers: Mapping[str, str], certificate: str | None = None
    ) -> None:
        """`certificate`: a file with the authority that signed the collector's certificate."""
        self._place = Place(url)
        self._certificate = certificate
        lines = [f"Host: {self._place.host}:{self._place.port}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = "\r\n".join(lines)
        self._socket: socket.socket | None = None

    def post(self, path: str, body: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """The JSON object that the collector answers. Raises Unreachable or Refused.

        A connection that the collector had closed meanwhile is opened again, once.
        """
        deadline_s = time.monotonic() + timeout_s
        request = self._request(path, json.dumps(body).encode())
        kept = self._socket is not None
        try:
            status, answer = self._exchange(request, deadline_s)
        except (OSError, ValueError) as error:
            self.close()
            if not kept or time.monotonic() >= deadline_s:
                raise Unreachable(f"{type(error).__name__}: {error}") from error
            try:
                status, answer = self._exchange(request, deadline_s)
            except (OSError, ValueError) as again:
                self.close()
                raise Unreachable(f"{type(again).__name__}: {again}") from again
        if status >= 500:
            raise Unreachable(f"HTTP {status}: {answer.get('message', '')}")
        if status >= 400:
            raise Refused(status, str(answer.get("message", "")))
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _request(self, path: str, body: bytes) -> bytes:
        line = f"POST {self._place.path}{path} HTTP/1.1"
        return f"{line}\r\n{self._head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def _exchange(self, request: bytes, deadline_s: float) -> tuple[int, dict[str, Any]]:
        opened = self._socket or self._open(deadline_s)
        self._socket = opened
        opened.settimeout(left(deadline_s))
        opened.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += received(opened, deadline_s)
            if len(data) > HEAD_BYTES_MAX:
                raise ValueError("the head of the answer does not end")
        head, _, body = data.partition(b"\r\n\r\n")
        status, fields = parsed(head)
        length = int(fields.get("content-length", "-1"))
        if not 0 <= length <= RESPONSE_BYTES_MAX:
            raise ValueError("the answer has no usable length")
        while len(body) < length:
            body += received(opened, deadline_s)
        if fields.get("connection", "").lower() == "close":
            self.close()
        answer: Any = json.loads(body) if body else {}
        if not is_object(answer):
            raise ValueError("the answer is no JSON object")
        return status, answer

    def _open(self, deadline_s: float) -> socket.socket:
        place = self._place
        plain = socket.create_connection((place.host, place.port), left(deadline_s))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not place.secure:
            return plain
        import ssl  # noqa: PLC0415 (20 ms, and rarely needed)

        context = ssl.create_default_context(cafile=self._certificate)
        return context.wrap_socket(plain, server_hostname=place.host)


def is_object(value: Any) -> bool:
    """True for a JSON object."""
    return isinstance(value, dict)


def received(opened: socket.socket, deadline_s: float) -> bytes:
    """The next bytes. Raises OSError where there are none in time."""
    opened.settimeout(left(deadline_s))
    data = opened.recv(READ_BYTES)
    if not data:
        raise ConnectionError("closed before the whole answer was there")
    return data


def left(deadline_s: float) -> float:
    """Seconds until a deadline. Raises TimeoutError where there are none."""
    seconds = deadline_s - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("no answer in time")
    return seconds


def parsed(head: bytes) -> tuple[int, dict[str, str]]:
    """The status and the fields of a response's head. Raises ValueError."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError("the answer is not HTTP")
    fields = (line.partition(":") for line in lines)
    return int(rest[:3]), {name.strip().lower(): value.strip() for name, _, value in fields}
