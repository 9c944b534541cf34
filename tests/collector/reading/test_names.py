"""Names of agents and tools as people see them: what is not seen makes no other name."""

from __future__ import annotations

import pytest

from aftershock import attributes as names
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.wire import INTERNAL, STATUS_UNSET, Span
from aftershock_collector.reading.read import read

MARKS = ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u202e", "\U000e0041"]


@pytest.mark.parametrize("mark", MARKS)
def test_p13_marks_that_nobody_sees_make_no_other_agent_or_tool(mark: str) -> None:
    own = {
        names.OPERATION: "execute_tool",
        names.TOOL_NAME: f"get{mark}_x",
        names.AGENT_NAME: f"{mark}bot",
    }
    span = Span("0a" * 16, "0b" * 8, None, "", INTERNAL, 1, 2, STATUS_UNSET, "", own, {}, "")
    step = read(span, EMPTY)

    assert step is not None
    assert step.action is not None
    assert (step.name, step.action.tool, step.agent) == ("get_x", "get_x", "bot")
