"""Exact links: whose word a trace is believed on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock_collector.engine.engine import Engine
from aftershock_collector.impact.suspects import LINKED
from tests.collector.impact.test_links import at, call, change, opened, outgoing


@pytest.mark.parametrize("identity", ["alert/Down", "log/x", "k8s/x"])
@pytest.mark.parametrize("span", ["scale", None])
def test_a_trace_that_nobody_vouches_for_makes_an_action_suspected_and_pages_nobody(
    identity: str, span: str | None
) -> None:
    engine = Engine(topology={"service/checkout": ["db/orders"]})
    engine.observe([call("scale", 1, 5, "service/cart")], at(2))
    about = change(3, identity=identity, span=span, entity="service/payments", vouched=False)
    engine.learn(about, at(3))
    (claim,) = opened(engine, 13)
    impact = claim.finding.impact

    assert "warn" == claim.finding.level.value
    assert impact is not None
    assert ("suspected", 0.5) == (impact.label, impact.probability)
    assert "certain" not in claim.finding.summary
    assert any("token" in fact for fact in claim.finding.facts)
    assert [] == [
        suspect
        for ranking in engine.correlator.rank_suspects(at(4))
        for suspect in ranking.ranked
        if suspect.relation == LINKED
    ]


def test_a_forged_record_of_the_same_thing_does_not_stand_before_the_true_one() -> None:
    """An agent told of its own deed first, in more words, so that the server's log was left out."""
    true = change(3, identity="log/x", span="scale", entity="db/payments")
    forged = replace(true, detail="deleted 1 row", vouched=False)
    engine = Engine()
    engine.observe([call("scale", 1, 5, "service/cart")], at(2))

    engine.learn(forged, at(3))
    engine.learn_logged([true], at(3))
    (claim,) = opened(engine, 4)

    assert claim.finding.impact is not None
    assert "certain" == claim.finding.impact.label


def test_an_alert_of_a_known_sender_is_not_ended_by_an_unknown_one() -> None:
    engine = Engine()
    alert = change(30, trace=None)
    engine.learn(alert, at(30))
    engine.learn(replace(alert, ended_at_ns=at(31), vouched=False), at(31))
    assert engine.correlator.changes[alert.id].ended_at_ns is None

    engine.learn(replace(alert, ended_at_ns=at(32)), at(32))
    assert engine.correlator.changes[alert.id].ended_at_ns == at(32)


@pytest.mark.parametrize(
    ("targets", "entity"),
    [
        (("service/payments",), "service/payments"),
        (("db/orders",), "service/checkout"),
        (("service/checkout",), "db/orders"),
        (("k8s/default/payments",), "pod/default/payments-7d4b9c6f5-x2x4z"),
    ],
)
def test_a_trace_is_believed_where_topology_or_targets_agree(
    targets: tuple[str, ...], entity: str
) -> None:
    engine = Engine(topology={"service/checkout": ["db/orders"]})
    engine.observe([call("scale", 1, 2, *targets)], at(2))
    engine.learn(change(30, entity=entity, vouched=False), at(30))
    (claim,) = opened(engine, 40)

    assert claim.finding.impact is not None
    assert "certain" == claim.finding.impact.label


def test_a_trace_is_believed_where_the_tools_own_call_reached_what_broke() -> None:
    engine = Engine()
    reaching = replace(outgoing("http", "scale"), targets=("service/payments",))
    engine.observe([call("scale", 1, 5), reaching], at(2))
    engine.learn(change(3, entity="service/payments", span="http", vouched=False), at(3))
    (claim,) = opened(engine, 4)

    assert claim.finding.impact is not None
    assert "certain" == claim.finding.impact.label


def test_what_was_only_alleged_as_a_target_is_not_measured_against_the_action() -> None:
    engine = Engine()
    engine.observe([call("scale", 1, 2)], at(2))
    engine.learn(change(30, span="scale", entity="db/orders", vouched=False), at(30))
    (claim,) = opened(engine, 31)

    assert claim.finding.impact is not None
    assert "suspected" == claim.finding.impact.label
    engine.learn(change(40, span="scale", entity="db/orders"), at(40))
    (claim,) = engine.conclude(at(41)).updated
    assert claim.finding.impact is not None
    assert "certain" == claim.finding.impact.label
