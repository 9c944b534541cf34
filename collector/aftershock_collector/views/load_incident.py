"""From the store to an incident: its findings, its sections as a page has them, what people did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from aftershock.model import Claim
from aftershock.policy.policy import Policy
from aftershock_collector.notify import run_context
from aftershock_collector.notify.incident_book import leading
from aftershock_collector.notify.page import Section
from aftershock_collector.notify.page_text import sections_of
from aftershock_collector.store.incidents import Incident, Response
from aftershock_collector.store.reader import Reader

TeamOf = Callable[[Incident], str | None]  # which team owns the agents of an incident


def no_team(_incident: Incident) -> str | None:
    """Nobody has said which team it is."""
    return None


class IncidentView(NamedTuple):
    """One incident with everything that is known of it."""

    incident: Incident
    lead: Claim | None  # the finding that the title is about; None where retention removed it
    claims: tuple[Claim, ...]
    numbers: tuple[int, ...]  # of the findings, in the same order
    sections: tuple[Section, ...]
    responses: tuple[Response, ...]


def incident_view(
    reader: Reader, number: int, policy: Policy, team_of: TeamOf = no_team
) -> IncidentView | None:
    """The incident with a number, as its page says it; None where there is none."""
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
        steps = reader.steps(lead.finding.run_id, policy)
        related = [claim.finding for run in incident.runs for claim in reader.claims(run)]
    context = run_context.of_steps(steps, lead.finding, policy)
    context = replace(context, team=team_of(incident))
    known = {claim.finding.id: claim.finding for claim in claims}
    known |= {one.id: one for one in related}
    sections = sections_of(
        lead,
        list(known.values()),
        context,
        number=number,
        alerts=incident.alerts,
        closing=None if incident.closed_at_ns is None else incident.closing or "closed",
    )
    return IncidentView(incident, lead, tuple(claims), numbers, sections, responses)


def newest_lives(claims: Sequence[Claim]) -> list[Claim]:
    """Each finding once, as it was last."""
    return list({claim.finding.id: claim for claim in claims}.values())
