"""Tool spans → Actions: fingerprints, outcome, tier, targets, required facts, facts obtained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

from aftershock.attributes import (
    ACTION_ALLOWED,
    ACTION_PORTION,
    ACTION_SETS,
    ACTION_WAIT,
    ARGUMENT_IDS,
    ARGUMENTS_DIGEST,
    ARGUMENTS_PLAIN,
    ARGUMENTS_SIZE,
    ARGUMENTS_SKETCH,
    ARGUMENTS_STEM,
    ERROR_CLASS,
    GUARDRAIL_ACTION_TYPE,
    RESULT_DIGEST,
    RESULT_ORDERS,
    RESULT_OUTCOME,
    RESULT_SIZE,
    RESULT_SKETCH,
    RESULT_STATE,
    RESULT_WORDS,
    SUBJECTS,
)
from aftershock.fingerprints.answers import state_of
from aftershock.fingerprints.cut import is_cut_by_recorder
from aftershock.fingerprints.embedded_orders import seems_to_give_orders
from aftershock.fingerprints.fingerprint import (
    fingerprint_arguments,
    fingerprint_result,
    subjects_of,
    text_of,
    unseen_arguments,
)
from aftershock.fingerprints.outcomes import error_class, outcome_of
from aftershock.fingerprints.plain_arguments import ARGUMENTS_MAX, PLAIN, plain_arguments
from aftershock.fingerprints.swapped import ids_of
from aftershock.fingerprints.words import words_in
from aftershock.model import Action, AnswerState, Fact, Fingerprint, Outcome, Tier
from aftershock.policy.policy import Policy, describe, placeholders_of
from aftershock.wire import decode_hashes, decode_named_hash
from aftershock_collector.otlp.wire import Attributes, Span
from aftershock_collector.reading.belief import (
    Pairs,
    explain_of,
    facts_provided,
    gate_of,
    requirements_of,
    targets_of,
    tier_of,
)
from aftershock_collector.reading.dialects import (
    Reading,
    count_in,
    name_in,
    names_in,
    parsed,
    text_in,
    texts_in,
)

STATES = {state.value: state for state in AnswerState}
OUTCOMES = {outcome.value: outcome for outcome in Outcome}


BLOCKED = "block"  # the guard's word for a call that it held back
# Such a call had no effect and needs neither facts nor approval; trying it again is a loop still.
NEVER_RAN: Mapping[str, Any] = {
    "tier": Tier.READ, "targets": (), "requires": (), "gate": None, "explain": False,
}  # fmt: skip


class Ending(NamedTuple):
    """How a call ended. `suspended`: it waits for a person, or another agent has it."""

    error: str | None = None
    text: str = ""
    suspended: bool = False


def action_of(span: Span, reading: Reading, policy: Policy, ending: Ending) -> tuple[Action, Pairs]:
    """The action of a tool span, and the facts that the call provides."""
    own = span.attributes
    given = parsed(reading.arguments)
    named = cast("Mapping[str, Any]", given) if isinstance(given, dict) else None
    described = describe(policy, reading.name, named)
    result = None if ending.suspended else _result(own, reading.result)
    outcome = None if ending.suspended else _outcome(own, reading, ending)
    action = Action(
        tool=reading.name,
        arguments=_arguments(span, given),
        result=result,
        outcome=outcome,
        tier=tier_of(own, reading.name, described, policy),
        targets=targets_of(own, described),
        targets_declared=bool(described.targets),
        requires=requirements_of(own, described, policy),
        error_class=_error_class(own, reading, ending) if outcome is Outcome.FAILED else None,
        polls=described.polls,  # an agent's own word would silence its loops
        call_id=reading.call_id,
        subjects=frozenset(names_in(own, SUBJECTS)) or _subjects(given),
        explain=explain_of(own, reading.name, described, policy),
        gate=None if ending.suspended else gate_of(own, described),
        ids=_ids(own, given),
        words=None if ending.suspended else _words(own, reading.result, ending),
        state=None if ending.suspended else _state(own, reading.result, ending),
        waits_s=_seconds(own, ACTION_WAIT, described.waits_s),
        allowed_s=_seconds(own, ACTION_ALLOWED, described.allowed_s),
        is_portion=described.is_portion or own.get(ACTION_PORTION) is True,
        sets=name_in(own, ACTION_SETS) or described.sets,
        max_time_s=described.max_time_s,
        gives_orders=not ending.suspended and _gives_orders(own, reading.result),
        patience_s=described.patience_s,
        plain=_plain(own, given, placeholders_of(policy, reading.name)),
    )
    if own.get(GUARDRAIL_ACTION_TYPE) == BLOCKED:
        return replace(action, **NEVER_RAN), ()
    return action, facts_provided(own, reading.name, described, policy)


def facts_of(span: Span, action: Action, provides: Pairs, ending: Ending) -> tuple[Fact, ...]:
    """What the agent was shown by a call that ended."""
    if ending.suspended:
        return ()
    return tuple(
        Fact(
            kind=kind,
            subject=subject,
            source=action.tool,
            observed_at_ns=span.ended_at_ns,
            # A call that ended well has shown something, even if its result was not recorded.
            outcome=action.outcome or Outcome.OK,
            span_id=span.span_id,
            digest=action.result.digest if action.result else None,
            gives_orders=action.gives_orders,
        )
        for kind, subject in provides
    )


def _arguments(span: Span, given: Any) -> Fingerprint:
    own = span.attributes
    if digest := name_in(own, ARGUMENTS_DIGEST):
        return Fingerprint(
            digest,
            decode_hashes(own.get(ARGUMENTS_SKETCH)) or frozenset(),
            count_in(own, ARGUMENTS_SIZE),
            name_in(own, ARGUMENTS_STEM),
        )
    if given is not None:
        return fingerprint_arguments(given)
    return unseen_arguments(span.span_id)


def _plain(own: Attributes, given: Any, declared: frozenset[str]) -> tuple[str, ...]:
    if reported := texts_in(own, ARGUMENTS_PLAIN):
        return tuple(one for one in reported[:ARGUMENTS_MAX] if PLAIN.fullmatch(one))
    return plain_arguments(given, declared, captured=True)


def _result(own: Attributes, given: Any) -> Fingerprint | None:
    if digest := name_in(own, RESULT_DIGEST):
        return Fingerprint(
            digest, decode_hashes(own.get(RESULT_SKETCH)) or frozenset(), count_in(own, RESULT_SIZE)
        )
    return None if given is None else fingerprint_result(given)


def _outcome(own: Attributes, reading: Reading, ending: Ending) -> Outcome | None:
    reported = own.get(RESULT_OUTCOME)
    if isinstance(reported, str) and reported in OUTCOMES:
        return OUTCOMES[reported]
    if ending.error:
        return Outcome.FAILED
    if reading.result is None:
        return Outcome.OK if reading.succeeded else None
    return outcome_of(reading.result, None)


def _error_class(own: Attributes, reading: Reading, ending: Ending) -> str | None:
    if reported := text_in(own, ERROR_CLASS):
        return reported
    if ending.text:
        return error_class(ending.text)
    if reading.result is not None and (kind := error_class(text_of(reading.result))):
        return kind
    return ending.error


def _ids(own: Attributes, given: Any) -> frozenset[str]:
    if reported := names_in(own, ARGUMENT_IDS):
        return frozenset([one for one in reported if decode_named_hash(one)])
    return frozenset() if given is None or ARGUMENTS_DIGEST in own else ids_of(given)


def _words(own: Attributes, given: Any, ending: Ending) -> frozenset[int] | None:
    reported = decode_hashes(own.get(RESULT_WORDS))
    if reported is not None:
        return reported
    if given is not None:
        text = text_of(given)
        return None if is_cut_by_recorder(text) else words_in(text)
    return words_in(ending.text) if ending.text else None


def _state(own: Attributes, given: Any, ending: Ending) -> AnswerState | None:
    reported = own.get(RESULT_STATE)
    if isinstance(reported, str) or RESULT_DIGEST in own:
        return STATES.get(str(reported))
    if given is not None:
        return state_of(text_of(given))
    return state_of(ending.text) if ending.text else None


def _gives_orders(own: Attributes, given: Any) -> bool:
    """As the agent's process marked it; it saw the result, which we see only where it is sent."""
    if own.get(RESULT_ORDERS) is True:
        return True
    return RESULT_DIGEST not in own and given is not None and seems_to_give_orders(text_of(given))


def _seconds(own: Attributes, name: str, described: float | None) -> float | None:
    seconds = own.get(name)
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
        return float(seconds)
    return described


def _subjects(given: Any) -> frozenset[str]:
    return frozenset() if given is None else subjects_of(given)
