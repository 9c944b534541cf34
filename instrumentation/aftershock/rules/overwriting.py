"""Writes that undo each other: the same thing is set back again and again, by two agents or one."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from aftershock.fingerprints.asked import asked_of
from aftershock.model import Action, Finding, Level, Run, Step
from aftershock.policy.setters import is_scope, is_value
from aftershock.rules.actions import (
    changed_something,
    key_of,
    loop_finding,
)
from aftershock.rules.tail import STEPS_MAX, is_instruction
from aftershock.wire import decode_named_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "action_cycle"
OWN_ROUNDS_MORE = 1  # an agent may try out two values; two agents want different things
PACE_S = 3_600.0  # between writes of one agent: what is set back by the clock follows a schedule


class Restored(NamedTuple):
    """A write that set a thing back to what the same agent had set before."""

    step: Step
    other: str | None  # the agent whose write it undid


def overwrites(run: Run, limits: Limits) -> Iterator[Finding]:
    """The newest write, where it is one of several that set one thing back and forth.

    The pauses between them and the reads do not matter: each agent has its reason, and every write
    undoes another one. That an agent writes again what is there already undoes nothing.
    """
    writes = writes_of(run)
    if not writes:
        return
    newest = writes[-1]
    same = [step for step in writes if is_same_thing(step, newest)]
    back = restored(run, same)
    if not back or back[-1].step is not newest:
        return
    contested = [one for one in back if one.other != agent_of(run, one.step)]
    rounds = limits.cycle_rounds_alarm
    if contested:
        found, alarm_at, warn_at = contested, 2 * (rounds - 1), rounds - 1
    else:
        found, alarm_at = at_pace(back, same), 2 * (rounds + OWN_ROUNDS_MORE - 1)
        warn_at = alarm_at - 2
    if len(found) < warn_at:
        return
    alarm = len(found) >= alarm_at
    assert newest.action is not None
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.action.tool} back and forth",
        level=Level.ALARM if alarm else Level.WARN,
        steps=same,
        summary=summary_of(run, newest, found, contested=bool(contested)),
        certain_from=found[alarm_at - 1].step if alarm else None,
        together=bool(contested),
    )


def summary_of(run: Run, newest: Step, found: Sequence[Restored], *, contested: bool) -> str:
    """What happened, with both agents named."""
    times = len(found)
    if not contested:
        return f"{newest.name} set the same thing back to an earlier value {times} times."
    agents = {agent_of(run, one.step) for one in found} | {one.other for one in found}
    names = " and ".join(sorted(name or "agent" for name in agents))
    return f"{names} overwrite each other: {newest.name} set the same thing back {times} times."


def writes_of(run: Run) -> list[Step]:
    """The newest calls of all agents that set something, oldest first, since a person spoke."""
    newest = run.newest
    if newest is None or newest.action is None or newest.action.sets is None:
        return []
    writes: list[Step] = []
    for step in islice(reversed(run.steps), STEPS_MAX):
        if is_instruction(step):
            break
        action = step.action
        if action is not None and action.sets is not None and changed_something(action):
            writes.append(step)
    writes.reverse()
    return writes if writes and writes[-1] is newest else []


def agent_of(run: Run, step: Step) -> str | None:
    """Who made a step."""
    return step.agent or run.agent


def restored(run: Run, writes: Sequence[Step]) -> list[Restored]:
    """The writes that set the thing back to a value that the same agent had set before."""
    values: dict[str | None, set[tuple[str, str]]] = {}
    found: list[Restored] = []
    before: Step | None = None
    for step in writes:
        agent, key = agent_of(run, step), write_key(step)
        own = values.setdefault(agent, set())
        if before is not None and write_key(before) != key and key in own:
            found.append(Restored(step, agent_of(run, before)))
        own.add(key)
        before = step
    return found


def write_key(step: Step) -> tuple[str, str]:
    """Equal for the same call."""
    assert step.action is not None
    return key_of(step.action)


def at_pace(back: Sequence[Restored], writes: Sequence[Step]) -> list[Restored]:
    """The newest of these that followed the write before them within PACE_S."""
    earlier = {step.span_id: before.last_ns for before, step in pairwise(writes)}
    found: list[Restored] = []
    for one in reversed(back):
        if one.step.began_at_ns - earlier[one.step.span_id] > PACE_S * 1e9:
            break
        found.insert(0, one)
    return found


def is_same_thing(step: Step, newest: Step) -> bool:
    """True for two writes of one tool that set the same thing, whatever to.

    Where the value's argument has a name that says nothing, it is the only one that differs.
    """
    one, other = step.action, newest.action
    assert one is not None
    assert other is not None
    if one.tool != other.tool:
        return False
    return one.sets == other.sets or differs_in_one(one, other)


def differs_in_one(one: Action, other: Action) -> bool:
    """True for calls of which one argument differs, and another names what both are about."""
    this, that = asked_of(one.arguments.sketch), asked_of(other.arguments.sketch)
    if len(this.arguments - that.arguments) != 1 or len(that.arguments - this.arguments) != 1:
        return False
    if this.words != that.words:
        return False
    common = filter(None, map(decode_named_hash, one.subjects & other.subjects))
    return any(not is_value(name) and not is_scope(name) for name, _ in common)
