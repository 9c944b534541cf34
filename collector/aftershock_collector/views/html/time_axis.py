"""The time axis of the document, and what agents did on it: findings above, one lane per agent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aftershock.grade import SUSPECTED_FROM
from aftershock.model import Level, Outcome, StepKind
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.views.chart import across
from aftershock_collector.views.html.templates import position
from aftershock_collector.views.timeline import Lane, Timeline, silences
from aftershock_collector.wording import (
    NS,
    attribution_words,
    clean,
    clock,
    counted,
    lasted,
    outcome_words,
    short,
    step_words,
    tier_words,
    who,
    zoned_clock,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aftershock.model import Claim, Step
    from aftershock_collector.views.chart import Plot

ROWS_MAX = 5  # parallel steps of one agent that get a row of their own
BARS_MAX = 4_000  # a document of 3 MB; the table below the picture is bounded with it
WAIT_SHARE = 0.01  # of the axis: shorter pauses are not drawn
TICK_STEPS_S = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600,
    43_200, 86_400, 604_800,
)  # fmt: skip
TICKS_MAX = 12
LABEL_SHARE_MAX = 0.95  # a label beyond would be cut
POINTS = {StepKind.DECISION, StepKind.FACT, StepKind.MESSAGE, StepKind.APPROVAL, StepKind.HAND_OFF}


@dataclass(slots=True)
class Axis:
    """The time axis, and the details of everything drawn on it, by number."""

    began_ns: int
    ended_ns: int
    details: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    bars: int = 0

    def share(self, at_ns: int) -> float:
        """A moment as a share of the axis, clipped to it."""
        return min(max(across(at_ns, self.began_ns, self.ended_ns), 0.0), 1.0)

    def add_detail(
        self, title: str, rows: Iterable[tuple[str, str]], marks: Iterable[str] = ()
    ) -> int:
        """Keep what a click shows; returns the number that the element carries."""
        kept = [[key, value] for key, value in rows if value]
        self.details.append({"title": title, "rows": kept, "marks": list(marks)})
        return len(self.details) - 1


@dataclass(frozen=True, slots=True)
class Tick:
    """One time on the scale."""

    label: str
    style: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding above the lanes: its span, ticks at its evidence, its sentence."""

    rule: str
    agent: str
    tone: str
    mark: str
    sentence: str
    number: int
    begin: str
    reach: str
    opened: str
    notches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """A stretch in which nothing was recorded."""

    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One step."""

    classes: str
    style: str
    spoken: str
    name: str
    number: int
    marks: str
    badges: tuple[str, ...]
    focusable: bool


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One agent's steps as bars, parallel ones below each other."""

    agent: str
    run: str
    steps: str
    style: str
    waits: tuple[Wait, ...]
    bars: tuple[Bar, ...]


