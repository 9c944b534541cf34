"""Tools that recover: real HTTP servers that fail in every way, real functions and LangChain tools."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from langchain_core.tools import tool as langchain_tool

import aftershock
from aftershock import attributes as names
from aftershock.fingerprints.outcomes import outcome_of
from aftershock.model import Outcome
from aftershock.recovery import Breaker, FailureKind, ToolFailed, recovering
from aftershock.recovery.failures import read_failure, read_retry_after
from tests.instrumentation.conftest import Recorder, own

Answer = tuple[int, dict[str, str]]


@contextmanager
def answering(*answers: Answer) -> Generator[tuple[str, list[str]]]:
    """A server that gives these answers, the last one again and again; and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers = answers[min(len(asked), len(answers)) - 1]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def get_with_httpx(url: str) -> str:
    return httpx.get(url).raise_for_status().text


def get_with_urllib(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


OK: Answer = (200, {})
SOON = {"retry-after": "0"}


@pytest.mark.parametrize("get", [get_with_httpx, get_with_urllib])
def test_a_read_is_tried_again_until_it_works_whatever_client_it_uses(get: Any) -> None:
    fetch = recovering(get, name="get_page", first_wait_s=0.01)
    with answering((503, {}), (429, SOON), OK) as (url, asked):
        assert fetch(url) == "ok"
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "permission"), (403, "permission"), (404, "not_found"), (422, "invalid"),
     (409, "conflict"), (500, "broken")],
)  # fmt: skip
def test_what_would_fail_again_is_tried_once_and_the_model_reads_what_to_do(
    status: int, kind: str
) -> None:
    fetch = recovering(get_with_httpx, name="get_page", first_wait_s=0.01)
    with answering((status, {})) as (url, asked):
        answer = fetch(url)

    found = json.loads(answer)
    assert len(asked) == 1
    assert (found["ok"], found["error"], found["attempts"]) == (False, kind, 1)
    assert found["what_to_do"]
    assert outcome_of(answer, None) is Outcome.FAILED, "the rules read it as a failure"


def test_a_write_is_repeated_only_where_the_server_has_not_done_it() -> None:
    change = recovering(get_with_httpx, name="update_page", first_wait_s=0.01)
    with answering((503, {}), OK) as (url, asked):
        assert json.loads(change(url))["error"] == "unavailable"
    assert len(asked) == 1
    with answering((503, SOON), (429, {}), OK) as (url, asked):
        assert change(url) == "ok"
    assert len(asked) == 3
    again = recovering(get_with_httpx, name="update_page", first_wait_s=0.01, idempotent=True)
    with answering((504, {}), OK) as (url, asked):
        assert again(url) == "ok"


def test_a_connection_that_is_refused_is_tried_again_and_then_named() -> None:
    change = recovering(get_with_httpx, name="update_page", attempts=2, first_wait_s=0.01)

    found = json.loads(change("http://127.0.0.1:9"))

    assert (found["error"], found["attempts"]) == ("unavailable", 2)


def test_a_server_that_wants_more_time_than_there_is_gets_it_and_the_model_reads_how_much() -> None:
    fetch = recovering(get_with_httpx, name="get_page", wait_max_s=2)
    with answering((429, {"retry-after": "120"})) as (url, asked):
        found = json.loads(fetch(url))

    assert len(asked) == 1
    assert (found["error"], found["retry_after_s"]) == ("rate_limited", 120)


def test_a_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert read_retry_after("7", now) == 7
    assert read_retry_after(format_datetime(now + timedelta(seconds=90)), now) == 90
    assert read_retry_after("-3", now) == 0
    assert read_retry_after("nan", now) is None
    assert read_retry_after("soon", now) is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError("no"), FailureKind.PERMISSION),
        (TimeoutError(), FailureKind.TIMEOUT),
        (ConnectionResetError(), FailureKind.UNAVAILABLE),
        (KeyError("x"), FailureKind.NOT_FOUND),
        (json.JSONDecodeError("x", "", 0), FailureKind.INVALID),
        (httpx.ReadTimeout("slow"), FailureKind.TIMEOUT),
        (RuntimeError("?"), FailureKind.BROKEN),
    ],
)
def test_an_exception_without_a_status_is_read_by_its_class(
    error: Exception, kind: FailureKind
) -> None:
    assert read_failure("t", error).kind is kind


def test_a_secret_in_an_error_does_not_reach_the_model() -> None:
    key = "sk-proj-" + "a1B2c3D4" * 5

    assert key not in read_failure("t", RuntimeError(f"bad key {key}")).text


def test_all_attempts_are_one_call_whose_span_counts_them(recorder: Recorder) -> None:
    left = [TimeoutError(), TimeoutError()]

    @aftershock.tool
    @recovering(first_wait_s=0.01)
    def get_x() -> str:
        if left:
            raise left.pop()
        return "x"

    assert get_x() == "x"
    assert own(recorder.span("execute_tool get_x"))[names.ATTEMPTS] == 3


