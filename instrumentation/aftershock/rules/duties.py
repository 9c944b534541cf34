"""Writes that are repeated: a duty by the clock, or the same payment or mail once too often."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from aftershock.fingerprints.asked import asked_of
from aftershock.model import Action, Finding, Level, Outcome, Run, Step
from aftershock.policy.irrevocable import is_irrevocable
from aftershock.rules.actions import answers_a_question, loop_finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "repeated_action"
# A failure after which nobody knows whether the work was done.
UNCERTAIN = re.compile(
    r"time[d\s_-]{0,2}?out|no\s(?:response|answer|reply)|connection\s(?:reset|closed|aborted|lost)"
    r"|may\shave\sbeen|gateway|broken\spipe",
    re.IGNORECASE,
)

DUTY_S = 900.0  # who does the same thing every quarter of an hour or less often keeps a schedule


def is_duty(steps: Sequence[Step]) -> bool:
    """True for a write that works each time and is done by the clock, whatever lies between.

    An update for customers each half hour may well have the same words, and a service that is
    restarted each hour is to be seen; neither is worth a page.
    """
    action = steps[-1].action
    assert action is not None
    if answers_a_question(action) or any(has_failed(step) for step in steps):
        return False
    return all(
        step.began_at_ns - before.last_ns >= DUTY_S * 1e9 for before, step in pairwise(steps)
    )


def is_done_again(steps: Sequence[Step]) -> bool:
    """True for the same payment, mail or booking once more: nobody waits for anything by it."""
    action = steps[-1].action
    assert action is not None
    if action.polls or not action.tier.has_effect or not is_irrevocable(action.tool):
        return False
    digests = {step.action.arguments.digest for step in steps if step.action}
    return len(digests) == 1 and not any(has_failed(step) for step in steps)


def has_failed(step: Step) -> bool:
    """True for a call that did not work."""
    return step.action is not None and step.action.outcome is Outcome.FAILED


def sent_again(run: Run, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """The same payment, mail or booking under another reference, after a failure to hear of it.

    Nobody knows whether the one before was made, and the new reference keeps the other side from
    finding out. Whoever looked it up in between, or repeats the call as it was, is careful.
    """
    newest = lane[-1].action
    if newest is None or not newest.tier.has_effect or not is_irrevocable(newest.tool):
        return
    steps, references = [lane[-1]], {newest.arguments.digest}
    for step in reversed(lane[:-1]):
        action = step.action
        if action is None or action.outcome is None:
            continue
        if answers_a_question(action) and action.outcome is not Outcome.FAILED:
            break
        if action.tool == newest.tool and differs_in_one(action, newest):
            if not is_uncertain(action):
                break
            if action.arguments.digest not in references:
                steps.insert(0, step)
            references.add(action.arguments.digest)
    if len(steps) < limits.repeats_warn:
        return
    alarm = len(steps) >= limits.repeats_alarm
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/again",
        level=Level.ALARM if alarm else Level.WARN,
        steps=steps,
        summary=f"{newest.tool} was called {len(steps)} times with one argument changed, each time "
        "without knowing whether the call before had worked.",
        certain_from=steps[limits.repeats_alarm - 1] if alarm else None,
    )


def differs_in_one(action: Action, other: Action) -> bool:
    """True for calls that have all arguments but one in common, and at least one."""
    one, another = (asked_of(each.arguments.sketch).arguments for each in (action, other))
    return bool(one & another) and len(one - another) == len(another - one) == 1


def is_uncertain(action: Action) -> bool:
    """True for a failure that does not say whether the work was done."""
    failed = action.outcome is Outcome.FAILED
    return failed and UNCERTAIN.search(action.error_class or "") is not None
