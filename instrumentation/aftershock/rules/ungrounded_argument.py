"""ungrounded_argument: an action uses an id that no message and no result contained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.fingerprints.swapped import MARK
from aftershock.fingerprints.words import is_absent
from aftershock.model import Action, Finding, Level, Outcome, Run, Step, StepKind, Tier
from aftershock.rules.actions import keys_of
from aftershock.rules.rule import CALLS, Family, Lifetime, rule
from aftershock.rules.swapped_digits import swapped_from
from aftershock.rules.unapproved_action import answered, expired

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aftershock.limits import Limits

KIND = "ungrounded_argument"
ON_THEIR_OWN = frozenset({StepKind.MESSAGE, StepKind.TOOL_CALL, StepKind.RETRIEVAL})
GRAVE = frozenset({Tier.DESTRUCTIVE, Tier.DECOMMISSION})


@rule(Family.CONTEXT, Lifetime.ACTION, after=CALLS)
def ungrounded_argument(run: Run, limits: Limits) -> Iterator[Finding]:
    """The newest action, if it uses an id that no earlier message and no result contained.

    It is judged only if all messages and results are known. Models invent names for what they
    create, so it pages only for destructive calls, and where two digits of what was shown or just
    looked up have changed places. A call that its tool refused did nothing, so that of those only
    destructive ones warn.
    """
    step = run.newest
    if step is None or step.action is None:
        return
    if (swapped := swapped_from(run, step)) is not None:
        yield mistaken(run, step, *swapped)
        return
    if not run.dropped_steps:
        yield from made_up_ids(run, step, step.action, limits)


def mistaken(run: Run, step: Step, name: str, read: Step) -> Finding:
    """An action on an id that is not quite the one that was just looked up."""
    return Finding(
        kind=KIND,
        run_id=run.id,
        subject=f"{step.name}/{step.span_id}",
        level=Level.ALARM,
        began_at_ns=step.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=(step.span_id, read.span_id),
        summary=f"The {name} of {step.name} is that of {read.name} with two digits swapped.",
        agent=step.agent or run.agent,
        trace_id=step.trace_id,
        lasting=True,
    )


def made_up_ids(run: Run, step: Step, action: Action, limits: Limits) -> Iterator[Finding]:
    """What is found of ids that nothing contained."""
    refused = action.outcome is Outcome.FAILED
    grave = action.tier in GRAVE
    if not action.tier.has_effect or not action.ids or (refused and not grave):
        return
    shown = shown_before(run, step)
    if shown is None:
        return
    made_up: dict[str, None] = {}
    trail: dict[str, Step] = {}
    for name, hashed in sorted(own_ids(action)):
        source = next((one for one, words in shown if hashed in words), None)
        if source is not None:
            trail[name] = source
        elif all(is_absent(hashed, words, limits) for _, words in shown):
            made_up[name] = None
    if not made_up:
        return
    near = not refused and is_near(action, made_up, shown)
    if not near and was_approved(run, step, action):
        return
    yield Finding(
        kind=KIND,
        run_id=run.id,
        subject=f"{action.tool}/{step.span_id}",
        level=Level.ALARM if near or (grave and not refused) else Level.WARN,
        began_at_ns=step.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=tuple(dict.fromkeys([step.span_id, *(one.span_id for one in trail.values())])),
        summary=f"The {' and the '.join(made_up)} of {action.tool} "
        f"{'is' if len(made_up) == 1 else 'are'} in no message and no result of the run.",
        agent=step.agent or run.agent,
        trace_id=step.trace_id,
        facts=(
            *(f"{name}: in no message and in no result" for name in made_up),
            *(["What was shown differs from it by two swapped digits."] if near else ()),
            *(f"{name}: from {words_for(one)}" for name, one in trail.items()),
        ),
        lasting=True,
    )


def shown_before(run: Run, action: Step) -> list[tuple[Step, frozenset[int]]] | None:
    """What the run was shown before an action and the words of it; None: not all of it is known.

    Messages are known from the inferences that they were sent with, which hold the results of
    tools too, or, where no inference sources, from messages and tools on their own.
    """
    before = [
        step
        for step in run.steps
        if step.span_id != action.span_id and step.last_ns <= action.began_at_ns
    ]
    if any(step.fingerprint_key != action.fingerprint_key for step in before):
        return None  # hashes of two keys are never equal, so an id could seem absent
    sources = [step for step in before if step.kind is StepKind.INFERENCE]
    by_inference = any(step.words is not None for step in sources)
    if not by_inference:
        sources = [step for step in before if step.kind in ON_THEIR_OWN and ended(step)]
        if all(step.kind is not StepKind.MESSAGE for step in sources):
            return None
    if any(words_of(step) is None for step in sources):
        return None
    if by_inference and remembers(sources[0], before):
        return None
    found: list[tuple[Step, frozenset[int]]] = []
    for step in before:
        if words := words_of(step):
            found.append((step, words))
        if step.action is not None and step.action.ids and step.action.outcome is Outcome.OK:
            # An id that a call used successfully exists, wherever it came from.
            found.append((step, frozenset(hashed for _, hashed in own_ids(step.action))))
    return found


def was_approved(run: Run, step: Step, action: Action) -> bool:
    """True where a person allowed a call with these very arguments, and so has seen the id."""
    return any(
        one.approval is not None
        and one.approval.tool == action.tool
        and one.approval.lets_pass
        and one.approval.arguments == action.arguments.digest
        and answered(one, one.approval, step)
        and not expired(one.approval, step)
        for one in run.steps
    )


def remembers(first: Step, before: list[Step]) -> bool:
    """True if a run began with results of an earlier run in its messages."""
    known = {key for step in before if step.action is not None for key in keys_of(step.action)}
    return not (first.shown or frozenset()) <= known


def ended(step: Step) -> bool:
    """False for a call whose result is still to come."""
    return step.ended_at_ns is not None


def words_of(step: Step) -> frozenset[int] | None:
    """The id-like words of a step's messages or result."""
    return step.words if step.action is None else step.action.words


def own_ids(action: Action) -> list[tuple[str, int]]:
    """Argument and hash of each id in a call, without those that it could be mistaken for."""
    return [split(identifier) for identifier in action.ids if not identifier.startswith(MARK)]


def is_near(
    action: Action, made_up: Iterable[str], shown: Sequence[tuple[Step, frozenset[int]]]
) -> bool:
    """True where a made-up id would be one that was shown with two of its digits swapped."""
    marked = {MARK + name for name in made_up}
    neighbours = {hashed for name, hashed in map(split, action.ids) if name in marked}
    return any(not neighbours.isdisjoint(words) for _, words in shown)


def split(identifier: str) -> tuple[str, int]:
    """The argument's name and the hash of one id."""
    name, _, hashed = identifier.rpartition("=")
    return name or "value", int(hashed, 16)


def words_for(step: Step) -> str:
    """A step as the source of an id, as text."""
    if step.action is not None:
        return f"a call of {step.action.tool}"
    if step.kind is StepKind.INFERENCE:
        return "a message to the model"
    return f"a message of {step.name}"
