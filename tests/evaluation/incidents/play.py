"""Plays simulated incidents through the live path: scraped text → series → scoring rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aftershock.grade import Effect as Outcome
from aftershock.model import Action, Change, ChangeKind, Fingerprint, Impact, Step, StepKind
from aftershock_collector.impact import ActionObserver
from aftershock_collector.metrics.exposition import samples_of, up
from aftershock_collector.metrics.measure import Measurer
from aftershock_collector.metrics.series import SeriesStore
from tests.evaluation.incidents.classes import HISTORY_SCRAPES, Act, Case
from tests.evaluation.incidents.world import TOPOLOGY, Effect, World

S = 1_000_000_000
T0 = 1_790_000_000 * S
TEXT = "text/plain; version=0.0.4"
BEYOND_SCRAPES = 14  # played after the damage is visible
SUSPECTED, PAGED = 0.5, 0.8


@dataclass(slots=True)
class Played:
    """What was shown of each action of one incident."""

    case: Case
    every_s: float
    peak: dict[str, float] = field(default_factory=dict[str, float])
    found_s: dict[str, float] = field(default_factory=dict[str, float])  # span → first suspected
    joint: dict[str, float] = field(default_factory=dict[str, float])  # of all that a page names
    newest: dict[str, Impact] = field(default_factory=dict[str, Impact])
    helped: set[str] = field(default_factory=set[str])
    onset_s: dict[str, float] = field(default_factory=dict[str, float])


def play(case: Case, every_s: float, seed: int, *, declared: bool = True) -> Played:
    """One incident from its first scrape to its end, a scoring round after every scrape."""
    start = HISTORY_SCRAPES * every_s
    world = World(case.shop(), [_moved(e, start) for e in case.effects], seed)
    observer, store, measurer = ActionObserver(), SeriesStore(), Measurer()
    topology: Mapping[str, list[str]] = TOPOLOGY if declared else {}
    played = Played(case, every_s)
    waiting = sorted(case.acts, key=lambda act: act.after)
    deploys = sorted(case.deploys, key=lambda pair: pair[1])
    seconds, end = 0.0, start + _lasts(case, every_s)
    while seconds <= end:
        for name, text in world.scrape(seconds, every_s).items():
            at_ns = T0 + int(seconds * S)
            resource = {"service.name": name}
            samples = [] if text is None else samples_of(text, TEXT, resource, at_ns)
            measurer.record([*samples, up(text is not None, resource, at_ns)], store)
        while waiting and start + waiting[0].after <= seconds:
            act = waiting.pop(0)
            observer.open(_step(act, T0 + int((start + act.after) * S)))
        while deploys and start + deploys[0][1] <= seconds:
            service, after = deploys.pop(0)
            at_ns = T0 + int((start + after) * S)
            entity = f"service/{service}"
            observer.on_change(
                Change(f"deploy/{after}", ChangeKind.DEPLOY, entity, "v2 by CI", at_ns)
            )
        now_ns = T0 + int((seconds + 0.1) * S)
        for impact in observer.score(now_ns, store, topology):
            _record(played, impact, seconds - start, start)
        seconds += every_s
    return played


def _record(played: Played, impact: Impact, seconds: float, start: float) -> None:
    span, shown = impact.span_id, impact.probability or 0.0
    played.newest[span] = impact
    if impact.recovered_at_ns is None:
        played.peak[span] = max(played.peak.get(span, 0.0), shown)
        together = [span, *(other.span_id for other in impact.alternatives if other.span_id)]
        for named in together if impact.any_agent else ():
            played.joint[named] = max(played.joint.get(named, 0.0), impact.any_agent or 0.0)
    if impact.effect is Outcome.HELPED:
        played.helped.add(span)
    if shown >= SUSPECTED:
        played.found_s.setdefault(span, seconds)
        played.onset_s.pop(span, None)  # an onset that is not said any more is not wrong
        if impact.change is not None and impact.lead_ns is not None:
            played.onset_s[span] = (impact.change.began_at_ns - T0) / S - start


def _lasts(case: Case, every_s: float) -> float:
    last = max([*(act.after for act in case.acts), *case.guilty.values()])
    last = max([last, *(e.since for e in case.effects if e.since < 1e8)])
    return case.lasts or last + BEYOND_SCRAPES * max(every_s, 1.5)


def _moved(effect: Effect, start: float) -> Effect:
    return replace(effect, since=effect.since + start, until=effect.until + start)


def _step(act: Act, at_ns: int) -> Step:
    action = Action(
        tool=act.tool,
        arguments=Fingerprint(digest=act.span),
        result=None,
        outcome=None,
        tier=act.tier,
        targets=(f"service/{act.service}",),
    )
    return Step(
        run_id=act.span,
        span_id=act.span,
        kind=StepKind.TOOL_CALL,
        name=act.tool,
        began_at_ns=at_ns,
        ended_at_ns=at_ns,
        action=action,
        agent=f"agent-{act.span}",
    )
