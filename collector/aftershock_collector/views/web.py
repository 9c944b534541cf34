"""The web interface: lists, runs, incidents and runbooks, in a browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from aftershock.policy.policy import Policy
from aftershock_collector.metrics.series import Series
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.chart import Plot
from aftershock_collector.views.html import lists, runbook_document, timeline_document
from aftershock_collector.views.html.runbook_document import Link
from aftershock_collector.views.incident_web import IncidentViews
from aftershock_collector.views.load_timeline import View, view
from aftershock_collector.views.shared_rendering import SharedRendering
from aftershock_collector.views.timeline import Timeline
from aftershock_collector.views.web_answers import HEADERS, answer
from aftershock_collector.wording import measured

SERIES_SHOWN = 12  # beside the judged ones: the document stays readable
MARGIN_NS = 60 * 10**9  # of infrastructure shown before and after the agents
CANDIDATES_MAX = 10  # runs that the beginning of an id may mean

SeriesAround = Callable[[Sequence[str], int, int], Awaitable[Sequence[Series]]]
List = Callable[[Reader, Mapping[str, str], int], str]


def routes(
    incidents: IncidentViews,
    series_around: SeriesAround,
    notices: Callable[[], Sequence[str]] = tuple,
) -> list[Route]:
    """Every view.

    Args:
        incidents: the views of one incident, with the store and the policy that all views read by.
        series_around: series of some entities in a time.
        notices: warnings about the collector itself as it is now, shown in every view.
    """
    views = Views(incidents.place, incidents.policy, series_around)
    rendering = SharedRendering()

    def shared(view: Callable[[Request], Awaitable[Response]]) -> Callable[..., Any]:
        async def shown(request: Request) -> Response:
            async def render() -> Response:
                return with_notices(await view(request), notices())

            return await rendering.response(str(request.url), render)

        return shown

    return [
        *incidents.routes(),
        Route("/", shared(views.runs)),
        Route("/incidents", shared(views.incidents)),
        Route("/findings", shared(views.findings)),
        Route("/findings/{number:row}", shared(views.finding)),
        Route("/runs/{run_id:path}", shared(views.run)),
        Route("/runbooks", shared(views.runbooks)),
        Route("/runbooks/{name}", shared(views.runbook)),
    ]


class Views:
    """The HTML documents of one collector. Reading and rendering happen in threads."""

    def __init__(self, store: Path, policy: Policy, series_around: SeriesAround) -> None:
        self.store = store
        self.policy = policy
        self.series_around = series_around

    async def runs(self, request: Request) -> Response:
        """The list of runs, with the open incidents above."""
        return await self._listed(request, lists.runs_document)

    async def incidents(self, request: Request) -> Response:
        """The list of incidents."""
        return await self._listed(request, lists.incidents_document)

    async def findings(self, request: Request) -> Response:
        """The list of findings."""
        return await self._listed(request, lists.findings_document)

    async def _listed(self, request: Request, render: List) -> Response:
        query = dict(request.query_params)
        return answer(await asyncio.to_thread(_with_reader, self.store, render, query))

    async def run(self, request: Request) -> Response:
        """The timeline of a run, by its id or by the beginning of it."""
        named = request.path_params["run_id"]
        found = await asyncio.to_thread(_runs_named, self.store, named)
        if len(found) > 1:
            links = [Link(f"/runs/{quote(one, safe='')}", one) for one in found]
            text = f"{named!r} is the beginning of several runs."
            return answer(runbook_document.message("Which run?", text, links), 404)
        try:
            seen = await asyncio.to_thread(
                _view, self.store, found[0] if found else named, self.policy
            )
        except ValueError:
            text = f"Run {named!r} was never seen, or it is older than what is kept."
            return answer(runbook_document.message("No such run", text), 404)
        around = await self.series_around(*_stretch(seen.timeline))
        document = await asyncio.to_thread(
            timeline_document.render,
            seen.timeline,
            extra=plots(around),
            pages=seen.pages,
            served=True,
        )
        return answer(document)

    async def finding(self, request: Request) -> Response:
        """The run that a finding is about."""
        number = request.path_params["number"]
        run_id = await asyncio.to_thread(_run_of_finding, self.store, number)
        if run_id is None:
            text = f"There is no finding {number}."
            return answer(runbook_document.message("No such finding", text), 404)
        return RedirectResponse(f"/runs/{quote(run_id, safe='')}", headers=HEADERS)

    async def runbook(self, request: Request) -> Response:
        """One runbook, by the name of its alert or of its rule."""
        name = request.path_params["name"]
        known = runbook_document.resolved(name)
        if known is None:
            text = f"There is no runbook {name!r}."
            return answer(runbook_document.message("No such runbook", text), 404)
        return answer(await asyncio.to_thread(runbook_document.render, known))

    async def runbooks(self, _request: Request) -> Response:
        """The list of runbooks."""
        return answer(await asyncio.to_thread(runbook_document.index))


def with_notices(response: Response, notices: Sequence[str]) -> Response:
    """The response with warnings above everything else in its document."""
    if not notices or not isinstance(response, HTMLResponse):
        return response
    chips = [f'<p class="chip alarm" role="alert">{escape(notice)}</p>\n' for notice in notices]
    banner = f"<body>\n{''.join(chips)}"
    text = bytes(response.body).decode("utf-8").replace("<body>\n", banner, 1)
    return answer(text, response.status_code)


def plots(series: Iterable[Series]) -> list[Plot]:
    """Series as they are now, ready to draw."""
    return [
        Plot(
            one.entity,
            one.metric,
            one.unit,
            tuple(
                (at, measured(value, one.metric))
                for at, value in zip(one.times_ns.tolist(), one.values.tolist(), strict=True)
            ),
        )
        for one in series
        if len(one.values) > 1
    ][:SERIES_SHOWN]


def _with_reader(store: Path, render: List, query: Mapping[str, str]) -> str:
    with Reader.open(store) as reader:
        return render(reader, query, time.time_ns())


def _runs_named(store: Path, name: str) -> list[str]:
    """The run with this id, else those whose ids begin with it."""
    with Reader.open(store) as reader:
        if reader.run_row(name) is not None:
            return [name]
        return [run.run_id for run in reader.runs(prefix=name, limit=CANDIDATES_MAX)]


def _run_of_finding(store: Path, number: int) -> str | None:
    with Reader.open(store) as reader:
        claim = reader.claim(number)
    return None if claim is None else claim.finding.run_id


def _view(store: Path, run_id: str, policy: Policy) -> View:
    with Reader.open(store) as reader:
        return view(reader, [run_id], policy, time.time_ns())


def _stretch(timeline: Timeline) -> tuple[list[str], int, int]:
    """What was touched, and the time around it."""
    judged = [impact.entity for impact in timeline.impacts]
    touched = [
        target
        for entry in timeline.entries
        for step in entry.steps
        if step.action is not None
        for target in step.action.targets
    ]
    entities = list(dict.fromkeys([*judged, *touched]))
    return entities, timeline.began_ns - MARGIN_NS, timeline.ended_ns + MARGIN_NS
