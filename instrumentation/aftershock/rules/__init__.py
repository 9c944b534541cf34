"""Rules say what is true now: functions from a run and its limits to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aftershock.limits import Limits
from aftershock.model import Finding, Run
from aftershock.rules.action_cycle import action_cycle
from aftershock.rules.agent_impact import agent_impact
from aftershock.rules.error_streak import error_streak
from aftershock.rules.failed_fact import failed_fact
from aftershock.rules.missing_fact import missing_fact
from aftershock.rules.repeated_action import repeated_action
from aftershock.rules.stale_fact import stale_fact
from aftershock.rules.stalled_run import stalled_run

Rule = Callable[[Run, Limits], Iterator[Finding]]

# Judged after every step, on the prefix of the run that ends with it.
STEP_RULES: tuple[Rule, ...] = (
    repeated_action,
    action_cycle,
    error_streak,
    missing_fact,
    failed_fact,
    stale_fact,
)
# Judged at every tick: what the passing of time alone makes true.
TIMED_RULES: tuple[Rule, ...] = (stalled_run, agent_impact)


def judge(run: Run, limits: Limits, rules: tuple[Rule, ...] = STEP_RULES) -> Iterator[Finding]:
    """Everything that the rules say about a run."""
    for rule in rules:
        yield from rule(run, limits)
