"""Clicks after which a look shows exactly what it showed before: a button that is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Action, Finding, Level, Outcome, Run, Step
from aftershock.policy.tiers import clicks, shows_pictures, shows_state
from aftershock.rules.actions import changed_something, key_of, loop_finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "repeated_action"
VIEW_CHARS = 50  # shorter views are receipts
VIEWS_WARN = 5  # more than of identical calls: what a click changes need not be in the view


def dead_clicks(run: Run, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """The newest look at a page, where every click since an equal one changed nothing in it.

    Only clicks count: what is typed into a form may well not be shown, and pictures are not known.
    """
    newest = lane[-1].action
    if newest is None or not is_view(newest):
        return
    steps = equal_views(lane, newest)
    if len(steps) < VIEWS_WARN:
        return
    alarm = len(steps) >= limits.repairs_alarm
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/unmoved",
        level=Level.ALARM if alarm else Level.WARN,
        steps=steps,
        summary=f"{newest.tool} showed the same {len(steps)} times, with a click before each.",
        certain_from=steps[limits.repairs_alarm - 1] if alarm else None,
    )


def is_view(action: Action) -> bool:
    """True for a look at something as it stands, in words."""
    result = action.result
    if result is None or (result.size or 0) < VIEW_CHARS or action.outcome is not Outcome.OK:
        return False
    return shows_state(action.tool) and not shows_pictures(action.tool) and not clicks(action.tool)


def equal_views(lane: Sequence[Step], newest: Action) -> list[Step]:
    """The newest looks that showed the same and have a click before them, oldest first."""
    assert newest.result is not None
    views: list[Step] = []
    view: Step | None = None
    for step in reversed(lane):
        action = step.action
        if action is None:
            continue
        if key_of(action) == key_of(newest):
            if action.result is None or action.result.digest != newest.result.digest:
                break
            view = step
        elif clicks(action.tool):
            if action.outcome is not Outcome.OK:
                break
            if view is not None:
                views.insert(0, view)
            view = None
        elif changed_something(action):
            break
    return views
