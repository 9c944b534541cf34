"""Writes that are repeated with pauses: a duty by the clock, or the same act once too often."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from aftershock.model import Outcome, Step
from aftershock.policy.irrevocable import is_irrevocable
from aftershock.rules.actions import answers_a_question

if TYPE_CHECKING:
    from collections.abc import Sequence

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
