"""Whether what a poll asks about was ever begun in this run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Action, AnswerState, Outcome, Step
from aftershock.policy.setters import is_scope
from aftershock.policy.tiers import names_effect, own_words
from aftershock.policy.words import words_of
from aftershock.rules.actions import changed_something, hashes_of
from aftershock.rules.tail import is_instruction
from aftershock.wire import decode_named_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.model import Run

BEGINNING = words_of("""
    apply ask begin book create enqueue invite issue launch make open order place post queue raise
    register request schedule start submit trigger
    anlegen anfordern beantragen crear solicitar creer demander creare richiedere criar solicitar
""")
HOLDING = words_of("cancel disable freeze halt hold pause stop suspend")


def never_begun(run: Run, first: Step) -> bool:
    """True where the newest act that was to begin what a poll asks about had failed."""
    assert first.action is not None
    asked = things_in(first.action)
    for action in acts_before(run, first):
        if own_words(action.tool) & BEGINNING and asked & hashes_of(action):
            return action.outcome is Outcome.FAILED and action.state is not AnswerState.UNCHANGED
    return False


def things_in(action: Action) -> frozenset[str]:
    """Hashes of what a call names, without what says only where that is."""
    named = filter(None, map(decode_named_hash, action.subjects))
    return frozenset(hashed for name, hashed in named if not is_scope(name))


def was_begun_here(run: Run, first: Step) -> bool:
    """True where the agent's newest act before a poll was to set something going, and worked."""
    newest = next(iter(acts_before(run, first)), None)
    if newest is None or own_words(newest.tool) & HOLDING:
        return False
    return changed_something(newest)


def acts_before(run: Run, first: Step) -> Iterator[Action]:
    """What the agent was to do before a step, newest first, since a person last spoke."""
    for step in reversed(run.steps):
        if is_instruction(step):
            return
        action = step.action
        if action is None or step.began_at_ns >= first.began_at_ns or step.agent != first.agent:
            continue
        if action.tier.has_effect and names_effect(action.tool):
            yield action
