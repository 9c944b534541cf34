"""The collector's own pages: what ran lately, and one run with its infrastructure, in a browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from aftershock.policy.policy import Policy
from aftershock_collector.config.shipped_files import shipped
from aftershock_collector.metrics.series import Series
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.run_summary import RunSummary
from aftershock_collector.views.chart import Plot
from aftershock_collector.views.html import runs_page, timeline_page
from aftershock_collector.views.load_timeline import View, view
from aftershock_collector.views.timeline import Timeline

RUNS_SHOWN = 100  # of the newest; the command line has the rest
SERIES_SHOWN = 12  # beside the judged ones: the page stays readable
MARGIN_NS = 60 * 10**9  # of infrastructure shown before and after the agents

NAME = re.compile(r"[A-Za-z]+")  # of an alert
HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",  # the rest stands in the pages themselves
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

SeriesAround = Callable[[Sequence[str], int, int], Awaitable[Sequence[Series]]]


def routes(store: Path, policy: Policy, series_around: SeriesAround) -> list[Route]:
    """`/`, `/runs/{run_id}` and `/runbooks/{name}`."""

    async def runs(_: Request) -> Response:
        found = await asyncio.to_thread(_runs, store)
        return HTMLResponse(runs_page.render(found), headers=HEADERS)

    async def run(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        try:
            seen = await asyncio.to_thread(_view, store, run_id, policy)
        except ValueError:
            message = f"No run {run_id}: it was never seen, or it is older than what is kept.\n"
            return PlainTextResponse(message, 404)
        around = await series_around(*_stretch(seen.timeline))
        page = await asyncio.to_thread(
            timeline_page.render, seen.timeline, extra=plots(around), pages=seen.pages
        )
        return HTMLResponse(page, headers=HEADERS)

    async def runbook(request: Request) -> Response:
        name = request.path_params["name"]
        place = shipped("alerts/runbooks") / f"{name}.md"
        if not NAME.fullmatch(name) or not place.is_file():
            return PlainTextResponse(f"There is no runbook {name!r}.\n", 404)
        return PlainTextResponse(await asyncio.to_thread(place.read_text, "utf-8"), headers=HEADERS)

    return [
        Route("/", runs),
        Route("/runs/{run_id:path}", run),
        Route("/runbooks/{name}", runbook),
    ]


def plots(series: Iterable[Series]) -> list[Plot]:
    """Series as they are now, ready to draw."""
    return [
        Plot(
            one.entity,
            one.metric,
            one.unit,
            tuple(zip(one.times_ns.tolist(), one.values.tolist(), strict=True)),
        )
        for one in series
        if len(one.values) > 1
    ][:SERIES_SHOWN]


def _runs(store: Path) -> list[RunSummary]:
    with Reader.open(store) as reader:
        return reader.runs(limit=RUNS_SHOWN)


def _view(store: Path, run_id: str, policy: Policy) -> View:
    with Reader.open(store) as reader:
        return view(reader, [run_id], policy)


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
