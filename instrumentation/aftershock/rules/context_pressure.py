"""context_pressure: a model's context window is nearly full, or was compacted."""

from __future__ import annotations

from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Run, Step, StepKind
from aftershock.policy.prices import window_of
from aftershock.rules.rule import Family, Lifetime, rule
from aftershock.rules.tail import STEPS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "context_pressure"
PACE_INFERENCES = 5  # whose median is compared: one slow answer is nobody's trend
SECONDS_MIN = 1.0  # quicker ones count as this: three times nothing is nothing


@rule(Family.LIMITS, Lifetime.STATE, after=frozenset({StepKind.INFERENCE}))
def context_pressure(run: Run, limits: Limits) -> Iterator[Finding]:
    """The share of the context window that each agent's newest inference used, and its slowness.

    It only warns.

    Beyond the limit, frameworks cut or summarise the messages, and models overlook content in the
    middle. A compaction that was recorded is reported too, and inferences that take several times
    as long as the first ones while their context grew as well.
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
    yield from slowed_down(run, limits)
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


def slowed_down(run: Run, limits: Limits) -> Iterator[Finding]:
    """An agent whose newest inferences take several times as long as its first ones.

    Longer answers take longer too, so seconds are compared for each token that came out.
    """
    newest = run.newest
    if newest is None or newest.kind is not StepKind.INFERENCE or run.dropped_steps:
        return
    timed = [step for step in run.steps if step.agent == newest.agent and pace_of(step) is not None]
    if len(timed) < 2 * PACE_INFERENCES:
        return
    first, last = timed[:PACE_INFERENCES], timed[-PACE_INFERENCES:]
    slower = median(map(seconds_of, last)) / max(median(map(seconds_of, first)), SECONDS_MIN)
    paces = [median(pace_of(step) or 0.0 for step in part) for part in (first, last)]
    grown = median(map(input_of, last)) / median(map(input_of, first))
    factor = limits.slower_factor
    if min(slower, grown, paces[1] / paces[0]) >= factor:
        yield pressure_finding(
            run,
            newest,
            subject=f"{newest.agent or 'agent'}/slower",
            summary=f"Inferences take {slower:.0f} times as long as at first, and their context is "
            f"{grown:.0f} times as large.",
        )


def seconds_of(step: Step) -> float:
    """How long a step lasted."""
    return (step.last_ns - step.began_at_ns) / 1e9


def input_of(step: Step) -> int:
    """Tokens that an inference was sent."""
    return step.tokens.input if step.tokens is not None else 0


def pace_of(step: Step) -> float | None:
    """Seconds for each token of an inference's answer; None where either is not known."""
    if step.kind is not StepKind.INFERENCE or step.tokens is None:
        return None
    if not step.tokens.input or not step.tokens.output or step.last_ns <= step.began_at_ns:
        return None
    return seconds_of(step) / step.tokens.output


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
