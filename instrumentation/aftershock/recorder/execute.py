"""`aftershock exec -- CMD…`: run one command recorded as an action, with its exit code and stdio.

The command joins the trace that TRACEPARENT names, and finds its own span there in turn. Where a
coding agent runs it, that records the call of its shell: the command is what this call reached.
Standard input and output are the command's own; signals and the exit code pass through unchanged.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import SpanKind, get_current_span

from aftershock import attributes as names
from aftershock.policy.policy import rule_of
from aftershock.recorder import implicit_run, providers, settings, tool_calls
from aftershock.recorder.command_lines import CommandLine, read_command
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.launcher import NOT_EXECUTABLE, NOT_FOUND
from aftershock.recorder.pending_spans import ExpectedCall
from aftershock.recorder.span_wrapping import Step
from aftershock.recorder.tool_decorator import open_tool

if TYPE_CHECKING:
    from opentelemetry.context import Context

USAGE = """usage: aftershock exec -- COMMAND [ARGUMENT…]

Runs a command and records it as an action: what it does and to what is read from its words.
kubectl, helm, terraform, psql, mysql, aws, gcloud, az, docker and systemctl are understood, also
behind sudo and inside sh -c; of anything else it is known that it may write.
"""
TRACE_VARIABLES = ("traceparent", "tracestate")
# With which coding agents name the session to what they run, and the agent: their runs have the
# same id, and their own telemetry, which says the name too, may arrive after the session only.
SESSIONS = {
    "CLAUDE_CODE_SESSION_ID": "claude-code",
    "CODEX_SESSION_ID": "codex",
    "COPILOT_AGENT_SESSION_ID": "github-copilot",
    "QWEN_CODE_SESSION_ID": "qwen-code",
}
# Programs write these where logs of what they call have it: libpq the name of its connection, the
# tools of clouds their user agent.
MARKS = (
    "PGAPPNAME",
    "AWS_EXECUTION_ENV",
    "TF_APPEND_USER_AGENT",
    "CLOUDSDK_METRICS_ENVIRONMENT",
    "AZURE_HTTP_USER_AGENT",
)
tracer = trace.get_tracer("aftershock")
# What a terminal sends to the whole foreground group: the command has it already.
SHARED = (signal.SIGINT, signal.SIGQUIT)
PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main(argv: list[str]) -> int:
    """Run the command; returns its exit code, or dies by the signal that it died by."""
    command = argv[1:] if argv[:1] == ["--"] else argv
    if not command or command[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0 if command else 2
    environment = dict(os.environ)
    step = _begin(command, environment)
    code = _run(command, environment)
    _end(step, code)
    if code < 0:
        if -code != signal.SIGKILL:  # which nobody handles
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Its exit code as `subprocess` has it: negative for a signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    for number in SHARED:  # a handler, and not SIG_IGN: that the command would inherit
        signal.signal(number, lambda _number, _frame: None)
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []  # signals that came before the command had a process

    def pass_on(number: int, _frame: object) -> None:
        if started:
            started[0].send_signal(number)
        else:
            early.append(number)

    for number in PASSED_ON:
        signal.signal(number, pass_on)
    try:
        started.append(subprocess.Popen(command, env=environment))  # noqa: S603  (the user's own)
    except OSError as error:
        sys.stderr.write(f"aftershock: {command[0]}: {error.strerror}\n")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    for number in early:
        started[0].send_signal(number)
    return started[0].wait()


# --- The record. Whatever fails here, the command runs. -------------------------------------------


def _begin(command: list[str], environment: dict[str, str]) -> Step | None:
    try:
        settings.set_defaults()
        if providers.start() is None:
            return None
        line = read_command(command)
        step = _opened(line, {"command": shlex.join(command)}, environment)
        if step is not None:
            environment |= _carried(step.context)
            _mark(environment)
    except Exception:  # noqa: BLE001
        record_failure("recording a command")
        return None
    return step


def _end(step: Step | None, code: int) -> None:
    try:
        if step is not None:
            result = {"exit_code": code}
            step.end(lambda: tool_calls.set_result(step.span, result, failed=code != 0))
        providers.finish()
    except Exception:  # noqa: BLE001
        record_failure("recording a command")


def _opened(
    line: CommandLine, arguments: dict[str, str], environment: dict[str, str]
) -> Step | None:
    """The command's span: an action, or what a call reached that a coding agent records itself."""
    sessions = ((environment.get(name), agent) for name, agent in SESSIONS.items())
    session, agent = next((one for one in sessions if one[0]), (None, ""))
    joined = _joined(environment)
    if session is not None and get_current_span(joined).get_span_context().is_valid:
        known = _described(line, arguments)
        own = {key: known[key] for key in (names.ACTION_TIER, names.ACTION_TARGETS) if key in known}
        own[names.RUN_ID] = session
        return Step(tracer.start_span(line.tool, joined, SpanKind.CLIENT, attributes=own), joined)
    call = ExpectedCall(line.tool, lambda: _described(line, arguments))
    if session is not None:
        more: tool_calls.Attributes = {names.RUN_ID: session, names.AGENT_NAME: agent}
        return open_tool(call, arguments, joined, more=more)
    return open_tool(call, arguments, implicit_run.context_for_step(joined))


def _described(line: CommandLine, arguments: dict[str, str]) -> tool_calls.Attributes:
    """What the command line says, unless aftershock.yaml says otherwise of the same tool."""
    policy = settings.policy()
    found = tool_calls.describe_call(line.tool, arguments, policy)
    rule = rule_of(policy, line.tool)
    if rule.tier is None:
        found[names.ACTION_TIER] = str(line.tier)
    if rule.targets is None and line.targets:
        found[names.ACTION_TARGETS] = line.targets
    return found


def _joined(environment: dict[str, str]) -> Context:
    """A context with the span that the variables name, if they name one."""
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    carrier = {name: environment.get(name.upper(), "") for name in TRACE_VARIABLES}
    return TraceContextTextMapPropagator().extract({k: v for k, v in carrier.items() if v})


def _mark(environment: dict[str, str]) -> None:
    """Name the trace to what the command calls; whatever the user set there stays."""
    if parent := environment.get("TRACEPARENT"):
        for name in MARKS:
            environment.setdefault(name, parent)


def _carried(context: Context) -> dict[str, str]:
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier, context)
    return {name.upper(): carrier[name] for name in TRACE_VARIABLES if name in carrier}
