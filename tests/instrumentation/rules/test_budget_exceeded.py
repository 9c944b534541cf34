"""budget_exceeded: warned of at 80 %, an alarm beyond, and nothing where there is no budget."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.limits import Budget, Limits
from aftershock.model import Level, Run, Spent, StepKind
from aftershock.rules.budget_exceeded import budget_exceeded
from tests.support.scenario import LIMITS, Scenario, run


def limited(**budget: float) -> Limits:
    return replace(LIMITS, budget=Budget(**budget))  # pyright: ignore[reportArgumentType]


def busy() -> Scenario:
    """Ten steps, 10,000 tokens, a cent and a half, nineteen seconds, two failures."""
    played = run().thinks(4_000, model="gpt-4o", output=100).thinks(5_500, model="x", output=400)
    played.calls("search", q="a").fails().calls("search", q="b").fails()
    for number in range(6):
        played.calls("search", q=str(number)).returns(f"{number} found")
    return played


def test_without_a_budget_nothing_is_said() -> None:
    assert busy().says(budget_exceeded) == []


@pytest.mark.parametrize(
    ("budget", "level", "summary"),
    [
        ({"steps": 9}, Level.ALARM, "The run used 10 of 9 steps."),
        ({"steps": 10}, Level.WARN, "The run used 10 of 10 steps."),
        ({"tokens": 9_000}, Level.ALARM, "The run used 10,000 of 9,000 tokens."),
        ({"cost_usd": 0.01}, Level.ALARM, "The run used $0.01 of $0.01."),
        ({"wall_time_s": 12}, Level.ALARM, "The run used 17 of 12 s."),
        ({"wall_time_s": 20}, Level.WARN, "The run used 17 of 20 s."),
        ({"tool_errors": 1}, Level.ALARM, "The run used 2 of 1 failed tool calls."),
        ({"tool_errors": 0}, Level.ALARM, "The run used 2 of 0 failed tool calls."),
    ],
)
def test_each_amount_is_counted(budget: dict[str, float], level: Level, summary: str) -> None:
    (finding,) = busy().says(budget_exceeded, limited(**budget))

    assert (level, summary) == (finding.level, finding.summary)
    assert finding.subject == next(iter(budget)).removesuffix("_s")


@pytest.mark.parametrize("budget", [{"steps": 13}, {"tokens": 12_501}, {"tool_errors": 3}])
def test_below_four_fifths_is_fine(budget: dict[str, float]) -> None:
    assert busy().says(budget_exceeded, limited(**budget)) == []


def test_what_fell_out_of_the_window_was_spent_all_the_same() -> None:
    long: Run = replace(busy().run(), dropped_spent=Spent(steps=100, tokens=1, tool_errors=5))
    (finding,) = budget_exceeded(long, limited(steps=50))

    assert finding.summary == "The run used 110 of 50 steps."


def test_decisions_and_messages_are_no_steps_of_a_budget() -> None:
    talk = run().receives_message().decides().receives_message().decides()

    assert {StepKind.MESSAGE, StepKind.DECISION} == {step.kind for step in talk.steps}
    assert talk.says(budget_exceeded, limited(steps=0)) == []
