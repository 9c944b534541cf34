"""`aftershock run`: real programs, recorded without a change, over real sockets."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from aftershock import attributes as names
from aftershock.model import OutputState
from aftershock.recorder.lifecycle_events import GRACE_S
from aftershock.recorder.settings import DEFAULTS
from aftershock.wire import decode_requested_call
from aftershock_collector.demo.model_server import ModelServer, Script, by_turn, call, text_reply
from tests.instrumentation.running import environment, run_program
from tests.support.otlp_sink import Received, Sink

SECRET = "sk-proj-abcdefghijklmnop1234"
SCRIPT = by_turn(
    call("get_status", service="checkout"),
    call("restart_service", service="checkout", token=SECRET),
    text_reply("done"),
)

SLACK_S = 0.5  # for a busy machine
SCALING = by_turn(call("scale", service="checkout", replicas=4), text_reply("done"))


class Recorded(NamedTuple):
    """What one run of a program left behind."""

    spans: list[Received]
    events: list[Received]
    process: subprocess.CompletedProcess[str]

    def span(self, name: str) -> Received:
        """The only span of a name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found


def record(program: str, script: Script = SCRIPT, **more: str) -> Recorded:
    """Run a program against the scripted model and a sink."""
    with Sink() as sink, ModelServer(script) as model:
        where = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OPENAI_BASE_URL": model.url}
        process = run_program(program, {**where, **more})
        return Recorded(sink.spans, sink.events, process)


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    """One run of the LangGraph agent."""
    return record("service_agent.py")


def test_a_langgraph_agent_is_one_trace_with_its_inferences_and_tools(recorded: Recorded) -> None:
    agent = recorded.span("invoke_agent sre-bot")
    children = sorted(s.name for s in recorded.spans if s.parent_id == agent.span_id)

    assert recorded.process.returncode == 0, recorded.process.stderr
    assert len({span.trace_id for span in recorded.spans}) == 1
    assert children == ["chat gpt-demo"] * 3 + [
        "execute_tool get_status",
        "execute_tool restart_service",
    ]


def test_every_span_carries_run_agent_and_conversation(recorded: Recorded) -> None:
    agent = recorded.span("invoke_agent sre-bot")

    assert {s.attributes[names.RUN_ID] for s in recorded.spans} == {agent.trace_id}
    assert {s.attributes[names.AGENT_NAME] for s in recorded.spans} == {"sre-bot"}
    assert {s.attributes[names.CONVERSATION_ID] for s in recorded.spans} == {"incident-7"}
    assert agent.resource["service.name"] == "service_agent"


def test_a_tools_own_http_call_is_its_child_and_a_models_is_left_out(recorded: Recorded) -> None:
    tool = recorded.span("execute_tool get_status")
    calls = [s for s in recorded.spans if s.name.startswith(("GET", "POST"))]

    assert [s.parent_id for s in calls] == [tool.span_id]
    assert names.RUN_ID in calls[0].attributes


def test_a_tool_span_says_what_the_rules_need_without_content(recorded: Recorded) -> None:
    own = recorded.span("execute_tool restart_service").attributes

    assert own[names.TOOL_NAME] == "restart_service"
    assert own[names.TOOL_CALL_ID].startswith("call_")
    assert len(own[names.ARGUMENTS_DIGEST]) == 16
    assert own[names.ARGUMENTS_SKETCH]
    assert own[names.RESULT_OUTCOME] == "ok"
    assert own[names.ACTION_TIER] == "write"
    assert len(own[names.SUBJECTS]) >= 1
    assert own[names.RESULT_SIZE] == len("checkout restarted")


def test_nothing_that_was_said_asked_or_answered_leaves_by_default(recorded: Recorded) -> None:
    leaving = [*recorded.spans, *recorded.events]
    for one in leaving:  # ours: what kind of an answer it was, one of four words
        assert one.attributes.get(names.OUTPUT_STATE) in {None, *OutputState}
    plain = [
        {k: v for k, v in one.attributes.items() if k != names.OUTPUT_STATE} for one in leaving
    ]
    everything = repr([(one.name, one.message, one.events) for one in leaving]) + repr(plain)

    for text in (SECRET, "checkout", "ada@example.com", "4111", "restarted", "done"):
        assert text not in everything


