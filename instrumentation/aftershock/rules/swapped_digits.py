"""Actions on an id that is the one just looked up, with two neighbouring digits swapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.fingerprints.swapped import MARK
from aftershock.model import Action, Outcome, Run, Step
from aftershock.policy.setters import is_value
from aftershock.policy.tiers import names_effect
from aftershock.rules.actions import answers_a_question, changed_something, hashes_of
from aftershock.rules.tail import is_instruction
from aftershock.wire import decode_named_hash

if TYPE_CHECKING:
    from collections.abc import Iterator


def swapped_from(run: Run, step: Step) -> tuple[str, Step] | None:
    """The argument of an action that is such an id, and the read of what was meant.

    The newest read that names anything named the other one. The action's own id was in no call
    before and the other one in no action, and neither was this tool called: who goes through a list
    meets such pairs by chance.
    """
    action = step.action
    if action is None or not names_effect(action.tool) or not changed_something(action):
        return None
    neighbours = neighbours_of(action)
    own = {hashed for name, hashed in subjects_in(action) if name in neighbours.values()}
    meant: tuple[str, Step] | None = None
    for one in calls_before(run, step) if neighbours else ():
        assert one.action is not None
        named = hashes_of(one.action)
        near = sorted(named & neighbours.keys())
        if one.action.tool == action.tool or named & own:
            return None
        if not answers_a_question(one.action):
            if near:
                return None
        elif meant is None and named:
            if not near or one.action.outcome is not Outcome.OK:
                return None
            meant = neighbours[near[0]], one
    return meant


def calls_before(run: Run, step: Step) -> Iterator[Step]:
    """Calls before this one and since a person last spoke, newest first."""
    for one in reversed(run.steps):
        if is_instruction(one):
            return
        if one.action is not None and one.began_at_ns < step.began_at_ns:
            yield one


def subjects_in(action: Action) -> list[tuple[str, str]]:
    """Argument and hash of what a call names."""
    return [named for named in map(decode_named_hash, action.subjects) if named]


def neighbours_of(action: Action) -> dict[str, str]:
    """By hash, the argument whose value would be this one with two digits swapped."""
    marked = (one.removeprefix(MARK).rpartition("=") for one in action.ids if one.startswith(MARK))
    return {hashed: name for name, _, hashed in marked if not is_value(name)}
