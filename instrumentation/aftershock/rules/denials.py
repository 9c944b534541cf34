"""What was done although a person had just said no to it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from aftershock.fingerprints.fingerprint import LEAVE
from aftershock.model import Action, AnswerState, Step, Tier
from aftershock.policy.irrevocable import is_irrevocable
from aftershock.rules.actions import changed_something, hashes_of
from aftershock.rules.tail import is_instruction, only_keeps_records
from aftershock.wire import decode_named_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

IRREVERSIBLE = frozenset({Tier.DESTRUCTIVE, Tier.DECOMMISSION})


def done_against_a_no(steps: Sequence[Step]) -> tuple[Step, Step] | None:
    """The newest question for leave that was answered with "not now", and the act after it.

    The act is the very next call, cannot be undone, and names what the question named: whoever did
    something in between may have met what the person wanted first.
    """
    seen = [
        step
        for step in steps
        if is_instruction(step) or (step.action is not None and not only_keeps_records(step))
    ]
    found = ((asked, act) for asked, act in pairwise(seen) if is_against(asked.action, act.action))
    return max(found, key=lambda pair: pair[1].began_at_ns, default=None)


def is_against(asked: Action | None, act: Action | None) -> bool:
    """True for an act that cannot be undone, on what a no had just been said to."""
    if asked is None or act is None or asked.state is not AnswerState.NOT_NOW:
        return False
    if not (is_irrevocable(act.tool) or act.tier in IRREVERSIBLE) or not changed_something(act):
        return False
    named = [named for named in map(decode_named_hash, asked.subjects) if named]
    return bool({hashed for name, hashed in named if name == LEAVE} & hashes_of(act))
