"""stale_fact: read too long ago, or changed since."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.policy.policy import Policy
from aftershock.rules.stale_fact import stale_fact
from tests.support.scenario import Scenario, run

POLICY = Policy.from_mapping(
    {
        "tools": {
            "update": {
                "targets": [{"service.name": "{id}"}],
                "requires": [{"fact": "order", "subject": "{id}", "max_age": "60s"}],
            },
            "get_order": {"provides": [{"fact": "order", "subject": "{id}"}]},
            "restart": {"targets": [{"service.name": "{name}"}]},
            "scale": {"requires": [{"fact": "health", "subject": "service/{name}"}]},
            "get_health": {"provides": [{"fact": "health", "subject": "service/{name}"}]},
        }
    }
)


def known() -> Scenario:
    return run(policy=POLICY).calls("get_order", id="A1").returns('{"id": "A1"}')


def test_a_fresh_fact_is_fine() -> None:
    assert known().calls("update", id="A1").says(stale_fact) == []


def test_a_fact_older_than_its_age_alarms() -> None:
    (finding,) = known().after(100).calls("update", id="A1").says(stale_fact)

    assert (finding.level, finding.lasting) == (Level.ALARM, True)
    assert finding.facts == ("order of A1: read 101 s before",)


def test_without_an_age_of_its_own_the_limit_holds() -> None:
    healthy = run(policy=POLICY).calls("get_health", name="shop").returns("healthy")

    assert healthy.after(800).calls("scale", name="shop").says(stale_fact) == []
    assert len(healthy.after(200).calls("scale", name="shop").says(stale_fact)) == 1


def test_what_the_agent_changed_itself_must_be_read_again() -> None:
    twice = known().calls("update", id="A1").returns("updated").calls("update", id="A1")
    (finding,) = twice.says(stale_fact)

    assert finding.facts == ("order of A1: changed by update after it was read",)
    assert finding.evidence == ("span-002", "span-000", "span-001")


def test_a_change_that_failed_changed_nothing() -> None:
    assert known().calls("update", id="A1").fails().calls("update", id="A1").says(stale_fact) == []


def test_a_change_of_something_else_does_not_matter() -> None:
    other = run(policy=POLICY).calls("get_order", id="B2").returns('{"id": "B2"}')
    other.calls("get_order", id="A1").returns('{"id": "A1"}')

    assert (
        other.calls("update", id="B2").returns("ok").calls("update", id="A1").says(stale_fact) == []
    )


def test_an_action_on_the_target_that_a_fact_is_about_makes_it_stale() -> None:
    healthy = run(policy=POLICY).calls("get_health", name="shop").returns("healthy")
    restarted = healthy.calls("restart", name="shop").returns("restarted")

    assert len(restarted.calls("scale", name="shop").says(stale_fact)) == 1


def test_a_notice_that_somebody_else_changed_it_makes_it_stale() -> None:
    noticed = known().after(1).saw("changed", "A1").calls("update", id="A1")
    elsewhere = known().after(1).saw("changed", "B2").calls("update", id="A1")

    assert [f.facts for f in noticed.says(stale_fact)] == [
        ("order of A1: changed by app after it was read",)
    ]
    assert elsewhere.says(stale_fact) == []


def test_reading_again_after_a_change_makes_it_fresh() -> None:
    again = known().calls("update", id="A1").returns("ok").calls("get_order", id="A1")

    assert again.returns('{"id": "A1"}').calls("update", id="A1").says(stale_fact) == []
