"""The stable shape of incidents, responses and mutes in --json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aftershock_collector.store.serialization import to_plain
from aftershock_collector.views.incident_words import state_words
from aftershock_collector.views.timeline_json import finding_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.model import Claim
    from aftershock_collector.store.incidents import Incident, Mute, Response


def incident_json(
    incident: Incident,
    now_ns: int,
    claims: Sequence[Claim] | None = None,
    numbers: Sequence[int] = (),
    responses: Sequence[Response] = (),
) -> dict[str, Any]:
    """One incident; with its findings in whole where they are given."""
    found: dict[str, Any] = {
        "number": incident.number,
        "key": incident.key,
        "title": incident.title,
        "severity": incident.severity.value,
        "state": state_words(incident, now_ns),
        "opened_at_ns": incident.opened_at_ns,
        "updated_at_ns": incident.updated_at_ns,
        "closed_at_ns": incident.closed_at_ns,
        "closing": incident.closing,
        "runs": list(incident.runs),
        "agents": list(incident.agents),
        "rules": list(incident.kinds),
        "entities": list(incident.entities),
        "alerts": to_plain(incident.alerts),
        "probability": incident.probability,
        "acknowledged": None
        if incident.acknowledged is None
        else response_json(incident.acknowledged),
        "snoozed": None if incident.snoozed is None else response_json(incident.snoozed),
        "muted": incident.muted,
    }
    if claims is None:
        return found | {"findings": list(incident.findings)}
    listed = zip(numbers, claims, strict=True)
    return found | {
        "findings": [{"number": number} | finding_json(claim) for number, claim in listed],
        "responses": [response_json(response) for response in responses],
    }


def response_json(response: Response) -> dict[str, Any]:
    """One acknowledgement or snooze."""
    return {
        "incident": response.incident,
        "action": response.action.value,
        "by": response.by,
        "because": response.because,
        "given_at_ns": response.given_at_ns,
        "until_at_ns": response.until_ns,
    }


def mute_json(mute: Mute) -> dict[str, Any]:
    """One mute."""
    return {
        "number": mute.number,
        "agent": mute.agent,
        "rule": mute.rule,
        "tool": mute.tool,
        "by": mute.by,
        "because": mute.because,
        "given_at_ns": mute.given_at_ns,
        "until_at_ns": mute.until_ns,
        "ended_by": mute.ended_by,
        "ended_at_ns": mute.ended_at_ns,
    }