def axis_of(timeline: Timeline, plots: Sequence[Plot]) -> Axis:
    """Agents and series on one axis: some of what was before, and what came after.

    Series may reach far back for their baseline; more than a quarter of the run's own length
    would press the run into a corner.
    """
    long = timeline.ended_ns - timeline.began_ns
    first = min((p.points[0][0] for p in plots if p.points), default=timeline.began_ns)
    last = max((p.points[-1][0] for p in plots if p.points), default=timeline.ended_ns)
    before, after = max(long // 4, 20 * NS), max(long, 60 * NS)
    began = min(timeline.began_ns, max(first, timeline.began_ns - before))
    ended = max(timeline.ended_ns, min(last, timeline.ended_ns + after))
    air = max((ended - began) // 100, 1)
    return Axis(began - air, ended + air)


def ticks(axis: Axis) -> list[Tick]:
    """The scale."""
    long = axis.ended_ns - axis.began_ns
    step = next((s for s in TICK_STEPS_S if long / NS / s <= TICKS_MAX), TICK_STEPS_S[-1])
    size = int(step * NS)
    first = -(-axis.began_ns // size)
    shares = {n * size: axis.share(n * size) for n in range(first, axis.ended_ns // size + 1)}
    return [
        Tick(clock(at, tenths=step < 1), position(a=share))
        for at, share in shares.items()
        if share <= LABEL_SHARE_MAX
    ]


# --- Findings -------------------------------------------------------------------------------


def finding_rows(timeline: Timeline, axis: Axis) -> list[FindingRow]:
    """One slim line per finding."""
    times = {step.span_id: step.began_at_ns for lane in timeline.lanes for step in lane.steps}
    return [finding_row(claim, timeline, axis, times) for claim in timeline.claims]


def tone_of(claim: Claim) -> str:
    """The colour: red only for alarms, and for attributions only from P .5 on."""
    impact = claim.finding.impact
    if impact is not None and (impact.probability or 0.0) < SUSPECTED_FROM:
        return "calm"
    return "alarm" if claim.finding.level is Level.ALARM else "warn"


def finding_row(claim: Claim, timeline: Timeline, axis: Axis, times: dict[str, int]) -> FindingRow:
    """A finding above the lanes."""
    finding = claim.finding
    mark = timeline.marks[finding.id]
    sentence = clean(attribution_words(finding.impact) if finding.impact else finding.summary)
    closed = claim.closed_at_ns
    begin, end = axis.share(finding.began_at_ns), axis.share(closed or axis.ended_ns)
    over = f"{clock(closed)}, {closing_words(claim)}" if closed else "still open"
    number = axis.add_detail(
        sentence,
        [
            ("rule", finding.kind),
            ("level", finding.level.value),
            ("began", f"{zoned_clock(finding.began_at_ns)}"),
            ("reported", f"{zoned_clock(claim.opened_at_ns)}"),
            ("closed", over),
            ("evidence", counted(len(finding.evidence), "step")),
            *(("", clean(fact)) for fact in finding.facts),
            ("finding", clean(finding.id)),
        ],
        [mark],
    )
    seen = sorted({times[span] for span in finding.evidence if span in times})
    return FindingRow(
        rule=finding.kind.replace("_", " "),
        agent=who(finding.agent),
        tone=tone_of(claim),
        mark=mark,
        sentence=sentence,
        number=number,
        begin=position(a=begin),
        reach=position(a=begin, w=end - begin),
        opened=position(a=axis.share(claim.opened_at_ns)),
        notches=tuple(position(a=axis.share(at)) for at in seen),
    )


# --- Lanes ----------------------------------------------------------------------------------


def lane_rows(timeline: Timeline, axis: Axis) -> list[LaneRow]:
    """One lane per agent and run."""
    evidence: dict[str, str] = {}
    ends: set[tuple[str, str]] = set()
    for claim in timeline.claims:
        mark = timeline.marks[claim.finding.id]
        shown = claim.finding.evidence
        ends |= {(mark, span) for span in (shown[0], shown[-1])}
        for span in shown:
            evidence[span] = evidence.get(span, "") + mark + " "
    return [lane_row(lane, axis, evidence, ends) for lane in timeline.lanes]


def lane_row(
    lane: Lane, axis: Axis, evidence: dict[str, str], ends: set[tuple[str, str]]
) -> LaneRow:
    """An agent's steps as bars."""
    levels = stacked(lane.steps)
    least = int((axis.ended_ns - axis.began_ns) * WAIT_SHARE)
    waits = [
        Wait(
            label=f"nothing recorded for {lasted(b - a)}",
            style=position(a=axis.share(a), w=axis.share(b) - axis.share(a)),
        )
        for a, b in silences(lane, least)
    ]
    bars: list[Bar] = []
    for step, level in zip(lane.steps, levels, strict=True):
        if axis.bars >= BARS_MAX:
            break
        axis.bars += 1
        marks = evidence.get(step.span_id, "").split()
        badges = [mark for mark in marks if (mark, step.span_id) in ends]
        bars.append(bar(step, level, axis, marks, badges))
    return LaneRow(
        agent=who(lane.agent),
        run=f"run {short(lane.run_id)}",
        steps=counted(lane.done, "step"),
        style=position(rows=max(levels, default=0) + 1),
        waits=tuple(waits),
        bars=tuple(bars),
    )


def stacked(steps: Sequence[Step]) -> list[int]:
    """The row of each step: the first that is free when it begins."""
    free_from: list[int] = []
    levels: list[int] = []
    for step in steps:
        end = step.last_ns if step.kind in POINTS or step.ended_at_ns is not None else 1 << 63
        level = next((n for n, at in enumerate(free_from) if at <= step.began_at_ns), None)
        if level is None:
            level = min(len(free_from), ROWS_MAX - 1)
            if level == len(free_from):
                free_from.append(end)
        free_from[level] = max(free_from[level], end)
        levels.append(level)
    return levels


def classes_of(step: Step) -> str:
    """The classes of a bar, from what the step is and how it went."""
    action = step.action
    if action is not None:
        kind = "effect" if action.tier.has_effect else "read"
        bad = action.outcome not in {None, Outcome.OK} or step.error is not None
    else:
        shapes = {StepKind.INFERENCE: "inference", StepKind.RETRIEVAL: "read"}
        kind = "point" if step.kind in POINTS else shapes.get(step.kind, "other")
        kind = f"point {step.kind.value}" if kind == "point" else kind
        bad = step.error is not None
    still = step.ended_at_ns is None and step.kind not in POINTS
    return " ".join(["bar", kind, *(["bad"] if bad else []), *(["open"] if still else [])])


def bar(step: Step, level: int, axis: Axis, marks: list[str], badges: list[str]) -> Bar:
    """One step."""
    words = step_words(step)
    outcome = outcome_words(step)
    begin = axis.share(step.began_at_ns)
    end = axis.share(axis.ended_ns if step.ended_at_ns is None else step.ended_at_ns)
    long = None if step.ended_at_ns is None else lasted(step.ended_at_ns - step.began_at_ns)
    return Bar(
        classes=classes_of(step),
        style=position(a=begin, w=0.0 if step.kind in POINTS else end - begin, level=level),
        spoken=", ".join(filter(None, [words, clock(step.began_at_ns), long, outcome])),
        name=clean(step.action.tool if step.action else step.name, 60),
        number=axis.add_detail(words, detail_rows(step, outcome, long), marks),
        marks=" ".join(marks),
        badges=tuple(badges),
        focusable=step.action is not None and step.action.tier.has_effect,
    )


def detail_rows(step: Step, outcome: str, long: str | None) -> list[tuple[str, str]]:
    """What a click on a step shows: names, times, sizes and ids, no content."""
    action, tokens = step.action, step.tokens
    rows = [
        ("agent", who(step.agent)),
        ("kind", step.kind.value.replace("_", " ")),
        ("at", f"{zoned_clock(step.began_at_ns, tenths=True)}"),
        ("lasted", long or "not ended"),
        ("outcome", outcome),
    ]
    if action is not None:
        rows += [
            ("tier", tier_words(action.tier)),
            ("targets", ", ".join(clean(target, 80) for target in action.targets)),
            ("needs", ", ".join(clean(f"{r.kind} {r.subject}", 80) for r in action.requires)),
            ("arguments", f"#{action.arguments.digest[:8]}"),
            ("result", f"#{action.result.digest[:8]}" if action.result else "not seen"),
        ]
    if tokens is not None:
        rows.append(("tokens", f"{tokens.input:,} in, {tokens.output:,} out"))
    return [*rows, ("trace", clean(step.trace_id, 32)), ("span", clean(step.span_id, 32))]
