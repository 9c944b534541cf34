"""Deeds: who was overtaken by whom, whatever arrives first, and nothing without bound."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from aftershock.model import Change, ChangeKind, Claim, Level, Run, Step
from aftershock.policy.policy import Policy
from aftershock_collector.engine import cross_run as module
from aftershock_collector.engine.cross_run import CrossRunChanges
from aftershock_collector.engine.engine import Engine
from tests.support.scenario import LIMITS, START_NS, S, Scenario, run

POLICY = Policy.from_mapping(
    {
        "tools": {
            "scale": {
                "tier": "provision",
                "targets": [{"service.name": "{name}"}],
                "requires": [{"fact": "replicas", "subject": "{name}"}],
            },
            "get_replicas": {"provides": [{"fact": "replicas", "subject": "{name}"}]},
            "restart": {"tier": "write", "targets": [{"service.name": "{name}"}]},
            "get_status": {"targets": [{"service.name": "{name}"}]},
        }
    }
)
MINUTE = 60.0


def reader(name: str = "reader", *, acts_after: float = 10.0) -> Scenario:
    """It reads, waits, and acts on what it read."""
    played = run(name, policy=POLICY).calls("get_replicas", name="checkout").returns("3")
    return played.after(acts_after).calls("scale", name="checkout").returns("scaled")


def scaler(name: str = "scaler", *, at: float = 3.0, target: str = "checkout") -> Scenario:
    """Another run that reads and acts at once."""
    played = run(name, policy=POLICY).after(at).calls("get_replicas", name=target).returns("3")
    return played.calls("scale", name=target).returns("scaled")


def change(kind: ChangeKind = ChangeKind.DEPLOY, *, at: float = 5.0, entity: str = "") -> Change:
    began_ns = START_NS + int(at * S)
    return Change("c1", kind, entity or "service/checkout", "deploy 42", began_ns)


def engine() -> Engine:
    return Engine(POLICY, live=False)


def stale(judged: Engine) -> list[Claim]:
    """What stands of stale facts when everything is told."""
    report = judged.conclude(START_NS + 100 * S)
    return [c for c in (*report.opened, *report.updated) if c.finding.kind == "stale_fact"]


def test_a_fact_is_stale_where_another_run_acted_on_its_subject_since() -> None:
    judged = engine()
    judged.observe([*reader().steps, *scaler().steps])
    (claim,) = stale(judged)

    assert claim.finding.run_id == "reader"
    assert claim.finding.level == Level.ALARM
    assert claim.finding.facts == (
        "replicas of checkout: changed by scale of agent (run scaler) after it was read",
    )


def test_whatever_arrives_first_the_finding_is_the_same() -> None:
    found: set[tuple[str, ...]] = set()
    steps = [*reader().steps, *scaler().steps]
    for order in itertools.permutations(steps):
        judged = engine()
        claims: dict[str, Claim] = {}
        for step in order:
            judged.observe([step])
            report = judged.conclude(START_NS + 100 * S)
            for claim in (*report.opened, *report.updated, *report.closed):
                claims[claim.finding.id] = claim
        found.add(
            tuple(
                f"{c.finding.id} {c.finding.facts}"
                for c in claims.values()
                if c.closing is None and c.finding.kind == "stale_fact"
            )
        )

    assert len(found) == 1
    assert len(found.pop()) == 1


@pytest.mark.parametrize(
    ("kind", "level", "words"),
    [
        (ChangeKind.DEPLOY, Level.ALARM, "changed by deploy 42 after it was read"),
        (ChangeKind.FLAG, Level.ALARM, "changed by deploy 42 after it was read"),
        (ChangeKind.ALERT, Level.WARN, "deploy 42 began on service/checkout after it was read"),
    ],
)
@pytest.mark.parametrize("late", [True, False])
def test_a_change_outside_the_agents_makes_a_fact_stale(
    kind: ChangeKind, level: Level, words: str, late: bool
) -> None:
    judged = engine()
    if late:
        judged.observe(reader().steps)
        judged.conclude(START_NS + 100 * S)
    judged.learn(change(kind), START_NS)
    if not late:
        judged.observe(reader().steps)
    (claim,) = stale(judged)

    assert (level, f"replicas of checkout: {words}") == (
        claim.finding.level,
        claim.finding.facts[0],
    )


@pytest.mark.parametrize(
    "harmless",
    [
        change(at=0.5),  # before it was read
        change(at=50.0),  # after it acted
        change(entity="service/cart"),
    ],
)
def test_changes_at_another_time_or_of_something_else_are_no_reason(harmless: Change) -> None:
    judged = engine()
    judged.observe(reader().steps)
    judged.learn(harmless, START_NS)

    assert stale(judged) == []


def test_actions_that_failed_reads_and_other_targets_overtake_nobody() -> None:
    failed = run("failed", policy=POLICY).after(3).calls("scale", name="checkout").fails()
    looking = run("looking", policy=POLICY).after(3).calls("get_status", name="checkout").returns()
    judged = engine()
    judged.observe([*reader().steps, *failed.steps, *looking.steps, *scaler(target="cart").steps])

    assert stale(judged) == []


def test_without_requirements_an_overtaken_read_of_the_target_warns() -> None:
    played = run("reader", policy=POLICY).calls("get_status", name="checkout").returns("well")
    played.after(10).calls("restart", name="checkout").returns("restarted")
    judged = engine()
    judged.observe([*played.steps, *scaler().steps])
    (claim,) = stale(judged)

    assert claim.finding.level == Level.WARN
    assert claim.finding.summary == (
        "restart was called on service/checkout, which others had changed since get_status "
        "told of it."
    )


def test_a_restored_run_keeps_what_rests_on_runs_that_are_not_restored() -> None:
    before = engine()
    before.observe([*reader().steps, *scaler().steps])
    claims = stale(before)
    after = engine()
    after.restore("reader", reader().steps, claims)
    report = after.conclude(START_NS + 200 * S)

    assert ((), (), ()) == (report.opened, report.updated, report.closed)


def resting(run_id: str = "reader") -> Run:
    return replace(reader().run(), id=run_id)


def test_the_memory_of_deeds_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 10)
    deeds = CrossRunChanges()
    for number in range(40):
        deeds.record_change(replace(change(), id=f"c{number}"))
        deeds.record_change(replace(change(entity=f"service/s{number}"), id=f"d{number}"))
    found = deeds.resting(resting(), LIMITS)

    assert len(found) == 16
    assert deeds.dropped["deeds_full"] > 0
    for number in range(100):
        deeds.resting(resting(f"reader-{number}"), LIMITS)
    assert deeds.dropped["resting_runs_full"] > 0


def test_hearing_the_same_again_judges_nobody_again() -> None:
    deeds = CrossRunChanges()
    deeds.resting(resting(), LIMITS)

    assert deeds.record_change(change()) == {"reader"}
    assert deeds.record_change(change()) == set()
    assert deeds.record_change(replace(change(), name="deploy 43")) == {"reader"}


def test_a_runs_own_actions_are_not_another_ones() -> None:
    deeds = CrossRunChanges()
    action: Step = reader().steps[-1]
    deeds.record_action(replace(action, run_id="reader", ended_at_ns=START_NS + 3 * S))

    assert deeds.resting(resting(), LIMITS) == ()
    assert len(deeds.resting(resting("other"), LIMITS)) == 1
