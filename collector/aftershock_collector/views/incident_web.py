"""The view of an incident, and the forms by which a person answers it."""

from __future__ import annotations

import asyncio
import glob
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aftershock.model import Assessment
from aftershock.policy.policy import Policy, parse_seconds
from aftershock_collector.access.form_tokens import FIELD, FormTokens
from aftershock_collector.access.middleware import SENDER
from aftershock_collector.access.people import name_of_person
from aftershock_collector.impact.feedback import decided, feedback_on
from aftershock_collector.notify.page import PageLink
from aftershock_collector.notify.page_links import Links
from aftershock_collector.notify.signed_links import LinkAction
from aftershock_collector.store import incidents
from aftershock_collector.store.interface import Store, StoreRefused, StoreUnavailable
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.html import incident_document, runbook_document
from aftershock_collector.views.html.incident_document import Form
from aftershock_collector.views.load_incident import IncidentView, TeamOf, incident_view, no_team
from aftershock_collector.views.web_answers import answer
from aftershock_collector.wording import NS, clean

FORM_BYTES_MAX = 10_000  # names and a sentence
NAME_CHARS_MAX = 80
REASON_CHARS_MAX = 500


# (action, incident, last second, signature, now in s) → whether a signed link may act
Accepts = Callable[[LinkAction, int, int, str, int], bool]


class FormError(ValueError):
    """What a person has to fill in differently."""


