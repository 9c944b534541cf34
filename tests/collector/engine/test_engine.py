"""The engine between steps and reports: wrong clocks, silence, restarts and bounds."""

from __future__ import annotations

from dataclasses import replace

from aftershock.limits import Budget, Limits
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
from aftershock.policy.policy import Policy
from aftershock_collector.engine.correlator import IMPACTS_OF_RUN_MAX
from aftershock_collector.engine.engine import Engine
from tests.support import incident

SECOND = 10**9
T0 = 1_790_000_000 * SECOND


def call(
    at_s: float, *, run: str = "run", result: str | None = "same", tier: Tier = Tier.READ
) -> Step:
    began = T0 + int(at_s * SECOND)
    return Step(
        run_id=run,
        span_id=f"{run}-{at_s}",
        trace_id=run,
        kind=StepKind.TOOL_CALL,
        name="get_status",
        began_at_ns=began,
        ended_at_ns=None if result is None else began + SECOND // 10,
        parent_id="root",
        service="shop",
        action=Action(
            "get_status",
            Fingerprint("a1", frozenset({1, 2})),
            None if result is None else Fingerprint(result, frozenset({hash(result)})),
            None if result is None else Outcome.OK,
            tier,
        ),
    )


def root(*, run: str = "run", ended_s: float | None = None) -> Step:
    return Step(
        run_id=run,
        span_id="root",
        kind=StepKind.AGENT,
        name="bot",
        began_at_ns=T0,
        ended_at_ns=None if ended_s is None else T0 + int(ended_s * SECOND),
        agent="bot",
    )


def at(seconds: float) -> int:
    return T0 + int(seconds * SECOND)


def kinds(claims: tuple[Claim, ...]) -> list[tuple[str, str]]:
    return [(claim.finding.kind, claim.finding.level.value) for claim in claims]


def test_a_loop_opens_once_escalates_and_closes_with_its_run() -> None:
    engine = Engine()
    engine.observe([root()])
    seen: list[tuple[list[tuple[str, str]], ...]] = []
    for second in range(1, 6):
        engine.observe([call(second)])
        report = engine.conclude(at(second + 0.5))
        seen.append((kinds(report.opened), kinds(report.updated)))
    engine.observe([root(ended_s=6)])
    last = engine.conclude(at(7))

    assert ([("repeated_action", "warn")], []) == seen[1]
    assert ([], [("repeated_action", "alarm")]) == seen[3]
    assert [Closing.RUN_ENDED] == [claim.closing for claim in last.closed]
    assert ((), (), ()) == (last.opened, last.updated, engine.conclude(at(8)).closed)


def test_concluding_again_on_unchanged_input_reports_nothing() -> None:
    engine = Engine()
    engine.observe([root(), call(1), call(2), call(3)])
    engine.conclude(at(4))
    again = engine.conclude(at(4))

    assert ((), (), ()) == (again.opened, again.updated, again.closed)


def test_a_silent_run_stalls_and_speaks_again() -> None:
    engine = Engine()
    engine.observe([root(), call(1, result=None)], arrived_ns=at(1))

    assert [] == kinds(engine.conclude(at(60)).opened)
    assert "stalled_run" in {kind for kind, _ in kinds(engine.conclude(at(300)).opened)}
    engine.observe([call(1)], arrived_ns=at(301))
    engine.observe([call(301)], arrived_ns=at(301))
    assert [Closing.CONTRADICTED] == [
        claim.closing
        for claim in engine.conclude(at(302)).closed
        if claim.finding.kind == "stalled_run"
    ]


def test_a_clock_that_is_ten_minutes_slow_does_not_look_like_silence() -> None:
    engine = Engine()
    engine.observe([root(), call(1, result=None)], arrived_ns=at(601))

    assert [] == kinds(engine.conclude(at(610)).opened)


def test_time_is_used_up_while_nothing_happens() -> None:
    engine = Engine(Policy(limits=Limits(budget=Budget(wall_time_s=60))))
    engine.observe([root(), call(1, result=None)], arrived_ns=at(1))
    seen = [engine.conclude(at(second)) for second in (40, 50, 55, 61, 70)]
    engine.observe([root(ended_s=75)], arrived_ns=at(75))
    last = engine.conclude(at(76))

    reported = [(kinds(report.opened), kinds(report.updated)) for report in seen]
    warned, alarmed = [("budget_exceeded", "warn")], [("budget_exceeded", "alarm")]
    assert [([], []), (warned, []), ([], []), ([], alarmed), ([], [])] == reported
    assert [(Closing.RUN_ENDED, "The run used 75 of 60 s.")] == [
        (claim.closing, claim.finding.summary) for claim in last.closed
    ]


def test_time_that_the_last_step_did_not_show_counts_in_a_recording() -> None:
    engine = Engine(Policy(limits=Limits(budget=Budget(wall_time_s=60))), live=False)
    engine.observe([root(ended_s=75), call(1)])
    engine.observe([call(90, run="another, later")])

    (closed,) = engine.complete().closed
    assert [("budget_exceeded", "alarm")] == kinds((closed,))
    assert (at(75), at(75)) == (closed.opened_at_ns, closed.closed_at_ns)


