"""Exact links: which action a trace that came back points at, and what that does to verdicts."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from aftershock.model import (
    Action,
    Change,
    ChangeKind,
    Claim,
    Closing,
    Fingerprint,
    Outcome,
    Step,
    StepKind,
    Tier,
)
from aftershock_collector.engine.engine import Engine
from aftershock_collector.impact import links as module
from aftershock_collector.impact.links import Links
from aftershock_collector.impact.suspects import LINKED

S = 10**9
T0 = 1_790_000_000 * S
TRACE, OTHER = "aa" * 16, "bb" * 16


def at(seconds: float) -> int:
    return T0 + int(seconds * S)


def call(
    span: str,
    began: float,
    ended: float | None,
    *targets: str,
    tier: Tier = Tier.WRITE,
    trace: str = TRACE,
    run: str = "run",
) -> Step:
    return Step(
        run_id=run,
        span_id=span,
        trace_id=trace,
        kind=StepKind.TOOL_CALL,
        name=span,
        began_at_ns=at(began),
        ended_at_ns=None if ended is None else at(ended),
        agent=f"bot of {run}",
        service="agents",
        action=Action(span, Fingerprint("a"), None, Outcome.OK, tier, targets),
    )


def outgoing(span: str, parent: str) -> Step:
    return Step(
        run_id="run",
        span_id=span,
        trace_id=TRACE,
        kind=StepKind.OUTGOING,
        name="POST",
        began_at_ns=at(1),
        ended_at_ns=at(2),
        parent_id=parent,
        service="agents",
    )


def change(
    seconds: float,
    *,
    identity: str = "alert/Down",
    span: str | None = None,
    trace: str | None = TRACE,
    entity: str = "service/checkout",
    kind: ChangeKind = ChangeKind.ALERT,
    ended: float | None = None,
    vouched: bool = True,
) -> Change:
    return Change(
        f"{identity}/{entity}", kind, entity, "Down", at(seconds),
        None if ended is None else at(ended), trace_id=trace, span_id=span, vouched=vouched,
    )  # fmt: skip


def behind(about: Change, *steps: Step) -> str | None:
    links = Links()
    for step in steps:
        links.record(step)
    found = links.behind(about, about.began_at_ns + module.REPORTED_NS)
    return None if found is None else found.step.span_id


def test_the_span_that_came_back_decides() -> None:
    steps = (call("scale", 1, 2), call("restart", 3, 4), outgoing("http", "scale"))

    assert "restart" == behind(change(9, span="restart"), *steps)
    assert "scale" == behind(change(9, span="http"), *steps)
    assert behind(change(9, span="unknown"), *steps) is None


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_command_that_a_coding_agents_shell_ran_points_at_the_call_of_the_shell(
    order: tuple[int, ...],
) -> None:
    reached = replace(outgoing("psql", "execution"), targets=("db/orders",))
    steps = (call("Bash", 1, 2), outgoing("execution", "Bash"), reached)
    links = Links()
    for place in order:
        links.record(steps[place])
    found = links.behind(change(9, span="psql"), at(9))

    assert found is not None
    assert "Bash" == found.step.span_id
    assert ("db/orders",) == links.reached(found.step)


def test_calls_that_name_each_other_as_their_parents_point_at_nothing() -> None:
    steps = (call("Bash", 1, 2), outgoing("one", "other"), outgoing("other", "one"))

    assert behind(change(9, span="one", identity="log/x"), *steps) is None


def test_a_trace_alone_points_at_its_only_action_with_an_effect() -> None:
    read = call("get", 2, 3, tier=Tier.READ)

    assert "scale" == behind(change(9), call("scale", 1, 2), read)
    assert behind(change(9), read) is None
    assert behind(change(9), call("scale", 1, 2), call("restart", 3, 4)) is None
    assert behind(change(0), call("scale", 5, 6)) is None
    assert behind(change(9, trace=OTHER), call("scale", 1, 2)) is None


def test_a_log_belongs_to_the_one_call_that_was_going_on() -> None:
    steps = (call("scale", 1, 5), call("get", 10, 12, tier=Tier.READ), call("hang", 20, None))

    def logged(seconds: float) -> str | None:
        return behind(change(seconds, identity="log/x"), *steps)

    assert "scale" == logged(3)
    assert logged(8) is None
    assert logged(11) is None  # while it only read
    assert "hang" == logged(90)


def test_what_an_agents_own_process_says_of_itself_links_nothing() -> None:
    assert behind(change(9, entity="service/agents"), call("scale", 1, 2)) is None


def test_many_traces_take_bounded_memory_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRACES_MAX", 5)
    monkeypatch.setattr(module, "CALLS_MAX", 5)
    monkeypatch.setattr(module, "CHILDREN_MAX", 5)
    links = Links()
    for n in range(20):
        links.record(call(f"s{n}", n, n, trace=f"{n:032x}"))
        links.record(call(f"c{n}", n, n))
        links.record(outgoing(f"o{n}", f"c{n}"))

    assert {"linked_traces_full": 16} == dict(links.dropped)
    assert 5 == len(links._above)  # pyright: ignore[reportPrivateUsage]
    assert links.behind(change(99, span="c0"), at(99)) is None
    assert links.behind(change(99, span="o19"), at(99)) is not None


# --- In verdicts -------------------------------------------------------------------------------


def opened(engine: Engine, seconds: float) -> list[Claim]:
    claims = engine.conclude(at(seconds)).opened
    return [claim for claim in claims if claim.finding.kind == "agent_impact"]


def test_a_link_is_certain_whatever_is_measured_and_pages() -> None:
    engine = Engine()
    engine.observe([call("scale", 1, 2, "service/checkout")], at(2))
    assert [] == opened(engine, 3)
    engine.learn(change(30, span="scale"), at(30))
    (claim,) = opened(engine, 31)
    impact = claim.finding.impact

    assert impact is not None
    assert ("certain", 1.0, 29 * S) == (impact.label, impact.probability, impact.lead_ns)
    assert "alarm" == claim.finding.level.value
    assert "scale degraded service/checkout (certain)" in claim.finding.summary
    assert "exact link: the trace of this call came back in Down of" in claim.finding.facts[0]


def test_an_action_that_declared_nothing_is_linked_all_the_same() -> None:
    engine = Engine()
    engine.observe([call("scale", 1, 2)], at(2))
    engine.learn(change(30, span="scale", entity="db/orders"), at(30))
    (claim,) = opened(engine, 31)

    assert claim.finding.impact is not None
    assert "db/orders" == claim.finding.impact.entity


def test_the_alert_that_was_linked_resolves_and_the_finding_stays_for_a_person() -> None:
    engine = Engine()
    engine.observe([call("scale", 1, 2, "service/checkout")], at(2))
    engine.learn(change(30, span="scale"), at(30))
    opened(engine, 31)
    engine.learn(change(30, span="scale", ended=90), at(90))

    assert () == engine.conclude(at(91)).closed


def test_a_link_acquits_whoever_was_suspected_of_the_same() -> None:
    engine = Engine()
    engine.conclude(at(-80_000))  # it has been watching for a day
    engine.observe([call("scale", 1, 2, "service/checkout")], at(2))
    other = call("restart", 3, 4, "service/checkout", trace=OTHER, run="other")
    engine.observe([other], at(4))
    engine.learn(change(33, identity="alert/Slow", trace=None), at(33))
    engine.conclude(at(34))
    first = engine.conclude(at(35))
    shares = {impact.tool: impact.probability or 0 for impact in first.impacts}
    assert shares["restart"] > 0.2
    engine.learn(change(40, span="scale"), at(40))
    second = engine.conclude(at(41))
    labels = {impact.tool: impact.label for impact in second.impacts}

    assert {"scale": "certain", "restart": "no metric evidence"} == labels
    assert set() == {c.finding.run_id for c in second.opened} - {"run"}
    engine.learn(change(45, identity="alert/Again", trace=None), at(45))
    third = engine.conclude(at(46))
    assert [] == [impact for impact in third.impacts if impact.tool == "restart"]


def test_a_verdict_that_was_contradicted_is_not_told_as_a_recovery() -> None:
    engine = Engine()
    engine.conclude(at(-80_000))
    engine.observe([call("restart", 3, 4, "service/checkout", trace=OTHER, run="other")], at(4))
    engine.learn(change(33, identity="alert/Slow", trace=None), at(33))
    engine.conclude(at(34))
    assert ["other"] == [claim.finding.run_id for claim in opened(engine, 35)]
    engine.observe([call("scale", 1, 2, "service/checkout")], at(35))
    engine.learn(change(40, span="scale"), at(40))
    closed = engine.conclude(at(41)).closed

    assert [("other", Closing.CONTRADICTED)] == [
        (claim.finding.run_id, claim.closing) for claim in closed
    ]


def test_an_alert_that_brings_a_trace_back_has_one_suspect() -> None:
    engine = Engine()
    engine.observe(
        [call("scale", 1, 2, "db/orders"), call("restart", 20, 21, "service/checkout")], at(21)
    )
    engine.learn(change(30, span="scale"), at(30))
    (ranking,) = engine.correlator.rank_suspects(at(30))

    assert [("scale", LINKED, 1.0)] == [
        (suspect.tool, suspect.relation, suspect.probability) for suspect in ranking.ranked
    ]
    assert 0.0 == ranking.no_agent


def test_an_agents_own_deploy_does_not_compete_with_it() -> None:
    def alternatives(span: str | None) -> list[str]:
        engine = Engine()
        engine.conclude(at(-80_000))
        engine.observe([call("deploy", 1, 2, "service/checkout")], at(2))
        reported = change(2, identity="told/v2", kind=ChangeKind.DEPLOY, span=span)
        engine.learn(reported if span else change(2, kind=ChangeKind.DEPLOY, trace=None), at(2))
        engine.learn(change(30, identity="alert/Slow", trace=None), at(30))
        (impact,) = engine.conclude(at(31)).impacts
        return [alternative.name for alternative in impact.alternatives]

    assert ["no agent action"] == alternatives("deploy")
    assert "deploy of checkout Down" in alternatives(None)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_a_sub_agents_shell_did_is_not_put_down_to_the_call_that_started_the_sub_agent(
    order: tuple[int, ...],
) -> None:
    """A log overtakes the batches of telemetry; the parent's call was reported long before."""
    delegates = call("Agent", 1, None)
    steps = (call("Bash", 4, 4.5), outgoing("execution", "Bash"))
    engine = Engine()
    engine.observe([delegates], at(2))
    deleted = change(4.2, identity="log/x", span="execution", kind=ChangeKind.WARNING)
    engine.learn_logged([deleted], at(4.3))
    assert [] == opened(engine, 4.4)
    for place in order:
        if place < len(steps):
            engine.observe([steps[place]], at(6))
        else:
            engine.observe([call("Agent", 1, 7)], at(7))
    (claim,) = opened(engine, 8)

    assert claim.finding.impact is not None
    assert "Bash" == claim.finding.impact.tool


