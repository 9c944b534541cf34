"""Writes that are repeated: a duty by the clock, or the same payment or mail once too often."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from aftershock.fingerprints.asked import asked_of
from aftershock.model import Action, Finding, Level, Outcome, Run, Step
from aftershock.policy.irrevocable import is_irrevocable, moves_money
from aftershock.policy.reports import only_reports
from aftershock.rules.actions import (
    Call,
    answers_a_question,
    changed_something,
    key_of,
    loop_finding,
)
from aftershock.rules.tail import is_instruction

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

AGAIN_S = 3_600.0  # within which the same payment or mail is the same one once more
MAILS_AGAIN_MIN = (
    3  # one mail may be wanted twice; a round of them that goes out twice is a mistake
)
ORDERS_AGAIN_MIN = 2  # times more: two rooms of a kind may be wanted
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


def done_twice(run: Run, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """The newest payment, where it was made before with the same arguments and another receipt.

    An interface that knows its requests gives the same receipt back. Mails and bookings page where
    several different ones were done again, in whatever order, and what is no message where it was
    done for the third time; what is sent by the clock is a duty.
    """
    window = lane[-limits.repeat_window_actions :]
    newest = next(filter(leaves_the_house, reversed(window)), None)
    again = twice_done(run, newest) if newest is not None else []
    if newest is None or not again or again[-1][1] is not newest:
        return
    keys = [key_of(step.action) for _, step in again if step.action]
    calls = set(keys)
    is_third = keys.count(keys[-1]) >= ORDERS_AGAIN_MIN and not only_reports(newest.name)
    if not moves_money(newest.name) and len(calls) < MAILS_AGAIN_MIN and not is_third:
        return
    steps = list({step.span_id: step for pair in again for step in pair}.values())
    steps.sort(key=lambda step: (step.began_at_ns, step.span_id))
    times = "once" if len(again) == 1 else f"{len(again)} times"
    times = times if len(calls) == 1 else f"for {len(calls)} different requests"
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.name}/twice",
        level=Level.ALARM,
        steps=steps,
        summary=f"{newest.name} succeeded again with the same arguments and another receipt, "
        f"{times}.",
    )


def done_by_two(run: Run, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """The newest order or payment, where another agent had made it before, with another receipt.

    Both had read the same answers and nothing else, so that each acted on the same need: agents
    that do the same for different things have read different things.
    """
    window = lane[-limits.repeat_window_actions :]
    newest = next(filter(leaves_the_house, reversed(window)), None)
    if newest is None or newest.action is None or only_reports(newest.name):
        return
    known = reads_before(run, newest)
    others = (step for step in recent(run, newest) if is_made_by_another(step, newest))
    other = next((step for step in others if known and reads_before(run, step) == known), None)
    if other is None:
        return
    agents = " and ".join(sorted(step.agent or run.agent or "agent" for step in (other, newest)))
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.name}/by two",
        level=Level.ALARM,
        steps=[other, newest],
        summary=f"{agents} have each called {newest.name} with the same arguments, on the same "
        "reading, and got a receipt each.",
        together=True,
    )


def is_made_by_another(step: Step, newest: Step) -> bool:
    """True for the same call of another agent that worked as well, with a receipt of its own."""
    if step.agent == newest.agent or step.action is None or newest.action is None:
        return False
    is_same = key_of(step.action) == key_of(newest.action)
    both_done = is_same and is_done(step.action) and is_done(newest.action)
    return both_done and is_other_receipt(newest, step)


def recent(run: Run, newest: Step) -> Iterator[Step]:
    """Steps before this one and since a person last spoke, newest first, within AGAIN_S."""
    for step in reversed(run.steps):
        if step.began_at_ns >= newest.began_at_ns:
            continue
        if is_instruction(step) or newest.began_at_ns - step.began_at_ns > AGAIN_S * 1e9:
            return
        yield step


def reads_before(run: Run, act: Step) -> frozenset[tuple[Call, str]]:
    """What an agent had read before an act, with its answers."""
    return frozenset(
        (key_of(step.action), step.action.result.digest)
        for step in recent(run, act)
        if step.agent == act.agent and step.action and step.action.result
        if not step.action.tier.has_effect
    )


def leaves_the_house(step: Step) -> bool:
    """True for a payment, a mail or a booking."""
    action = step.action
    return action is not None and action.tier.has_effect and is_irrevocable(action.tool)


def twice_done(run: Run, newest: Step) -> list[tuple[Step, Step]]:
    """Calls of the newest one's tool that worked, each with one before it that did the same."""
    tool = newest.name
    worked: list[Step] = []
    for step in reversed(run.steps):
        if step.began_at_ns > newest.began_at_ns:
            continue
        if is_instruction(step) or newest.began_at_ns - step.began_at_ns > AGAIN_S * 1e9:
            break
        action = step.action
        if step.agent == newest.agent and step.name == tool and action and is_done(action):
            worked.append(step)
    before: dict[Call, Step] = {}
    found: list[tuple[Step, Step]] = []
    for step in reversed(worked):
        assert step.action is not None
        call = key_of(step.action)
        earlier = before.get(call)
        if earlier is not None and is_other_receipt(step, earlier):
            found.append((earlier, step))
        before[call] = step
    return found


def is_done(action: Action) -> bool:
    """True for a call that certainly had its effect."""
    return action.outcome is Outcome.OK and changed_something(action) and not action.polls


def is_paid_twice(steps: Sequence[Step]) -> bool:
    """True for equal payments of which `done_twice` tells."""
    return moves_money(steps[-1].name) and is_other_receipt(steps[-1], steps[-2])


def is_other_receipt(step: Step, earlier: Step) -> bool:
    """True where two equal calls, which follow soon, answer with ids that have nothing in common.

    Ids that the arguments name say nothing; without any, another answer is another receipt.
    """
    action, other = step.action, earlier.action
    assert action is not None
    assert other is not None
    if action.words is None or other.words is None or not (action.result and other.result):
        return False
    if step.began_at_ns - earlier.last_ns >= DUTY_S * 1e9:
        return False
    named = {int(one.rpartition("=")[2], 16) for one in action.ids}
    ids, earlier_ids = action.words - named, other.words - named
    if not ids or not earlier_ids:
        return action.result.digest != other.result.digest
    return not ids & earlier_ids


def differs_in_one(action: Action, other: Action) -> bool:
    """True for calls that have all arguments but one in common, and at least one."""
    one, another = (asked_of(each.arguments.sketch).arguments for each in (action, other))
    return bool(one & another) and len(one - another) == len(another - one) == 1


def is_uncertain(action: Action) -> bool:
    """True for a failure that does not say whether the work was done."""
    failed = action.outcome is Outcome.FAILED
    return failed and UNCERTAIN.search(action.error_class or "") is not None