def test_a_restart_does_not_forget_how_long_a_run_has_taken() -> None:
    policy = Policy(limits=Limits(budget=Budget(wall_time_s=60)))
    before, after = Engine(policy), Engine(policy)
    steps = [root(), call(1, result=None)]
    before.observe(steps, arrived_ns=at(1))
    after.restore("run", steps, before.conclude(at(50)).opened)

    assert ((), ()) == (after.conclude(at(52)).opened, after.conclude(at(53)).closed)
    assert [("budget_exceeded", "alarm")] == kinds(after.conclude(at(61)).updated)


def test_a_recording_that_is_complete_closes_what_it_opened() -> None:
    engine = Engine(live=False)
    engine.observe([call(1), call(2), call(3), call(4)])
    report = engine.complete()

    assert [("repeated_action", "alarm")] == kinds(report.opened)
    assert [Closing.RUN_ENDED] == [claim.closing for claim in report.closed]


def test_a_restored_run_reports_only_what_is_new() -> None:
    before = Engine()
    steps = [root(), call(1), call(2), call(3)]
    before.observe(steps)
    opened = before.conclude(at(4)).opened
    after = Engine()
    after.restore("run", steps, opened)

    assert ((), ()) == (after.conclude(at(4)).opened, after.conclude(at(4)).updated)
    after.observe([call(4)])
    assert [("repeated_action", "alarm")] == kinds(after.conclude(at(5)).updated)


def outgoing(run: str) -> Step:
    """A database call under the tool call at second 1."""
    return Step(
        run_id=run,
        span_id=f"{run}-db",
        kind=StepKind.OUTGOING,
        name="SELECT",
        began_at_ns=at(1.01),
        ended_at_ns=at(1.02),
        parent_id=f"{run}-1",
        targets=("db/orders",),
    )


def test_traffic_of_services_opens_no_runs() -> None:
    engine = Engine()
    for number in range(3_000):
        engine.observe([outgoing(f"trace-{number}")], arrived_ns=at(2))

    assert (0, {}) == (len(engine), engine.conclude(at(3)).drops)


def test_an_outgoing_call_that_arrives_before_its_tool_still_names_the_target() -> None:
    engine = Engine()
    engine.observe([outgoing("run")])
    engine.observe([call(1, tier=Tier.WRITE)])
    run = engine.run("run", at(2))

    assert run is not None
    assert run.steps[0].action is not None
    assert ("db/orders",) == run.steps[0].action.targets


def test_an_action_is_its_agents_though_nobody_named_that_until_later() -> None:
    """A sender without start events names an agent only when it ends."""
    engine = Engine()
    scaled = call(1, tier=Tier.WRITE)
    assert scaled.action is not None
    action = replace(scaled.action, targets=("service/shop",))
    engine.observe([replace(scaled, action=action, parent_id="inner")], arrived_ns=at(2))
    engine.observe([replace(root(), agent="triage", name="triage")], arrived_ns=at(2))
    inner = replace(root(ended_s=5), span_id="inner", parent_id="turn", agent="ops", name="ops")
    engine.observe([inner], arrived_ns=at(6))
    alert = Change("alert", ChangeKind.ALERT, "service/shop", "Errors", at(4))

    assert [one.agent for one in engine.correlator.suspects(alert, at(7)).ranked] == ["ops"]


def test_runs_beyond_the_limit_are_put_away_and_counted() -> None:
    policy = replace(Policy(), limits=Limits(runs_max=3))
    engine = Engine(policy)
    for number in range(5):
        engine.observe([call(1, run=f"run-{number}")], arrived_ns=at(2))
    report = engine.conclude(at(3))

    assert (3, 2) == (len(engine), report.drops["runs_full"])
    assert not engine.knows("run-0")


def test_what_falls_out_of_the_window_was_judged_before() -> None:
    """A recording larger than the window arrives in one piece; its first loop is still found."""
    engine = Engine(live=False)
    loop = [call(second) for second in (1, 2, 3)]
    other = [call(second, result=f"page {second}") for second in range(10, 900)]
    engine.observe(loop + other)
    report = engine.complete()

    assert "repeated_action" in {kind for kind, _ in kinds(report.opened)}
    run = engine.run("run", at(1_000))
    assert run is not None
    assert (512, 381) == (len(run.steps), run.dropped_steps)


def test_an_end_that_arrives_before_the_last_steps_is_judged_when_they_have_arrived() -> None:
    asked = Step("run", "ask", StepKind.MESSAGE, "user", at(0.5), at(0.5))
    thought = Step("run", "think", StepKind.INFERENCE, "m", at(0.6), at(0.9), agent="agent")
    answer = Step("run", "answer", StepKind.INFERENCE, "m", at(2), at(3), agent="agent")

    def opened_kinds(*, arrives: bool) -> list[str]:
        engine = Engine()
        engine.observe([asked, thought, call(1), root(ended_s=4)], at(4))
        opened = list(engine.conclude(at(5)).opened)
        if arrives:
            engine.observe([answer], at(6))
        for second in (7, 13, 20):
            opened += engine.conclude(at(second)).opened
        return [claim.finding.kind for claim in opened]

    assert opened_kinds(arrives=True) == []
    assert opened_kinds(arrives=False) == ["stopped_early"]


def test_of_a_run_that_acts_for_ever_the_newest_attributions_are_kept() -> None:
    correlator = Engine().correlator
    many = [replace(incident.impact(), span_id=f"{n}") for n in range(IMPACTS_OF_RUN_MAX + 10)]
    correlator.restore_impacts("run", many)
    kept = [impact.span_id for impact in correlator.impacts_of("run")]

    assert kept == [f"{n}" for n in range(10, IMPACTS_OF_RUN_MAX + 10)]
