"""failed_fact: asked for, not obtained, acted all the same."""

from __future__ import annotations

import pytest

from aftershock.model import Level
from aftershock.policy.policy import Policy
from aftershock.rules.failed_fact import failed_fact
from aftershock.rules.missing_fact import missing_fact
from tests.support.scenario import Scenario, run

POLICY = Policy.from_mapping(
    {
        "tools": {
            "cancel": {"requires": [{"fact": "order", "subject": "{id}"}]},
            "get_order": {"provides": [{"fact": "order", "subject": "{id}"}]},
        }
    }
)


def cancelled(before: Scenario) -> Scenario:
    return before.calls("cancel", id="A1")


@pytest.mark.parametrize(
    ("result", "level", "words"),
    [
        ("Error: timed out", Level.ALARM, "it failed"),
        ('{"id": "A1", "items": … [truncated]', Level.ALARM, "it came back cut off"),
        ("{}", Level.WARN, "it came back empty"),
    ],
)
def test_a_read_that_did_not_work_is_no_knowledge(result: str, level: Level, words: str) -> None:
    tried = run(policy=POLICY).calls("get_order", id="A1").returns(result)
    (finding,) = cancelled(tried).says(failed_fact)

    assert (finding.level, finding.lasting) == (level, True)
    assert finding.facts == (f"order of A1: asked of get_order; {words}",)
    assert finding.evidence == ("span-001", "span-000")
    assert cancelled(tried).says(missing_fact) == []


def test_a_second_read_that_worked_makes_it_known() -> None:
    tried = run(policy=POLICY).calls("get_order", id="A1").fails().calls("get_order", id="A1")

    assert cancelled(tried.returns('{"id": "A1"}')).says(failed_fact) == []


def test_an_earlier_read_that_worked_still_counts() -> None:
    tried = run(policy=POLICY).calls("get_order", id="A1").returns('{"id": "A1"}')

    assert cancelled(tried.calls("get_order", id="A1").fails()).says(failed_fact) == []


def test_what_was_never_asked_for_is_the_other_rule() -> None:
    assert cancelled(run(policy=POLICY)).says(failed_fact) == []
