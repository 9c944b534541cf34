"""Records of one step → the step: spans and log events that tell of the same call are joined.

Each part of a step comes from the record that says most about it, by an order that does not depend
on arrival. So the same records give the same step, in whatever order and however often they come.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aftershock.approval import Approval, Gate
from aftershock.fingerprints.fingerprint import UNSEEN
from aftershock.model import Action, AnswerState, Fact, Fingerprint, Outcome, Step, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable

RECORDS_MAX = 16  # of one step: a call has five at most
# How much an outcome says, from nothing to most.
OUTCOMES = (None, Outcome.OK, Outcome.EMPTY, Outcome.TRUNCATED, Outcome.FAILED)


def are_of_one_step(one: Step, other: Step) -> bool:
    """True for two records that their dialect says belong together."""
    return bool(one.records and other.records) and one.kind is other.kind


def joined(one: Step, other: Step) -> Step:
    """Two records of one step as one.

    A call begins when it is carried out, which is the latest begin of all: the time in which a
    person was asked is none of its own.
    """
    ends = [end for end in (one.ended_at_ns, other.ended_at_ns) if end is not None]
    step = replace(
        one,
        name=max(one.name, other.name),
        began_at_ns=max(one.began_at_ns, other.began_at_ns),
        ended_at_ns=max(ends, default=None),
        trace_id=max(one.trace_id, other.trace_id),
        parent_id=_text(one.parent_id, other.parent_id),
        agent=_text(one.agent, other.agent),
        conversation=_text(one.conversation, other.conversation),
        user=_text(one.user, other.user),
        service=_text(one.service, other.service),
        environment=_text(one.environment, other.environment),
        cluster=_text(one.cluster, other.cluster),
        process=_text(one.process, other.process),
        error=_text(one.error, other.error),
        action=_actions(one.action, other.action),
        facts=_facts((*one.facts, *other.facts)),
        decision=_fuller(one.decision, other.decision),
        approval=_approval(one.approval, other.approval),
        tokens=_fuller(one.tokens, other.tokens),
        targets=tuple(sorted({*one.targets, *other.targets})),
        cost_usd=max((c for c in (one.cost_usd, other.cost_usd) if c is not None), default=None),
        shown=_union(one.shown, other.shown),
        words=_union(one.words, other.words),
        automatic=one.automatic or other.automatic,
        compacted=one.compacted or other.compacted,
        fingerprint_key=max(one.fingerprint_key, other.fingerprint_key),
        finish_reason=_text(one.finish_reason, other.finish_reason),
        goal=_text(one.goal, other.goal),
        records=tuple(sorted({*one.records, *other.records})[:RECORDS_MAX]),
    )
    return as_denied(step) if was_denied(step) else step


def was_denied(step: Step) -> bool:
    """True for a call that was not carried out, because somebody or a policy denied it."""
    return step.action is not None and step.approval is not None and not step.approval.lets_pass


def as_denied(step: Step) -> Step:
    """A call that was denied: it had no effect and shows no facts; asking again is a loop still."""
    assert step.action is not None, "only calls are denied"
    action = replace(
        step.action,
        tier=Tier.READ,
        targets=(),
        requires=(),
        explain=False,
        gate=None,
        result=None,
        outcome=None,
        error_class=None,
        state=AnswerState.REFUSED,
    )
    return replace(step, action=action, facts=())


def _actions(one: Action | None, other: Action | None) -> Action | None:
    """The request of the record that shows more of it, and what any record says of the answer."""
    if one is None or other is None:
        return one or other
    asked = max(one, other, key=_says)
    return replace(
        asked,
        result=max(one.result, other.result, key=_size),
        outcome=max(one.outcome, other.outcome, key=OUTCOMES.index),
        error_class=_text(one.error_class, other.error_class),
        words=_union(one.words, other.words),
        state=_fuller(one.state, other.state),
    )


def _says(action: Action) -> tuple[Any, ...]:
    """How much a record says of what was asked for; no two requests are equal by it."""
    seen = not action.arguments.digest.startswith(UNSEEN)
    return seen, action.arguments.size or 0, action.arguments.digest, action.tool, _request(action)


def _request(action: Action) -> str:
    request = replace(action, result=None, outcome=None, error_class=None, words=None, state=None)
    sets = sorted(action.subjects), sorted(action.ids), sorted(action.arguments.sketch)
    plain = replace(request, subjects=frozenset(), ids=frozenset(), arguments=Fingerprint(""))
    return f"{plain!r}{sets!r}{action.arguments.stem}"


def _size(result: Fingerprint | None) -> tuple[int, str]:
    return (-1, "") if result is None else (result.size or 0, result.digest)


def _facts(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """One fact for each kind and subject: the one that was seen last."""
    newest: dict[tuple[str, str], Fact] = {}
    for fact in sorted(facts, key=lambda fact: (fact.observed_at_ns, repr(fact))):
        newest[fact.kind, fact.subject] = fact
    return tuple(newest[key] for key in sorted(newest))


def _approval(one: Approval | None, other: Approval | None) -> Approval | None:
    """The stricter of two."""
    known = [approval for approval in (one, other) if approval is not None]
    return max(known, key=lambda found: (found.outcome is Gate.DENY, repr(found)), default=None)


def _text(one: str | None, other: str | None) -> str | None:
    return max(one or "", other or "") or None


def _fuller(one: Any, other: Any) -> Any:
    """The one that is there; of two the greater, so that order does not matter."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=repr)


def _union(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    return one if other is None else other if one is None else one | other


def supersedes(step: Step, known: Step) -> bool:
    """An ended step replaces its open one; of two ended ones the later end wins, in any order."""
    return _weight(step) > _weight(known)


def _weight(step: Step) -> tuple[bool, int, bool, str]:
    ended = step.ended_at_ns is not None
    action = step.action
    seen = action is not None and action.result is not None
    return ended, step.ended_at_ns or 0, seen, step.error or ""
