"""Calls of frameworks whose results are still to come: a call lasts until its stream has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from opentelemetry import trace

from aftershock import attributes as names
from aftershock.recorder.framework_calls import FrameworkCall, run, run_async
from aftershock.recorder.guarded_calls import Form
from tests.instrumentation.conftest import Recorder, own

tracer = trace.get_tracer("some.framework")


def joined(result: Any) -> str:
    return "".join(result)


STREAMING = Form(shown=joined, stream_in=lambda result: result)
CALL = FrameworkCall("delegate", lambda: {"task": "mend it"}, STREAMING)


def words(*, fails: bool = False) -> Iterator[str]:
    """What a tool yields; another agent works meanwhile."""
    tracer.start_span("member").end()
    yield "mended "
    if fails:
        raise ConnectionError("gone")
    yield "it"


async def words_async() -> AsyncIterator[str]:
    for word in words():
        yield word


def test_what_runs_while_a_tool_yields_is_inside_its_call(recorder: Recorder) -> None:
    with tracer.start_as_current_span("app"):
        stream = run(CALL, words)
        assert [span.name for span in recorder.spans] == []
        assert list(stream) == ["mended ", "it"]
        run(FrameworkCall("whole", lambda: {"task": "mend it"}), lambda: "mended it")

    call, member = recorder.span("execute_tool delegate"), recorder.span("member")
    assert member.parent is not None
    assert call.context is not None
    assert member.parent.span_id == call.context.span_id
    same = own(recorder.span("execute_tool whole"))[names.RESULT_DIGEST]
    assert own(call)[names.RESULT_DIGEST] == same


def test_a_tool_that_raises_while_it_yields_has_failed(recorder: Recorder) -> None:
    with tracer.start_as_current_span("app"):
        stream = run(CALL, lambda: words(fails=True))
        with pytest.raises(ConnectionError):
            list(stream)

    call = own(recorder.span("execute_tool delegate"))
    assert call[names.ERROR_TYPE] == "ConnectionError"
    assert call[names.RESULT_OUTCOME] == "failed"


def test_a_stream_that_is_closed_early_ends_its_call(recorder: Recorder) -> None:
    with tracer.start_as_current_span("app"):
        stream = run(CALL, words)
        assert next(stream) == "mended "
        stream.close()

    assert names.RESULT_DIGEST in own(recorder.span("execute_tool delegate"))


def test_an_async_stream_is_a_part_of_its_call(recorder: Recorder) -> None:
    async def play() -> list[str]:
        async def make() -> AsyncIterator[str]:
            return words_async()

        return [word async for word in await run_async(CALL, make)]

    with tracer.start_as_current_span("app"):
        assert asyncio.run(play()) == ["mended ", "it"]

    call = recorder.span("execute_tool delegate")
    assert names.RESULT_DIGEST in own(call)
