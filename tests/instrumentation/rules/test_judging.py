"""All rules together: pure, stable, and quick whatever the run looks like."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock.model import StepKind
from aftershock.rules import (
    KINDS,
    LIVE_RULES,
    RULES,
    STEP_RULES,
    Family,
    Lifetime,
    Timing,
    judge,
    rule_of,
    rules_after,
)
from tests.support.scenario import LIMITS, Scenario, run

TOOLS = st.sampled_from(["get_status", "edit_file", "delete_file", "search", "frobnicate"])
MOVES = st.lists(
    st.tuples(
        TOOLS,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["done", "same\nlines", "", None, "open"]),
        st.sampled_from(["agent", "other", "think", "user"]),
    ),
    max_size=30,
)


def play(moves: list[tuple[str, str, str | None, str]]) -> Scenario:
    played = run()
    for tool, argument, result, who in moves:
        if who == "think":
            played.thinks()
        elif who == "user":
            played.receives_message()
        else:
            played.as_worker(who).calls(tool, name=argument)
            if result is None:
                played.fails()
            elif result != "open":
                played.returns(result)
    return played


@settings(max_examples=60)
@given(MOVES)
def test_judging_twice_says_the_same(moves: list[tuple[str, str, str | None, str]]) -> None:
    played = play(moves)

    assert played.history() == played.history()


@settings(max_examples=60)
@given(MOVES)
def test_findings_are_distinct_and_their_evidence_is_in_the_run(
    moves: list[tuple[str, str, str | None, str]],
) -> None:
    played = play(moves)
    spans = {step.span_id for step in played.steps}
    found = list(judge(played.run(), LIMITS, (*STEP_RULES, *LIVE_RULES)))

    assert len(found) == len({finding.id for finding in found})
    assert all(set(finding.evidence) <= spans for finding in found)
    assert all(finding.began_at_ns <= finding.as_of_ns for finding in found)


@settings(max_examples=60)
@given(MOVES)
def test_thinking_at_the_end_changes_no_loop(
    moves: list[tuple[str, str, str | None, str]],
) -> None:
    played = play(moves)
    before = {finding.id for finding in judge(played.run(), LIMITS)}
    after = {finding.id for finding in judge(played.thinks().run(), LIMITS)}

    assert before == after


@settings(max_examples=60)
@given(MOVES, st.sampled_from(sorted(StepKind)))
def test_rules_that_are_not_asked_after_a_step_would_say_what_they_said_before(
    moves: list[tuple[str, str, str | None, str]], kind: StepKind
) -> None:
    """Rules about context and control speak of the newest call, and what they said of one lasts."""
    played = play(moves)
    about_the_newest = {r for r in STEP_RULES if r.family in {Family.CONTEXT, Family.CONTROL}}
    silent = tuple(set(STEP_RULES) - set(rules_after(kind).rules) - about_the_newest)
    before = {(finding.id, finding.level) for finding in judge(played.run(), LIMITS, silent)}
    if kind is StepKind.TOOL_CALL:
        played.calls("search", name="a").returns("b")
    elif kind is StepKind.MESSAGE:
        played.receives_message()
    elif kind is StepKind.INFERENCE:
        played.thinks(10**9, model="gpt-4o")
    elif kind is StepKind.DECISION:
        played.decides()
    elif kind is StepKind.HAND_OFF:
        played.hands_off("other")
    elif kind is StepKind.FACT:
        played.saw("window")

    assert before == {
        (finding.id, finding.level) for finding in judge(played.run(), LIMITS, silent)
    }


def test_a_rule_is_named_as_the_findings_it_makes() -> None:
    stuck = run().calls("get_status").returns("degraded").times(3)

    assert {finding.kind for finding in judge(stuck.run(), LIMITS)} == {"repeated_action"}
    assert {rule_of(kind) for kind in KINDS} <= set(RULES)


def test_a_kind_that_two_rules_make_is_described_alike_by_both() -> None:
    for rule in RULES:
        first = rule_of(rule.kind)

        assert first is not None
        assert (first.family, first.lifetime) == (rule.family, rule.lifetime)


def test_every_rule_is_judged_after_some_step_or_as_time_passes() -> None:
    assert [] == [rule.kind for rule in RULES if not rule.after and rule.timing is Timing.STEPS]


def test_findings_about_an_action_are_told_apart_from_those_about_a_state() -> None:
    about_actions = {rule.kind for rule in RULES if rule.lifetime is Lifetime.ACTION}

    assert about_actions == {
        "missing_fact",
        "failed_fact",
        "stale_fact",
        "dropped_fact",
        "ungrounded_argument",
        "unexplained_action",
        "unapproved_action",
        "agent_impact",
        "silent_failure",
        "crashed_run",
        "stopped_early",
        "unfounded_answer",
    }
