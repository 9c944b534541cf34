"""silent_failure: a tool fails by its answers, its spans show no error, and the run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Action, Finding, Level, Run, Step
from aftershock.rules.actions import key_of
from aftershock.rules.endings import ending_finding, failed_silently, is_over
from aftershock.rules.error_streak import are_answers
from aftershock.rules.polling import failed_polls
from aftershock.rules.rule import CALLS, Family, Lifetime, Timing, rule
from aftershock.rules.tail import tail_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "silent_failure"


@rule(Family.ENDS, Lifetime.ACTION, after=CALLS, timing=Timing.CLOCK)
def silent_failure(run: Run, limits: Limits) -> Iterator[Finding]:
    """Tools whose newest calls failed in words only, and never succeeded afterwards.

    It pages from `silent_failures_alarm` such calls of one tool on. Fewer warn once the run has
    ended, because until then the agent may still repair it. A call that is tried again after a
    pause shows that the failure was seen. The same call made again with another answer is one
    failure: 61 errors and then 52 are work that goes on.
    """
    failing = unrepaired(run)
    if not failing:
        return
    tail = tail_of(run, limits)
    polls = frozenset[str]().union(*(failed_polls(tail, lane) for lane in tail.lanes))
    for tool, steps in failing.items():
        unseen = [step for step in steps if step.span_id not in polls]
        alarm = len(unseen) >= limits.silent_failures_alarm and not are_answers(unseen)
        if alarm or is_over(run):
            calls = "call" if len(steps) == 1 else f"{len(steps)} calls"
            yield ending_finding(
                run,
                limits,
                steps,
                kind=KIND,
                level=Level.ALARM if alarm else Level.WARN,
                summary=f"The last {calls} of {tool} returned a failure that is recorded as a "
                "success.",
            )


def unrepaired(run: Run) -> dict[str, list[Step]]:
    """Silent failures of each tool since its last success, oldest first."""
    found: dict[str, list[Step]] = {}
    over: set[str] = set()
    for step in reversed(run.steps):
        action = step.action
        if action is None or action.outcome is None or action.tool in over:
            continue
        if not failed_silently(step):
            over.add(action.tool)
        elif not moved_on(action, found.setdefault(action.tool, [])):
            found[action.tool].insert(0, step)
    return found


def moved_on(action: Action, later: Sequence[Step]) -> bool:
    """True where a later failure is one of the same call, with another answer."""
    again = next(
        (one.action for one in later if one.action and key_of(one.action) == key_of(action)), None
    )
    if again is None or again.result is None or action.result is None:
        return False
    return again.result.digest != action.result.digest
