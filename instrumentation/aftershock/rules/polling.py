"""Polls: equal calls with pauses between them, judged by the time since their answer changed."""

from __future__ import annotations

import re
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from aftershock.model import Action, AnswerState, Finding, Level, Outcome, Run, Step, Tier
from aftershock.policy.tiers import is_shell, waits_for_person
from aftershock.rules.actions import (
    Call,
    answers_a_question,
    changed_something,
    key_of,
    loop_finding,
    returned_nothing_new,
)
from aftershock.rules.begun import never_begun, was_begun_here
from aftershock.rules.tail import Tail, backs_off, is_instruction, is_spaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "repeated_action"
# Who asks less often than this watches something, and does not wait for it.
STEADY_INTERVAL_S = 120.0
SLOW_POLLS = 10  # who asks seldom expects it to take long: several answers may be the same
PERSON_PATIENCE_S = 345_600.0  # people answer after a long weekend
WRONG = frozenset({AnswerState.WENT_WRONG, AnswerState.ENDED_WRONG})
OVER = WRONG | {AnswerState.SETTLED}
OVER_OR_HELD = OVER | {AnswerState.HELD}
IN_WORK = frozenset({AnswerState.PENDING, AnswerState.SCHEDULED, AnswerState.PART_DONE})
# The thing that was asked for is not there; a program or a host that is missing does not come.
AWAITED = re.compile(
    r"(?<!command )not[\s_-]?found|no\s?such(?!\s?(?:host|command|option|function|method|module))"
    r"|does(?:\snot|n['\u2019]t)\sexist|\b404\b",
    re.IGNORECASE,
)
STARTS_OVER_MIN = 5  # times that work failed and was begun anew; retries of a job are usually fewer
POLLS_AFTER_END = 7  # the first one tells that the work has failed, and six more wait for nothing
SCHEDULED_PATIENCE_S = 86_400.0  # until the hour that an answer names has certainly passed
DELIVERY_PATIENCE_S = 14_400.0  # what others deliver may come some hours late
UNKNOWN_PATIENCE_FACTOR = 4.0  # the answer does not say that something is pending


def stuck_poll(run: Run, tail: Tail, steps: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """A poll whose answer has not changed for longer than its patience.

    `steps` are its calls since the last change. How often it asked does not matter.
    """
    newest = steps[-1]
    action = newest.action
    assert action is not None
    if (over := polls_after_end(run, steps)) is not None:
        yield over_and_polled(run, over, limits)
        return
    earlier = earlier_polls(run, steps[0])
    waited_s = unchanged_s(tail, steps, (earlier or steps)[0])
    calls = len(earlier) + len(steps)
    interval_s = waited_s / (calls - 1)
    patience_s = patience_of(action, interval_s, limits)
    if patience_s is None and is_in_vain(run, (earlier or steps)[0], action):
        patience_s = max(DELIVERY_PATIENCE_S, patience_in_work(interval_s, limits))
    if patience_s is None or waited_s < patience_s:
        return
    summary = (
        f"{action.tool} was polled for {minutes(waited_s)} ({calls} calls) "
        f"and its answer{waits_for(action)} did not change."
    )
    yield poll_finding(run, limits, steps, summary, certain_from=newest)


def poll_finding(
    run: Run, limits: Limits, steps: Sequence[Step], summary: str, *, certain_from: Step,
    about: str = "",
) -> Finding:  # fmt: skip
    """An alarm about one poll; `about` tells findings of several kinds about it apart."""
    action = steps[-1].action
    assert action is not None
    return loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{action.tool}/{about}{key_of(action)[1][:8]}",
        level=Level.ALARM,
        steps=steps,
        summary=summary,
        certain_from=certain_from,
    )


