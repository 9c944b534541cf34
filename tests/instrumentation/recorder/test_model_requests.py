"""Requests to models, seen in the HTTP client: real clients, real servers, no library of a maker."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from aftershock import attributes as names
from aftershock.recorder import http_clients, implicit_run, model_requests
from tests.instrumentation.conftest import Recorder, own
from tests.support.coding_agents.scripted_model import ScriptedModel
from tests.support.frameworks.play import LAST, LOOP, ONE_BY_ONE, Play

TOOLS: list[Any] = [
    {"name": "get_status", "input_schema": {}},
    {"name": "scale_workers", "input_schema": {}},
]
QUESTION: Any = {"role": "user", "content": LOOP}
MESSAGE: dict[str, Any] = {
    "model": "claude",
    "max_tokens": 9,
    "messages": [QUESTION],
    "tools": TOOLS,
}


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As after the import of httpx under our launcher, and as before afterwards."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "aftershock")
    for client in (httpx.Client, httpx.AsyncClient):
        monkeypatch.setattr(client, "send", client.send)
    model_requests.handler.cache_clear()
    http_clients.wrap_functions("httpx")
    http_clients.wrap_functions("httpx")  # a second import hook changes nothing
    yield
    implicit_run.end()
    model_requests.handler.cache_clear()


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str] | None = None) -> Generator[str]:
    """A server that always answers the same; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def inferences(recorder: Recorder) -> list[dict[str, Any]]:
    return [own(span) for span in recorder.spans if span.name.startswith(("chat", "generate"))]


def tools(recorder: Recorder) -> list[dict[str, Any]]:
    return [own(span) for span in recorder.spans if span.name.startswith("execute_tool")]


def test_a_streamed_answer_is_read_as_it_passes_and_reaches_the_app_unchanged(
    recorder: Recorder,
) -> None:
    streaming = {**MESSAGE, "stream": True}
    with (
        ScriptedModel(Play(ONE_BY_ONE)) as model,
        httpx.stream("POST", f"{model.url}/v1/messages", json=streaming) as response,
    ):
        text = "".join(response.iter_text())

    (found,) = inferences(recorder)
    assert text.startswith("event: message_start")
    assert text.endswith('{"type": "message_stop"}\n\n')
    assert (found[names.INPUT_TOKENS], found[names.OUTPUT_TOKENS]) == (1_200, 40)
    assert found[names.CACHE_READ_TOKENS] == 300
    assert found[names.REASONING_SIZE] > 0
    assert found[names.RESPONSE_MODEL] == "claude"
    assert found[names.INFERENCE_TOOLS][0].startswith("get_status")


def test_a_compressed_answer_is_read_too(recorder: Recorder) -> None:
    body = {"id": "m", "model": "claude", "content": [{"type": "text", "text": "yes"}],
            "stop_reason": "end_turn", "usage": {"input_tokens": 7, "output_tokens": 2}}  # fmt: skip
    packed = gzip.compress(json.dumps(body).encode())
    with (
        answering(200, packed, {"content-encoding": "gzip"}) as url,
        httpx.stream("POST", f"{url}/v1/messages", json=MESSAGE) as response,
    ):
        assert json.loads(response.read()) == body

    (found,) = inferences(recorder)
    assert (found[names.INPUT_TOKENS], found[names.OUTPUT_TOKENS]) == (7, 2)


def test_an_answer_that_is_an_error_or_no_answer_is_a_failed_inference(recorder: Recorder) -> None:
    with answering(529, b"{}") as url:
        assert httpx.post(f"{url}/v1/messages", json=MESSAGE).status_code == 529
    with answering(200, b"<html>") as url:
        assert httpx.post(f"{url}/v1/messages", json=MESSAGE).text == "<html>"
    with pytest.raises(httpx.ConnectError):
        httpx.post("http://127.0.0.1:9/v1/messages", json=MESSAGE)

    errors = [found.get(names.ERROR_TYPE) for found in inferences(recorder)]
    assert errors == ["529", None, "httpx.ConnectError"]


def test_a_stream_that_the_app_leaves_early_ends_its_inference(recorder: Recorder) -> None:
    streaming = {**MESSAGE, "stream": True}
    with (
        ScriptedModel(Play(ONE_BY_ONE)) as model,
        httpx.stream("POST", f"{model.url}/v1/messages", json=streaming),
    ):
        assert not inferences(recorder)

    assert len(inferences(recorder)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"text": "hello"},
        {"messages": "hello", "model": "m"},
        {"model": "m", "messages": ["hi"]},
        [],
    ],
)
def test_what_is_no_request_to_a_model_passes_unseen(recorder: Recorder, body: Any) -> None:
    with answering(200, b"{}") as url:
        assert httpx.post(f"{url}/v1/messages", json=body).status_code == 200
        streamed = httpx.post(
            f"{url}/v1/messages", content=iter([b"{}"]), headers={"content-length": "2"}
        )
        assert streamed.status_code == 200

    assert not inferences(recorder)


def test_calls_to_which_gemini_gives_no_ids_are_found_by_what_went_before(
    recorder: Recorder,
) -> None:
    call: Any = {"functionCall": {"name": "get_status", "args": {"service": "checkout"}}}
    asks = {"candidates": [{"content": {"role": "model", "parts": [call, call]}}]}
    contents: list[Any] = [{"role": "user", "parts": [{"text": "Is it up?"}]}]
    result: Any = {"functionResponse": {"name": "get_status", "response": {"result": "up"}}}
    path = "v1beta/models/gemini:generateContent"
    with answering(200, json.dumps(asks).encode()) as url:
        httpx.post(f"{url}/{path}", json={"contents": contents})
        contents += [{"role": "model", "parts": [call, call]}]
        contents += [{"role": "user", "parts": [result, result]}]
        httpx.post(f"{url}/{path}", json={"contents": contents})

    found = tools(recorder)
    assert [one[names.TOOL_NAME] for one in found] == ["get_status"] * 2
    assert len({one[names.TOOL_CALL_ID] for one in found}) == 2
    assert len({one[names.ARGUMENTS_DIGEST] for one in found}) == 1


def test_loops_at_once_whose_requests_are_tasks_of_their_own_are_one_run_each(
    recorder: Recorder,
) -> None:
    async def loop(client: httpx.AsyncClient, url: str) -> str:
        messages: list[Any] = [QUESTION]
        while True:
            body = {**MESSAGE, "messages": messages}
            sent = asyncio.create_task(client.post(f"{url}/v1/messages", json=body))
            content = (await sent).json()["content"]
            calls = [block for block in content if block["type"] == "tool_use"]
            if not calls:
                return content[-1]["text"]
            results = [{"type": "tool_result", "tool_use_id": one["id"], "content": "up"}
                       for one in calls]  # fmt: skip
            messages += [{"role": "assistant", "content": content}]
            messages += [{"role": "user", "content": results}]

    async def all_of_them(url: str) -> list[str]:
        async with httpx.AsyncClient() as client:
            return await asyncio.gather(*(loop(client, url) for _ in range(3)))

    with ScriptedModel(Play(ONE_BY_ONE)) as model:
        assert asyncio.run(all_of_them(model.url)) == [LAST] * 3

    runs = [found[names.RUN_ID] for found in inferences(recorder)]
    assert sorted(runs.count(run) for run in set(runs)) == [10, 10, 10]
    called = [found[names.RUN_ID] for found in tools(recorder)]
    assert sorted(called.count(run) for run in set(called)) == [9, 9, 9]
