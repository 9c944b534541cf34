"""Changes that cross runs: who was overtaken by whom, in any order of arrival, and bounds."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from aftershock.model import Change, ChangeKind, Claim, Level, Step
from aftershock.policy.policy import Policy
from aftershock_collector.engine import cross_run as module
from aftershock_collector.engine.cross_run import CrossRunChanges
from aftershock_collector.engine.engine import Engine
from aftershock_collector.engine.evidence import Evidence
from tests.support.scenario import START_NS, S, Scenario, run

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
    """Open findings about stale facts, once everything has arrived."""
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
@pytest.mark.parametrize("arrives_after", [True, False])
def test_a_change_outside_the_agents_makes_a_fact_stale(
    kind: ChangeKind, level: Level, words: str, arrives_after: bool
) -> None:
    judged = engine()
    if arrives_after:
        judged.observe(reader().steps)
        judged.conclude(START_NS + 100 * S)
    judged.learn(change(kind), START_NS)
    if not arrives_after:
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
        "restart was called on service/checkout, which others had changed since get_status read it."
    )


def test_a_restored_run_keeps_what_rests_on_runs_that_are_not_restored() -> None:
    before = engine()
    before.observe([*reader().steps, *scaler().steps])
    claims = stale(before)
    after = engine()
    after.restore("reader", reader().steps, claims)
    report = after.conclude(START_NS + 200 * S)

    assert ((), (), ()) == (report.opened, report.updated, report.closed)


KEYS = ("service/checkout", "checkout")


def of_others(changes: CrossRunChanges, run_id: str) -> set[str]:
    return {change.id for found in changes.of_others(run_id, KEYS).values() for change in found}


def test_changes_and_dependent_runs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 10)
    changes = CrossRunChanges()
    for number in range(40):
        changes.record_change(replace(change(), id=f"c{number}"))
        changes.record_change(replace(change(entity=f"service/s{number}"), id=f"d{number}"))

    assert len(of_others(changes, "reader")) == 16
    assert changes.dropped["cross_run_changes_full"] > 0
    for number in range(100):
        of_others(changes, f"reader-{number}")
    assert changes.dropped["dependent_runs_full"] > 0


def test_the_same_change_again_judges_no_run_again() -> None:
    changes = CrossRunChanges()
    of_others(changes, "reader")

    assert changes.record_change(change()) == {"reader"}
    assert changes.record_change(change()) == set()
    assert changes.record_change(replace(change(), name="deploy 43")) == {"reader"}


def test_a_runs_own_actions_are_not_another_ones() -> None:
    changes = CrossRunChanges()
    action: Step = reader().steps[-1]
    changes.record_action(replace(action, run_id="reader", ended_at_ns=START_NS + 3 * S))

    assert of_others(changes, "reader") == set()
    assert of_others(changes, "other") == {f"reader/{action.span_id}"}


def test_evidence_holds_the_newest_changes_that_came_before_an_action() -> None:
    changes = [replace(change(at=at), id=f"c{at}") for at in (1.0, 2.0, 3.0, 4.0)]
    evidence = Evidence(START_NS, changes={"checkout": changes, "service/checkout": changes})
    found = evidence.changes_before(KEYS, START_NS + 3 * S, 2)

    assert [one.id for one in found] == ["c2.0", "c3.0"]
