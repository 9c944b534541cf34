"""From the parts of one look to an Impact: the label, the change, the charts, what is missing."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Alternative, Change, Impact, Parts
from aftershock_collector.impact.aftermath import change_of, chart_of
from aftershock_collector.impact.competition import CERTAIN, SUSPECTED, label
from aftershock_collector.impact.evidence import NOTHING, Evidence
from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.placebos import BASELINE_POINTS, HISTORY_MIN
from aftershock_collector.impact.quantities import duration
from aftershock_collector.impact.scoring import ScoringRound, Standing

NOT_ENOUGH = "not enough data"
NO_EVIDENCE = "no metric evidence"
NOBODY = "no agent action"
ALTERNATIVES_MAX = 8  # shown beside "no agent action", likeliest first
CHARTS_MAX = 3  # the worst series of the target
CHART_NATS = 3.0  # p .05: below this a series did nothing worth a second chart
COMPARABLE_FEW = 30  # earlier windows below which a verdict says that it had few

NO_PARTS = Parts(own=0.0, before=0.0, callee=0.0, alternative=0.0)


def impact_of(
    standing: Standing,
    probability: float | None,
    alternatives: tuple[Alternative, ...],
    now_ns: int,
    *,
    gap: tuple[str, ...],
    missing: tuple[str, ...],
) -> Impact:
    """The verdict of one look on one action."""
    opened, step = standing.opened, standing.opened.step
    moved = [m for m in standing.evidence.movements if len(m.cut.post)]
    change = None
    heard = standing.evidence.heard
    told = heard.nats if heard is not None else 0.0
    if heard is not None and probability is not None and told > (moved[0].after if moved else 0.0):
        change = heard.change
    elif probability is not None and moved and moved[0].after >= CHART_NATS:
        worst = moved[0]
        change = change_of(
            worst, opened.effect_ns, f"{step.span_id}/{standing.target}/{worst.cut.series.metric}"
        )
    shown = [m for i, m in enumerate(moved[:CHARTS_MAX]) if not i or m.after >= CHART_NATS]
    return Impact(
        span_id=step.span_id,
        trace_id=step.trace_id,
        run_id=step.run_id,
        agent=step.agent,
        tool=opened.action.tool,
        acted_at_ns=opened.effect_ns,
        entity=standing.target,
        probability=probability,
        label=NOT_ENOUGH if probability is None else label(probability),
        parts=_shown(standing.parts),
        alternatives=alternatives,
        judged_at_ns=now_ns,
        change=change,
        lead_ns=None if change is None else change.began_at_ns - opened.effect_ns,
        comparable=moved[0].comparable if moved else 0,
        context_gap=gap,
        missing=missing,
        charts=tuple(chart_of(m, opened.effect_ns) for m in shown),
    )


def unmeasured(opened: OpenAction, now_ns: int, missing: tuple[str, ...]) -> Impact:
    """The verdict on an action whose targets say nothing at all."""
    silent = Standing(opened, opened.targets[0], NOTHING, NO_PARTS, 0.0, measured=False)
    verdict = impact_of(silent, None, (), now_ns, gap=(), missing=missing)
    return replace(verdict, label=NO_EVIDENCE)


def certain(opened: OpenAction, change: Change, now_ns: int) -> Impact:
    """The verdict where a change brought the action's own trace back: nothing competes with it."""
    best = opened.best or unmeasured(opened, now_ns, ())
    suspected = (best.probability or 0.0) >= SUSPECTED
    return replace(
        best,
        entity=best.entity if suspected else change.entity,
        probability=1.0,
        label=CERTAIN,
        alternatives=(Alternative(None, None, NOBODY, 0.0),),
        judged_at_ns=now_ns,
        change=change,
        lead_ns=max(0, change.began_at_ns - opened.effect_ns),
        missing=(),
        recovered_at_ns=change.ended_at_ns,
    )


def acquitted(best: Impact, by: Impact) -> Impact:
    """The verdict where another action's trace came back from the same damage."""
    culprit = Alternative(by.span_id, by.run_id, by.tool, 1.0, by.trace_id, by.agent)
    alternatives = (culprit, Alternative(None, None, NOBODY, 0.0))
    return replace(
        best,
        probability=0.0,
        label=label(0.0),
        alternatives=alternatives,
        change=None,
        lead_ns=None,
    )


def alternatives_of(own: OpenAction, seen: ScoringRound) -> tuple[Alternative, ...]:
    """Every other explanation of the same look, likeliest first, "no agent action" among them."""
    others = [
        alternative_of(s.opened, share)
        for s, share in zip(seen.standings, seen.shares.candidates, strict=True)
        if s.opened is not own
    ]
    others.sort(key=lambda alternative: -alternative.probability)
    outside = [
        Alternative(None, None, f"{change.kind.value} {change.name} of {change.entity}", share)
        for change, share in seen.others
    ]
    alternatives = [
        *others[:ALTERNATIVES_MAX],
        *outside,
        Alternative(None, None, NOBODY, seen.shares.nobody),
    ]
    return tuple(sorted(alternatives, key=lambda alternative: -alternative.probability))


def alternative_of(opened: OpenAction, share: float) -> Alternative:
    """Another agent's action, or another one of the same agent's."""
    step = opened.step
    tool = opened.action.tool
    return Alternative(step.span_id, step.run_id, tool, share, step.trace_id, step.agent)


def lacking(standing: Standing, *, topology: bool) -> tuple[str, ...]:
    """What would have made this verdict surer, in sentences."""
    words: list[str] = []
    movements = standing.evidence.movements
    if movements:
        comparable = max(m.comparable for m in movements)
        longest = max(movements, key=lambda m: len(m.cut.history)).cut
        if len(longest.history) < BASELINE_POINTS + COMPARABLE_FEW:
            seen_ns = standing.opened.effect_ns - int(longest.series.times_ns[0])
            words.append(f"only {duration(seen_ns)} of history before the action")
        elif comparable < COMPARABLE_FEW:
            words.append(f"only {comparable} earlier windows away from other actions")
    if not topology:
        words.append("which services call each other is not known")
    return tuple(words)


def _shown(parts: Parts) -> Parts:
    """Less than no surprise (the price of several series was higher) is none."""
    return Parts(
        own=max(0.0, parts.own),
        before=max(0.0, parts.before),
        callee=max(0.0, parts.callee),
        alternative=max(0.0, parts.alternative),
    )


def enough(evidence: Evidence) -> bool:
    """True where something was measured for long enough to be judged."""
    return evidence.history_points >= HISTORY_MIN or evidence.heard is not None
