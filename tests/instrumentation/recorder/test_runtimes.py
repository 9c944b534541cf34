"""What runs the app: threads that begin at once, gevent, trio, and sub-interpreters."""

from __future__ import annotations

from collections import Counter

import pytest

from aftershock import attributes as names
from tests.instrumentation.running import lines_of_ours, run_program
from tests.support.otlp_sink import Received, Sink


def played(program: str) -> tuple[list[Received], str, str]:
    """What a program sent, and what it printed, the same as without us."""
    with Sink() as sink:
        recorded = run_program(program, {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url})
        spans = sink.spans
    bare = run_program(program, {}, recorded=False)
    assert (recorded.returncode, recorded.stdout) == (bare.returncode, bare.stdout)
    return spans, recorded.stdout, recorded.stderr


@pytest.mark.slow
def test_threads_whose_first_run_begins_at_one_moment_are_all_recorded() -> None:
    spans, _, _ = played("threads_at_once.py")

    assert {span.attributes[names.AGENT_NAME] for span in spans} == {
        f"agent-{number}" for number in range(8)
    }


@pytest.mark.slow
@pytest.mark.parametrize("program", ["gevent_agent.py", "trio_agent.py"])
def test_tools_of_greenlets_and_of_trio_s_tasks_belong_to_their_runs(program: str) -> None:
    spans, _, errors = played(program)

    frames = {s.span_id: s for s in spans if s.name.startswith("invoke_agent ")}
    tools = [span for span in spans if span.name == "execute_tool check"]
    assert sorted(one.attributes[names.AGENT_NAME] for one in frames.values()) == [
        "first",
        "second",
    ]
    assert Counter(tool.parent_id for tool in tools) == dict.fromkeys(frames, 3)
    assert lines_of_ours(errors) == []


@pytest.mark.slow
def test_a_sub_interpreter_runs_unrecorded_and_says_so_once() -> None:
    spans, printed, errors = played("sub_interpreter.py")

    assert "inside 1 is up" in printed
    assert [s.name for s in spans if s.name.startswith("execute_tool")] == ["execute_tool check"]
    assert errors.count("aftershock failed in starting; the app is not affected") <= 1
