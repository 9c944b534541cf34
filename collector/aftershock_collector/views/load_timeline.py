"""From the store to a timeline: what `aftershock timeline` and the web interface shows."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from aftershock.attributes import RUN_GOAL
from aftershock.policy.policy import Policy
from aftershock_collector.notify.page import Page, parse
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.html import timeline_document
from aftershock_collector.views.run_words import is_alive
from aftershock_collector.views.timeline import Timeline, lay_out


class View(NamedTuple):
    """Runs with everything that was said about them."""

    timeline: Timeline
    pages: list[tuple[str, int, Page]]  # receiver, delivered at, page


def view(reader: Reader, run_ids: Sequence[str], policy: Policy, now_ns: int | None = None) -> View:
    """Runs on one axis; `now_ns` lets what still runs last until now.

    Raises:
        ValueError: the runs hold nothing that an agent did.
    """
    with reader.moment():
        steps = [step for run_id in run_ids for step in reader.steps(run_id, policy)]
        claims = [claim for run_id in run_ids for claim in reader.claims(run_id)]
        impacts = [impact for run_id in run_ids for impact in reader.impacts(run_id)]
        began_ns = min((s.began_at_ns for s in steps), default=0)
        until_ns = max((s.last_ns for s in steps), default=0)
        if now_ns is not None and is_alive(None, until_ns, now_ns):
            until_ns = now_ns
        changes = reader.changes(began_ns, until_ns)
        suspects = reader.suspects(began_ns=began_ns, until_ns=until_ns)
        deliveries = [one for run_id in run_ids for one in reader.delivered(run_id)]
        apart = [one for run_id in run_ids for one in reader.apart(run_id)]
        goals = {run_id: goal for run_id in run_ids if (goal := goal_of(reader, run_id))}
    laid = lay_out(steps, claims, impacts, changes, suspects, now_ns=now_ns)
    senders = tuple(dict.fromkeys(step.sender for step in steps if step.sender))
    laid = replace(laid, goals=goals, senders=senders, apart=tuple(apart))
    return View(laid, readable(deliveries))


def goal_of(reader: Reader, run_id: str) -> str | None:
    """What the run was to reach, where its agent recorded it."""
    for span in reader.spans(run_id):
        goal = span.attributes.get(RUN_GOAL)
        if isinstance(goal, str) and goal:
            return goal
    return None


def readable(deliveries: Sequence[tuple[str, int, str]]) -> list[tuple[str, int, Page]]:
    """Deliveries that are pages of this version; OTLP events are not for people."""
    found: list[tuple[str, int, Page]] = []
    for receiver, at_ns, body in deliveries:
        with contextlib.suppress(ValueError):
            found.append((receiver, at_ns, parse(body)))
    return found


def document(reader: Reader, run_ids: Sequence[str], policy: Policy) -> str:
    """The self-contained HTML document about runs."""
    seen = view(reader, run_ids, policy)
    return timeline_document.render(seen.timeline, pages=seen.pages)
