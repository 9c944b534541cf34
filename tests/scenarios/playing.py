"""Scenarios played live: start events, ends and heartbeats as they happen, a tick after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from aftershock.approval import Gate
from aftershock.model import Change, Claim, Impact, Step, StepKind
from aftershock_collector.engine.engine import Engine
from aftershock_collector.views.terminal.timeline_text import plain
from aftershock_collector.views.timeline import lay_out
from tests.support.scenario import S, Scenario

TICK_NS = 10 * S  # while nothing happens
Scenarios = dict[str, Callable[[], str]]


def events_of(scenario: Scenario) -> Iterator[tuple[int, Step]]:
    """What a run sends, with when: a call's start and its end, a heartbeat, its own end."""
    for step in (*scenario.steps, *scenario.heartbeats):
        if step.action is not None:
            unseen = replace(step.action, result=None, outcome=None, error_class=None, words=None)
            yield (
                step.began_at_ns,
                replace(step, ended_at_ns=None, error=None, action=unseen, facts=()),
            )
        elif step.approval is not None and step.ended_at_ns != step.began_at_ns:
            waiting = replace(step.approval, outcome=Gate.ASK, by=None, expires_at_ns=None)
            yield step.began_at_ns, replace(step, ended_at_ns=None, approval=waiting)
        if step.ended_at_ns is not None:
            yield step.ended_at_ns, step
    if scenario.ended_at_ns is not None:
        yield (
            scenario.ended_at_ns,
            Step(
                run_id=scenario.id,
                span_id="root",
                kind=StepKind.AGENT,
                name=scenario.agent or "agent",
                began_at_ns=scenario.steps[0].began_at_ns,
                ended_at_ns=scenario.ended_at_ns,
                agent=scenario.agent,
                error=scenario.error,
            ),
        )


def play(
    *scenarios: Scenario,
    engine: Engine | None = None,
    changes: Sequence[Change] = (),
    between: Callable[[Engine, int], None] = lambda _engine, _now_ns: None,
) -> str:
    """The timeline of runs that a collector watched to where they stand, as text.

    `between` is called before each tick, with the tick's time: what is measured comes in there.
    """
    policy = scenarios[0].policy
    if engine is None:
        engine = Engine(policy)
    claims: dict[str, Claim] = {}
    impacts: dict[str, Impact] = {}

    def tick(now_ns: int) -> None:
        between(engine, now_ns)
        report = engine.conclude(now_ns)
        for claim in (*report.opened, *report.updated, *report.closed):
            claims[claim.finding.id] = claim
        impacts.update({impact.span_id: impact for impact in report.impacts})

    events = sorted(
        (event for scenario in scenarios for event in events_of(scenario)),
        key=lambda event: (event[0], event[1].span_id, event[1].ended_at_ns is not None),
    )
    waiting = sorted(changes, key=lambda change: change.began_at_ns)
    ticked_ns = events[0][0]
    for now_ns, step in events:
        for silent_ns in range(ticked_ns + TICK_NS, now_ns, TICK_NS):
            tick(silent_ns)
        while waiting and waiting[0].began_at_ns <= now_ns:
            engine.learn(waiting.pop(0), now_ns)
        engine.observe([step], now_ns)
        tick(now_ns)
        ticked_ns = now_ns
    last_ns = max(scenario.now_ns for scenario in scenarios)
    for silent_ns in range(ticked_ns + TICK_NS, last_ns + TICK_NS, TICK_NS):
        tick(min(silent_ns, last_ns))
    if any(scenario.ended_at_ns is not None for scenario in scenarios):
        tick(last_ns + int(policy.limits.settle_s * 1e9))  # the end is known to be the end
    steps = [step for scenario in scenarios for step in (*scenario.steps, *scenario.heartbeats)]
    return plain(lay_out(steps, claims.values(), impacts.values(), changes))
