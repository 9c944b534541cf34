"""What was changed although a person had just asked to stop, or to change nothing."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Run, Step
from aftershock.policy.reports import only_reports
from aftershock.policy.tiers import names_effect
from aftershock.rules.actions import changed_something
from aftershock.rules.tail import is_instruction, only_keeps_records, tail_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "unapproved_action"
CHANGES_MIN = 2  # the first one may have been on its way when the person wrote


def forbidden(run: Run, newest: Step, limits: Limits) -> Iterator[Finding]:
    """The newest call, where it is the second change against the newest message of a person.

    Notes, messages and tickets are no changes in this sense. One finding tells of all of them.
    """
    asked = tail_of(run, limits).instruction
    if asked is None or not asked.forbids_changes or not is_change(newest):
        return
    since = list(takewhile(lambda step: not is_instruction(step), reversed(run.steps)))
    changes = [step for step in reversed(since) if is_change(step)]
    if len(changes) < CHANGES_MIN:
        return
    yield Finding(
        kind=KIND,
        run_id=run.id,
        subject=f"forbidden/{changes[0].span_id}",
        level=Level.ALARM,
        began_at_ns=changes[0].began_at_ns,
        as_of_ns=run.now_ns,
        evidence=tuple(one.span_id for one in changes[-limits.evidence_max :]),
        summary=f"{newest.name} was called although a person had asked to stop or to change "
        "nothing.",
        agent=newest.agent or run.agent,
        trace_id=newest.trace_id,
        lasting=True,
    )


def is_change(step: Step) -> bool:
    """True for a call that certainly changed something outside the agent."""
    action = step.action
    if action is None or only_keeps_records(step) or only_reports(action.tool):
        return False
    return names_effect(action.tool) and changed_something(action)
