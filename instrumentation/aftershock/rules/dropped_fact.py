"""dropped_fact: a fact was read, but was cut from the messages before the agent decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Action, Finding, Level, Outcome, Run, Step, StepKind, Tier
from aftershock.rules.actions import keys_of
from aftershock.rules.context import Known, context_finding, listed, requirements_of
from aftershock.rules.rule import CALLS, Family, Lifetime, rule
from aftershock.runs.expectations import split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "dropped_fact"
RISKY = frozenset({Tier.DESTRUCTIVE, Tier.PROVISION, Tier.DECOMMISSION})


@rule(Family.CONTEXT, Lifetime.ACTION, after=CALLS, about_facts=True)
def dropped_fact(run: Run, limits: Limits) -> Iterator[Finding]:
    """The newest action, if a fact that it needs was in earlier messages but not in the last ones.

    For an action with requirements these are the required facts. For a risky action without them
    it is everything that was read about the same id. A summary may still contain what was cut, so
    after a declared compaction it only warns.
    """
    step = run.newest
    if step is None or step.action is None or not step.action.tier.has_effect:
        return
    seen = seen_by(run, step, limits)
    if seen is None:
        return
    asked = requirements_of(run)
    if asked is None:
        yield from reads_dropped(run, limits, step, step.action, seen)
        return
    _, action, known = asked
    gaps = [(one, cut) for one in known if (cut := seen.cut_of(results_of(run, one)))]
    if gaps:
        yield context_finding(
            run,
            limits,
            step,
            action,
            kind=KIND,
            gaps=[one for one, _ in gaps],
            summary=f"{action.tool} was decided without the {listed([one for one, _ in gaps])}, "
            "which had been read and was no longer in the messages.",
            lines=[f"{one.title}: read by {cut[-1].name}, then cut" for one, cut in gaps],
            evidence=[seen.inference.span_id, *(one.span_id for _, cut in gaps for one in cut)],
            level=Level.WARN if seen.compacted else None,
        )


class Seen:
    """What the deciding inference was shown, and what the inferences before it were."""

    def __init__(self, inference: Step, earlier: list[Step]) -> None:
        self.inference = inference
        self.now = inference.shown or frozenset()
        self.ever = frozenset[int]().union(*(one.shown or () for one in earlier))
        self.compacted = inference.compacted or any(one.compacted for one in earlier)

    def cut_of(self, results: list[Step] | None) -> list[Step]:
        """These results, if all of them were shown before and none of them is shown now."""
        for step in results or ():
            keys = keys_of(step.action) if step.action else frozenset[int]()
            if keys & self.now or not keys & self.ever:
                return []
        return results or []


def seen_by(run: Run, action: Step, limits: Limits) -> Seen | None:
    """The newest inference of the action's agent; None if its messages were not recorded."""
    inferences = (
        step
        for step in reversed(run.steps)
        if step.kind is StepKind.INFERENCE
        and step.agent == action.agent
        and step.began_at_ns <= action.began_at_ns
    )
    newest = next(inferences, None)
    if newest is None or newest.shown is None or len(newest.shown) >= limits.shown_max:
        return None  # the list may be incomplete, because it is bounded
    return Seen(newest, list(inferences))


def results_of(run: Run, known: Known) -> list[Step] | None:
    """The calls whose results answer a requirement; None if another source provided it too."""
    spans = {fact.span_id for fact in known.facts if fact.outcome is Outcome.OK}
    steps = [step for step in run.steps if step.span_id in spans]
    return None if any(step.action is None for step in steps) else steps


def reads_dropped(
    run: Run, limits: Limits, step: Step, action: Action, seen: Seen
) -> Iterator[Finding]:
    """A risky action, if everything that was read about its ids was cut."""
    if action.tier not in RISKY or not action.subjects:
        return
    about = {identifier for _, identifier in map(split, action.subjects)}
    reads = [
        one
        for one in run.steps
        if one.action is not None
        and not one.action.tier.has_effect
        and one.action.outcome is Outcome.OK
        and one.last_ns <= step.began_at_ns
        and about & {identifier for _, identifier in map(split, one.action.subjects)}
    ]
    if cut := seen.cut_of(reads):
        yield Finding(
            kind=KIND,
            run_id=run.id,
            subject=f"{action.tool}/{step.span_id}",
            level=Level.WARN,
            began_at_ns=step.began_at_ns,
            as_of_ns=run.now_ns,
            evidence=tuple(
                dict.fromkeys([step.span_id, seen.inference.span_id, *(s.span_id for s in cut)])
            )[: limits.evidence_max],
            summary=f"{action.tool} was decided when nothing that had been read about its subject "
            "was still in the messages.",
            agent=step.agent or run.agent,
            trace_id=step.trace_id,
            facts=tuple(f"read by {one.name}, then cut" for one in cut[-limits.evidence_max :]),
            lasting=True,
        )
