"""What a run that calls itself done had left undone: parts of a batch, or work that had failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aftershock.model import Action, AnswerState, Outcome, Step
from aftershock.policy.tiers import is_shell, only_runs
from aftershock.rules.actions import changed_something, hashes_of
from aftershock.rules.begun import was_begun_here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.model import Run

BATCH_MIN = 3  # calls of a tool that worked: the others were to do the same for other things
PARTS_MIN = 2  # one part may have been given up for a reason
# What is not there was perhaps only guessed; what is there already is as it should be.
NOTHING_TO_DO = re.compile(
    r"not[\s_-]?found|no\s?such|exist|\b404\b|unknown|already|duplicate", re.IGNORECASE
)


def parts_left(steps: Sequence[Step]) -> list[Step]:
    """Failed calls of batches whose own things no later call dealt with; [] for fewer than two.

    A batch is one tool that worked for several other things. What only the failed call names is
    its own thing. Of a shell nobody knows what its arguments name.
    """
    calls = [step for step in steps if step.action is not None and step.action.outcome is not None]
    failed = [step for step in calls if step.action and is_failed_part(step.action)]
    tools = {step.name for step in failed}
    for tool in tools:
        worked = [step.action for step in calls if step.name == tool and has_worked(step)]
        if len(worked) < BATCH_MIN:
            continue
        common = frozenset[str]().union(*(hashes_of(one) for one in worked if one))
        left = [one for one in failed if one.name == tool and is_left(one, common, calls)]
        if len(left) >= PARTS_MIN:
            return left
    return []


def is_failed_part(action: Action) -> bool:
    """True for a failed call that may have been to change something."""
    if action.outcome is not Outcome.FAILED or not action.tier.has_effect:
        return False
    by_command = is_shell(action.tool) or only_runs(action.tool)
    answered = action.state is AnswerState.UNCHANGED
    is_answer = NOTHING_TO_DO.search(action.error_class or "") is not None
    return not by_command and not answered and not is_answer


def has_worked(step: Step) -> bool:
    """True for a call that had its effect."""
    return step.action is not None and changed_something(step.action)


def is_left(failed: Step, common: frozenset[str], calls: Sequence[Step]) -> bool:
    """True where no call that ended well names, after the failed one, what is its own."""
    assert failed.action is not None
    own = hashes_of(failed.action) - common
    later = (step.action for step in calls if step.began_at_ns > failed.began_at_ns)
    return bool(own) and all(
        action is None or action.outcome is Outcome.FAILED or own.isdisjoint(hashes_of(action))
        for action in later
    )


def failed_work(run: Run) -> Step | None:
    """The newest look at what was begun in this run, if it says that the work ended badly.

    None where something was changed afterwards: that may have repaired it.
    """
    for step in reversed(run.steps):
        action = step.action
        if action is None or action.outcome is None:
            continue
        if changed_something(action):
            return None
        if action.state is AnswerState.ENDED_WRONG and not action.tier.has_effect:
            return step if was_begun_here(run, step) else None
    return None
