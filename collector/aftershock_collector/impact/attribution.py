"""From one round's standing to an Impact: its grade, change, charts, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aftershock.grade import SUSPECTED_FROM, Effect, Grade, grade_of
from aftershock.model import Alternative, Change, ChangeKind, Impact, Parts
from aftershock_collector.impact.aftermath import change_of, chart_of
from aftershock_collector.impact.helped import improvement, unchanged
from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.placebos import BASELINE_POINTS, HISTORY_MIN
from aftershock_collector.impact.scoring import Standing
from aftershock_collector.impact.weighing import NOTHING, Evidence, Movement
from aftershock_collector.wording import NO_AGENT, age

ALTERNATIVES_MAX = 8  # shown beside "no agent action", likeliest first
CHARTS_MAX = 3  # the worst series of the target
CHART_NATS = 3.0  # p .05: below this a series did nothing worth a second chart
HISTORY_SHORT_NS = 120 * 10**9  # less is said to be missing, however fast the scrapes are
COMPARABLE_FEW = 30  # earlier stretches below which an attribution says that it had few

UNVOUCHED = "whoever named its trace showed no token, and no topology relates the two"

NO_PARTS = Parts(own=0.0, before=0.0, callee=0.0, alternative=0.0)


def impact_of(
    standing: Standing,
    probability: float | None,
    now_ns: int,
    *,
    gap: tuple[str, ...],
    missing: tuple[str, ...],
) -> Impact:
    """The attribution of one action after a round; `probability` is the one that is shown."""
    opened, step = standing.opened, standing.opened.step
    moved = [m for m in standing.evidence.movements[:CHARTS_MAX] if m.cut.last > m.cut.first]
    change, onset, sharp = None, None, True
    trouble = standing.evidence.trouble
    received = trouble.nats if trouble is not None else 0.0
    if trouble is not None and probability is not None and received > _worst(moved):
        change = trouble.change
    elif probability is not None and _worst(moved) >= CHART_NATS:
        metric = moved[0].cut.series.metric
        change = change_of(moved[0], opened.effect_ns, f"{step.span_id}/{standing.target}/{metric}")
        onset = standing.onset
        sharp = onset is None or onset.is_sharp(moved[0].cut.cadence_ns)
    shown = [m for i, m in enumerate(moved) if not i or m.after >= CHART_NATS]
    return Impact(
        span_id=step.span_id,
        trace_id=step.trace_id,
        run_id=step.run_id,
        agent=step.agent,
        tool=opened.action.tool,
        acted_at_ns=opened.effect_ns,
        entity=standing.target,
        probability=probability,
        label=grade_of(probability),
        parts=_shown(standing.parts),
        alternatives=() if probability is None else alternatives_of(standing, probability),
        judged_at_ns=now_ns,
        change=change,
        lead_ns=change.began_at_ns - opened.effect_ns if change is not None and sharp else None,
        comparable=moved[0].comparable if moved else 0,
        context_gap=gap,
        missing=missing,
        logged=opened.action.logged,
        charts=tuple(chart_of(m, opened.effect_ns) for m in shown),
        effect=_effect(standing, probability),
        onset_range_ns=() if onset is None else (onset.low_ns, onset.high_ns),
    )


def _worst(moved: Sequence[Movement]) -> float:
    return moved[0].after if moved else 0.0


def _effect(standing: Standing, probability: float | None) -> Effect:
    """What the action did, as far as its target's series show."""
    if probability is not None and probability >= SUSPECTED_FROM:
        return Effect.DEGRADED
    effect_ns = standing.opened.effect_ns
    better = improvement(standing.evidence, effect_ns)
    if better is not None and better.probability >= SUSPECTED_FROM:
        return Effect.HELPED
    return Effect.UNCHANGED if unchanged(standing.evidence, effect_ns) else Effect.UNCLEAR


def unmeasured(opened: OpenAction, now_ns: int, missing: tuple[str, ...]) -> Impact:
    """The attribution of an action of whose targets nothing is measured."""
    silent = Standing(opened, opened.targets[0], NOTHING, NO_PARTS, 0.0, measured=False)
    attribution = impact_of(silent, None, now_ns, gap=(), missing=missing)
    return replace(attribution, label=Grade.NO_EVIDENCE)


