"""An incident as an HTML document: what a person on call must know, and what they can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from aftershock.model import Assessment
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.notify.signed_links import LinkAction
from aftershock_collector.views.html import templates
from aftershock_collector.views.html.lists import FindingRow, finding_row, incident_row
from aftershock_collector.wording import clean, lasted, short, zone_name, zoned_clock, zoned_time

if TYPE_CHECKING:
    from aftershock_collector.notify.page import PageLink
    from aftershock_collector.store.incidents import Incident
    from aftershock_collector.views.load_incident import IncidentView

ASSESSMENTS = (
    (Assessment.AGENT, "the agent did it"),
    (Assessment.INFRASTRUCTURE, "the infrastructure did it"),
    (Assessment.COINCIDENCE, "a coincidence"),
)
LENGTHS = ("1h", "4h", "1d", "7d")


@dataclass(frozen=True, slots=True)
class Link:
    """An address with its words."""

    href: str
    label: str


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """What one person did about the incident."""

    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """What a person came to do on the page, and what came of it."""

    only: LinkAction | None = None  # show this form alone, as a link in a message leads to it
    signature: str = ""  # query that lets it act without a login; empty where none is needed
    tokens: Mapping[LinkAction, str] = field(default_factory=dict[LinkAction, str])
    problem: str = ""  # why it was refused
    done: str = ""  # what it did
    person: str = ""  # who signed in; empty: the form asks who it is


def render(
    view: IncidentView,
    now_ns: int,
    elsewhere: Iterable[PageLink],
    form: Form,
) -> str:
    """The document.

    Args:
        view: the incident.
        now_ns: how long it has lasted, and whether a snooze is in force.
        elsewhere: what other programs show of it.
        form: what a person came to do.
    """
    incident = view.incident
    row = incident_row(incident, now_ns)
    lasts = lasted((incident.closed_at_ns or now_ns) - incident.opened_at_ns)
    rules = ", ".join(kind.replace("_", " ") for kind in incident.kinds)
    return templates.render(
        "incident.html",
        served=True,
        zone=zone_name(now_ns),
        incident=row,
        headline=clean(incident.title),
        severity=incident.severity.value,
        when=f"{zoned_time(incident.opened_at_ns)}, "
        + (f"open for {lasts}" if incident.closed_at_ns is None else f"lasted {lasts}"),
        rules=clean(rules),
        is_open=incident.closed_at_ns is None,
        sections=view.sections,
        findings=finding_rows(view),
        responses=response_rows(view),
        links=[
            *(
                Link(f"/runs/{quote(run, safe='')}", f"Timeline {short(run)}")
                for run in incident.runs
            ),
            *(
                Link(f"/runbooks/{kind}", f"Runbook: {kind.replace('_', ' ')}")
                for kind in incident.kinds
            ),
            *(Link(one.url, one.label) for one in elsewhere),
        ],
        assessments=[(one.value, words) for one, words in ASSESSMENTS],
        lengths=LENGTHS,
        actions=[form.only.value] if form.only else [one.value for one in offered(incident)],
        signature=form.signature,
        form_tokens={action.value: token for action, token in form.tokens.items()},
        problem=form.problem,
        done=form.done,
        person=form.person,
    )


def offered(incident: Incident) -> list[LinkAction]:
    """What a person can do: only a degradation leaves the question who was behind it."""
    return [one for one in LinkAction if incident.entities or one is not LinkAction.FEEDBACK]


def finding_rows(view: IncidentView) -> list[FindingRow]:
    """The incident's findings, oldest first."""
    return [
        finding_row(claim, number) for claim, number in zip(view.claims, view.numbers, strict=True)
    ]


def response_rows(view: IncidentView) -> list[ResponseRow]:
    """Acknowledgements, snoozes and feedback with name, time and reason."""
    rows = [
        ResponseRow(
            f"{response.action.value.capitalize()} by {clean(response.by, 80)} at "
            f"{zoned_clock(response.given_at_ns)}"
            + (f": {clean(response.because)}" if response.because else "")
        )
        for response in view.responses
    ]
    rows += [
        ResponseRow(f"Feedback: {closing_words(claim)}") for claim in view.claims if claim.feedback
    ]
    return rows
