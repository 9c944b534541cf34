"""The facts that a run had read when an action began: shared by the context rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aftershock.model import Action, Fact, Finding, Level, Outcome, Requirement, Run, Step
from aftershock.policy.policy import ANY, subjects_match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

# A fact of this kind reports that its subject changed outside the run: a deploy, an event.
CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of a run about one requirement of an action."""

    requirement: Requirement
    facts: tuple[Fact, ...]  # that answer it, oldest first
    others: tuple[Fact, ...]  # of the same kind about other subjects

    @property
    def usable(self) -> Fact | None:
        """The newest fact that was read successfully."""
        return next((fact for fact in reversed(self.facts) if fact.outcome is Outcome.OK), None)

    @property
    def title(self) -> str:
        """The requirement for people."""
        if self.requirement.learnt_support is not None:  # its subject is a hash
            return f"answer of {self.requirement.kind}"
        subject = self.requirement.subject
        return self.requirement.kind if subject == ANY else f"{self.requirement.kind} of {subject}"


def requirements_of(run: Run) -> tuple[Step, Action, list[Known]] | None:
    """The newest step and the facts for each of its requirements; None if it has none."""
    step = run.newest
    if step is None or step.action is None or not step.action.requires:
        return None
    shown = list(facts_before(run, step))
    known = [
        Known(
            requirement,
            tuple(f for f in shown if answers(f, requirement)),
            tuple(f for f in shown if f.kind == requirement.kind and not answers(f, requirement)),
        )
        for requirement in step.action.requires
    ]
    return step, step.action, known


def facts_before(run: Run, action: Step) -> Iterator[Fact]:
    """Facts that the run had been shown when an action began, oldest first."""
    for step in run.steps:
        for fact in step.facts:
            if fact.observed_at_ns <= action.began_at_ns and step.span_id != action.span_id:
                yield fact


def answers(fact: Fact, requirement: Requirement) -> bool:
    """True if a fact has the kind and the subject of a requirement."""
    return fact.kind == requirement.kind and subjects_match(requirement.subject, fact.subject)


def context_finding(
    run: Run,
    limits: Limits,
    step: Step,
    action: Action,
    *,
    kind: str,
    gaps: Sequence[Known],
    summary: str,
    lines: Sequence[str],
    evidence: Sequence[str] = (),
    level: Level | None = None,
) -> Finding:
    """A lasting finding about one action; by default learnt expectations never page."""
    learnt = all(gap.requirement.learnt_support is not None for gap in gaps)
    return Finding(
        kind=kind,
        run_id=run.id,
        subject=f"{action.tool}/{step.span_id}",
        level=level or (Level.WARN if learnt else Level.ALARM),
        began_at_ns=step.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=(step.span_id, *dict.fromkeys(evidence))[: limits.evidence_max],
        summary=summary,
        agent=step.agent or run.agent,
        trace_id=step.trace_id,
        facts=tuple(lines),
        lasting=True,
    )


def listed(gaps: Sequence[Known]) -> str:
    """Titles of requirements as one phrase."""
    titles = [gap.title for gap in gaps]
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
