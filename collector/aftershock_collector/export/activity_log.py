"""Steps → OTLP log events: what agents do, in order, for a store of logs.

One event when a step begins, where its beginning is reported, and one when it ended. No content:
names, outcomes, sizes, and what an action knew and lacked of the facts that it needed.
"""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from aftershock import attributes
from aftershock.model import Outcome, Step, StepKind
from aftershock.rules.context import requirements_of
from aftershock.runs.fold import Window
from aftershock_collector.export.first_seen import WindowOf
from aftershock_collector.otlp.encode import Value, logs_request, pairs, set_trace
from aftershock_collector.wording import clean, lasted, outcome_words, step_words

LISTED_MAX = 8  # facts and targets of one event; more is a list that nobody reads
WAITING = "waiting"
ACTIVITIES = {
    StepKind.INFERENCE: "inference",
    StepKind.TOOL_CALL: "tool",
    StepKind.RETRIEVAL: "tool",
    StepKind.DECISION: "decision",
    StepKind.APPROVAL: "waiting",
}
REPORTED = frozenset(StepKind) - {StepKind.HEARTBEAT, StepKind.OUTGOING}
MOMENTS = frozenset({StepKind.DECISION, StepKind.FACT, StepKind.MESSAGE, StepKind.HAND_OFF})


def encode_steps(steps: Iterable[Step], window_of: WindowOf, now_ns: int) -> bytes | None:
    """Steps that are seen for the first time, as one OTLP logs request.

    Returns:
        A serialized `ExportLogsServiceRequest`; None where no step is reported.
    """
    records = [
        _record(step, window_of(step.run_id), now_ns)
        for step in steps
        if step.kind in REPORTED and not step.is_part
    ]
    return logs_request(records)


def sentence(step: Step) -> str:
    """One line: what was done, how it ended, how long it took."""
    text = step_words(step)
    if step.action is not None and step.action.tier.has_effect:
        text = f"◆ {text}"
    if step.ended_at_ns is None:
        return f"{text} …"
    ending = [outcome_words(step)]
    if step.kind not in MOMENTS:
        ending.append(lasted(step.ended_at_ns - step.began_at_ns))
    details = ", ".join(word for word in ending if word)
    return f"{text}: {details}" if details else text


def knowledge(step: Step, window: Window | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the facts that an action needed, those that it had and those that it lacked."""
    if window is None or step.action is None or not step.action.requires:
        return (), ()
    run = window.until(step)
    asked = None if run is None else requirements_of(run)
    if asked is None:
        return (), ()
    known = tuple(one.title for one in asked[2] if one.usable is not None)
    lacked = tuple(one.title for one in asked[2] if one.usable is None)
    return known[:LISTED_MAX], lacked[:LISTED_MAX]


def _record(step: Step, window: Window | None, now_ns: int) -> LogRecord:
    failed = step.error is not None or (
        step.action is not None and step.action.outcome is Outcome.FAILED
    )
    severity = "WARN" if failed else "INFO"
    record = LogRecord(
        time_unix_nano=step.last_ns,
        observed_time_unix_nano=now_ns,
        severity_number=SeverityNumber.Value(f"SEVERITY_NUMBER_{severity}"),
        severity_text=severity,
        event_name=attributes.EVENT_STEP,
        body=AnyValue(string_value=sentence(step)),
        attributes=pairs(_attributes(step, window)),
    )
    set_trace(record, step.trace_id, step.span_id)
    return record


def _attributes(step: Step, window: Window | None) -> dict[str, Value | None]:
    ended = step.ended_at_ns is not None
    busy = ACTIVITIES.get(step.kind, WAITING)
    found: dict[str, Value | None] = {
        attributes.EVENT_NAME: attributes.EVENT_STEP,
        attributes.RUN_ID: step.run_id,
        attributes.AGENT_NAME: step.agent,
        attributes.AGENT_SERVICE: step.service,
        attributes.ENVIRONMENT_NAME: step.environment,
        attributes.STEP_KIND: step.kind.value,
        attributes.STEP_STATE: "ended" if ended else "began",
        attributes.STEP_ACTIVITY: WAITING if ended and step.kind not in MOMENTS else busy,
        attributes.ERROR_TYPE: None if step.error is None else clean(step.error, 120),
    }
    if ended and step.kind not in MOMENTS:
        found[attributes.STEP_SECONDS] = max(0, step.last_ns - step.began_at_ns) / 1e9
    if step.kind is StepKind.INFERENCE:
        found[attributes.REQUEST_MODEL] = clean(step.name, 120)
    if step.tokens is not None:
        found[attributes.INPUT_TOKENS] = step.tokens.input
        found[attributes.OUTPUT_TOKENS] = step.tokens.output
    approval, action = step.approval, step.action
    if approval is not None:
        found |= {
            attributes.TOOL_NAME: clean(approval.tool, 120),
            attributes.APPROVAL_OUTCOME: approval.outcome.value,
            attributes.APPROVAL_BY: approval.by and clean(approval.by, 120),
        }
    if action is not None:
        known, lacked = knowledge(step, window)
        found |= {
            attributes.TOOL_NAME: clean(action.tool, 120),
            attributes.ACTION_TIER: action.tier.value,
            attributes.ACTION_TARGETS: action.targets[:LISTED_MAX] or None,
            attributes.RESULT_OUTCOME: None if action.outcome is None else action.outcome.value,
            attributes.CONTEXT_KNOWN: known or None,
            attributes.CONTEXT_LACKED: lacked or None,
        }
    return found
