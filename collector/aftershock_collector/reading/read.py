"""Span | LogEvent → Step | Change: what each of them reports about an agent, or None.

Dialects know the attribute names. This module decides for all of them: the run, the error, the
fingerprints, and what the policy adds. Attributes are untrusted: a value of an unexpected type
counts as absent, and nothing raises.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Any, cast

from aftershock.attributes import (
    AGENT_NAME,
    CHANGE_KIND,
    CHANGE_NAME,
    CONVERSATION_ID,
    ENVIRONMENT_NAME,
    EVENT_APPROVAL,
    EVENT_CHANGE,
    EVENT_FACT,
    EVENT_HEARTBEAT,
    EVENT_STARTED,
    FACT_DIGEST,
    FACT_KIND,
    FACT_OUTCOME,
    FACT_SOURCE,
    FACT_SUBJECT,
    FINGERPRINT_KEY_ID,
    OLD_ENVIRONMENT_NAME,
    OPERATION,
    RUN_ID,
    SERVICE_NAME,
    STEP_PARENT,
    TOOL_NAME,
)
from aftershock.entity import entity_key
from aftershock.fingerprints.keyed import key_id
from aftershock.model import LOOP_REPORTED, Change, ChangeKind, Fact, Outcome, Step, StepKind
from aftershock.names import shortened
from aftershock.policy.policy import Policy
from aftershock_collector.otlp.wire import (
    INTERNAL,
    STATUS_UNSET,
    LogEvent,
    Span,
)
from aftershock_collector.reading.actions import OUTCOMES
from aftershock_collector.reading.approvals import approval_in
from aftershock_collector.reading.dialects import Reading, name_in, text_in
from aftershock_collector.reading.dialects.claude_code import (
    read_claude_code,
    read_claude_code_event,
)
from aftershock_collector.reading.dialects.codex import read_codex_event
from aftershock_collector.reading.dialects.copilot import read_copilot
from aftershock_collector.reading.dialects.gemini import read_gemini_event
from aftershock_collector.reading.dialects.genai import read_genai
from aftershock_collector.reading.dialects.kubernetes import read_kubernetes
from aftershock_collector.reading.dialects.neutral import read_neutral
from aftershock_collector.reading.dialects.openinference import read_openinference
from aftershock_collector.reading.dialects.outgoing import read_outgoing
from aftershock_collector.reading.dialects.vercel_ai import read_vercel_ai
from aftershock_collector.reading.internals import own_reader
from aftershock_collector.reading.links import link_in
from aftershock_collector.reading.steps import process_of, step_of

# The first that understands a span reads it. OpenInference stands before GenAI because its
# dual-write mode adds GenAI attributes that are less true than its own.
DIALECTS: tuple[Callable[[Span], Reading | None], ...] = (
    read_claude_code,
    read_copilot,
    read_openinference,
    read_genai,
    read_vercel_ai,
    read_neutral,
    read_outgoing,
)

# The same of log events that are not our own.
EVENT_DIALECTS: tuple[Callable[[LogEvent], Reading | None], ...] = (
    read_claude_code_event,
    read_codex_event,
    read_gemini_event,
)

DETAIL_CHARS_MAX = 2_000
# With which agents themselves report that they loop.
LOOP_REPORTS = frozenset(
    {"loop_detected", "gemini_cli.loop_detected", "qwen-code.loop_detected", "openclaw.tool.loop"}
)


def read(span: Span, policy: Policy) -> Step | None:
    """The step that a span stands for; None where it stands for none."""
    alone = own_reader(span)
    for dialect in DIALECTS if alone is None else (alone,):
        reading = dialect(span)
        if reading is not None:
            agent = reading.agent and plain_name(reading.agent)
            name = plain_name(shortened(reading.name))  # of a span, where nothing else names it
            step = step_of(span, reading._replace(name=name, agent=agent), policy)
            return _begun(step) if reading.is_open else step
    return None


def read_event(event: LogEvent, policy: Policy) -> Step | Change | None:
    """The step or the change that a log event reports; None where it reports neither."""
    if event.name == EVENT_STARTED:
        return _started(event, policy)
    if event.name == EVENT_HEARTBEAT:
        return _heartbeat(event)
    if event.name == EVENT_FACT:
        return _fact(event)
    if event.name == EVENT_APPROVAL:
        return _approval(event, policy)
    if event.name == EVENT_CHANGE:
        return _change(event)
    for dialect in EVENT_DIALECTS:
        reading = dialect(event)
        if reading is not None:
            named = reading._replace(name=shortened(reading.name))
            return _reported(event, named, policy)
    if event.name in LOOP_REPORTS:
        return _moment(event, StepKind.FACT, LOOP_REPORTED)
    return read_kubernetes(event)


def plain_name(name: str) -> str:
    """A name without characters that nobody sees: they would make one agent or tool into many."""
    if name.isascii():
        return name
    folded = unicodedata.normalize("NFKC", name)
    return "".join(mark for mark in folded if unicodedata.category(mark) != "Cf")


def run_id_of(item: Span | LogEvent) -> str | None:
    """Whose run a span or a log event belongs to: the run's own id, else the trace's."""
    return name_in(item.attributes, RUN_ID) or item.trace_id


# --- Log events ------------------------------------------------------------------------------


def _reported(event: LogEvent, reading: Reading, policy: Policy) -> Step | None:
    """The step that a log event of another agent tells of, once it is over."""
    if not (name_in(event.attributes, RUN_ID) or reading.session or event.trace_id):
        return None
    span = Span(
        trace_id=event.trace_id or "",
        span_id=_id_without_content(event),
        parent_id=event.span_id,
        name=event.name,
        kind=INTERNAL,
        began_at_ns=max(1, event.time_ns - reading.lasted_ns),
        ended_at_ns=event.time_ns,
        status_code=STATUS_UNSET,
        status_message="",
        attributes=event.attributes,
        resource=event.resource,
        scope=event.scope,
    )
    step = step_of(span, reading, policy)
    if step.kind is StepKind.APPROVAL and step.approval is None:
        return None
    return _begun(step) if reading.is_open else step


def _begun(step: Step) -> Step:
    """A step of which only the beginning is known."""
    action = step.action
    if action is not None:
        action = replace(action, result=None, outcome=None, error_class=None)
    return replace(step, ended_at_ns=None, error=None, action=action, facts=())


def _started(event: LogEvent, policy: Policy) -> Step | None:
    """A step that has begun: its span, as far as it is known."""
    if event.trace_id is None or event.span_id is None:
        return None
    so_far = Span(
        trace_id=event.trace_id,
        span_id=event.span_id,
        parent_id=name_in(event.attributes, STEP_PARENT),
        name="",
        kind=INTERNAL,
        began_at_ns=event.time_ns,
        ended_at_ns=event.time_ns,
        status_code=STATUS_UNSET,
        status_message="",
        attributes=event.attributes,
        resource=event.resource,
        scope=event.scope,
    )
    step = read(so_far, policy)
    return None if step is None else _begun(step)


def _heartbeat(event: LogEvent) -> Step | None:
    name = name_in(event.attributes, TOOL_NAME, OPERATION) or ""
    return _moment(event, StepKind.HEARTBEAT, name)


def _fact(event: LogEvent) -> Step | None:
    kind = name_in(event.attributes, FACT_KIND)
    if kind is None:
        return None
    step = _moment(event, StepKind.FACT, kind)
    if step is None:
        return None
    fact = Fact(
        kind=kind,
        subject=name_in(event.attributes, FACT_SUBJECT) or "*",
        source=name_in(event.attributes, FACT_SOURCE) or "",
        observed_at_ns=event.time_ns,
        outcome=OUTCOMES.get(text_in(event.attributes, FACT_OUTCOME) or "", Outcome.OK),
        span_id=step.span_id,
        digest=name_in(event.attributes, FACT_DIGEST),
    )
    return replace(step, facts=(fact,))


def _approval(event: LogEvent, policy: Policy) -> Step | None:
    """A step of its own: the answer may be sent by another process than the request."""
    found = approval_in(event)
    step = None if found is None else _moment(event, StepKind.APPROVAL, found.approval.tool)
    if found is None or step is None:
        return None
    # A request is only shown; an answer must come from where the policy says.
    named = policy.approvals_from
    if named and found.ended_at_ns is not None and step.service not in named:
        return None
    return replace(
        step,
        span_id=found.id or _hash(event),
        parent_id=event.span_id,
        began_at_ns=found.began_at_ns,
        ended_at_ns=found.ended_at_ns,
        approval=found.approval,
    )


def _moment(event: LogEvent, kind: StepKind, name: str) -> Step | None:
    """A step without duration, from an event; None where it belongs to no run."""
    run_id = run_id_of(event)
    if run_id is None:
        return None
    agent = name_in(event.attributes, AGENT_NAME)
    return Step(
        run_id=run_id,
        span_id=event.span_id or _hash(event),
        kind=kind,
        name=plain_name(name),
        began_at_ns=event.time_ns,
        ended_at_ns=event.time_ns,
        trace_id=event.trace_id or "",
        agent=agent and plain_name(agent),
        conversation=name_in(event.attributes, CONVERSATION_ID),
        service=name_in(event.resource, SERVICE_NAME),
        environment=name_in(event.resource, ENVIRONMENT_NAME, OLD_ENVIRONMENT_NAME),
        process=process_of(event.resource),
        fingerprint_key=name_in(event.resource, FINGERPRINT_KEY_ID) or key_id(),
    )


def _change(event: LogEvent) -> Change | None:
    """A deploy, a flag, a maintenance window: about what its attributes name, else its resource."""
    entity = _entity(event.attributes) or _entity(event.resource)
    name = name_in(event.attributes, CHANGE_NAME)
    if name is None and isinstance(event.text, str):
        name = event.text.partition("\n")[0]
    if entity is None or not name:
        return None
    kind = text_in(event.attributes, CHANGE_KIND)
    link = link_in(event.attributes)
    known = kind in set(ChangeKind) - {ChangeKind.METRIC, ChangeKind.OPERATION}
    return Change(
        id=f"event/{_hash(event)}",
        kind=ChangeKind(kind) if known else ChangeKind.EVENT,
        entity=entity,
        name=name[:DETAIL_CHARS_MAX],
        began_at_ns=event.time_ns,
        detail=event.text[:DETAIL_CHARS_MAX] if isinstance(event.text, str) else "",
        trace_id=link.trace_id if link else event.trace_id,
        span_id=link.span_id if link else event.span_id,
    )


def _entity(attributes: Any) -> str | None:
    texts = {k: shortened(value) for k, value in attributes.items() if isinstance(value, str)}
    return entity_key(cast("dict[str, str]", texts))


def _id_without_content(event: LogEvent) -> str:
    """An id that redaction does not change."""
    ids = (event.trace_id, event.span_id, event.name, event.time_ns)
    known = [event.attributes.get(key) for key in ("event.sequence", "response_id", "duration_ms")]
    return blake2b(repr((ids, known)).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _hash(event: LogEvent) -> str:
    """An id for what came without one: the same bytes get the same id."""
    whole = event.body + event.resource_body
    return blake2b(whole or repr(event).encode("utf-8", "replace"), digest_size=8).hexdigest()
