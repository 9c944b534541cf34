"""Threads, tasks, forks, abandoned streams, broken neighbours, other distros, many runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aftershock import attributes as names
from aftershock_collector.demo.model_server import ModelServer, by_turn, call, text_reply
from tests.instrumentation.running import PROGRAMS, environment, lines_of_ours, run_program
from tests.support.otlp_sink import Sink

TALK = by_turn(text_reply("a long answer in several pieces, more than one chunk"))


@pytest.mark.slow
def test_streams_threads_tasks_and_child_processes_stay_in_one_run() -> None:
    with Sink() as sink, ModelServer(TALK) as model:
        where = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OPENAI_BASE_URL": model.url}
        process = run_program("streaming.py", where)
        spans = sink.spans

    (frame,) = [span for span in spans if span.name == "invoke_agent streams"]
    chats = [span for span in spans if span.name == "chat gpt-demo"]
    tools = [span for span in spans if span.name == "execute_tool work"]
    assert (process.returncode, process.stdout) == (0, "False\n"), process.stderr
    assert lines_of_ours(process.stderr) == []
    assert {span.attributes[names.RUN_ID] for span in spans} == {"run-1"}
    assert {span.trace_id for span in spans} == {frame.trace_id}
    assert {span.parent_id for span in chats + tools} == {frame.span_id}
    assert (len(chats), len(tools)) == (6, 3)


def test_an_instrumentation_that_fails_is_one_warning_and_the_others_load(tmp_path: Path) -> None:
    (tmp_path / "brokenlib.py").write_text("ANSWER = 42\n")
    (tmp_path / "brokeninstrumentation.py").write_text("raise RuntimeError('not today')\n")
    info = tmp_path / "brokeninstrumentation-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: brokeninstrumentation\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        "[opentelemetry_instrumentor]\nbrokenlib = brokeninstrumentation:Instrumentor\n"
    )
    with Sink() as sink, ModelServer(TALK) as model:
        where = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OPENAI_BASE_URL": model.url}
        process = run_program("broken.py", {**where, "PYTHONPATH": str(tmp_path)})
        found = [span.name for span in sink.spans]

    assert (process.returncode, process.stdout) == (0, "42\n")
    assert "chat m" in found
    assert (
        process.stderr.count("aftershock failed in loading the instrumentation of brokenlib") == 1
    )


def test_the_sitecustomize_that_ours_hides_still_runs(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('theirs')\n")
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            "aftershock.recorder.launcher",
            sys.executable,
            "-c",
            "print('app')",
        ],
        env=environment(PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.stdout.splitlines()[-2:] == ["theirs", "app"]


def test_a_command_that_is_not_there_is_told_as_a_shell_tells_it() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "aftershock.recorder.launcher", "no-such-program"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 127
    assert process.stderr == "aftershock: no-such-program: command not found\n"


@pytest.mark.slow
def test_opentelemetrys_own_command_finds_us() -> None:
    script = by_turn(call("scale", service="checkout", replicas=4), text_reply("done"))
    command = Path(sys.executable).parent / "opentelemetry-instrument"
    with Sink() as sink, ModelServer(script) as model:
        process = subprocess.run(
            [str(command), sys.executable, str(PROGRAMS / "bare_loop.py")],
            env=environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OPENAI_BASE_URL=model.url),
            capture_output=True,
            text=True,
            check=False,
        )
        found = {span.name for span in sink.spans}

    assert process.returncode == 0, process.stderr
    assert found >= {"invoke_agent bare_loop", "chat gpt-demo", "execute_tool scale", "decision"}
    assert process.stderr == ""


def test_an_apps_own_provider_is_joined_not_replaced() -> None:
    code = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import aftershock
own, memory = TracerProvider(), InMemorySpanExporter()
own.add_span_processor(SimpleSpanProcessor(memory))
trace.set_tracer_provider(own)
aftershock.instrument(service="joined")
with aftershock.run(agent="a"):
    aftershock.tool(len, name="count")("abc")
aftershock.instrument()
print(sorted(s.name for s in memory.get_finished_spans()))
"""
    with Sink() as sink:
        process = subprocess.run(
            [sys.executable, "-c", code],
            env=environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url),
            capture_output=True,
            text=True,
            check=False,
        )
        found = sorted(span.name for span in sink.spans)

    assert process.stderr == ""
    assert process.stdout == "['execute_tool count', 'invoke_agent a']\n"
    assert found == ["execute_tool count", "invoke_agent a"]


@pytest.mark.slow
def test_memory_stays_flat_over_two_thousand_runs() -> None:
    with Sink() as sink:
        process = run_program(
            "many_runs.py", {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url}, recorded=False
        )

    assert process.returncode == 0, process.stderr
    first, last = json.loads(process.stdout)
    assert last["bytes"] - first["bytes"] < 2_000_000  # bounded caches fill up meanwhile
    for kind in ("pending", "waiting", "implicit", "abandoned"):
        assert last[kind] == 0, kind


def program(before_import: str, after_import: str) -> str:
    """An app with a backend of its own, that imports an agent's library somewhere."""
    return f"""
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import set_tracer_provider
own, memory = TracerProvider(), InMemorySpanExporter()
own.add_span_processor(SimpleSpanProcessor(memory))
{before_import}
import aftershock
aftershock.instrument(service="joined")
{after_import}
with trace.get_tracer("mine").start_as_current_span("mine"):
    pass
with aftershock.run(agent="a"):
    aftershock.tool(len, name="count")("abc")
print(sorted(s.name for s in memory.get_finished_spans()))
"""


@pytest.mark.parametrize(
    ("before_import", "after_import", "kept"),
    [
        ("set_tracer_provider(own)", "", True),
        ("", "set_tracer_provider(own)", True),
        ("", "trace.set_tracer_provider(own)", True),
        ("", "", False),
    ],
    ids=["before", "after", "after, by another name", "never"],
)
def test_an_app_keeps_every_span_whenever_it_sets_its_provider(
    before_import: str, after_import: str, kept: bool
) -> None:
    with Sink() as sink:
        process = subprocess.run(
            [sys.executable, "-c", program(before_import, after_import)],
            env=environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url),
            capture_output=True,
            text=True,
            check=False,
        )
        ours = {span.name for span in sink.spans}

    assert process.stderr == ""
    assert ("mine" in process.stdout) == kept
    assert ours >= {"invoke_agent a", "execute_tool count"}
