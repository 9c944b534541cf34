"""context_pressure: a model's context window is nearly full, or was compacted."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Run, Step, StepKind
from aftershock.policy.prices import window_of
from aftershock.rules.actions import STEPS_MAX
from aftershock.rules.rule import Family, Lifetime, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "context_pressure"


@rule(Family.LIMITS, Lifetime.STATE, after=frozenset({StepKind.INFERENCE}))
def context_pressure(run: Run, limits: Limits) -> Iterator[Finding]:
    """The share of the context window that each agent's newest inference used. It only warns.

    Beyond the limit, frameworks cut or summarise the messages, and models overlook content in the
    middle. A compaction that was recorded is reported too.
    """
    for step in newest_inferences(run):
        window = window_of(step.name, limits)
        if window is None or step.tokens is None:
            continue
        share = step.tokens.input / window
        if share >= limits.pressure_warn:
            yield pressure_finding(
                run,
                step,
                subject=step.agent or "agent",
                summary=f"{step.name} was sent {step.tokens.input:,} tokens: "
                f"{share:.0%} of its context window of {window:,}.",
            )
    step = run.newest
    if step is not None and step.kind is StepKind.INFERENCE and step.compacted:
        yield pressure_finding(
            run,
            step,
            subject=f"compacted/{step.span_id}",
            summary=f"The conversation was compacted before {step.name} was called: "
            "earlier content may be missing.",
            lasting=True,
        )


def newest_inferences(run: Run) -> list[Step]:
    """The newest inference of each agent that reports its input tokens."""
    found: dict[str | None, Step] = {}
    for step in islice(reversed(run.steps), STEPS_MAX):
        if step.kind is StepKind.INFERENCE and step.tokens is not None and step.tokens.input:
            found.setdefault(step.agent, step)
    return list(found.values())


def pressure_finding(
    run: Run, step: Step, *, subject: str, summary: str, lasting: bool = False
) -> Finding:
    """A finding about one inference."""
    return Finding(
        kind=KIND,
        run_id=run.id,
        subject=subject,
        level=Level.WARN,
        began_at_ns=step.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=(step.span_id,),
        summary=summary,
        agent=step.agent or run.agent,
        trace_id=step.trace_id,
        lasting=lasting,
    )
