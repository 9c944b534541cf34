"""Explanations of findings: steps side by side, what is said of them, what was spent."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from aftershock.model import Claim, Closing, Finding, Level, Step
from aftershock.policy.policy import EMPTY, Policy
from aftershock.rules import Rule
from aftershock.rules.dropped_fact import dropped_fact
from aftershock.rules.missing_fact import missing_fact
from aftershock.rules.stale_fact import stale_fact
from aftershock_collector.review.comparison import Content, Likeness, side_by_side
from aftershock_collector.review.explanation import Explanation, State, explain
from aftershock_collector.review.spending import histories_of, saving_of
from aftershock_collector.views.terminal import why_text
from tests.support import incident
from tests.support.scenario import Scenario, run


def of(scenario: Scenario, contents: dict[int, Content] | None = None) -> list[Any]:
    """The tool calls of a scenario, compared; contents by place."""
    steps = [step for step in scenario.steps if step.action]
    held = {steps[at].span_id: content for at, content in (contents or {}).items()}
    return list(side_by_side(steps, held))


def test_fingerprints_alone_tell_same_numbers_and_new_apart() -> None:
    spent = "line one\nline two\nline three\nline four\nat 12:00 it was {}"
    calls = of(
        run()
        .calls("read", page=1).returns(spent.format(5))
        .calls("read", page=1).returns(spent.format(6))
        .calls("read", page=2).returns(spent.format(6) + "\nline six")
        .calls("read", page=1).fails("Error: no page 1")
        .calls("read", page=1).fails("Error: no page 2")
        .calls("read", page=1)
    )  # fmt: skip
    arguments = [call.arguments.likeness for call in calls]
    answers = [call.answer.likeness for call in calls]

    assert [Likeness.FIRST, Likeness.SAME, Likeness.NUMBERS] == arguments[:3]
    assert [3, 1, 2] == [calls[2].arguments.beside + 1, calls[3].arguments.beside - 1, 2]
    assert [Likeness.FIRST, Likeness.NUMBERS, Likeness.DIFFERENT] == answers[:3]
    assert 1 / 6 == pytest.approx(calls[2].answer.share_new)
    assert [Likeness.FIRST, Likeness.SAME, Likeness.UNKNOWN] == answers[3:]
    assert () == calls[2].arguments.differences


def test_recorded_content_names_what_differs() -> None:
    first = Content({"q": "socks", "page": 1, "filter": {"size": "M"}}, "a\nb\nc\nd\ne")
    second = Content({"q": "socks", "page": 2, "filter": {"colour": "red"}}, "a\nb\nc\nd\nf")
    calls = of(
        run()
        .calls("find", **first.arguments).returns(first.result)
        .calls("find", **second.arguments).returns(second.result),
        {0: first, 1: second},
    )  # fmt: skip

    assert [
        ("page", "1", "2"),
        ("filter.size", "M", None),
        ("filter.colour", None, "red"),
    ] == [tuple(one) for one in calls[1].arguments.differences]
    assert [("", None, "f")] == [tuple(one) for one in calls[1].answer.differences]


def test_many_differences_are_counted_and_not_listed() -> None:
    before = Content({f"k{n}": n for n in range(40)}, "x")
    now = Content({f"k{n}": n + 1 for n in range(40)}, "x")
    calls = of(
        run().calls("put", **before.arguments).returns("x").calls("put", **now.arguments)
        .returns("x"),
        {0: before, 1: now},
    )  # fmt: skip

    assert (6, 34) == (len(calls[1].arguments.differences), calls[1].arguments.more)


def rows_of(scenario: Scenario, rule: Rule, policy: Policy = EMPTY) -> Explanation:
    """The explanation of the one thing that a rule said at any step."""
    lengths = range(1, len(scenario.steps) + 1)
    found = [f for n in lengths for f in rule(scenario.run(n), policy.limits)]
    claim = Claim(found[-1], found[0].as_of_ns)
    return explain(claim, scenario.steps, {}, policy)


def test_an_outdated_fact_says_what_made_it_so() -> None:
    policy = Policy.from_mapping(
        {
            "tools": {
                "scale": {"requires": [{"fact": "limit", "subject": "db", "max_age": "1m"}]},
                "get_limit": {"provides": [{"fact": "limit", "subject": "db"}]},
            }
        }
    )
    scenario = (
        run(policy=policy).calls("get_limit").returns("100").after(90).calls("scale").returns()
    )
    (need,) = rows_of(scenario, stale_fact, policy).needs

    assert (State.OUTDATED, "read 91 s before") == (need.state, need.why)
    assert ["get_limit"] == [step.name for step in need.providers[0].before]


def test_a_fact_that_was_cut_from_the_messages_is_neither_known_nor_missing() -> None:
    policy = Policy.from_mapping(
        {
            "tools": {
                "scale": {"requires": [{"fact": "limit", "subject": "db"}]},
                "get_limit": {"provides": [{"fact": "limit", "subject": "db"}]},
            }
        }
    )
    scenario = run(policy=policy).with_messages().receives_message(text="scale it").thinks()
    scenario.calls("get_limit").returns("at most 100").thinks().forgets().thinks().calls("scale")
    explanation = rows_of(scenario, dropped_fact, policy)
    (need,) = explanation.needs

    assert State.DROPPED == need.state
    assert "✗ limit of db: read, and cut from the messages before this was decided" in (
        why_text.plain(explanation)
    )


def test_a_custom_is_shown_with_its_support_and_never_with_a_hash() -> None:
    policy = Policy.from_mapping({"tools": {"scale": {"requires": [{"fact": "get_limit"}]}}})
    scenario = run(policy=policy).calls("scale", database="orders").returns()
    step = scenario.steps[0]
    assert step.action
    (wanted,) = step.action.requires
    learnt = replace(
        wanted, subject="9a8b7c", learnt_support=40, learnt_confidence=0.95, sources=("get_limit",)
    )
    scenario.steps[0] = replace(step, action=replace(step.action, requires=(learnt,)))
    text = why_text.plain(rows_of(scenario, missing_fact, policy))

    assert "✗ get_limit, as 95% of 40 earlier actions had read: never asked for" in text
    assert "9a8b7c" not in text.split("What it needed to know")[1].split("The step")[0]


def loop(length: int, tool: str = "get_status") -> Explanation:
    scenario = run(agent="sre").thinks(100)
    for _ in range(length):
        scenario.calls(tool, job="A-1").returns("open").thinks(100)
    finding = Finding(
        kind="repeated_action",
        run_id="r",
        subject=tool,
        level=Level.ALARM,
        began_at_ns=scenario.steps[1].began_at_ns,
        as_of_ns=scenario.now_ns,
        evidence=tuple(step.span_id for step in scenario.steps if step.action),
        summary=f"{tool} was called {length} times.",
    )
    return explain(Claim(finding, scenario.steps[3].last_ns), scenario.steps, {}, EMPTY)


def test_a_long_loop_is_folded_to_its_first_and_its_last() -> None:
    explanation = loop(30)
    text = why_text.plain(explanation)

    assert 30 == len(explanation.calls)
    assert "28 more like it" not in text  # the first call is like no other
    assert "27 more like it" in text
    assert len(text.splitlines()) < 20


def test_a_narrow_terminal_gets_no_longer_lines_than_it_has_columns() -> None:
    out = io.StringIO()
    explanation = loop(5)
    why_text.show(explanation, Console(file=out, width=60, force_terminal=True, color_system=None))
    narrow = out.getvalue().splitlines()

    assert max(map(len, narrow)) <= 60
    assert max(map(len, why_text.plain(explanation).splitlines())) > 60


def test_a_hostile_name_breaks_no_line() -> None:
    text = why_text.plain(loop(3, "evil\n\x1b[31m\u202etool"))

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert [] == [line for line in text.splitlines() if line.startswith("tool")]


def test_the_saving_of_a_life_counts_from_that_life() -> None:
    scenario = run(agent="sre")
    for state in ("open", "shipped"):
        for _ in range(4):
            scenario.calls("get_order", order="A-1").returns(state)
        scenario.calls("update_order", order="A-1").returns("updated")
    steps: Sequence[Step] = scenario.steps
    histories = histories_of(steps, EMPTY)
    identity = next(one for one in histories if "get_order" in one)
    lives = histories[identity]
    first, second = (
        Claim(
            replace(loop(3).claim.finding, subject=identity.removeprefix("r/repeated_action/")),
            life.opened_by.last_ns,
            closed.last_ns,
            Closing.CONTRADICTED,
        )
        for life, closed in zip(lives, (steps[4], steps[9]), strict=True)
    )
    savings = [saving_of(claim, steps, histories, EMPTY) for claim in (first, second)]

    assert ["span-003", "span-008"] == [one.span_id for one in savings if one]
    assert [1, 1] == [one.spent.steps for one in savings if one]
    assert [False, False] == [one.tokens_known for one in savings if one]


def test_deeds_and_damage_have_no_saving() -> None:
    steps = incident.steps()
    mine = [step for step in steps if step.run_id == incident.RUN]

    assert saving_of(incident.missing_fact(), mine, {}, EMPTY) is None
    assert saving_of(incident.blamed(), mine, {}, EMPTY) is None
    assert saving_of(incident.loop(), mine, {}, EMPTY) is not None
