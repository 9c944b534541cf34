"""The table of rules: functions from a run and its limits to findings, judged by step and by time.

Each rule declares its metadata in its own module (`aftershock.rules.rule`). To add a rule, write
its module and name it in `RULES`; every list of rules elsewhere is derived from that table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aftershock.limits import Limits
from aftershock.model import Finding, Run, StepKind
from aftershock.rules.action_cycle import action_cycle
from aftershock.rules.agent_impact import agent_impact
from aftershock.rules.budget_exceeded import budget_exceeded, overtime
from aftershock.rules.context_pressure import context_pressure
from aftershock.rules.crashed_run import crashed_run
from aftershock.rules.dropped_fact import dropped_fact
from aftershock.rules.error_streak import error_streak
from aftershock.rules.failed_fact import failed_fact
from aftershock.rules.failure_cascade import failure_cascade
from aftershock.rules.hung_tool import hung_tool
from aftershock.rules.missing_fact import missing_fact
from aftershock.rules.repeated_action import repeated_action
from aftershock.rules.rule import Family, Lifetime, Rule, Timing
from aftershock.rules.silent_failure import silent_failure
from aftershock.rules.stale_fact import stale_fact
from aftershock.rules.stalled_run import stalled_run
from aftershock.rules.stopped_early import stopped_early
from aftershock.rules.unapproved_action import unapproved_action
from aftershock.rules.unexplained_action import unexplained_action
from aftershock.rules.unfounded_answer import unfounded_answer
from aftershock.rules.ungrounded_argument import ungrounded_argument

__all__ = [
    "CLOCK_RULES",
    "KINDS",
    "LIVE_RULES",
    "RULES",
    "STEP_RULES",
    "Family",
    "Judged",
    "Lifetime",
    "Rule",
    "Timing",
    "judge",
    "kinds_of",
    "rule_of",
    "rules_after",
]

# Every rule, in the order in which they are judged.
RULES: tuple[Rule, ...] = (
    repeated_action,
    action_cycle,
    error_streak,
    failure_cascade,
    missing_fact,
    failed_fact,
    stale_fact,
    dropped_fact,
    ungrounded_argument,
    unexplained_action,
    unapproved_action,
    context_pressure,
    budget_exceeded,
    stalled_run,
    silent_failure,
    hung_tool,
    crashed_run,
    stopped_early,
    unfounded_answer,
    agent_impact,
    overtime,
)
KINDS: tuple[str, ...] = tuple(dict.fromkeys(rule.kind for rule in RULES))

# Judged after every step, on the prefix of the run that ends with it.
STEP_RULES: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.after)
# Judged at every tick beside a running system.
LIVE_RULES: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.timing is Timing.LIVE)
# Judged at every tick, and once at the end of a recorded run.
CLOCK_RULES: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.timing is Timing.CLOCK)


class Judged(NamedTuple):
    """Rules whose answer a step can change, and the kinds of findings that they make."""

    rules: tuple[Rule, ...]
    kinds: frozenset[str]


def kinds_of(rules: Iterable[Rule]) -> frozenset[str]:
    """The kinds of findings that these rules make."""
    return frozenset(rule.kind for rule in rules)


def rule_of(kind: str) -> Rule | None:
    """The rule that makes findings of a kind; None for a kind of another version or program."""
    return _BY_KIND.get(kind)


def rules_after(kind: StepKind) -> Judged:
    """The rules that a step of this kind can give a new answer; the others keep theirs."""
    return _AFTER[kind]


def judge(run: Run, limits: Limits, rules: tuple[Rule, ...] = STEP_RULES) -> Iterator[Finding]:
    """Everything that holds of a run by these rules."""
    for rule in rules:
        yield from rule.judge(run, limits)


_BY_KIND = {rule.kind: rule for rule in reversed(RULES)}
_AFTER = {
    kind: Judged(rules, kinds_of(rules))
    for kind in StepKind
    for rules in [tuple(rule for rule in RULES if kind in rule.after)]
}
