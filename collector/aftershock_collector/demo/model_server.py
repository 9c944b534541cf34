"""A scripted, OpenAI-compatible model server on loopback: what the demo's agents talk to.

    with ModelServer([call("get_weather", city="Paris"), text_reply("Sunny.")]) as server:
        client = OpenAI(base_url=server.url, api_key="none")

A list is played in order, whoever asks. A function gets the messages so far and returns the next
`Reply`: the way to serve several agents, or the same one twice. As a process of its own:
`python -m aftershock_collector.demo.model_server --script package.module:function --port 0`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from aftershock_collector.demo.model_replies import (
    Reply,
    ToolCall,
    Turn,
    call,
    call_all,
    chat_body,
    chat_chunks,
    error_body,
    fail,
    messages_of_input,
    models_body,
    response_body,
    response_events,
    text_of,
    text_reply,
)
from aftershock_collector.demo.processes import announce, stop_event

__all__ = [
    "ModelServer",
    "Reply",
    "Script",
    "ToolCall",
    "by_turn",
    "call",
    "call_all",
    "fail",
    "text_of",
    "text_reply",
]  # fmt: skip

Messages = list[dict[str, Any]]
Script = Callable[[Messages], Reply] | Sequence[Reply]
MODELS = ("gpt-demo", "gpt-4o-mini", "gpt-5")
REQUESTS_KEPT_MAX = 10_000  # a test reads them; a demo of two minutes stays far below


def by_turn(*replies: Reply) -> Callable[[Messages], Reply]:
    """A script that every conversation plays from its start: the n-th turn gets the n-th reply.

    Turns are the assistant messages after the last user message. The last reply repeats.
    """

    def choose(messages: Messages) -> Reply:
        turn = 0
        for message in reversed(messages):
            if message["role"] == "user":
                break
            turn += message["role"] == "assistant"
        return replies[min(turn, len(replies) - 1)]

    return choose


def in_order(replies: Sequence[Reply]) -> Callable[[Messages], Reply]:
    """A script that is played once, whoever asks; after its end every request is refused."""
    remaining = iter(tuple(replies))
    lock = threading.Lock()

    def choose(_messages: Messages) -> Reply:
        with lock:
            return next(remaining, fail(400, "the script is at its end"))

    return choose


class Answerer(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for headers and body
    disable_nagle_algorithm = True
    server: ModelHTTPServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (theirs)
        """Say nothing: the requests are kept for whoever wants to read them."""

    def do_GET(self) -> None:
        """List the models."""
        if self.path.rstrip("/").endswith("/models"):
            self.answer(200, models_body(MODELS))
        else:
            self.answer(404, error_body(404, f"no such path: {self.path}"))

    def do_POST(self) -> None:
        """Answer one completion."""
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        try:
            body: dict[str, Any] = json.loads(raw)
        except ValueError:
            self.answer(400, error_body(400, "the body is not JSON"))
            return
        if self.path.endswith("/chat/completions"):
            messages: Messages = body.get("messages", [])
        elif self.path.endswith("/responses"):
            messages = messages_of_input(body)
        else:
            self.answer(404, error_body(404, f"no such path: {self.path}"))
            return
        turn = self.server.next_turn(body, messages)
        time.sleep(turn.reply.delay_s)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an abandoned stream
            self.reply(turn, body)

    def reply(self, turn: Turn, body: Mapping[str, Any]) -> None:
        """Write the reply in the form that was asked for."""
        chat = self.path.endswith("/chat/completions")
        if turn.reply.status >= 400:
            after = turn.reply.retry_after_s
            headers = {} if after is None else {"retry-after": str(after)}
            answer = error_body(turn.reply.status, turn.reply.content)
            self.answer(turn.reply.status, answer, headers)
        elif not body.get("stream"):
            self.answer(200, chat_body(turn) if chat else response_body(turn))
        elif chat:
            options: Mapping[str, Any] = body.get("stream_options") or {}
            chunks = chat_chunks(turn, with_usage=bool(options.get("include_usage")))
            self.stream(
                itertools.chain((f"data: {json.dumps(c)}" for c in chunks), ["data: [DONE]"])
            )
        else:
            numbered = (dict(e, sequence_number=n) for n, e in enumerate(response_events(turn)))
            self.stream(f"event: {e['type']}\ndata: {json.dumps(e)}" for e in numbered)

    def answer(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        """Write one JSON body."""
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()

    def stream(self, events: Iterable[str]) -> None:
        """Write server-sent events, each in a chunk of its own."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in events:
            raw = f"{event}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


class ModelHTTPServer(ThreadingHTTPServer):
    """The listening socket with the script behind it."""

    daemon_threads = True
    request_queue_size = 128  # the stdlib's 5 refuses a burst of parallel agents

    def __init__(self, address: tuple[str, int], script: Script) -> None:
        super().__init__(address, Answerer)
        self.choose = script if callable(script) else in_order(script)
        self.bodies: list[dict[str, Any]] = []
        self.counter = itertools.count()

    def next_turn(self, body: dict[str, Any], messages: Messages) -> Turn:
        """Let the script choose; a script that fails is answered as a 500 that says so."""
        index = next(self.counter)
        if len(self.bodies) < REQUESTS_KEPT_MAX:
            self.bodies.append(body)
        try:
            reply = self.choose(messages)
        except Exception as error:  # noqa: BLE001 (somebody else's function)
            reply = fail(500, f"the script failed: {error!r}")
        return Turn(index, str(body.get("model", MODELS[0])), messages, reply, int(time.time()))


class ModelServer:
    """A running server: `url` is an OpenAI base URL; `requests` are the bodies received."""

    def __init__(self, script: Script, *, port: int = 0) -> None:
        self.server = ModelHTTPServer(("127.0.0.1", port), script)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def url(self) -> str:
        """What OPENAI_BASE_URL wants."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies received so far, oldest first."""
        return list(self.server.bodies)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)


def load_script(place: str) -> Script:
    """The script named by `package.module:attribute`."""
    module, _, attribute = place.partition(":")
    script: Script = getattr(importlib.import_module(module), attribute)
    return script


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--script", required=True, help="package.module:function or :list")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    with ModelServer(load_script(options.script), port=options.port) as server:
        announce(url=server.url)
        stop_event().wait()


if __name__ == "__main__":
    main()
