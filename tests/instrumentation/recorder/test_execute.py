"""`aftershock exec`: one real command is recorded as an action, and runs as it would without."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aftershock import attributes as names
from tests.instrumentation.running import environment
from tests.support.otlp_sink import Sink

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
EXEC = [sys.executable, "-m", "aftershock_collector.cli", "exec", "--"]


def execute(
    *command: str, sink: Sink | None = None, text: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    where = "http://127.0.0.1:1" if sink is None else sink.url
    return subprocess.run(
        [*EXEC, *command],
        env=environment(OTEL_EXPORTER_OTLP_ENDPOINT=where, **more),
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def kubectl(tmp_path: Path) -> str:
    """A PATH whose kubectl prints the trace that it was given."""
    program = tmp_path / "kubectl"
    program.write_text('#!/bin/sh\necho "$TRACEPARENT"\nexit 3\n')
    program.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def test_a_command_is_an_action_in_the_trace_that_the_environment_names(kubectl: str) -> None:
    with Sink() as sink:
        done = execute(
            "kubectl", "-n", "prod", "scale", "deploy/web", "--replicas=0",
            sink=sink, PATH=kubectl, TRACEPARENT=f"00-{TRACE}-{PARENT}-01",
        )  # fmt: skip
        (span,) = [s for s in sink.spans if s.name == "execute_tool kubectl scale"]

    assert (span.trace_id, span.parent_id) == (TRACE, PARENT)
    assert span.attributes[names.ACTION_TIER] == "provision"
    assert list(span.attributes[names.ACTION_TARGETS]) == ["k8s/prod/web"]
    assert span.attributes[names.RESULT_OUTCOME] == "failed"
    assert "replicas" not in str(span.attributes)
    assert done.stdout.strip() == f"00-{TRACE}-{span.span_id}-01"
    assert done.returncode == 3


def test_what_a_coding_agent_runs_is_what_its_own_call_reached_and_no_second_action(
    kubectl: str,
) -> None:
    with Sink() as sink:
        execute(
            "kubectl", "-n", "prod", "scale", "deploy/web", "--replicas=0", sink=sink, PATH=kubectl,
            TRACEPARENT=f"00-{TRACE}-{PARENT}-01", CLAUDE_CODE_SESSION_ID="session-7",
        )  # fmt: skip
        (span,) = sink.spans

    assert (span.name, span.trace_id, span.parent_id) == ("kubectl scale", TRACE, PARENT)
    assert names.OPERATION not in span.attributes
    assert span.attributes[names.RUN_ID] == "session-7"
    assert list(span.attributes[names.ACTION_TARGETS]) == ["k8s/prod/web"]


def test_without_a_trace_a_command_is_an_action_of_the_coding_agents_session(kubectl: str) -> None:
    with Sink() as sink:
        execute("kubectl", "get", "pods", sink=sink, PATH=kubectl, CODEX_SESSION_ID="session-8")
        (span,) = sink.spans

    assert span.name == "execute_tool kubectl get"
    assert (span.attributes[names.RUN_ID], span.parent_id) == ("session-8", "")
    assert span.attributes[names.AGENT_NAME] == "codex"  # its own telemetry may come much later


def test_what_a_command_calls_is_given_the_trace_unless_it_has_a_name_already() -> None:
    with Sink() as sink:
        done = execute(
            "sh", "-c", "echo $PGAPPNAME $TF_APPEND_USER_AGENT $AWS_EXECUTION_ENV", sink=sink,
            TRACEPARENT=f"00-{TRACE}-{PARENT}-01", AWS_EXECUTION_ENV="lambda",
        )  # fmt: skip
        (span,) = [s for s in sink.spans if s.trace_id == TRACE]

    marked = f"00-{TRACE}-{span.span_id}-01"
    assert [marked, marked, "lambda"] == done.stdout.split()


def test_input_output_and_exit_code_are_the_commands_own() -> None:
    done = execute("sh", "-c", "cat; echo wrong >&2; exit 7", text="given\n")

    assert (done.stdout, done.returncode) == ("given\n", 7)
    assert done.stderr.startswith("wrong\n")


def test_a_command_that_does_not_exist_answers_as_a_shell_does() -> None:
    assert execute("no-such-program").returncode == 127


def test_a_signal_that_comes_while_the_command_starts_reaches_it() -> None:
    script = "trap 'exit 9' TERM; kill -TERM $PPID; while :; do sleep 0.1; done"

    assert [execute("sh", "-c", script).returncode for _ in range(5)] == [9] * 5


def test_a_signal_passes_through_both_ways() -> None:
    script = "trap 'echo stopping; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    process = subprocess.Popen(
        [*EXEC, "sh", "-c", script],
        env=environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)

    assert process.stdout.read() == "stopping\n"
    assert process.wait(60) == 9
    assert execute("sh", "-c", "kill -KILL $$").returncode == -signal.SIGKILL
