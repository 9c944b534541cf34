"""Steps, claims, impacts and changes laid in one order, repetitions folded, evidence marked.

Pure: what is shown, and when. `terminal` and `html` decide how it looks.
"""

from __future__ import annotations

import string
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from aftershock.model import Step, StepKind
from aftershock.policy.prices import COUNTED
from aftershock.runs.records import are_of_one_step, joined
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.notify.suspects_page import shares
from aftershock_collector.views.nesting import (
    caller_of,
    outgoing_by_span,
    with_agents,
    with_reached,
)
from aftershock_collector.views.run_words import is_alive
from aftershock_collector.wording import change_words, clean, outcome_words, step_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aftershock.model import Change, Claim, Impact
    from aftershock_collector.impact.suspects import Suspects

FOLD_PERIOD_MAX = 5  # the longest circle that the rules look for
MOMENTS = {StepKind.FACT, StepKind.MESSAGE, StepKind.DECISION, StepKind.APPROVAL}  # no duration
QUIET = {StepKind.AGENT, StepKind.HEARTBEAT}  # frames and signs of life: not things that were done


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `steps` holds every span that was folded into it."""

    at_ns: int
    until_ns: int | None  # None: it still lasts
    source: str  # step | finding | change
    kind: str  # of the step, the finding or the change
    what: str
    outcome: str = ""
    run_id: str = ""
    agent: str | None = None
    times: int = 1
    marks: tuple[str, ...] = ()  # letters of the findings that this line is evidence for
    mark: str = ""  # the letter of the finding that this line is
    level: str = ""
    effect: bool = False  # a tool call that can change something
    steps: tuple[Step, ...] = ()
    details: tuple[str, ...] = ()
    lasts_ns: int | None = None  # of a step that is still running: until now

    @property
    def spans(self) -> tuple[str, ...]:
        """Span ids that this line stands for."""
        return tuple(step.span_id for step in self.steps)


@dataclass(frozen=True, slots=True)
class Lane:
    """One agent within one run: its steps in order."""

    run_id: str
    agent: str | None
    steps: tuple[Step, ...]

    @property
    def done(self) -> int:
        """Steps as budgets count them; decisions, facts and messages are drawn, not counted."""
        return sum(step.kind in COUNTED for step in self.steps)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that one picture shows, on one axis."""

    began_ns: int
    ended_ns: int
    lanes: tuple[Lane, ...]
    entries: tuple[Entry, ...]
    claims: tuple[Claim, ...]  # in the order of their marks
    impacts: tuple[Impact, ...]
    changes: tuple[Change, ...]
    marks: dict[str, str]  # finding id → letter
    frames: tuple[Step, ...] = ()  # AGENT steps: when runs began and ended
    alive: frozenset[str] = frozenset()  # runs that have given a sign of life lately
    goals: Mapping[str, str] = field(default_factory=dict[str, str])  # by run, where recorded
    now_ns: int | None = None  # the moment that the picture shows; None: one of the past
    senders: tuple[str, ...] = ()  # of the steps shown
    apart: tuple[tuple[str, str], ...] = ()  # run and sender of what others added to these runs

    @property
    def runs(self) -> tuple[str, ...]:
        """Run ids in the order in which they began."""
        return tuple(dict.fromkeys(lane.run_id for lane in self.lanes))

    @property
    def steps(self) -> int:
        """How many things were done, counted as budgets count them."""
        return sum(lane.done for lane in self.lanes)


