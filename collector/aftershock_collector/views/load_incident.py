"""From the store to an incident: its findings, its sections as a page has them, what people did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aftershock.model import Claim
from aftershock.policy.policy import Policy
from aftershock_collector.store.incidents import Incident, Response
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.incident_sections import Section, leading, sections_of
from aftershock_collector.views.load_timeline import goal_of
from aftershock_collector.wording import clean, clock


class IncidentView(NamedTuple):
    """One incident with everything that is known of it."""

    incident: Incident
    lead: Claim | None  # the finding that the title is about; None where retention removed it
    claims: tuple[Claim, ...]
    numbers: tuple[int, ...]  # of the findings, in the same order
    sections: tuple[Section, ...]
    responses: tuple[Response, ...]


def incident_view(reader: Reader, number: int, policy: Policy) -> IncidentView | None:
    """The incident with a number; None where there is none."""
    with reader.moment():
        incident = reader.incident(number)
        if incident is None:
            return None
        claims = newest_lives(reader.claims_of(number))
        numbers = tuple(reader.number_of(claim) for claim in claims)
        responses = tuple(reader.responses(number))
        if not claims:
            return IncidentView(incident, None, (), (), (), responses)
        lead = leading(claims)
        run_id = lead.finding.run_id
        steps = reader.steps(run_id, policy)
        goal = goal_of(reader, run_id)
        findings = [claim.finding for run in incident.runs for claim in reader.claims(run)]
    alerts = [
        f"{clean(alert.name, 80)} on {clean(alert.entity, 80)} since {clock(alert.began_at_ns)} UTC"
        for alert in incident.alerts
    ]
    sections = sections_of(incident, lead, findings, steps, goal=goal, alerts=alerts)
    return IncidentView(incident, lead, tuple(claims), numbers, sections, responses)


def newest_lives(claims: Sequence[Claim]) -> list[Claim]:
    """Each finding once, as it was last."""
    return list({claim.finding.id: claim for claim in claims}.values())
