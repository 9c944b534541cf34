"""Facts and claims as rows of aftershock.db."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from aftershock.model import Change, Claim, Impact, Outcome, Step, StepKind
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.store.incidents import Incident
from aftershock_collector.store.serialization import to_text

Runs = Mapping[str, int]  # run id → row id
Origins = Callable[[bytes, int], int]  # a resource's or scope's body, now → row id
Senders = Callable[[str], int]  # a sender's name → row id


class RowIds(NamedTuple):
    """Where the rows are that spans and events point at."""

    runs: Runs
    origins: Origins
    senders: Senders


_KINDS = {kind: str(kind.value) for kind in StepKind}  # a StrEnum binds three times slower


def span_row(span: Span, step: Step | None, ids: RowIds, arrived_s: int) -> tuple[Any, ...]:
    """The values of SPAN_IN; raises ValueError where an id is not hex."""
    return (
        bytes.fromhex(span.trace_id),
        bytes.fromhex(span.span_id),
        None if step is None else ids.runs[step.run_id],
        None if step is None else _KINDS[step.kind],
        step is not None and failed(step),
        span.began_at_ns,
        span.ended_at_ns or None,
        arrived_s,
        ids.origins(span.resource_body, arrived_s),
        ids.origins(span.scope_body, arrived_s),
        span.body,
        0 if step is None else ids.senders(step.sender),
        None if step is None or step.span_id == span.span_id else step.span_id,
    )


def event_row(event: LogEvent, step: Step | None, ids: RowIds, arrived_s: int) -> tuple[Any, ...]:
    """The values of EVENT_IN. A log record has no id: its bytes and its sender identify it."""
    digest = hashlib.blake2b(event.resource_body, digest_size=16)
    digest.update(event.body)
    sender = "" if step is None else step.sender
    digest.update(sender.encode("utf-8", "replace"))
    return (
        digest.digest(),
        None if step is None else ids.runs[step.run_id],
        event.name,
        bytes.fromhex(event.trace_id) if event.trace_id else None,
        bytes.fromhex(event.span_id) if event.span_id else None,
        event.time_ns,
        arrived_s,
        ids.origins(event.resource_body, arrived_s),
        ids.origins(event.scope_body, arrived_s),
        event.body,
        None if step is None else _KINDS[step.kind],
        None if step is None else step.span_id,
        ids.senders(sender),
    )


@dataclass(slots=True)
class RunRow:
    """What steps that are stored together say about their run."""

    run_id: str
    service: str | None
    began_ns: int
    sender: str
    last_ns: int = 0
    agent: str | None = None
    outermost: bool = False  # the agent is the one that began the run
    acts: bool = False  # False: calls of services and parts of apps only


def runs_in(steps: Iterable[Step]) -> list[RunRow]:
    """The runs that these steps belong to."""
    found: dict[str, RunRow] = {}
    for step in steps:
        run = found.get(step.run_id)
        if run is None:
            run = found[step.run_id] = RunRow(step.run_id, None, step.began_at_ns, step.sender)
        run.began_ns = min(run.began_ns, step.began_at_ns)
        run.last_ns = max(run.last_ns, step.last_ns)
        if step.kind is not StepKind.OUTGOING:  # what a tool started is another service
            run.acts = run.acts or not step.is_part
            run.service = run.service or step.service
        outermost = step.kind is StepKind.AGENT and step.parent_id is None
        if outermost or (run.agent is None and not run.outermost):
            run.agent = step.agent or (step.name if outermost else None)
            run.outermost = outermost and run.agent is not None
    return list(found.values())


def change_row(change: Change, arrived_s: int) -> tuple[Any, ...]:
    """The values of CHANGE_IN."""
    return (
        change.id,
        change.kind.value,
        change.entity,
        change.began_at_ns,
        change.ended_at_ns,
        arrived_s,
        to_text(change),
    )


def claim_row(claim: Claim, arrived_s: int) -> dict[str, Any]:
    """The values of CLAIM_IN and CLAIM_UPDATE."""
    return {
        "id": claim.finding.id,
        "run_id": claim.finding.run_id,
        "kind": claim.finding.kind,
        "level": claim.finding.level.value,
        "opened_at_ns": claim.opened_at_ns,
        "closed_at_ns": claim.closed_at_ns,
        "closing": None if claim.closing is None else claim.closing.value,
        "arrived_s": arrived_s,
        "body": to_text(claim),
    }


def impact_row(impact: Impact, arrived_s: int) -> tuple[Any, ...]:
    """The values of IMPACT_IN."""
    return (
        impact.trace_id,
        impact.span_id,
        impact.entity,
        impact.run_id,
        impact.probability,
        impact.acted_at_ns,
        arrived_s,
        to_text(impact),
    )


def suspects_row(suspects: Suspects, arrived_s: int) -> tuple[Any, ...]:
    """The values of SUSPECTS_IN."""
    alert = suspects.alert
    body = to_text(suspects)
    return (alert.id, alert.name, alert.entity, alert.began_at_ns, arrived_s, body)


def incident_row(incident: Incident, arrived_s: int) -> tuple[Any, ...]:
    """The values of INCIDENT_IN."""
    return (
        incident.number,
        incident.key,
        incident.severity.value,
        incident.opened_at_ns,
        incident.closed_at_ns,
        arrived_s,
        to_text(incident),
    )


def incident_finding_rows(incident: Incident) -> list[tuple[str, int, str]]:
    """The values of INCIDENT_FINDING_IN, for each finding that the incident lists."""
    return [
        (finding_id, incident.number, finding_id.partition("/")[0])
        for finding_id in incident.findings
    ]


def agent_of(step: Step) -> str | None:
    """Whose step it is; an agent's own span may name it only as its operation."""
    return step.agent or (step.name if step.kind is StepKind.AGENT else None) or None


def failed(step: Step) -> bool:
    """True where a step reported an error."""
    action = step.action
    return step.error is not None or (action is not None and action.outcome is Outcome.FAILED)
