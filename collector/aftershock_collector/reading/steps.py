"""A span and what its dialect read → Step: the run, the error, the fingerprints, the policy."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

from aftershock.approval import Approval
from aftershock.attributes import (
    CLUSTER_NAME,
    ENVIRONMENT_NAME,
    ERROR_TYPE,
    FINGERPRINT_KEY_ID,
    FINISH_REASONS,
    HOST_NAME,
    INFERENCE_SHOWN,
    INFERENCE_WORDS,
    NAMESPACE_NAME,
    OLD_ENVIRONMENT_NAME,
    OLD_USER_ID,
    POD_NAME,
    PROCESS_PID,
    RUN_GOAL,
    RUN_ID,
    SERVICE_NAME,
    USER_ID,
)
from aftershock.fingerprints.keyed import key_id
from aftershock.fingerprints.outputs import output_in
from aftershock.fingerprints.shown import Shown
from aftershock.model import Action, Fact, Outcome, Step, StepKind
from aftershock.policy.instructions import instruction_in
from aftershock.policy.policy import Policy, rule_of
from aftershock.runs.records import as_denied, was_denied
from aftershock.wire import decode_hashes
from aftershock_collector.otlp.wire import STATUS_ERROR, Attributes, Span
from aftershock_collector.reading.actions import Ending, action_of, facts_of
from aftershock_collector.reading.dialects import PERSON, Reading, name_in, text_in, texts_in

# Exceptions that frameworks raise to steer: to wait for a person, to hand over. Nothing failed.
STEERING = frozenset(
    {
        "GraphInterrupt", "NodeInterrupt", "GraphBubbleUp", "ParentCommand",  # langgraph
        "CallDeferred", "ApprovalRequired",  # pydantic-ai
        "InterruptException",  # strands
    }
)  # fmt: skip
ERROR_OTHER = "_OTHER"  # the conventions' word for an error without a type


def step_of(span: Span, reading: Reading, policy: Policy) -> Step:
    """The step that a span, or a log event in the form of one, was read as."""
    records: tuple[str, ...] = ()
    if reading.identity is not None:
        records = (span.span_id,)
        span = span._replace(span_id=id_of_record(reading.session, reading.identity))
    if reading.parent is not None:
        span = span._replace(parent_id=id_of_record(reading.session, reading.parent))
    ending = _ending(span, reading)
    shown = _shown(span, reading)
    action = None
    facts: tuple[Fact, ...] = ()
    if reading.kind is StepKind.TOOL_CALL:
        action, provides = action_of(span, reading, policy, ending)
        facts = facts_of(span, action, provides, ending)
    elif reading.provides is not None:
        source = name_in(span.resource, SERVICE_NAME) or ""
        facts = (Fact(reading.provides, "*", source, span.ended_at_ns, Outcome.OK, span.span_id),)
    step = Step(
        run_id=name_in(span.attributes, RUN_ID) or reading.session or span.trace_id,
        span_id=span.span_id,
        kind=reading.kind,
        name=reading.name,
        began_at_ns=span.began_at_ns,
        ended_at_ns=span.ended_at_ns,
        trace_id=span.trace_id,
        parent_id=span.parent_id,
        agent=reading.agent,
        conversation=reading.conversation,
        user=name_in(span.attributes, USER_ID, OLD_USER_ID),
        service=name_in(span.resource, SERVICE_NAME),
        environment=name_in(span.resource, ENVIRONMENT_NAME, OLD_ENVIRONMENT_NAME),
        cluster=name_in(span.resource, CLUSTER_NAME),
        process=process_of(span.resource),
        fingerprint_key=key_of(span),
        error=ending.error,
        action=action,
        facts=facts,
        decision=reading.decision,
        tokens=reading.tokens,
        targets=reading.targets,
        cost_usd=reading.cost_usd,
        shown=shown.results,
        words=shown.words,
        output=output_in(span.attributes) or reading.output,
        instruction=instruction_in(span.attributes) or reading.instruction,
        compacted=reading.compacted,
        automatic=reading.automatic,
        finish_reason=finish_reason_of(span),
        goal=text_in(span.attributes, RUN_GOAL) if reading.kind is StepKind.AGENT else None,
        approval=_approval_of(span, reading, action, policy),
        records=records,
        is_part=reading.is_part,
    )
    return as_denied(step) if was_denied(step) else step


def _shown(span: Span, reading: Reading) -> Shown:
    """What was shown, by hashes that came with the span where there are any.

    They were made of the texts as they were: redaction has taken the addresses out of those.
    """
    shown = reading.shown or _NOTHING_SHOWN
    results = decode_hashes(span.attributes.get(INFERENCE_SHOWN))
    words = decode_hashes(span.attributes.get(INFERENCE_WORDS))
    return Shown(
        shown.results if results is None else results, shown.words if words is None else words
    )


def _approval_of(
    span: Span, reading: Reading, action: Action | None, policy: Policy
) -> Approval | None:
    """What the agent says that was answered; for the arguments of the call that it came with.

    Where the operator wants a person to be asked, the agent's own settings approve nothing, and
    neither does an answer that comes from elsewhere than the operator says.
    """
    found = reading.approval
    if found is None:
        return None
    named, sender = policy.approvals_from, name_in(span.resource, SERVICE_NAME)
    gated = found.by != PERSON and rule_of(policy, found.tool).gate is not None
    if found.lets_pass and (gated or (named and sender not in named)):
        return None
    return found if action is None else replace(found, arguments=action.arguments.digest)


def key_of(span: Span) -> str:
    """The key of a step's hashes: its process's, or ours where we hash its content."""
    return name_in(span.resource, FINGERPRINT_KEY_ID) or key_id()


_NOTHING_SHOWN = Shown()
_WELL = Ending()


def _ending(span: Span, reading: Reading) -> Ending:
    """How a span ended: its error's type and text, and whether it was only suspended."""
    if reading.error_text:
        return Ending(reading.error or ERROR_OTHER, reading.error_text)
    declared = name_in(span.attributes, ERROR_TYPE) or reading.error
    if span.status_code != STATUS_ERROR and declared is None:
        return _WELL
    kind, text = declared, span.status_message
    for event in span.events:
        if event.name == "exception":
            kind = kind or name_in(event.attributes, "exception.type")
            text = text or text_in(event.attributes, "exception.message") or ""
    if kind is None:
        # Some SDKs put "ValueError: no such pod" into the status and nothing anywhere else.
        before, colon, _ = text.partition(":")
        kind = before if colon and before.isidentifier() else ERROR_OTHER
    if kind.rpartition(".")[2] in STEERING:
        return Ending(suspended=True)
    return Ending(kind, text)


def process_of(resource: Attributes) -> str | None:
    """The process that sent this, as somebody who must stop it would name it."""
    pod = name_in(resource, POD_NAME)
    if pod is not None:
        return f"pod/{name_in(resource, NAMESPACE_NAME) or 'default'}/{pod}"
    pid = resource.get(PROCESS_PID)
    host = name_in(resource, HOST_NAME)
    return f"pid/{host}/{pid}" if host and isinstance(pid, int) else None


def id_of_record(session: str | None, identity: str) -> str:
    """The id of a step that several records tell of, by what they have in common."""
    name = f"{session or ''}\0{identity}".encode("utf-8", "replace")
    return blake2b(name, digest_size=8).hexdigest()


def finish_reason_of(span: Span) -> str | None:
    """Why the model stopped, by `gen_ai.response.finish_reasons`; None where it is not recorded."""
    reasons = texts_in(span.attributes, FINISH_REASONS)
    return reasons[-1] if reasons else None
