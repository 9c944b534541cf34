"""Hand-offs are steps of their own; agents that only work one after the other hand nothing on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import trace

from aftershock import attributes as names
from aftershock.recorder.hand_offs import will_pass_on
from tests.instrumentation.conftest import Recorder, own

tracer = trace.get_tracer("some.framework")


@contextmanager
def step(operation: str, name: str) -> Generator[None]:
    """A step of a framework, inside of what is around it."""
    key = names.TOOL_NAME if operation == "execute_tool" else names.AGENT_NAME
    attributes = {names.OPERATION: operation, key: name}
    with tracer.start_as_current_span(f"{operation} {name}", attributes=attributes):
        yield


def turn(agent: str, *operations: str) -> None:
    """A whole frame of an agent, with these steps in it."""
    with step("invoke_agent", agent):
        for operation in operations:
            with step(operation, "transfer" if operation == "execute_tool" else agent):
                pass


def handed(recorder: Recorder) -> list[tuple[str, str]]:
    found = [own(span) for span in recorder.spans]
    return [
        (one[names.AGENT_NAME], one[names.HAND_OFF_TO])
        for one in found
        if one[names.OPERATION] == names.HAND_OFF_OPERATION
    ]


def test_a_frame_that_ends_with_a_tool_and_is_followed_by_another_agents_is_a_hand_off(
    recorder: Recorder,
) -> None:
    with step("invoke_workflow", "support"):
        turn("triage", "chat", "execute_tool")
        turn("ops", "chat", "execute_tool")
        turn("triage", "chat")

    assert handed(recorder) == [("triage", "ops"), ("ops", "triage")]
    assert len({own(span)[names.RUN_ID] for span in recorder.spans}) == 1


def test_agents_that_answer_one_after_the_other_hand_nothing_on(recorder: Recorder) -> None:
    with step("invoke_workflow", "pipeline"):
        turn("writer", "chat", "execute_tool", "chat")
        turn("critic", "chat")

    assert handed(recorder) == []


def test_an_agent_that_goes_on_with_its_own_task_hands_nothing_on(recorder: Recorder) -> None:
    with step("invoke_workflow", "support"):
        turn("ops", "chat", "execute_tool")  # it waited for a person there
        turn("ops", "chat")

    assert handed(recorder) == []


def test_agents_that_another_one_asks_in_turn_hand_nothing_to_each_other(
    recorder: Recorder,
) -> None:
    with step("invoke_agent", "lead"):
        for asked in ("database", "network"):
            with step("chat", "lead"):
                pass
            turn(asked, "chat", "execute_tool")

    assert handed(recorder) == []


def test_agents_at_once_hand_nothing_on(recorder: Recorder) -> None:
    with step("invoke_workflow", "both"):
        frames = [
            tracer.start_span(
                f"invoke_agent {agent}",
                attributes={names.OPERATION: "invoke_agent", names.AGENT_NAME: agent},
            )
            for agent in ("first", "second")
        ]
        for frame in frames:
            with trace.use_span(frame, end_on_exit=True), step("execute_tool", "read"):
                pass

    assert len(recorder.spans) == 5
    assert handed(recorder) == []


def test_a_leader_that_gives_its_task_away_hands_it_to_whoever_its_tool_starts(
    recorder: Recorder,
) -> None:
    with step("invoke_agent", "triage"):
        will_pass_on(trace.get_current_span(), "triage")
        with step("chat", "triage"):
            pass
        with step("execute_tool", "delegate"):
            turn("ops", "chat", "execute_tool", "chat")

    assert handed(recorder) == [("triage", "ops")]


def test_an_agent_that_a_tool_starts_answers_for_the_one_that_asked_it(recorder: Recorder) -> None:
    with step("invoke_agent", "lead"), step("execute_tool", "delegate"):
        turn("database", "chat", "execute_tool")
        turn("network", "chat", "execute_tool")

    assert handed(recorder) == []
