"""Guarding: what tools of this process pass before they run. One comparison where no gate is on."""

from __future__ import annotations

import time
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import format_span_id

from aftershock import attributes as names
from aftershock.model import Decision, Fact, Outcome, Tokens
from aftershock.policy.admission import Mode
from aftershock.recorder import implicit_run, settings
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.implicit_run import place_of
from aftershock.recorder.invocation_metrics import INFERENCES
from aftershock.recorder.pending_spans import EXPECTED, PENDING, ExpectedCall
from aftershock.recorder.span_attributes import attributes_of
from aftershock.recorder.tool_calls import Attributes, describe_call, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span

    from aftershock.guard.passage import Passage
    from aftershock.recorder.process_gate import ProcessGate

HELD_BACK = "held_back"  # error.type of a call that did not run

tracer = trace.get_tracer("aftershock")

# How the call that runs now came through the gate; read by the span that stands for it.
PASSING: ContextVar[Passage | None] = ContextVar("aftershock_passing", default=None)

_gate: ProcessGate | None = None
_found = False


def gate() -> ProcessGate | None:
    """The gate of this process. None: its policy does not want one."""
    global _gate, _found  # noqa: PLW0603 (one process, one gate)
    if not _found:
        _found = True
        try:
            if settings.policy().gate.mode is not Mode.OFF:
                # The rules and the channel: only a process with a gate pays for their import.
                from aftershock.recorder.process_gate import ProcessGate  # noqa: PLC0415

                _gate = ProcessGate()
        except Exception:  # noqa: BLE001 (ours: a broken installation must not stop the app)
            record_failure("making the gate")
    return _gate


def gate_for_others() -> ProcessGate:
    """The gate of a process that other programs' calls pass through, whatever its policy says."""
    global _gate, _found
    if _gate is None:
        from aftershock.recorder.process_gate import ProcessGate  # noqa: PLC0415 (as above)

        _gate, _found = ProcessGate(), True
    return _gate


def forget() -> None:
    """Read the policy again at the next call."""
    global _gate, _found
    _gate, _found = None, False


def passing_attributes(tool: str) -> dict[str, Any]:
    """What the span of the tool that begins now says of the gate."""
    passage = PASSING.get()
    if passage is None or passage.call.tool != tool or _gate is None:
        return {}
    return _gate.attributes_of(passage)


def is_nested(tool: str) -> bool:
    """True inside a call of the same tool that passed the gate: a framework's around a function."""
    passage = PASSING.get()
    return passage is not None and passage.call.tool == tool


def record_held_back(passage: Passage, span: Span | None = None) -> None:
    """That a call did not run, on its span; without one, on a span that ends at once.

    Raises nothing.
    """
    token = PASSING.set(passage)
    try:
        call = passage.call
        found: dict[str, Any] = {
            names.ERROR_TYPE: HELD_BACK,
            names.RESULT_OUTCOME: str(Outcome.FAILED),
            names.ERROR_CLASS: HELD_BACK,
            **passing_attributes(call.tool),
        }
        if span is not None:
            span.set_attributes(found)
            return
        context = implicit_run.context_for_step()
        arguments = {key: plain(value) for key, value in call.arguments.items()}
        found |= {names.OPERATION: "execute_tool", names.TOOL_NAME: call.tool}
        targets: Attributes = {names.ACTION_TARGETS: call.targets} if call.targets else {}
        rules = settings.policy()
        described = partial(describe_call, call.tool, arguments, rules, targets)
        expected = ExpectedCall(call.tool, described)
        claimed = EXPECTED.set(expected)
        try:
            span = tracer.start_span(f"execute_tool {call.tool}", context, attributes=found)
        finally:
            EXPECTED.reset(claimed)
        if expected.span is None and span.is_recording():  # a provider without our tracking
            PENDING.defer(span, expected.describe)
        span.end()
    except Exception:  # noqa: BLE001 (ours)
        record_failure("recording a call that was held back")
    finally:
        PASSING.reset(token)


def learn_fact(context: Context | None, found: Mapping[str, Any]) -> None:
    """The app recorded a fact that the agent was shown, as this event."""
    process = gate()  # also before the first call: what is learned later would be too late
    if process is None:
        return
    from aftershock.guard.ledger import fact_step  # noqa: PLC0415 (imported by the gate already)

    run_id, agent, span_id = place_of(context)
    fact = Fact(
        str(found[names.FACT_KIND]),
        str(found[names.FACT_SUBJECT]),
        str(found[names.FACT_SOURCE]),
        time.time_ns(),
        Outcome(found[names.FACT_OUTCOME]),
        span_id,
        str(found[names.FACT_DIGEST]),
    )
    process.learn(run_id, agent, fact_step(run_id, fact))


def learn_messages(context: Context | None, texts: Iterable[str]) -> None:
    """A run was shown its goal, or messages of people: what their agent may act on."""
    if _gate is None or not _gate.keeps_texts:
        return
    run_id, agent, _ = place_of(context)
    for text in texts:
        _gate.rely_on(run_id, agent, text)


def learn_decision(span: Any) -> None:
    """A decision has begun, or was made: calls inside it count as explained. Raises nothing."""
    try:
        learn_span(span, attributes_of(span))
    except Exception:  # noqa: BLE001 (ours)
        record_failure("remembering a decision")


def learn_span(span: ReadableSpan, own: Mapping[str, Any]) -> None:
    """A span with these attributes ended: an inference used tokens, or a decision was recorded."""
    operation = own.get(names.OPERATION)
    if operation not in INFERENCES and operation != names.DECISION_OPERATION:
        return
    process = gate()
    if process is None:
        return
    from aftershock.guard.ledger import decision_step, inference_step  # noqa: PLC0415

    context = span.get_span_context()
    assert context is not None
    run_id, span_id = str(own.get(names.RUN_ID) or ""), format_span_id(context.span_id)
    agent = own.get(names.AGENT_NAME)
    at_ns = span.end_time or time.time_ns()
    if operation in INFERENCES:
        sent, returned = own.get(names.INPUT_TOKENS), own.get(names.OUTPUT_TOKENS)
        tokens = Tokens(
            sent if isinstance(sent, int) else 0, returned if isinstance(returned, int) else 0
        )
        model = str(own.get(names.REQUEST_MODEL) or own.get(names.RESPONSE_MODEL) or "")
        user = own.get(names.USER_ID)
        named = None if user is None else str(user)
        step = inference_step(run_id, span_id, model, tokens, at_ns, named)
    else:
        step = decision_step(run_id, span_id, decision_in(own), at_ns)
    process.learn(run_id, None if agent is None else str(agent), step)


def decision_in(own: Mapping[str, Any]) -> Decision:
    """The decision that a span records."""
    chosen, because = own.get(names.DECISION_CHOSEN), own.get(names.DECISION_BECAUSE)
    return Decision(
        str(own.get(names.DECISION_QUESTION) or ""),
        None if chosen is None else str(chosen),
        tuple(map(str, own.get(names.DECISION_OVER) or ())),
        None if because is None else str(because),
        tuple(map(str, own.get(names.DECISION_ASSUMES) or ())),
    )
