"""Rules say what is true now: functions from a run and its limits to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from aftershock.limits import Limits
from aftershock.model import Finding, Run, StepKind
from aftershock.rules.action_cycle import action_cycle
from aftershock.rules.agent_impact import agent_impact
from aftershock.rules.budget_exceeded import budget_exceeded
from aftershock.rules.context_pressure import context_pressure
from aftershock.rules.dropped_fact import dropped_fact
from aftershock.rules.error_streak import error_streak
from aftershock.rules.failed_fact import failed_fact
from aftershock.rules.failure_cascade import failure_cascade
from aftershock.rules.missing_fact import missing_fact
from aftershock.rules.repeated_action import repeated_action
from aftershock.rules.stale_fact import stale_fact
from aftershock.rules.stalled_run import stalled_run
from aftershock.rules.unapproved_action import unapproved_action
from aftershock.rules.unexplained_action import unexplained_action
from aftershock.rules.ungrounded_argument import ungrounded_argument

Rule = Callable[[Run, Limits], Iterator[Finding]]

# About what was done since a person last spoke: calls and hand-offs.
LOOP_RULES: tuple[Rule, ...] = (repeated_action, action_cycle, error_streak, failure_cascade)
# About the newest call, and what the run knew when it began.
CONTEXT_RULES: tuple[Rule, ...] = (
    missing_fact,
    failed_fact,
    stale_fact,
    dropped_fact,
    ungrounded_argument,
    unexplained_action,
)
# About the newest call, and what had been allowed when it began.
CONTROL_RULES: tuple[Rule, ...] = (unapproved_action,)
# About what is used up.
LIMIT_RULES: tuple[Rule, ...] = (context_pressure, budget_exceeded)

# Judged after every step, on the prefix of the run that ends with it.
STEP_RULES: tuple[Rule, ...] = (*LOOP_RULES, *CONTEXT_RULES, *CONTROL_RULES, *LIMIT_RULES)
# Judged at every tick: what the passing of time alone makes true.
TIMED_RULES: tuple[Rule, ...] = (stalled_run, agent_impact)


class Judged(NamedTuple):
    """Rules whose answer a step can change, and the kinds of findings that they make."""

    rules: tuple[Rule, ...]
    kinds: frozenset[str]


def among(*rules: Rule) -> Judged:
    """These rules with their kinds, which are their names."""
    return Judged(rules, frozenset(rule.__name__ for rule in rules))


NOTHING = among()
JUDGED: dict[StepKind, Judged] = {
    StepKind.TOOL_CALL: among(*LOOP_RULES, *CONTEXT_RULES, *CONTROL_RULES, budget_exceeded),
    StepKind.HAND_OFF: among(*LOOP_RULES, budget_exceeded),
    StepKind.MESSAGE: among(*LOOP_RULES),
    StepKind.INFERENCE: among(*LIMIT_RULES),
    StepKind.RETRIEVAL: among(budget_exceeded),
}


def rules_after(kind: StepKind) -> Judged:
    """The step rules that such a step can make say something else; the others stand by theirs."""
    return JUDGED.get(kind, NOTHING)


def judge(run: Run, limits: Limits, rules: tuple[Rule, ...] = STEP_RULES) -> Iterator[Finding]:
    """Everything that the rules say about a run."""
    for rule in rules:
        yield from rule(run, limits)
