"""Nearly the same call: without most of its arguments, or the same question in other words."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from aftershock.fingerprints.asked import asked_of
from aftershock.model import Action, Finding, Level, Outcome, Run, Step
from aftershock.rules.actions import answers_a_question, is_reworded, loop_finding
from aftershock.rules.tail import Tail, is_one_batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "repeated_action"
NOT_USABLE = frozenset({Outcome.FAILED, Outcome.EMPTY})


def emptied_writes(run: Run, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """A write that is repeated at once with most of its content missing."""
    for before, step in pairwise(lane[-limits.repeat_window_actions - 1 :]):
        full, action = before.action, step.action
        if full is None or action is None or action.tool != full.tool:
            continue
        if not action.tier.has_effect or not action.arguments.sketch:
            continue
        words = action.arguments.sketch
        if words < full.arguments.sketch and 2 * len(words) < len(full.arguments.sketch):
            yield loop_finding(
                run,
                limits,
                kind=KIND,
                subject=f"{action.tool}/emptied/{action.arguments.digest[:8]}",
                level=Level.WARN,
                steps=[before, step],
                summary=f"{action.tool} was called again without most of its arguments.",
            )


def reworded_calls(run: Run, tail: Tail, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """The same question in other words.

    It warns, because rewording can help, and pages where six wordings got the same answer. One more
    is needed of calls with an effect, which hand over a draft and then the final version, and where
    an answer could not be used, so that the next wording was a correction.
    """
    by_tool: dict[str, list[Step]] = {}
    for step in lane[-limits.repeat_window_actions :]:
        if (action := step.action) and action.arguments.sketch and not action.polls:
            by_tool.setdefault(action.tool, []).append(step)
    for tool, steps in by_tool.items():
        related = related_calls(tail, steps, limits) if len(steps) > 1 else []
        if related and len(related) >= limits.repeats_warn + may_be_reworded_once(related):
            yield loop_finding(
                run,
                limits,
                kind=KIND,
                subject=f"{tool}/reworded",
                level=Level.ALARM if is_of_no_use(related, limits) else Level.WARN,
                steps=related,
                summary=f"{tool} was asked the same thing in {len(related)} different wordings.",
            )


def is_of_no_use(steps: list[Step], limits: Limits) -> bool:
    """True where the newest wordings of a question all got the same usable answer."""
    newest = [step.action for step in steps[-limits.same_alarm :] if step.action]
    answers = {action.result.digest if action.result else action.call_id for action in newest}
    return (
        len(newest) >= limits.same_alarm
        and len(answers) == 1
        and all(answers_a_question(action) and action.outcome is Outcome.OK for action in newest)
    )


def may_be_reworded_once(steps: list[Step]) -> bool:
    """True for calls of which a second wording is no repetition."""
    first = steps[0].action
    assert first is not None
    return first.tier.has_effect or first.outcome in NOT_USABLE


def related_calls(tail: Tail, steps: list[Step], limits: Limits) -> list[Step]:
    """Calls of one tool that are a rewording of an earlier one, with the earlier one."""
    naming: dict[frozenset[int], list[int]] = {}  # calls whose arguments name the same things
    for place, step in enumerate(steps):
        if step.action is not None:
            naming.setdefault(asked_of(step.action.arguments.sketch).arguments, []).append(place)
    related: set[int] = set()
    for places in naming.values():
        for at, place in combinations(places, 2):
            earlier, step = steps[at], steps[place]
            assert earlier.action
            assert step.action
            this, other = step.action.arguments, earlier.action.arguments
            if (
                this.digest != other.digest
                and is_reworded(this.sketch, other.sketch, limits.similarity_min)
                and not is_correction(step.action, earlier.action)
                and not is_one_batch(tail, step, earlier)
            ):
                related |= {at, place}
    return [steps[place] for place in sorted(related)]


def is_correction(action: Action, earlier: Action) -> bool:
    """True for a call that works after one that did not: it was worth asking in other words."""
    return earlier.outcome in NOT_USABLE and action.outcome not in NOT_USABLE