def lay_out(
    steps: Iterable[Step],
    claims: Iterable[Claim] = (),
    impacts: Iterable[Impact] = (),
    changes: Iterable[Change] = (),
    suspects: Iterable[Suspects] = (),
    *,
    now_ns: int | None = None,
) -> Timeline:
    """Order everything by event time; the same input in any order gives the same timeline.

    Args:
        steps: of one run or of several; open and ended versions of one span may both be there.
        claims: findings about these runs.
        impacts: attributions of these runs' actions.
        changes: of the infrastructure; those that impacts carry are added.
        suspects: of alerts among these changes.
        now_ns: now, for runs that are still going on; None for a picture of the past.

    Raises:
        ValueError: there is no step, so there is no axis.
    """
    given = list(steps)
    # A heartbeat carries the span id of the step that is alive: it must not stand in for it.
    known = distinct(step for step in given if step.kind is not StepKind.HEARTBEAT)
    if not known:
        raise ValueError("a timeline needs at least one step")
    known = with_reached(with_agents(known))
    frames = tuple(s for s in known if s.kind is StepKind.AGENT and not s.is_part)
    done = [step for step in known if step.kind not in QUIET]
    ordered = tuple(
        sorted(claims, key=lambda c: (c.finding.began_at_ns, c.finding.id, c.opened_at_ns))
    )
    ids = dict.fromkeys(claim.finding.id for claim in ordered)  # a finding may have several lives
    marks = {finding_id: letter(index) for index, finding_id in enumerate(ids)}
    judged = tuple(sorted(impacts, key=lambda i: (i.acted_at_ns, i.span_id, i.entity)))
    outside = distinct_changes(changes, judged)
    evidence = marks_by_span(ordered, marks)
    lanes = lanes_of(done, frames)
    alive = runs_alive(given, frames, now_ns)
    entries = [
        e
        for lane in lanes
        for e in fold(step_entries(lane, evidence, now_ns if lane.run_id in alive else None))
    ]
    entries += [finding_entry(claim, marks[claim.finding.id]) for claim in ordered]
    behind = {ranking.alert.id: ranking for ranking in suspects}
    entries += [change_entry(change, behind.get(change.id)) for change in outside]
    order = {"change": 0, "step": 1, "finding": 2}
    entries.sort(key=lambda e: (e.at_ns, order[e.source], e.run_id, e.what))
    began, ended = span_of(given, ordered, outside)
    return Timeline(
        began_ns=began,
        ended_ns=max(ended, now_ns) if alive and now_ns is not None else ended,
        lanes=lanes,
        entries=tuple(entries),
        claims=ordered,
        impacts=judged,
        changes=outside,
        marks=marks,
        frames=frames,
        alive=alive,
        now_ns=now_ns,
    )


def runs_alive(steps: Sequence[Step], frames: Sequence[Step], now_ns: int | None) -> frozenset[str]:
    """The runs that had not ended at `now_ns` and had given a sign of life shortly before."""
    if now_ns is None:
        return frozenset()
    ended = {frame.run_id for frame in frames if frame.ended_at_ns is not None}
    newest: dict[str, int] = {}
    for step in steps:
        newest[step.run_id] = max(newest.get(step.run_id, 0), step.last_ns)
    return frozenset(
        run_id
        for run_id, last_ns in newest.items()
        if run_id not in ended and is_alive(None, last_ns, now_ns)
    )


def distinct(steps: Iterable[Step]) -> list[Step]:
    """One step per span, from all records of it, ended where one of them is; in event order."""
    newest: dict[tuple[str, str], Step] = {}
    for step in steps:
        key = (step.run_id, step.span_id)
        there = newest.get(key)
        if there is not None and are_of_one_step(step, there):
            newest[key] = joined(step, there)
        elif there is None or (there.ended_at_ns is None and step.ended_at_ns is not None):
            newest[key] = step
    return sorted(newest.values(), key=lambda s: (s.began_at_ns, s.run_id, s.span_id))


def distinct_changes(changes: Iterable[Change], impacts: Sequence[Impact]) -> tuple[Change, ...]:
    """Changes given and changes that attributions carry, once each, in the order they began."""
    known = {change.id: change for change in changes}
    for impact in impacts:
        if impact.change is not None:
            known.setdefault(impact.change.id, impact.change)
    return tuple(sorted(known.values(), key=lambda c: (c.began_at_ns, c.id)))


def lanes_of(steps: Sequence[Step], frames: Sequence[Step]) -> tuple[Lane, ...]:
    """One lane per agent and run; a tool's own calls stand with the tool, not beside it."""
    tools = {(s.run_id, s.span_id) for s in steps if s.action is not None}
    made = outgoing_by_span(steps)
    grouped: dict[tuple[str, str | None], list[Step]] = defaultdict(list)
    for step in steps:
        if step.kind is StepKind.OUTGOING and caller_of(step, made) in tools:
            continue
        grouped[step.run_id, step.agent].append(step)
    for frame in frames:
        if all(run_id != frame.run_id for run_id, _ in grouped):
            grouped[frame.run_id, frame.agent] = []
    began = {key: lane[0].began_at_ns if lane else 0 for key, lane in grouped.items()}
    keys = sorted(grouped, key=lambda key: (began[key], key[0], key[1] or ""))
    return tuple(Lane(run_id, agent, tuple(grouped[run_id, agent])) for run_id, agent in keys)


