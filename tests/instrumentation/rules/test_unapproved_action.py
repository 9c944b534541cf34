"""unapproved_action: said of every call that nobody had allowed, and of no other."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock.fingerprints.fingerprint import unseen_arguments
from aftershock.limits import Limits
from aftershock.model import Finding, Level, Step
from aftershock.policy.policy import EMPTY, Policy
from aftershock.rules.unapproved_action import unapproved_action
from aftershock.runs.fold import Window
from tests.support.scenario import LIMITS, Scenario, run

ASK = Policy.from_mapping({"tools": {"drop_table": {"gate": "ask"}}})
DENY = Policy.from_mapping({"tools": {"drop_table": {"gate": "deny"}}})
OPEN = Policy.from_mapping(
    {"tools": {"drop_table": {"gate": "allow"}, "delete_file": {"gate": "warn"}}}
)


def asking() -> Scenario:
    return run(policy=ASK).thinks()


def summary_of(played: Scenario, name: str = "orders_2019") -> str | None:
    """What the rule says of the call that comes now; None: nothing."""
    found = played.calls("drop_table", name=name).says(unapproved_action)
    return found[0].summary if found else None


def test_a_call_that_nobody_approved_alarms_and_points_at_itself() -> None:
    (finding,) = asking().calls("drop_table", name="orders").says(unapproved_action)

    assert (finding.level, finding.lasting) == (Level.ALARM, True)
    assert finding.subject == "drop_table/span-001"
    assert finding.evidence == ("span-001",)
    assert finding.summary == "drop_table was called although nobody had approved it."


@pytest.mark.parametrize("policy", [EMPTY, OPEN])
def test_where_no_approval_is_wanted_nothing_is_said(policy: Policy) -> None:
    played = run(policy=policy).denies("drop_table").calls("drop_table", name="a")

    assert played.says(unapproved_action) == []
    assert played.returns().calls("delete_file", path="a").says(unapproved_action) == []


def test_an_approval_before_it_holds_for_the_rest_of_the_run() -> None:
    assert summary_of(asking().approves("drop_table")) is None
    assert (
        summary_of(asking().asks("drop_table").approves("drop_table").thinks().after(9_999)) is None
    )


def test_an_approval_of_another_tool_or_after_the_call_is_none() -> None:
    after = asking().calls("drop_table", name="a").approves("drop_table")
    call, answer = after.run().steps[-2:]
    early = replace(after.run(), steps=(answer, call))

    assert summary_of(asking().approves("drop_tables")) is not None
    assert len(list(unapproved_action(early, LIMITS))) == 1


def test_the_newest_answer_counts() -> None:
    assert summary_of(asking().denies("drop_table").approves("drop_table", by="bob")) is None
    assert summary_of(asking().approves("drop_table").denies("drop_table", by="bob")) == (
        "drop_table was called although bob had denied it."
    )
    assert summary_of(asking().denies("drop_table", by=None)) == (
        "drop_table was called although it had been denied."
    )


def test_a_request_without_an_answer_allows_nothing() -> None:
    waiting = asking().asks("drop_table", of="dba").calls("drop_table", name="a")
    (finding,) = waiting.says(unapproved_action)

    assert finding.summary == "drop_table was called before anybody had approved it."
    assert finding.evidence == ("span-002", "span-001")
    assert finding.facts == ("22:13:22 UTC an approval was asked of dba, not answered by then",)


def test_an_answer_that_came_after_the_call_began_is_told_as_no_answer_by_then() -> None:
    waiting = asking().asks("drop_table").calls("drop_table", name="a").returns()
    before = waiting.run()
    played = waiting.approves("drop_table").run()
    now = replace(played, steps=played.steps[: len(before.steps)])

    assert [one.summary for one in unapproved_action(now, LIMITS)] == [
        "drop_table was called before anybody had approved it."
    ]


def test_an_expired_approval_is_told_with_its_hour() -> None:
    played = asking().approves("drop_table", valid_s=60)

    assert summary_of(played.after(30)) is None
    assert summary_of(played.returns().after(90)) == (
        "drop_table was called although the approval of 22:13 UTC had expired."
    )


def test_an_expired_approval_takes_nothing_from_an_older_one_that_holds() -> None:
    assert (
        summary_of(asking().approves("drop_table").approves("drop_table", valid_s=1).after(9))
        is None
    )


def test_an_approval_that_names_arguments_is_for_these_only() -> None:
    def bound() -> Scenario:
        return asking().asks("drop_table", name="orders_2019").approves("drop_table", by="alice")

    assert summary_of(bound(), "orders_2019") is None
    (finding,) = bound().calls("drop_table", name="orders").says(unapproved_action)
    assert finding.summary == (
        "drop_table was called although alice had approved it for other arguments only."
    )
    assert finding.facts == ("22:13:23 UTC alice allowed it, for other arguments",)


def test_a_denial_of_other_arguments_takes_nothing_away() -> None:
    assert summary_of(asking().approves("drop_table").denies("drop_table", name="users")) is None
    assert summary_of(asking().denies("drop_table", name="users")) == (
        "drop_table was called although nobody had approved it."
    )


def test_arguments_that_nobody_recorded_are_not_held_to_be_others() -> None:
    played = asking().denies("drop_table", name="users").approves("drop_table", name="orders")
    played = played.denies("drop_table", name="users").calls("drop_table").run()
    step = played.steps[-1]
    assert step.action is not None
    unseen = replace(step, action=replace(step.action, arguments=unseen_arguments("x")))

    def judged(*steps: Step) -> list[Finding]:
        return list(unapproved_action(replace(played, steps=steps), LIMITS))

    assert judged(*played.steps[:-1], unseen) == []
    assert len(judged(unseen)) == 1


def test_a_policy_that_denies_a_tool_is_not_outvoted() -> None:
    assert summary_of(run(policy=DENY).approves("drop_table")) == (
        "drop_table was called although the policy denies it."
    )


def test_what_was_approved_for_one_worker_holds_for_whom_it_hands_over_to() -> None:
    assert summary_of(asking().approves("drop_table").hands_off("cleaner")) is None


def test_what_is_told_is_bounded() -> None:
    played = asking()
    for _ in range(100):
        played.denies("drop_table")
    (finding,) = played.calls("drop_table").says(unapproved_action)

    assert len(finding.evidence) == Limits().evidence_max
    assert len(finding.facts) == 5


# --- Whatever comes --------------------------------------------------------------------------

MOVES = st.lists(
    st.tuples(
        st.sampled_from(["asks", "approves", "denies", "calls", "thinks", "expires"]),
        st.sampled_from(["orders", "users", None]),
    ),
    max_size=14,
)


def play(moves: list[tuple[str, str | None]]) -> Scenario:
    played = run(policy=ASK)
    for move, name in moves:
        arguments: dict[str, Any] = {} if name is None else {"name": name}
        match move:
            case "asks":
                played.asks("drop_table", **arguments)
            case "approves":
                played.approves("drop_table", **arguments)
            case "denies":
                played.denies("drop_table", **arguments)
            case "expires":
                played.approves("drop_table", valid_s=2, **arguments)
            case "calls":
                played.calls("drop_table", **arguments).returns()
            case _:
                played.thinks()
    return played


def findings_of(window: Window) -> set[str]:
    """Findings after any step."""
    lengths = range(1, len(window) + 1)
    return {f.id for n in lengths for f in unapproved_action(window.prefix(n), LIMITS)}


@settings(max_examples=80)
@given(MOVES, st.randoms())
def test_whatever_order_steps_arrive_in_the_same_is_said(
    moves: list[tuple[str, str | None]], dice: random.Random
) -> None:
    steps = play(moves).steps
    calm, wild = Window("r", LIMITS), Window("r", LIMITS)
    calm.add(steps)
    shuffled = [*steps, *(replace(s, ended_at_ns=None) for s in steps if s.action)]
    dice.shuffle(shuffled)
    for step in shuffled:
        wild.add([step])

    assert findings_of(calm) == findings_of(wild)


@settings(max_examples=80)
@given(MOVES)
def test_a_small_window_says_what_a_large_one_says(moves: list[tuple[str, str | None]]) -> None:
    played = play(moves).thinks().thinks().thinks().calls("drop_table", name="orders")
    large, small = Window("r", LIMITS), Window("r", Limits(run_steps_max=3))
    large.add(played.steps)
    for step in played.steps:
        small.add([step])
    last = [list(unapproved_action(one.whole(0), LIMITS)) for one in (large, small)]

    assert [f.summary for f in last[0]] == [f.summary for f in last[1]]


@settings(max_examples=80)
@given(MOVES)
def test_who_always_asks_and_waits_is_never_named(moves: list[tuple[str, str | None]]) -> None:
    played = run(policy=ASK)
    for _, name in moves:
        arguments: dict[str, Any] = {} if name is None else {"name": name}
        played.asks("drop_table", **arguments).approves("drop_table", **arguments)
        played.calls("drop_table", **arguments)
        assert played.says(unapproved_action) == []
        played.returns()
