"""What the runs of one day used up together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.limits import DEFAULTS, Model
from aftershock.model import Spent, Step, StepKind, Tokens
from aftershock.runs.day_spending import DAY_NS, DaySpending, DaySpent, Scope

S = 1_000_000_000
DAY = 20_000
NOON = DAY * DAY_NS + DAY_NS // 2
PRICED = replace(DEFAULTS, models=(Model("m", input_usd=1.0, output_usd=10.0),))


def inference(run: str, ended_s: float, *, lasted_s: float = 1.0) -> Step:
    ended_ns = NOON + int(ended_s * S)
    began_ns = ended_ns - int(lasted_s * S)
    tokens = Tokens(1_000, 100)
    return Step(run, f"{run}-{ended_s}", StepKind.INFERENCE, "m", began_ns, ended_ns, tokens=tokens)


def test_a_step_counts_for_its_agent_its_user_and_everybody() -> None:
    days = DaySpending()

    days.add(inference("a", 0), "bot", "ann", PRICED)
    days.add(inference("b", 1), "bot", "ben", PRICED)
    days.add(inference("c", 2), "other", None, PRICED)

    one = Spent(1, 1_100, pytest.approx(0.002), 0)  # pyright: ignore[reportArgumentType]
    assert days.used(Scope.USER, "ann", DAY).spent == one
    assert days.used(Scope.AGENT, "bot", DAY).spent.steps == 2
    assert days.used(Scope.ALL, "", DAY).spent.tokens == 3_300
    assert days.used(Scope.AGENT, "unknown", DAY) == DaySpent()


def test_time_goes_from_the_first_step_of_a_run_to_its_last() -> None:
    days = DaySpending()

    days.add(inference("a", 10, lasted_s=2), "bot", None, PRICED)
    days.add(inference("a", 60, lasted_s=1), "bot", None, PRICED)
    days.add(inference("b", 61, lasted_s=3), "bot", None, PRICED)

    assert days.used(Scope.AGENT, "bot", DAY).wall_time_s == pytest.approx(52 + 3)


def test_with_the_next_day_counting_begins_anew() -> None:
    days = DaySpending()
    days.add(inference("a", 0), "bot", None, PRICED)

    days.add(inference("a", 86_400), "bot", None, PRICED)
    days.add(inference("a", 1), "bot", None, PRICED)  # came late

    assert days.used(Scope.AGENT, "bot", DAY) == DaySpent()
    assert days.used(Scope.AGENT, "bot", DAY + 1).spent.steps == 1
    assert days.used(Scope.AGENT, "bot", DAY + 1).wall_time_s <= 86_400 / 2 + 1


def test_what_is_open_and_what_is_no_step_of_a_budget_does_not_count() -> None:
    days = DaySpending()

    days.add(replace(inference("a", 0), ended_at_ns=None), "bot", None, PRICED)
    days.add(replace(inference("a", 0), kind=StepKind.MESSAGE), "bot", None, PRICED)

    assert days.used(Scope.ALL, "", DAY) == DaySpent()


def test_a_restored_day_goes_on() -> None:
    before, after = DaySpending(), DaySpending()
    before.add(inference("a", 0), "bot", "ann", PRICED)

    after.restore(before.day, before.rows())
    after.add(inference("a", 5), "bot", "ann", PRICED)

    assert after.used(Scope.USER, "ann", DAY).spent.steps == 2