def starting_over(run: Run, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """The newest poll, where what it asks about fails and is begun anew again and again.

    Each answer differs, by a process or a count of restarts, and yet nothing comes of the waiting.
    """
    newest = lane[-1]
    action = newest.action
    if action is None or action.state not in WRONG or not may_read(action):
        return
    polls = polls_since_change(run, newest)
    failed = [
        step
        for before, step in pairwise(polls)
        if before.action and before.action.state in IN_WORK
        if step.action and step.action.state in WRONG
    ]
    if len(failed) < STARTS_OVER_MIN:
        return
    waited_s = (newest.last_ns - polls[0].last_ns) / 1e9
    interval_s = waited_s / (len(polls) - 1)
    if waited_s < limits.poll_patience_s or interval_s >= STEADY_INTERVAL_S:
        return
    summary = (
        f"{action.tool} was polled for {minutes(waited_s)}, in which what it asks about "
        f"failed and started over {len(failed)} times."
    )
    yield poll_finding(run, limits, failed, summary, certain_from=newest, about="starts over/")


def polls_since_change(run: Run, newest: Step) -> list[Step]:
    """All calls of a poll since the agent last changed something, or a person spoke."""
    assert newest.action is not None
    key, found = key_of(newest.action), list[Step]()
    for step in reversed(run.steps):
        action = step.action
        if is_instruction(step):
            break
        if action is None or step.agent != newest.agent or step.began_at_ns > newest.began_at_ns:
            continue
        if key_of(action) == key:
            found.append(step)
        elif changed_something(action) and not answers_a_question(action):
            break
    return found[::-1]


def over_and_polled(run: Run, over: Sequence[Step], limits: Limits) -> Finding:
    """Polls of work that has failed for good."""
    action = over[-1].action
    assert action is not None
    summary = (
        f"{action.tool} was polled {len(over) - 1} times more after it had answered that "
        "the work had failed."
    )
    return poll_finding(run, limits, over, summary, certain_from=over[POLLS_AFTER_END - 1])


def polls_after_end(run: Run, steps: Sequence[Step]) -> list[Step] | None:
    """The newest polls of work that was going on in this run and then failed; None: too few.

    An agent that never saw the work going on may be watching for its restart.
    """
    over = list(takewhile(has_ended_wrong, reversed(steps)))[::-1]
    if len(over) < POLLS_AFTER_END:
        return None
    first = over[0]
    assert first.action is not None
    key = key_of(first.action)
    before = next(
        (
            step.action
            for step in reversed(run.steps)
            if step.action is not None
            and step.began_at_ns < first.began_at_ns
            and step.agent == first.agent
            and key_of(step.action) == key
        ),
        None,
    )
    return over if before is not None and before.state in IN_WORK else None


def has_ended_wrong(step: Step) -> bool:
    """True for a poll whose answer says that the work is over and has failed."""
    return step.action is not None and step.action.state is AnswerState.ENDED_WRONG


def earlier_polls(run: Run, first: Step) -> list[Step]:
    """Calls of the same poll before the scanned tail with the same answer, oldest first."""
    assert first.action is not None
    key, found_steps = key_of(first.action), list[Step]()
    for step in reversed(run.steps):
        action = step.action
        if step.began_at_ns >= first.began_at_ns or step.agent != first.agent:
            continue
        if action is None:
            if is_instruction(step):
                break
        elif key_of(action) == key:
            if not returned_nothing_new(first.action, action):
                break
            found_steps.append(step)
        elif changed_something(action):
            break
    return found_steps[::-1]


def unchanged_s(tail: Tail, steps: Sequence[Step], first: Step) -> float:
    """Seconds since the answer last changed, by the clock or by the declared waits."""
    clock_s = (steps[-1].last_ns - first.last_ns) / 1e9
    declared_s = 0.0
    for step in steps[1:]:
        assert step.action is not None
        gap = tail.gap_before(step)
        declared_s += (gap.waited_s or 0.0) + (step.action.waits_s or 0.0)
    return max(clock_s, declared_s)


def failed_polls(tail: Tail, lane: Sequence[Step]) -> frozenset[str]:
    """Failed reads that are tried again after a pause, and nothing was changed in between.

    An agent that also tries to change something, and fails, does not just wait.
    """
    found: set[str] = set()
    chains: dict[Call, list[Step]] = {}
    for step in lane:
        action = step.action
        if action is None:
            continue
        if changed_something(action) or is_failed_act(action):
            chains.clear()
        elif action.outcome is Outcome.FAILED:
            chain = chains.setdefault(key_of(action), [])
            chain.append(step)
            if len(chain) > 1 and is_spaced(tail, step):
                found.add(step.span_id)
            elif backs_off(tail, chain):
                found.update(one.span_id for one in chain)
    return frozenset(found)


def is_failed_act(action: Action) -> bool:
    """True for a call that was certainly to change something, and did not."""
    return action.outcome is Outcome.FAILED and not may_read(action)


def may_read(action: Action) -> bool:
    """True for a call that may be a look at something; of a shell's programs few are known."""
    unknown = is_shell(action.tool) and action.tier is Tier.WRITE
    return unknown or answers_a_question(action)


def patience_of(action: Action, interval_s: float, limits: Limits) -> float | None:
    """Seconds that a poll's answer may stay the same; None: for ever."""
    if action.patience_s is not None:
        return action.patience_s
    pending = action.state in {AnswerState.PENDING, AnswerState.SCHEDULED}
    asks_person = pending and waits_for_person(action.tool)
    if action.state is AnswerState.WAITS_FOR_PERSON or asks_person:
        return PERSON_PATIENCE_S
    if action.state is AnswerState.SCHEDULED:
        return max(SCHEDULED_PATIENCE_S, patience_in_work(interval_s, limits))
    if action.state in IN_WORK or action.outcome is Outcome.FAILED or action.polls:
        own_s = patience_in_work(interval_s, limits)
        is_delivery = interval_s >= STEADY_INTERVAL_S and is_awaited(action)
        return max(own_s, DELIVERY_PATIENCE_S) if is_delivery else own_s
    if action.state in OVER_OR_HELD or interval_s >= STEADY_INTERVAL_S:
        return None
    return UNKNOWN_PATIENCE_FACTOR * limits.poll_patience_s


def patience_in_work(interval_s: float, limits: Limits) -> float:
    """Seconds that something in work may look the same."""
    return max(limits.poll_patience_s, SLOW_POLLS * interval_s)


def is_in_vain(run: Run, first: Step, action: Action) -> bool:
    """True for a poll of what nobody began, or of what stands still after it was begun here."""
    if action.state is AnswerState.HELD:
        return was_begun_here(run, first)
    return action.state not in OVER and never_begun(run, first)


def is_awaited(action: Action) -> bool:
    """True where what was looked for is not there, and may yet be delivered."""
    failed = action.outcome is Outcome.FAILED
    return failed and AWAITED.search(action.error_class or "") is not None


def waits_for(action: Action) -> str:
    """What the poll waits for, as far as its answer says it."""
    if action.outcome is Outcome.FAILED:
        return " (an error)"
    return f" ({action.state.replace('_', ' ')})" if action.state else ""


def minutes(seconds: float) -> str:
    """A duration as text."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
