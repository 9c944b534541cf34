"""The trace goes out with what a tool writes, and outside a tool nothing does."""

from __future__ import annotations

import re

import aftershock
from aftershock.recorder.drop_counters import drop_counts
from tests.instrumentation.conftest import Recorder


def test_inside_a_tool_both_carry_the_tools_own_span(recorder: Recorder) -> None:
    carried: list[str] = []

    @aftershock.tool(risk="write")
    def scale(name: str) -> str:
        carried.append(aftershock.sql_comment())
        carried.append(aftershock.annotations()["traceparent"])
        return name

    scale("checkout")
    context = recorder.span("execute_tool scale").get_span_context()
    assert context is not None
    flags = f"{context.trace_flags:02x}"
    parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags}"

    assert [f" /*traceparent='{parent}'*/", parent] == carried


def test_outside_a_tool_a_statement_stays_as_it_is() -> None:
    assert ("", {}) == (aftershock.sql_comment(), aftershock.annotations())


def test_a_comment_can_neither_end_early_nor_hold_a_placeholder(recorder: Recorder) -> None:
    found: list[str] = []
    before = dict(drop_counts())

    @aftershock.tool
    def update_row() -> None:
        found.append(aftershock.sql_comment())

    update_row()
    (comment,) = found

    assert re.fullmatch(r" /\*traceparent='[0-9a-f-]{55}'\*/", comment)
    assert "%" not in comment
    assert before == dict(drop_counts())
