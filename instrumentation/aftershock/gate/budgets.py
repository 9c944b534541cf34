"""Budgets before a call: what it would exceed, of its run's budget and of those that runs share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from aftershock.approval import Gate
from aftershock.gate.admission import Code, Reason
from aftershock.model import Level, Spent
from aftershock.rules.budget_exceeded import (
    NO_BUDGET,
    amounts,
    budget_exceeded,
    seconds_of,
    warn_share,
)
from aftershock.runs.day_spending import DAY_NS, DaySpent, Scope, scopes_of

if TYPE_CHECKING:
    from aftershock.limits import Budget, Limits
    from aftershock.model import Run, Step

MY_BUDGET = "my_budget"  # the tool by which a model asks what it may still use: never over budget
ONE_STEP = DaySpent(Spent(steps=1))
WHOSE = {Scope.AGENT: "agent {}", Scope.USER: "this user", Scope.ALL: "all agents"}
STOP_SPENDING = "Stop here: save what you have and report what is left to do."
SPEND_WELL = "Use what is left for what matters most."

# What the runs of an agent or a user, or all runs, used up on a day.
Today = Callable[[Scope, str, int], DaySpent]


def over_budget(run: Run, limits: Limits, gate: Gate) -> Iterator[Reason]:
    """Amounts of the budget that this call would exceed, or that are nearly used."""
    for finding in budget_exceeded(run, limits):
        over = finding.level is Level.ALARM
        used = finding.summary.removeprefix("The run used ").rstrip(".")
        yield Reason(
            Code.BUDGET,
            gate if over else Gate.WARN,
            f"The budget of this run: {used} with this call.",
            STOP_SPENDING if over else SPEND_WELL,
        )


def over_shared_budgets(
    step: Step, limits: Limits, today: Today, now_ns: int, gate: Gate
) -> Iterator[Reason]:
    """The same of budgets that the runs of one day share: the agent's, the user's, everybody's."""
    for scope, name, budget in shared_budgets(step.agent, step.user, limits):
        used = today(scope, name, now_ns // DAY_NS).plus(ONE_STEP)
        for _, amount, most, words in amounts(budget, used.spent, used.wall_time_s):
            if amount < warn_share(budget, limits) * most:
                continue
            over = amount > most
            yield Reason(
                Code.BUDGET,
                gate if over else Gate.WARN,
                f"The budget of {WHOSE[scope].format(name)} for today: {words} with this call.",
                STOP_SPENDING if over else SPEND_WELL,
            )


def budget_lines(run: Run, user: str | None, limits: Limits, today: Today) -> Iterator[str]:
    """What is used of each budget that a run counts against, for its model."""
    own = [words for *_, words in amounts(limits.budget, run.dropped_spent, seconds_of(run))]
    if own:
        yield f"This run used {', '.join(own)}."
    for scope, name, budget in shared_budgets(run.agent, user, limits):
        used = today(scope, name, run.now_ns // DAY_NS)
        if shared := [words for *_, words in amounts(budget, used.spent, used.wall_time_s)]:
            yield f"Today, {WHOSE[scope].format(name)} used {', '.join(shared)}."


def shared_budgets(
    agent: str | None, user: str | None, limits: Limits
) -> Iterator[tuple[Scope, str, Budget]]:
    """The budgets of a day that a call counts against: whose, by name, and how much."""
    of = {
        Scope.AGENT: limits.budget_per_day,
        Scope.USER: limits.budget_per_user,
        Scope.ALL: limits.budget_of_all,
    }
    for scope, name in scopes_of(agent, user):
        if of[scope] != NO_BUDGET:
            yield scope, name, of[scope]