def test_a_tools_start_is_told_while_it_runs_with_its_fingerprint(recorded: Recorded) -> None:
    span = recorded.span("execute_tool restart_service")
    returned_at_ns = int(recorded.process.stdout.split()[2])
    (start,) = [e for e in recorded.events if e.span_id == span.span_id]

    assert start.name == names.EVENT_STARTED
    assert start.arrived_at_ns < returned_at_ns
    assert start.trace_id == span.trace_id
    for key in (names.ARGUMENTS_DIGEST, names.ARGUMENTS_SKETCH, names.TOOL_NAME, names.RUN_ID):
        assert start.attributes[key] == span.attributes[key]
    assert start.attributes[names.STEP_PARENT] == span.parent_id


def test_every_step_that_lasts_is_reported_at_its_start_and_a_short_one_by_its_span(
    recorded: Recorded,
) -> None:
    started = {e.span_id for e in recorded.events if e.name == names.EVENT_STARTED}
    steps = [s for s in recorded.spans if names.OPERATION in s.attributes]
    # Twice the grace: the thread that sends may be late on a busy machine.
    lasting = {s.span_id for s in steps if s.ended_at_ns - s.began_at_ns > 2e9 * GRACE_S}

    assert lasting
    assert lasting <= started <= {s.span_id for s in steps}


def test_a_short_step_leaves_as_soon_as_a_start_event_would_have(recorded: Recorded) -> None:
    started = {e.span_id for e in recorded.events if e.name == names.EVENT_STARTED}
    steps = [s for s in recorded.spans if names.OPERATION in s.attributes]
    short = [s for s in steps if s.span_id not in started]
    waits_ms = int(DEFAULTS["OTEL_BSP_SCHEDULE_DELAY"])

    assert waits_ms == 1_000 * GRACE_S + int(DEFAULTS["OTEL_BLRP_SCHEDULE_DELAY"])
    for step in short:  # 2 s: on a busy machine
        assert step.arrived_at_ns - step.ended_at_ns < waits_ms * 1e6 + 2e9


def test_an_answer_says_which_tools_it_chose_by_fingerprint(recorded: Recorded) -> None:
    chosen = [s.attributes.get(names.INFERENCE_TOOLS, []) for s in recorded.spans]
    tool = recorded.span("execute_tool restart_service").attributes
    calls = [decode_requested_call(text) for texts in chosen for text in texts]
    (restart,) = [call for call in calls if call is not None and call.tool == "restart_service"]

    assert restart.digest == tool[names.ARGUMENTS_DIGEST]
    assert restart.call_id == tool[names.TOOL_CALL_ID]


@pytest.mark.slow
def test_content_that_is_asked_for_leaves_redacted() -> None:
    content = record(
        "service_agent.py", OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY"
    )
    own = content.span("execute_tool restart_service").attributes
    everything = " ".join(one.texts() for one in content.spans + content.events)

    assert '"service": "checkout"' in own[names.TOOL_ARGUMENTS].replace('":"', '": "')
    assert own[names.TOOL_RESULT] == "checkout restarted"
    assert "checkout is slow" in everything
    for secret in (SECRET, "ada@example.com", "4111 1111"):
        assert secret not in everything


@pytest.mark.slow
def test_without_a_collector_the_program_is_the_same_with_one_line_more() -> None:
    with ModelServer(SCALING) as model:
        model_only = {"OPENAI_BASE_URL": model.url}
        nowhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
        plain = run_program("bare_loop.py", model_only, recorded=False)
        alone = run_program("bare_loop.py", {**model_only, **nowhere})

    assert (alone.returncode, alone.stdout) == (plain.returncode, plain.stdout)
    (line,) = alone.stderr.removeprefix(plain.stderr).splitlines()
    assert line.startswith("aftershock: no collector at http://127.0.0.1:")


@pytest.mark.slow
def test_a_collector_that_never_answers_delays_the_exit_by_half_a_second() -> None:
    with Sink() as sink:
        sink.server.delay_s = 30.0
        code = "import aftershock, time; aftershock.tool(lambda: 1)(); print(time.time())"
        process = subprocess.run(
            [sys.executable, "-m", "aftershock.recorder.launcher", sys.executable, "-c", code],
            env=environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url),
            capture_output=True,
            text=True,
            check=True,
        )
        ended_at = time.time()

    assert ended_at - float(process.stdout) < 0.5 + SLACK_S
    assert len(process.stderr.splitlines()) <= 1


