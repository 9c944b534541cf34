"""How many bytes a step takes in memory, estimated: what every bound in bytes counts with."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from aftershock.model import Action, Claim, Fact, Fingerprint, Step

STEP_BYTES = 1_400  # of a step with nothing in it: objects, ids, its places in the window
ACTION_BYTES = 600
TEXT_BYTES = 60  # of any text, beside its characters
HASH_BYTES = 100  # of one hash in a set: a number and its share of the table
CLAIM_BYTES = 1_800  # of a claim with its finding: a sentence, span ids, objects
LINK_BYTES = 250  # of a span that is no step, and of its parent
ENTRY_BYTES = 100  # of one claim's place in the claims after a step


def size_of(step: Step) -> int:
    """Bytes that a step takes in memory, estimated; within a factor of two."""
    size = STEP_BYTES + _texts(step.targets)
    if step.facts:
        size += facts_size(step.facts)
    size += HASH_BYTES * (len(step.shown or ()) + len(step.words or ()))
    for text in (step.name, step.error, step.conversation, step.goal):
        size += len(text or "")
    if step.action is not None:
        size += _action(step.action)
    if step.output is not None:
        size += HASH_BYTES * len(step.output.text.sketch)
        size += HASH_BYTES * len(step.output.code.sketch if step.output.code else ())
    if step.decision is not None:
        decision = step.decision
        size += _texts((*decision.over, *decision.assumes, decision.question))
        size += len(decision.because or "") + len(decision.chosen or "")
    if step.approval is not None:
        size += TEXT_BYTES * 5 + len(step.approval.because or "")
    return size


def facts_size(facts: Collection[Fact]) -> int:
    """Bytes that facts take in memory, likewise."""
    return sum(TEXT_BYTES * 4 + len(fact.subject) + len(fact.kind) for fact in facts)


def claims_size(claims: Mapping[str, Claim], before: Mapping[str, Claim]) -> int:
    """Bytes that the claims after a step take beside those before it, estimated."""
    new = sum(before.get(identity) is not claim for identity, claim in claims.items())
    return ENTRY_BYTES * len(claims) + CLAIM_BYTES * new


def _action(action: Action) -> int:
    size = ACTION_BYTES + _fingerprint(action.arguments) + _texts(action.targets)
    if action.result is not None:
        size += _fingerprint(action.result)
    for want in action.requires:
        size += TEXT_BYTES * 4 + len(want.subject) + len(want.kind)
    size += _texts(action.subjects) + _texts(action.ids) + HASH_BYTES * len(action.words or ())
    if action.plain or action.logged:
        size += _texts(action.plain) + _texts(action.logged)
    return size + len(action.error_class or "")


def _fingerprint(fingerprint: Fingerprint) -> int:
    return HASH_BYTES * len(fingerprint.sketch)


def _texts(texts: Collection[str]) -> int:
    return TEXT_BYTES * len(texts) + sum(map(len, texts))