@pytest.mark.parametrize("ended", [None, 3])
def test_what_a_span_did_that_nobody_reports_is_told_of_the_only_call_a_moment_later(
    ended: float | None,
) -> None:
    engine = Engine()
    engine.observe([call("deploy", 1, ended)], at(3))
    engine.learn_logged(
        [change(4, identity="log/x", span="unknown", kind=ChangeKind.WARNING)], at(4)
    )

    assert [] == opened(engine, 13)
    (claim,) = opened(engine, 14)
    assert claim.finding.impact is not None
    assert "deploy" == claim.finding.impact.tool


@pytest.mark.parametrize("identity", ["alert/Down", "log/x"])
def test_what_overtakes_the_agents_own_telemetry_is_linked_when_that_arrives(identity: str) -> None:
    engine = Engine()
    early = change(1.5, identity=identity, span="scale", kind=ChangeKind.WARNING)

    engine.correlator.links.hold(early)
    assert engine.correlator.links.release(TRACE, at(9)) == []
    engine.observe([call("scale", 1, 2, "service/checkout")], at(3))
    (claim,) = engine.conclude(at(4)).opened

    assert claim.finding.impact is not None
    assert ("scale", "certain") == (claim.finding.impact.tool, claim.finding.impact.label)
    assert engine.correlator.links.release(TRACE, at(9)) == []


def test_what_waits_for_a_trace_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 3)
    links = Links()
    for number in range(9):
        links.hold(change(1, trace=f"{number:032x}", span="scale"))
        for more in range(20):
            links.hold(change(1, trace=f"{8:032x}", identity=str(more), span="scale"))

    for trace in (f"{8:032x}", f"{0:032x}"):
        links.record(call("scale", 1, 2, trace=trace))

    assert module.WAITING_OF_TRACE_MAX == len(links.release(f"{8:032x}", at(2)))
    assert [] == links.release(f"{0:032x}", at(2))


def test_what_calls_reached_is_bounded_by_all_of_it_and_the_newest_calls_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ENTITIES_MAX", 100)
    links = Links()
    for number in range(50):
        reached = tuple(f"service/{number}-{n}" for n in range(10))
        links.record(replace(outgoing(f"http-{number}", f"tool-{number}"), targets=reached))

    assert links.reached(call("tool-49", 0, 1)) == tuple(f"service/49-{n}" for n in range(10))
    assert links.reached(call("tool-40", 0, 1)) != ()
    assert links.reached(call("tool-39", 0, 1)) == ()
