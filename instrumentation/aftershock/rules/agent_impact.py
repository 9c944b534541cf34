"""agent_impact: an action of this run probably caused a degradation that has not ended."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from aftershock.grade import percent
from aftershock.model import Finding, Impact, Level, Run
from aftershock.rules.rule import Family, Lifetime, Timing, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "agent_impact"
_CERTAIN = "certain"  # a label: the change carries the trace of the action itself
_RARE, _UNUSUAL = 0.001, 0.02  # chances of a movement that are called so
_ALTERNATIVES_MAX = 4  # other explanations named in the facts; the attribution holds all


@rule(Family.IMPACT, Lifetime.ACTION, timing=Timing.LIVE)
def agent_impact(run: Run, limits: Limits) -> Iterator[Finding]:
    """Attributions to this run's actions that are at least suspected, until recovery."""
    for impact in run.impacts:
        if impact.probability is None or impact.recovered_at_ns is not None:
            continue
        sure = impact.strength
        if sure < limits.impact_warn:
            continue
        alarm = sure >= limits.impact_alarm
        broke_ns = impact.acted_at_ns if impact.change is None else impact.change.began_at_ns
        yield Finding(
            kind=KIND,
            run_id=run.id,
            subject=f"{impact.span_id}/{impact.entity}",
            level=Level.ALARM if alarm else Level.WARN,
            began_at_ns=broke_ns,
            as_of_ns=impact.judged_at_ns,
            evidence=(impact.span_id,),
            summary=_summary(impact, run),
            agent=impact.agent or run.agent,
            trace_id=impact.trace_id,
            facts=tuple(_facts(impact))[: limits.evidence_max],
            impact=impact,
        )


def _summary(impact: Impact, run: Run) -> str:
    """One sentence: who, how sure, what broke, how long after."""
    assert impact.probability is not None, "the rule skips impacts without a probability"
    who = impact.agent or run.agent or "an unnamed agent"
    subject = f"{who}'s {impact.tool} {_adverb(impact)}degraded {impact.entity}"
    sure = _CERTAIN if impact.label == _CERTAIN else percent(impact.probability)
    together = impact.strength
    if together > impact.probability:
        likeliest, alone = _likeliest(impact, who)
        subject = f"One of {impact.agent_actions} agent actions probably degraded {impact.entity}"
        subject += f", likeliest {likeliest}"
        sure = f"{percent(together)} together, {percent(alone)} alone"
    if impact.change is None:
        return f"{subject} ({sure})."
    what = f"{impact.change.name} {impact.change.detail}".strip()
    if impact.lead_ns is None:
        return f"{subject} ({sure}): {what}."
    return f"{subject} ({sure}): {what}, {_seconds(impact.lead_ns)} after the call."


def _likeliest(impact: Impact, who: str) -> tuple[str, float]:
    """The call that is likeliest of all agents', and how likely: not always the one that leads."""
    assert impact.probability is not None, "the rule skips impacts without a probability"
    own = f"{who}'s {impact.tool}", impact.probability
    others = [
        (f"{other.agent or 'an unnamed agent'}'s {other.name}", other.probability)
        for other in impact.alternatives
        if other.span_id is not None
    ]
    return max([own, *others], key=lambda named: named[1])


def _adverb(impact: Impact) -> str:
    if impact.label == _CERTAIN:
        return ""
    return "probably " if impact.label == "probable" else "may have "


def _facts(impact: Impact) -> Iterator[str]:
    """Parts, odds and alternatives; then context the agent had not read, and missing data."""
    if impact.label == _CERTAIN:
        back = (
            "" if impact.change is None else f" in {impact.change.name} of {impact.change.entity}"
        )
        yield f"exact link: the trace of this call came back{back}"
    else:
        yield from _compared(impact)
    yield from impact.logged
    for gap in impact.context_gap:
        yield f"had not been read: {gap}"
    for missing in impact.missing:
        yield f"less sure, because: {missing}"


def _compared(impact: Impact) -> Iterator[str]:
    """The parts of a probability, in words, and what else competed for it."""
    parts = impact.parts
    chance = exp(-parts.own)
    rare = "very unlikely" if chance <= _RARE else "unlikely" if chance <= _UNUSUAL else "not rare"
    yield (
        f"after the call {impact.entity} moved in a way that is {rare} by chance "
        f"({impact.comparable} earlier stretches compared)"
    )
    for nats, words in (
        (parts.before, "it was already unusual before the call"),
        (parts.callee, "something that it calls was unusual too"),
        (parts.alternative, "something that no agent acted on was unusual too"),
    ):
        if exp(-nats) <= _UNUSUAL:
            yield f"speaks against the action: {words}"
    for alternative in impact.alternatives[:_ALTERNATIVES_MAX]:
        what = (
            f"{alternative.agent}'s {alternative.name}" if alternative.agent else alternative.name
        )
        yield f"other explanation: {what} ({percent(alternative.probability)})"


def _seconds(nanoseconds: int) -> str:
    seconds = nanoseconds / 1e9
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
