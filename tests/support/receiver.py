"""A receiver on loopback that keeps what it is sent and answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    content: bytes
    at_s: float = 0.0  # when it came
    method: str = "POST"

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    content: bytes = b"{}"


class Silent(BaseHTTPRequestHandler):
    """Answers without a word on stderr."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Loopback:
    """A real HTTP server that runs while inside."""

    def __init__(self, handler: type[Silent], prefix: str = "") -> None:
        self.prefix = prefix  # of every path
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self.prefix}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Receiver(Loopback):
    """`answers` are used up first; after them everything is confirmed."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[Request] = []
        self.answers = deque(answers)
        receiver = self

        class Handler(Silent):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.requests.append(
                    Request(self.path, dict(self.headers), content, time.time(), self.command)
                )
                answer = receiver.answers.popleft() if receiver.answers else Answer()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_PUT = do_POST  # noqa: N815 (the name that the server calls)

        super().__init__(Handler)


def eventually(is_true: Callable[[], object], within_s: float = 5.0) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
