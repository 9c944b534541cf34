"""budget_exceeded: a run uses more steps, tokens, money, time or errors than its budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aftershock.limits import Budget
from aftershock.model import Finding, Level, Run, Step
from aftershock.policy.prices import COUNTED, spent_with
from aftershock.rules.rule import SPENDING, Family, Lifetime, Timing, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits
    from aftershock.model import Spent

KIND = "budget_exceeded"
NO_BUDGET = Budget()


@rule(Family.LIMITS, Lifetime.STATE, after=SPENDING)
def budget_exceeded(run: Run, limits: Limits) -> Iterator[Finding]:
    """One finding for each amount of the agent's budget that is nearly or completely used."""
    if limits.budget == NO_BUDGET:
        return
    counted = [step for step in run.steps if step.kind in COUNTED]
    if not counted:
        return
    spent = run.dropped_spent
    for step in counted:
        spent = spent_with(spent, step, limits)
    for name, used, most, words in amounts(limits.budget, spent, seconds_of(run)):
        if used >= warn_share(limits.budget, limits) * most:
            yield budget_finding(run, limits, counted, name, words, over=used > most)


@rule(Family.LIMITS, Lifetime.STATE, kind=KIND, timing=Timing.CLOCK)
def overtime(run: Run, limits: Limits) -> Iterator[Finding]:
    """What budget_exceeded says of time alone, which passes without a step, too."""
    most = limits.budget.wall_time_s
    if most is None or run.began_at_ns is None:
        return
    if (run.now_ns - run.began_at_ns) / 1e9 >= warn_share(limits.budget, limits) * most:
        time_alone = Budget(wall_time_s=most, warn_at=limits.budget.warn_at)
        yield from budget_exceeded(run, replace(limits, budget=time_alone))


def warn_share(budget: Budget, limits: Limits) -> float:
    """The share of an amount from which on it is nearly used."""
    return limits.budget_warn if budget.warn_at is None else budget.warn_at


def seconds_of(run: Run) -> float | None:
    """Seconds that a run has lasted; None: its beginning is not known."""
    return None if run.began_at_ns is None else (run.now_ns - run.began_at_ns) / 1e9


def amounts(
    budget: Budget, spent: Spent, seconds: float | None
) -> Iterator[tuple[str, float, float, str]]:
    """(name, used, limit, as text) of every amount that the budget limits."""
    if budget.steps is not None:
        words = f"{spent.steps:,} of {budget.steps:,} steps"
        yield "steps", spent.steps, budget.steps, words
    if budget.tokens is not None:
        words = f"{spent.tokens:,} of {budget.tokens:,} tokens"
        yield "tokens", spent.tokens, budget.tokens, words
    if budget.cost_usd is not None:
        words = f"${spent.cost_usd:,.2f} of ${budget.cost_usd:,.2f}"
        yield "cost_usd", spent.cost_usd, budget.cost_usd, words
    if budget.wall_time_s is not None and seconds is not None:
        words = f"{seconds:,.0f} of {budget.wall_time_s:,.0f} s"
        yield "wall_time", seconds, budget.wall_time_s, words
    if budget.tool_errors is not None:
        words = f"{spent.tool_errors:,} of {budget.tool_errors:,} failed tool calls"
        yield "tool_errors", spent.tool_errors, budget.tool_errors, words


def budget_finding(
    run: Run, limits: Limits, counted: list[Step], name: str, words: str, *, over: bool
) -> Finding:
    """A finding about one amount."""
    newest = counted[-1]
    return Finding(
        kind=KIND,
        run_id=run.id,
        subject=name,
        level=Level.ALARM if over else Level.WARN,
        began_at_ns=newest.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=tuple(step.span_id for step in counted[-limits.evidence_max :]),
        summary=f"The run used {words}.",
        agent=run.agent or newest.agent,
        trace_id=newest.trace_id,
        lasting=True,
    )