def certain(opened: OpenAction, change: Change, now_ns: int) -> Impact:
    """The attribution where a change carried the action's own trace: nothing competes with it."""
    best = opened.best or unmeasured(opened, now_ns, ())
    suspected = (best.probability or 0.0) >= SUSPECTED_FROM
    return replace(
        best,
        entity=best.entity if suspected else change.entity,
        probability=1.0,
        label=Grade.CERTAIN,
        alternatives=(Alternative(None, None, NO_AGENT, 0.0),),
        any_agent=None,
        judged_at_ns=now_ns,
        change=change,
        lead_ns=max(0, change.began_at_ns - opened.effect_ns),
        missing=(),
        recovered_at_ns=change.ended_at_ns,
    )


def alleged(opened: OpenAction, change: Change, now_ns: int) -> Impact:
    """The attribution where a change named the action's trace and nobody vouches for that."""
    return replace(
        certain(opened, change, now_ns),
        entity=change.entity,
        probability=SUSPECTED_FROM,
        label=grade_of(SUSPECTED_FROM),
        alternatives=(Alternative(None, None, NO_AGENT, 1.0 - SUSPECTED_FROM),),
        missing=(UNVOUCHED,),
    )


def ruled_out(best: Impact, by: Impact) -> Impact:
    """The attribution where the same damage carried another action's trace."""
    culprit = Alternative(by.span_id, by.run_id, by.tool, 1.0, by.trace_id, by.agent)
    alternatives = (culprit, Alternative(None, None, NO_AGENT, 0.0))
    return replace(
        best,
        probability=0.0,
        label=Grade.NO_EVIDENCE,
        alternatives=alternatives,
        any_agent=None,
        change=None,
        lead_ns=None,
    )


def alternatives_of(standing: Standing, probability: float) -> tuple[Alternative, ...]:
    """Every other explanation of the same damage, likeliest first, "no agent action" among them.

    The other explanations share what the shown probability leaves, in the round's proportions.
    """
    left = 1.0 - standing.probability
    scale = (1.0 - probability) / left if left > 0 else 0.0
    others = [alternative_of(opened, share * scale) for opened, share in standing.shares]
    others.sort(key=lambda alternative: -alternative.probability)
    outside = [
        Alternative(None, None, words_of(change), share)
        for change, share in ((change, share * scale) for change, share in standing.outside)
    ]
    no_agent = standing.no_agent - sum(share for _, share in standing.outside)
    if standing.source is not None:
        entity, share = standing.source
        no_agent -= share
        outside.append(Alternative(None, None, f"trouble that began in {entity}", share * scale))
    for words, share in standing.reasons:
        no_agent -= share
        outside.append(Alternative(None, None, words, share * scale))
    if standing.shared is not None:
        outside.append(Alternative(None, None, standing.shared.words, max(0.0, no_agent * scale)))
        no_agent = 0.0
    named = [
        *others[:ALTERNATIVES_MAX],
        *outside,
        Alternative(None, None, NO_AGENT, max(0.0, no_agent * scale)),
    ]
    return tuple(sorted(named, key=lambda alternative: -alternative.probability))


def words_of(change: Change) -> str:
    """What others did, as the page names it: `deploy of checkout 2.1.4 by CI`."""
    if change.kind is ChangeKind.DEPLOY:
        return f"deploy of {change.entity.rpartition('/')[2]} {change.name}"
    return f"{change.kind.value} {change.name} of {change.entity}"


def alternative_of(opened: OpenAction, share: float) -> Alternative:
    """Another agent's action, or another one of the same agent's."""
    step = opened.step
    tool = opened.action.tool
    return Alternative(step.span_id, step.run_id, tool, share, step.trace_id, step.agent)


def lacking(standing: Standing, *, topology: bool) -> tuple[str, ...]:
    """Why this attribution is no surer, in words."""
    words: list[str] = []
    longest, comparable = standing.evidence.longest, standing.evidence.comparable
    if longest is not None:
        seen_ns = standing.opened.effect_ns - longest.began_ns
        if longest.points < BASELINE_POINTS + COMPARABLE_FEW or seen_ns < HISTORY_SHORT_NS:
            words.append(f"only {age(seen_ns)} of history before the action")
        elif comparable < COMPARABLE_FEW:
            words.append(f"only {comparable} earlier stretches away from other actions")
    if not topology:
        words.append("which services call each other is not known")
    return tuple(words)


def _shown(parts: Parts) -> Parts:
    """Parts without negative numbers: the price of several series can exceed the surprise."""
    return Parts(
        own=max(0.0, parts.own),
        before=max(0.0, parts.before),
        callee=max(0.0, parts.callee),
        alternative=max(0.0, parts.alternative),
    )


def enough(evidence: Evidence) -> bool:
    """True where something was measured for long enough to be judged."""
    longest = evidence.longest
    return (longest is not None and longest.points >= HISTORY_MIN) or evidence.trouble is not None
