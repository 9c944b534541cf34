"""action_cycle: the same few calls, or hand-offs between agents, repeat in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.fingerprints.fingerprint import PAGINATED
from aftershock.model import Action, Finding, Level, Outcome, Run, Step, StepKind
from aftershock.policy.dialogue import listens, speaks
from aftershock.policy.tiers import is_shell, undo_each_other
from aftershock.rules.actions import (
    NEW_SHARE_OF_WRITES,
    changed_something,
    key_of,
    loop_finding,
    returned_nothing_new,
    share_new,
)
from aftershock.rules.overwriting import overwrites
from aftershock.rules.rule import CONVERSATION, Family, Lifetime, rule
from aftershock.rules.tail import STEPS_MAX, Tail, is_instruction, is_spaced, tail_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "action_cycle"
ROUNDS_WARN = 2
PERSON_FACTOR = 2.0  # on a bad line a person is asked again, and once more
Token = tuple[str, str]


@rule(Family.LOOPS, Lifetime.STATE, after=CONVERSATION, waste=True)
def action_cycle(run: Run, limits: Limits) -> Iterator[Finding]:
    """Cycles of two to eight different calls that end with the newest action of an agent.

    If agents hand work to each other, the actions of the whole run are one sequence. Writes that
    set one thing back and forth count whatever lies between them (`overwriting`).
    """
    tail = tail_of(run, limits)
    sequences: tuple[Sequence[Step], ...] = tail.lanes
    if tail.hand_offs:
        together = [step for step in run.steps[-STEPS_MAX:] if token_of(step)]
        sequences = (together[-limits.loop_window_actions :],)
    found = [
        finding
        for sequence in sequences
        if (finding := cycle_of(run, tail, sequence, limits)) is not None
    ]
    yield from found or overwrites(run, limits)
    if tail.hand_offs and not found and (finding := passed_around(run, limits)) is not None:
        yield finding


def cycle_of(run: Run, tail: Tail, sequence: Sequence[Step], limits: Limits) -> Finding | None:
    """The cycle that a sequence ends with, with its notes or else without: these may differ."""
    found = cycle_in(run, tail, sequence, limits)
    if found is not None or not tail.has_records:
        return found
    work = tail.without_records(sequence)
    return cycle_in(run, tail, work, limits) if len(work) < len(sequence) else None


def cycle_in(run: Run, tail: Tail, sequence: Sequence[Step], limits: Limits) -> Finding | None:
    """The shortest cycle that a sequence ends with."""
    newest = token_of(sequence[-1]) if sequence else None
    periods = [
        period
        for period in range(2, min(limits.cycle_period_max, len(sequence) - 1) + 1)
        if newest is not None and token_of(sequence[-1 - period]) == newest
    ]
    tokens = [token_of(step) for step in sequence] if periods else []
    for period in periods:
        length = period + matching_tail(tokens, period)
        rounds = length // period
        circle = tokens[-period:]
        if rounds < ROUNDS_WARN or len(set(circle)) < 2 or None in circle:
            continue
        if not goes_nowhere(sequence, period):
            continue
        if any(is_spaced(tail, step) for step in sequence[-period:]):
            continue  # polls in turn: each is judged by time
        scale = patience_with(sequence[-period:], limits)
        if rounds < ROUNDS_WARN * scale:
            continue
        alarm_at = int(limits.cycle_rounds_alarm * scale)
        alarm = rounds >= alarm_at
        steps = sequence[-length:]
        names = rotation(circle, sequence[-period:])
        return loop_finding(
            run,
            limits,
            kind=KIND,
            subject=" → ".join(names),
            level=Level.ALARM if alarm else Level.WARN,
            steps=steps,
            summary=f"{' → '.join(names)} was repeated {rounds} times and nothing changed.",
            certain_from=steps[alarm_at * period - 1] if alarm else None,
            together=len({step.agent for step in steps}) > 1,
        )
    return None


def patience_with(circle: Sequence[Step], limits: Limits) -> float:
    """How many times as many rounds are ordinary of a talk than of calls.

    Agents that only exchange messages, such as a writer and a critic, need a few; who speaks to a
    person and listens needs the person.
    """
    if all(step.kind is StepKind.HAND_OFF for step in circle):
        return limits.cycle_rounds_alarm / ROUNDS_WARN
    tools = [step.action.tool for step in circle if step.action is not None]
    is_dialogue = len(tools) == len(circle) and all(speaks(one) or listens(one) for one in tools)
    return PERSON_FACTOR if is_dialogue and any(map(listens, tools)) else 1.0


def passed_around(run: Run, limits: Limits) -> Finding | None:
    """Work that agents hand round in a circle, and none of them finds or changes anything."""
    newest = [step for step in run.steps[-STEPS_MAX:] if token_of(step) or is_instruction(step)]
    since = max((at for at, step in enumerate(newest) if is_instruction(step)), default=-1)
    steps = newest[since + 1 :]
    handed = [step for step in steps if step.kind is StepKind.HAND_OFF]
    tokens = [token_of(step) for step in handed]
    for period in range(2, min(limits.cycle_period_max, len(handed) // ROUNDS_WARN) + 1):
        rounds = (period + matching_tail(tokens, period)) // period
        circle = handed[-period:]
        if rounds < ROUNDS_WARN or len(set(tokens[-period:])) < 2:
            continue
        first = handed[-rounds * period]
        walked = steps[steps.index(first) :]
        only_talk = all(step.kind is StepKind.HAND_OFF for step in walked)
        if only_talk or learnt_or_changed(walked, steps.index(circle[0]) - steps.index(first)):
            return None
        alarm = rounds >= limits.cycle_rounds_alarm
        names = rotation(tokens[-period:], circle)
        return loop_finding(
            run,
            limits,
            kind=KIND,
            subject=" → ".join(names),
            level=Level.ALARM if alarm else Level.WARN,
            steps=walked,
            summary=f"Work was handed round {rounds} times ({' → '.join(names)}) and nothing "
            "was found or changed.",
            together=True,
        )
    return None


def learnt_or_changed(steps: Sequence[Step], newest_from: int) -> bool:
    """True where a call changed something, or one of the newest round was not made before."""
    earlier: dict[Token, Action] = {}
    for at, step in enumerate(steps):
        action = step.action
        if action is None:
            continue
        known = earlier.get(key_of(action))
        is_new = known is None or not returned_nothing_new(action, known)
        if changed_something(action) or (at >= newest_from and is_new):
            return True
        earlier[key_of(action)] = action
    return False


def token_of(step: Step) -> Token | None:
    """Equal for the same call, and for a hand-off between the same agents.

    Cursors that lead back to one another are a circle, so a page is a call of its own here.
    """
    if step.kind is StepKind.HAND_OFF:
        return f"{step.agent or ''} hands off", step.name
    action = step.action
    if action is None or action.polls or not action.arguments.digest:
        return None
    if action.arguments.stem and action.arguments.stem.startswith(PAGINATED):
        return action.tool, action.arguments.digest
    return key_of(action)


def matching_tail(tokens: Sequence[Token | None], period: int) -> int:
    """How many of the newest tokens equal the one a period earlier, without a gap."""
    matching = 0
    while (
        matching + period < len(tokens) and tokens[-1 - matching] == tokens[-1 - matching - period]
    ):
        matching += 1
    return matching


def goes_nowhere(sequence: Sequence[Step], period: int) -> bool:
    """True if no call of the newest round returned more than the same call a round before.

    Of a call that is still running, the round before is compared.
    """
    for newest in range(len(sequence) - period, len(sequence)):
        step = sequence[newest]
        running = step.action and step.action.result is None and step.ended_at_ns is None
        place = newest - period if running else newest
        if place < period:
            return False
        new, old = sequence[place].action, sequence[place - period].action
        if new is None or old is None:
            continue
        if not (
            is_round_again(new, old) or (undone(new, sequence[-period:]) and repeats(new, old))
        ):
            return False
    return True


def is_round_again(action: Action, earlier: Action) -> bool:
    """True where a call of a round returned no more than in the round before.

    Of shell commands the numbers count as well: what a command counts down is progress.
    """
    if not returned_nothing_new(action, earlier):
        return False
    if action.result is None or earlier.result is None or action.outcome is Outcome.FAILED:
        return True
    return not is_shell(action.tool) or action.result.digest == earlier.result.digest


def undone(action: Action, circle: Sequence[Step]) -> bool:
    """True for a call that another one of its circle undoes, whatever receipts they return."""
    return any(undo_each_other(action.tool, step.action.tool) for step in circle if step.action)


def repeats(action: Action, earlier: Action) -> bool:
    """True where most of an answer is worded as an earlier one."""
    if action.result is None or earlier.result is None:
        return action.outcome is earlier.outcome
    new = share_new(action.result.sketch, earlier.result.sketch)
    return action.outcome is earlier.outcome and new <= NEW_SHARE_OF_WRITES


def rotation(circle: Sequence[Token | None], steps: Sequence[Step]) -> list[str]:
    """Names of a cycle, starting with the smallest, so that they stay the same as it grows."""
    names = [
        step.action.tool if step.action else f"{step.agent or 'agent'} to {step.name}"
        for step in steps
    ]
    turns = range(len(circle))
    first = min(turns, key=lambda turn: [str(circle[(turn + at) % len(circle)]) for at in turns])
    return [*names[first:], *names[:first]]
