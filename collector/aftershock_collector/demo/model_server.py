"""A scripted, OpenAI-compatible model server on loopback: what the demo's agents talk to.

    with ModelServer([call("get_weather", city="Paris"), text_reply("Sunny.")]) as server:
        client = OpenAI(base_url=server.url, api_key="none")

A list is played in order, whoever asks. A function gets the messages so far and returns the next
`Reply`: the way to serve several agents, or the same one twice. As a process of its own:
`python -m aftershock_collector.demo.model_server --script package.module:function --port 0`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

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
from aftershock_collector.demo.serving import application, listen, served, url_of

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


class ModelServer:
    """A running server: `url` is an OpenAI base URL; `requests` are the bodies received."""

    def __init__(self, script: Script, *, port: int = 0) -> None:
        self.choose = script if callable(script) else in_order(script)
        self.bodies: list[dict[str, Any]] = []
        self.counter = itertools.count()
        self.listener = listen(port)
        self.url = f"{url_of(self.listener)}/v1"  # what OPENAI_BASE_URL wants
        self.standing = contextlib.ExitStack()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies received so far, oldest first."""
        return list(self.bodies)

    def __enter__(self) -> Self:
        routes = [
            Route("/v1/models", self.models),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/v1/responses", self.responses, methods=["POST"]),
            Route("/{path:path}", not_found, methods=["GET", "POST"]),
        ]
        self.standing.enter_context(served(application(routes), self.listener))
        return self

    def __exit__(self, *_: object) -> None:
        self.standing.close()

    async def models(self, _request: Request) -> Response:
        """List the models."""
        return JSONResponse(models_body(MODELS))

    async def chat(self, request: Request) -> Response:
        """One chat completion, whole or streamed."""
        body: dict[str, Any] = await request.json()
        turn = await self.next_turn(body, body.get("messages", []))
        if turn.reply.status >= 400:
            return failure(turn.reply)
        if not body.get("stream"):
            return JSONResponse(chat_body(turn))
        options: Mapping[str, Any] = body.get("stream_options") or {}
        chunks = chat_chunks(turn, with_usage=bool(options.get("include_usage")))
        lines = (f"data: {json.dumps(chunk)}" for chunk in chunks)
        return streamed(itertools.chain(lines, ["data: [DONE]"]))

    async def responses(self, request: Request) -> Response:
        """One answer of the responses API, whole or streamed."""
        body: dict[str, Any] = await request.json()
        turn = await self.next_turn(body, messages_of_input(body))
        if turn.reply.status >= 400:
            return failure(turn.reply)
        if not body.get("stream"):
            return JSONResponse(response_body(turn))
        numbered = (dict(e, sequence_number=n) for n, e in enumerate(response_events(turn)))
        return streamed(f"event: {e['type']}\ndata: {json.dumps(e)}" for e in numbered)

    async def next_turn(self, body: dict[str, Any], messages: Messages) -> Turn:
        """Let the script choose; a script that fails is answered as a 500 that says so."""
        index = next(self.counter)
        if len(self.bodies) < REQUESTS_KEPT_MAX:
            self.bodies.append(body)
        try:
            reply = await run_in_threadpool(self.choose, messages)
        except Exception as error:  # noqa: BLE001 (somebody else's function)
            reply = fail(500, f"the script failed: {error!r}")
        await asyncio.sleep(reply.delay_s)
        return Turn(index, str(body.get("model", MODELS[0])), messages, reply, int(time.time()))


async def not_found(request: Request) -> Response:
    """A path that OpenAI has and this server has not."""
    return JSONResponse(error_body(404, f"no such path: {request.url.path}"), 404)


def failure(reply: Reply) -> Response:
    """An error as OpenAI words it."""
    after = reply.retry_after_s
    headers = {} if after is None else {"retry-after": str(after)}
    return JSONResponse(error_body(reply.status, reply.content), reply.status, headers)


def streamed(events: Iterable[str]) -> Response:
    """Server-sent events, each in a chunk of its own."""
    return StreamingResponse((f"{event}\n\n" for event in events), media_type="text/event-stream")


def load_script(place: str) -> Script:
    """The script named by `package.module:attribute`."""
    module, _, attribute = place.partition(":")
    script: Script = getattr(importlib.import_module(module), attribute)
    return script


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--script", required=True, help="package.module:function or :list")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    with ModelServer(load_script(options.script), port=options.port) as server:
        announce(url=server.url)
        stop_event().wait()


if __name__ == "__main__":
    main()