def test_an_async_tool_recovers_and_can_raise(recorder: Recorder) -> None:
    calls: list[int] = []

    @recovering(first_wait_s=0.01, attempts=2, raises=True)
    async def get_x(number: int) -> str:
        calls.append(number)
        raise ConnectionResetError("gone")

    with pytest.raises(ToolFailed) as caught:
        asyncio.run(get_x(7))

    assert calls == [7, 7]
    assert caught.value.failure.attempts == 2
    assert isinstance(caught.value.__cause__, ConnectionResetError)


def test_what_is_no_failure_passes_through_untouched() -> None:
    GraphBubbleUp = type("GraphBubbleUp", (Exception,), {})  # noqa: N806
    waits = type("GraphInterrupt", (GraphBubbleUp,), {})("wait")

    @recovering
    def ask_person() -> str:
        raise waits

    with pytest.raises(GraphBubbleUp) as caught:
        ask_person()
    assert caught.value is waits


@pytest.mark.parametrize("is_async", [False, True])
def test_a_langchain_tool_that_fails_for_good_is_an_error_message(is_async: bool) -> None:
    calls: list[str] = []

    if is_async:

        @langchain_tool
        async def get_page(name: str) -> str:
            """Get a page."""
            calls.append(name)
            raise PermissionError("not yours")

    else:

        @langchain_tool
        def get_page(name: str) -> str:
            """Get a page."""
            calls.append(name)
            raise PermissionError("not yours")

    made = recovering(get_page)
    asked: Any = {"name": "get_page", "args": {"name": "a"}, "id": "1", "type": "tool_call"}
    message = asyncio.run(made.ainvoke(asked)) if is_async else made.invoke(asked)

    assert calls == ["a"]
    assert message.status == "error"
    assert json.loads(message.content)["error"] == "permission"


def test_a_tool_that_is_not_made_of_a_function_is_refused_with_what_to_do() -> None:
    from langchain_core.tools import BaseTool

    class Own(BaseTool):
        name: str = "own"
        description: str = "x"

        def _run(self) -> str:
            return "x"

    with pytest.raises(TypeError, match="decorate what it calls instead"):
        recovering(Own())


# --- The circuit breaker --------------------------------------------------------------------------


def test_a_tool_that_fails_on_one_target_is_left_alone_there_and_called_elsewhere(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aftershock.recorder import settings

    (tmp_path / "aftershock.yaml").write_text(
        'tools: {get_status: {targets: [{service.name: "{service}"}]}}'
    )
    monkeypatch.setenv("AFTERSHOCK_POLICY", str(tmp_path / "aftershock.yaml"))
    settings.policy.cache_clear()
    now = [0.0]
    calls: list[str] = []
    is_down = [True]

    @recovering(attempts=1, breaker=Breaker(3, 30, lambda: now[0]))
    def get_status(service: str) -> str:
        calls.append(service)
        if is_down[0] and service == "sick":
            raise ConnectionResetError(service)
        return "up"

    try:
        answer = [get_status("sick") for _ in range(5)][-1]
        assert calls == ["sick"] * 3
        assert json.loads(answer)["error"] == "circuit_open"
        assert json.loads(answer)["attempts"] == 0
        assert "service/sick" in json.loads(answer)["message"]
        assert get_status("well") == "up"
        now[0] = 31
        get_status("sick")  # one try, which fails: it is left alone for twice as long
        now[0] = 80
        assert json.loads(get_status("sick"))["retry_after_s"] == 11
        now[0], is_down[0] = 92, False
        assert get_status("sick") == "up"
        assert get_status("sick") == "up"
    finally:
        settings.policy.cache_clear()


def test_only_one_call_tries_whether_it_works_again() -> None:
    now = [0.0]
    breaker = Breaker(1, 10, lambda: now[0])
    breaker.failed("t", "x", FailureKind.TIMEOUT)
    now[0] = 11

    assert [breaker.waits_s("t", "x") is None for _ in range(3)] == [True, False, False]
    now[0] = 22
    assert breaker.waits_s("t", "x") is None, "a try that never came back counts no longer"


def test_what_the_caller_did_wrong_opens_no_circuit() -> None:
    breaker = Breaker(1)
    for kind in (FailureKind.PERMISSION, FailureKind.INVALID, FailureKind.NOT_FOUND):
        breaker.failed("t", "", kind)

    assert breaker.waits_s("t", "") is None


def test_circuits_are_bounded() -> None:
    breaker = Breaker(1)
    for number in range(5_000):
        breaker.failed("t", str(number), FailureKind.TIMEOUT)

    assert breaker.waits_s("t", "0") is None
    assert breaker.waits_s("t", "4999") is not None
