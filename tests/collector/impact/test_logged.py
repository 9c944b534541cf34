"""What the log of an entity shows that an action did there: a target, and seldom damage."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.model import ChangeKind, Tier
from aftershock_collector.engine.engine import Engine
from aftershock_collector.impact import ActionObserver
from aftershock_collector.impact.links import Links
from aftershock_collector.metrics.series import SeriesStore
from tests.collector.impact.test_links import TRACE, at, call, change


@pytest.mark.parametrize("overtakes", [False, True])
def test_what_a_log_shows_an_action_did_makes_a_target_and_no_damage(overtakes: bool) -> None:
    engine = Engine()
    acted = call("run_sql", 1, 5)
    done = change(
        2, identity="log/x", span="run_sql", entity="db/orders", kind=ChangeKind.OPERATION
    )
    if overtakes:
        engine.learn_logged([done], at(2))
    engine.observe([acted], at(5))
    if not overtakes:
        engine.learn_logged([done], at(5))
    report = engine.conclude(at(6))

    assert () == report.opened
    assert ["log/x/db/orders"] == [each.id for each in report.changes]
    known = engine.correlator.links.with_reached(acted).action
    assert known is not None
    assert ("db/orders",) == known.targets
    alarm = change(7, trace=None, span=None, entity="db/orders")
    assert ["db/orders"] == [
        each.entity for each in engine.correlator.suspects(alarm, at(8)).ranked
    ]


def test_an_operation_that_nobody_vouches_for_is_no_target() -> None:
    engine = Engine()
    engine.observe([call("run_sql", 1, 5, "service/cart")], at(5))
    done = change(
        2, identity="log/x", span="run_sql", entity="service/payments", vouched=False,
        kind=ChangeKind.OPERATION,
    )  # fmt: skip
    engine.learn_logged([done], at(5))

    assert (
        engine.correlator.suspects(
            change(7, trace=None, span=None, entity="service/payments"), at(8)
        )
        .ranked[0]
        .entity
        == "service/cart"
    )


def test_of_several_records_of_one_statement_the_one_that_says_most_stays() -> None:
    links = Links()
    links.record(call("run_sql", 1, 5))
    done = change(2, identity="log/x", span="run_sql", kind=ChangeKind.OPERATION)
    damage = replace(done, kind=ChangeKind.WARNING, detail="deleted 1,200 rows")
    for each in (done, damage, done):
        links.hold(each)

    assert [damage] == links.release(TRACE, at(6))


@pytest.mark.parametrize("kind", [ChangeKind.OPERATION, ChangeKind.WARNING])
@pytest.mark.parametrize("overtakes", [False, True])
def test_what_a_log_shows_a_read_changed_outweighs_the_name_of_the_tool(
    overtakes: bool, kind: ChangeKind
) -> None:
    engine = Engine()
    acted = call("get_report", 1, 5, tier=Tier.READ)
    done = replace(
        change(2, identity="log/x", span="get_report", entity="db/orders", kind=kind),
        name="DELETE orders",
        tier=Tier.WRITE,
    )
    if overtakes:
        engine.learn_logged([done], at(2))
    engine.observe([acted], at(5))
    if not overtakes:
        engine.learn_logged([done], at(5))
    report = engine.conclude(at(6))

    assert [each.span_id for each in report.changes] == ["get_report"]
    alarm = change(7, trace=None, span=None, entity="db/orders")
    assert ["get_report"] == [
        each.span_id for each in engine.correlator.suspects(alarm, at(8)).ranked
    ]
    if kind is ChangeKind.WARNING:  # more rows than the operator allows
        (claim,) = report.opened
        assert "get_report counts as a read, and the log of db/orders shows DELETE orders" in (
            claim.finding.facts
        )


@pytest.mark.parametrize(
    ("span", "tier"),
    [("get_report", None), (None, Tier.WRITE), ("checkpointer", Tier.WRITE)],
    ids=["no write", "only the trace", "another span"],
)
def test_without_a_write_that_names_the_read_itself_it_stays_a_read(
    span: str | None, tier: Tier | None
) -> None:
    engine = Engine()
    acted = call("get_report", 1, 5, tier=Tier.READ)
    done = replace(
        change(2, identity="log/x", span=span, entity="db/orders", kind=ChangeKind.OPERATION),
        tier=tier,
    )
    engine.observe([acted], at(5))
    engine.learn_logged([done], at(5))
    engine.conclude(at(6))

    alarm = change(7, trace=None, span=None, entity="db/orders")
    assert () == engine.correlator.suspects(alarm, at(8)).ranked


def test_two_logs_of_one_read_are_both_kept() -> None:
    links = Links()
    acted = call("get_report", 1, 5, tier=Tier.READ)
    links.record(acted)
    observed = ActionObserver()
    for entity in ("db/orders", "db/stock"):
        done = replace(
            change(2, identity=f"log/{entity}", span="get_report", entity=entity), tier=Tier.WRITE
        )
        linked = links.behind(done, at(6))
        assert linked is not None
        observed.reach(linked.step, entity)

    (impact,) = observed.score(at(6), SeriesStore(), {})

    assert len(impact.logged) == 2