@pytest.mark.slow
def test_an_apps_own_exception_passes_unchanged_and_its_tool_span_says_why() -> None:
    plain = run_program("graph_first.py", {}, recorded=False)
    recorded = record("graph_first.py")
    workflow = recorded.span("invoke_workflow weather")
    tool = recorded.span("execute_tool get_weather")

    assert recorded.process.returncode == plain.returncode == 1
    assert recorded.process.stderr.splitlines()[-2] == plain.stderr.splitlines()[-2]
    assert tool.parent_id == workflow.span_id
    assert tool.status == 2
    assert tool.attributes[names.ERROR_TYPE] == "ValueError"
    assert tool.attributes[names.RESULT_OUTCOME] == "failed"
    assert str(tool.attributes[names.ERROR_CLASS]).startswith("ValueError: no … in … [")
    assert tool.attributes[names.AGENT_NAME] == "weather"


def test_a_bare_loop_is_one_run_that_ends_with_its_answer() -> None:
    recorded = record("bare_loop.py", SCALING)
    frames = [s for s in recorded.spans if s.name == "invoke_agent bare_loop"]
    first, second = sorted(frames, key=lambda s: s.began_at_ns)
    inside = {s.name for s in recorded.spans if s.parent_id == first.span_id}
    tool = next(s for s in recorded.spans if s.name == "execute_tool scale")
    fact = next(e for e in recorded.events if e.name == names.EVENT_FACT)
    choice = next(s for s in recorded.spans if s.name == "decision")

    assert recorded.process.stdout.splitlines() == ["done", "False"]
    assert inside == {"chat gpt-demo", "decision", "execute_tool scale"}
    assert first.trace_id != second.trace_id
    assert tool.attributes[names.ACTION_TIER] == "provision"
    assert tool.attributes[names.ACTION_TARGETS] == ["service/checkout"]
    assert tool.attributes[names.CONTEXT_REQUIRED] == ["maintenance_window\tcheckout\t900.0"]
    assert fact.span_id == first.span_id
    assert fact.attributes[names.FACT_SUBJECT] == "prod"
    assert choice.attributes[names.DECISION_CHOSEN]
    assert "p95" not in str(choice.attributes)


def test_a_process_without_an_agent_pays_for_nothing() -> None:
    code = "import sys; print(*sorted(n for n in sys.modules if '.' not in n))"
    process = subprocess.run(
        [sys.executable, "-m", "aftershock.recorder.launcher", sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(process.stdout.split())

    assert "aftershock" in loaded
    assert loaded & {"openai", "langchain_core", "langgraph", "opentelemetry", "requests"} == set()


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="runs outside a virtual environment")
def test_a_python_that_lacks_the_package_runs_and_says_how_to_install_it() -> None:
    bare = str(Path(sys.base_prefix) / "bin" / "python3")
    done = subprocess.run(
        [sys.executable, "-m", "aftershock.recorder.launcher", bare, "-c", "print(1)"],
        env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "1\n")
    assert f"{bare} is not recorded: aftershock is not installed for it" in done.stderr
    assert "-m pip install aftershock" in done.stderr


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.slow
def test_waiting_for_a_person_is_no_error_and_bare_langchain_calls_share_a_run() -> None:
    script = by_turn(call("deploy", service="checkout"), text_reply("deployed"))
    recorded = record("waiting_agent.py", script)
    deploys = [s for s in recorded.spans if s.name == "execute_tool deploy"]
    inspections = [s for s in recorded.spans if s.name == "execute_tool inspect"]
    (frame,) = [s for s in recorded.spans if s.name == "invoke_agent waiting_agent"]
    bare = [s for s in recorded.spans if s.parent_id == frame.span_id]

    assert recorded.process.stdout.split() == ["deployed", "a", "b"], recorded.process.stderr
    assert [s.status for s in deploys] == [0, 0]
    assert [s.attributes.get(names.RESULT_OUTCOME) for s in deploys] == [None, "ok"]
    assert len(inspections) == 2
    assert sorted(s.name for s in bare) == [
        "chat gpt-demo",
        "execute_tool inspect",
        "execute_tool inspect",
    ]