def marks_by_span(claims: Sequence[Claim], marks: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """The letters of the findings that rest on a span, each once."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for claim in claims:
        for span_id in claim.finding.evidence:
            found[span_id][marks[claim.finding.id]] = None
    return {span_id: tuple(letters) for span_id, letters in found.items()}


def step_entries(
    lane: Lane, evidence: dict[str, tuple[str, ...]], now_ns: int | None = None
) -> list[Entry]:
    """One entry per step, with the marks of the findings that rest on it.

    `now_ns` is given where the run is alive: what has not ended is then still running.
    """
    return [
        Entry(
            at_ns=step.began_at_ns,
            until_ns=step.ended_at_ns,
            source="step",
            kind=step.kind.value,
            what=step_words(step),
            outcome="still running" if runs_now(step, now_ns) else outcome_words(step),
            run_id=lane.run_id,
            agent=lane.agent,
            marks=evidence.get(step.span_id, ()),
            effect=step.action is not None and step.action.tier.has_effect,
            steps=(step,),
            lasts_ns=now_ns - step.began_at_ns if now_ns and runs_now(step, now_ns) else None,
        )
        for step in lane.steps
    ]


def runs_now(step: Step, now_ns: int | None) -> bool:
    """True for a call that has not ended in a run that is alive."""
    return now_ns is not None and step.ended_at_ns is None and step.kind not in MOMENTS


def fold(entries: Sequence[Entry]) -> list[Entry]:
    """Blocks of one to five entries that repeat at once become one block with a count.

    Marks are part of what must be equal, so a fold never hides where the evidence starts.
    """
    folded: list[Entry] = []
    alike = [likeness(entry) for entry in entries]
    index = 0
    while index < len(entries):
        period, rounds = best_fold(alike, index)
        for offset in range(period):
            members = [entries[index + offset + period * n] for n in range(rounds)]
            folded.append(together(members))
        index += period * rounds
    return folded


def best_fold(alike: Sequence[object], start: int) -> tuple[int, int]:
    """(period, rounds) of the repetition at `start` that covers most entries, shortest first."""
    best = (1, 1)
    for period in range(1, FOLD_PERIOD_MAX + 1):
        block = alike[start : start + period]
        rounds = 1
        while alike[start + period * rounds : start + period * (rounds + 1)] == block:
            rounds += 1
        if rounds > 1 and period * rounds > best[0] * best[1]:
            best = (period, rounds)
    return best


def likeness(entry: Entry) -> object:
    """What two entries must share to be folded into one with a count."""
    action = entry.steps[0].action
    arguments = action.arguments.digest if action is not None else None
    tail = entry.until_ns is None
    return (entry.kind, entry.what, entry.outcome, arguments, entry.marks, tail)


def together(entries: Sequence[Entry]) -> Entry:
    """Several like entries as one line."""
    first, last = entries[0], entries[-1]
    steps = tuple(step for entry in entries for step in entry.steps)
    return replace(first, until_ns=last.until_ns, times=len(entries), steps=steps)


def finding_entry(claim: Claim, mark: str) -> Entry:
    """A finding's entry: at the time it was opened, not where its evidence began."""
    finding = claim.finding
    return Entry(
        at_ns=claim.opened_at_ns,
        until_ns=claim.closed_at_ns,
        source="finding",
        kind=finding.kind,
        what=clean(finding.summary),
        outcome=closing_words(claim),
        run_id=finding.run_id,
        agent=finding.agent,
        mark=mark,
        level=finding.level.value,
        details=tuple(clean(fact) for fact in finding.facts),
    )


def change_entry(change: Change, suspects: Suspects | None = None) -> Entry:
    """Something outside the agents, at the moment it began; an alert with its suspects."""
    return Entry(
        at_ns=change.began_at_ns,
        until_ns=change.ended_at_ns,
        source="change",
        kind=change.kind.value,
        what=change_words(change),
        outcome="" if suspects is None else f"suspects: {shares(suspects)}",
    )


def span_of(
    steps: Sequence[Step], claims: Sequence[Claim], changes: Sequence[Change]
) -> tuple[int, int]:
    """The axis: everything that agents did and that was said about it, and changes in between.

    Changes alone do not stretch it: an alert of last week would leave no room for the run.
    """
    began = min(step.began_at_ns for step in steps)
    ended = max(step.last_ns for step in steps)
    ended = max([ended, *(c.finding.as_of_ns for c in claims), *(c.opened_at_ns for c in claims)])
    near = [c.began_at_ns for c in changes if began - (ended - began) <= c.began_at_ns]
    return min([began, *near]), max(ended, began + 1)


def letter(index: int) -> str:
    """A, B, … Z, AA, AB: short enough to stand beside a step."""
    letters = string.ascii_uppercase
    rest, last = divmod(index, len(letters))
    return (letter(rest - 1) if rest else "") + letters[last]


def silences(lane: Lane, least_ns: int) -> list[tuple[int, int]]:
    """Stretches in which an agent did nothing that was seen: it waited, or was not recorded."""
    found: list[tuple[int, int]] = []
    reach = lane.steps[0].last_ns if lane.steps else 0
    for _, step in pairwise(lane.steps):
        if step.began_at_ns - reach >= least_ns:
            found.append((reach, step.began_at_ns))
        reach = max(reach, step.last_ns)
    return found