@dataclass(frozen=True, slots=True)
class IncidentViews:
    """`/incidents/{number}` and its forms. `accepts` verifies links that were sent to receivers."""

    place: Path
    policy: Policy
    store: Store
    accepts: Accepts | None = None
    team_of: TeamOf = no_team
    links: Links = field(default_factory=Links)  # to Grafana and to traces
    forms: FormTokens = field(default_factory=FormTokens)

    def routes(self) -> list[Route]:
        """GET shows, POST acts."""
        return [
            Route("/incidents/{number:row}", self.incident),
            Route("/incidents/{number:row}/{action}", self.answer, methods=["GET", "POST"]),
        ]

    async def answer(self, request: Request) -> Response:
        """One route for both, so that a refusal of other methods names both."""
        return await (self.act(request) if request.method == "POST" else self.form(request))

    async def incident(self, request: Request) -> Response:
        """The whole document."""
        view = await asyncio.to_thread(self._view, request.path_params["number"])
        if view is None:
            return not_found(request)
        return answer(self._render(request, view, Form()))

    async def form(self, request: Request) -> Response:
        """One form: where a link in a message leads. Looking at it changes nothing."""
        action = action_of(request)
        view = await asyncio.to_thread(self._view, request.path_params["number"])
        if view is None or action is None:
            return not_found(request)
        if not self._admitted(request, action):
            return refused()
        return answer(self._render(request, view, Form(action, signature_of(request))))

    async def act(self, request: Request) -> Response:
        """Keep what a person decided, and show the incident with it."""
        action = action_of(request)
        view = await asyncio.to_thread(self._view, request.path_params["number"])
        if view is None or action is None:
            return not_found(request)
        if not self._admitted(request, action):
            return refused()
        now_ns = time.time_ns()
        signature = signature_of(request)
        try:
            form = await form_of(request)
            if not self._is_ours(request, action, form):
                return unknown_form()
            form["by"] = name_of_person(sender_of(request)) or form.get("by", "")
            done = await asyncio.to_thread(self._keep, view, action, form, now_ns)
        except FormError as error:
            return answer(
                self._render(request, view, Form(action, signature, problem=str(error))), 400
            )
        except (StoreUnavailable, StoreRefused) as error:
            refusal = Form(action, signature, problem=f"Not kept: {error}")
            return answer(self._render(request, view, refusal), 503)
        again = await asyncio.to_thread(self._view, view.incident.number)
        return answer(self._render(request, again or view, Form(done=done)))

    def _render(self, request: Request, view: IncidentView, form: Form) -> str:
        now_ns = time.time_ns()
        if not form.signature:
            shown, number = sender_of(request), view.incident.number
            form = replace(
                form,
                person=name_of_person(shown),
                tokens={
                    action: self.forms.make(shown, path_of(number, action), now_ns // NS)
                    for action in LinkAction
                },
            )
        elsewhere: Sequence[PageLink] = ()
        if view.lead is not None:
            finding = view.lead.finding
            elsewhere = self.links.elsewhere(
                view.incident, finding.run_id, now_ns, finding.trace_id
            )
        return incident_document.render(view, now_ns, elsewhere, form)

    def _view(self, number: int) -> IncidentView | None:
        with Reader.open(self.place) as reader:
            return incident_view(reader, number, self.policy, self.team_of)

    def _admitted(self, request: Request, action: LinkAction) -> bool:
        """A signature must be right; without one, the gate must have asked who it is."""
        query = request.query_params
        if "signature" not in query:
            return is_known(request)
        expires = query.get("expires", "")
        return (
            self.accepts is not None
            and expires.isdecimal()
            and self.accepts(
                action,
                request.path_params["number"],
                int(expires),
                query["signature"],
                int(time.time()),
            )
        )

    def _is_ours(self, request: Request, action: LinkAction, form: Mapping[str, str]) -> bool:
        """True where no page of another site can have made a browser send this.

        It has the token of the form that we showed, the signature of the link that we sent, or a
        header that only programs add.
        """
        if "signature" in request.query_params:
            return True  # `_admitted` has verified it
        if "authorization" in request.headers and is_known(request):
            return True
        path = path_of(request.path_params["number"], action)
        token = form.get(FIELD, "")
        return self.forms.accepts(token, sender_of(request), path, int(time.time()))

    def _keep(
        self, view: IncidentView, action: LinkAction, form: dict[str, str], now_ns: int
    ) -> str:
        by = clean(form.get("by", ""), NAME_CHARS_MAX)
        because = clean(form.get("because", ""), REASON_CHARS_MAX)
        if not by:
            raise FormError("Say who you are.")
        number = view.incident.number
        if action is LinkAction.ACKNOWLEDGE:
            kind = incidents.ResponseAction.ACKNOWLEDGE
            self.store.respond(incidents.Response(number, kind, by, because, now_ns))
            return f"Incident {number} is acknowledged by {by}."
        lead = view.lead
        if lead is None:
            raise FormError("The findings of this incident are older than what is kept.")
        if action is LinkAction.FEEDBACK:
            if form.get("assessment") not in set(Assessment):
                raise FormError("Choose what was behind it.")
            assessment = Assessment(form["assessment"])
            self.store.feedback(
                decided(lead, feedback_on(lead, assessment, by, because, now_ns)), now_ns
            )
            return f"Feedback of {by} is kept: {assessment.value}."
        try:
            length_ns = int(parse_seconds(form.get("for", "")) * 1e9)
        except ValueError as error:
            raise FormError(f"For how long? {error}") from error
        mute = incidents.Mute(
            by=by,
            because=because,
            given_at_ns=now_ns,
            until_ns=now_ns + length_ns,
            # Of this agent alone, whatever it calls itself: `*`, or nothing.
            agent=glob.escape(lead.finding.agent or ""),
            rule=lead.finding.kind,
        )
        return f"Mute {self.store.mute(mute)} is in force for {form['for']}, by {by}."


def action_of(request: Request) -> LinkAction | None:
    """What the address asks for."""
    name = request.path_params["action"]
    return LinkAction(name) if name in set(LinkAction) else None


def path_of(number: int, action: LinkAction) -> str:
    """Where the form of an action leads."""
    return f"/incidents/{number}/{action}"


def is_known(request: Request) -> bool:
    """Whether the gate asked who sends this, and let it pass."""
    return SENDER in request.scope.get("state", {})


def sender_of(request: Request) -> str:
    """Who the gate found to be asking; "" for whoever followed a signed link."""
    return str(request.scope.get("state", {}).get(SENDER, ""))


def signature_of(request: Request) -> str:
    """The part of the query that lets a form act, as it came."""
    query = request.query_params
    kept = {key: query[key] for key in ("expires", "signature") if key in query}
    return urlencode(kept) if "signature" in kept else ""


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form. Raises FormError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise FormError("That is too much text.")
    try:
        return dict(parse_qsl(body.decode("utf-8"), max_num_fields=20))
    except ValueError as error:
        raise FormError("The form could not be read.") from error


def not_found(request: Request) -> Response:
    """There is no such incident, or no such form."""
    number = request.path_params["number"]
    return answer(
        runbook_document.message("No such incident", f"There is no incident {number}."), 404
    )


def unknown_form() -> Response:
    """The form of another site, or one that was shown too long ago."""
    text = "This form is too old, or another site made it. Open the page again and act there."
    return answer(runbook_document.message("Nothing was changed", text), 403)


def refused() -> Response:
    """A link that was changed, or is too old."""
    text = "This link was changed, or it is older than a week. Open the incident and act there."
    return answer(runbook_document.message("This link does not work", text), 403)
